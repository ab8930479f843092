//! From core module to component.

use wit_component::ComponentEncoder;

use crate::Error;

/// The first eight bytes of a core module and of a component: the magic and the version, whose
/// second half tells them apart.
const CORE_MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";
const LAYER_OF_COMPONENT: [u8; 2] = [1, 0];

/// Makes a component of a core module whose bindings describe its world. The result is valid.
///
/// # Errors
///
/// Every [`Error`].
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
