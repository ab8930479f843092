//! From core module to component, in memory and on disk.

use std::fs;
use std::io::Write;
use std::path::Path;

use wit_component::ComponentEncoder;

use crate::{Error, Interfaces};

/// The first eight bytes of a core module and of a component: the magic and the version, whose
/// second half tells them apart.
const CORE_MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";
const LAYER_OF_COMPONENT: [u8; 2] = [1, 0];

/// Makes a component of a core module whose bindings describe its world. The result is valid.
///
/// # Errors
///
/// Every [`Error`] that is not about files.
pub fn component_of(core: &[u8]) -> Result<Vec<u8>, Error> {
    check_header(core)?;
    let (described, _) = wit_component::metadata::decode(core)
        .map_err(|error| Error::NotWasm(format!("{error:#}")))?;
    if described.is_none() {
        return Err(Error::NoWorld);
    }
    encode(core).map_err(|reason| match wasi_module_in(&reason) {
        Some(module) => Error::Wasi(module),
        None => Error::Unfit(reason),
    })
}

/// Makes a component of the module in the file `core` and writes it to the file `out`, by rename,
/// so that nobody ever reads half of it. Returns what the component imports and exports.
///
/// # Errors
///
/// [`Error::Read`], [`Error::Write`], and those of [`component_of`].
pub fn convert_file(core: &Path, out: &Path) -> Result<Interfaces, Error> {
    let module = fs::read(core).map_err(|source| Error::Read {
        path: core.to_owned(),
        source,
    })?;
    let component = component_of(&module)?;
    let interfaces = Interfaces::of(&component)?;
    write_whole(out, &component).map_err(|source| Error::Write {
        path: out.to_owned(),
        source,
    })?;
    Ok(interfaces)
}

fn check_header(core: &[u8]) -> Result<(), Error> {
    if core.starts_with(&CORE_MODULE) {
        return Ok(());
    }
    if core.starts_with(&CORE_MODULE[..4]) && core.get(6..8) == Some(&LAYER_OF_COMPONENT) {
        return Err(Error::AlreadyComponent);
    }
    Err(Error::NotWasm("the header is missing".to_owned()))
}

fn encode(core: &[u8]) -> Result<Vec<u8>, String> {
    let encode = || {
        ComponentEncoder::default()
            .module(core)?
            .validate(true)
            .encode()
    };
    encode().map_err(|error| format!("{error:#}"))
}

/// The encoder names the module of an import that the described world does not have.
fn wasi_module_in(reason: &str) -> Option<String> {
    let quoted = reason.split('`').skip(1).step_by(2);
    quoted
        .filter(|name| name.starts_with("wasi"))
        .map(str::to_owned)
        .next()
}

fn write_whole(out: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = out.with_file_name(name);
    let written = fs::File::create(&part)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&part, out));
    if written.is_err() {
        // The first error is the one to report; what is left behind is named `.part`.
        let _ = fs::remove_file(&part);
    }
    written
}
