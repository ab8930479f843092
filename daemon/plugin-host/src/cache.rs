//! Compiled components, kept between runs: compiling a plugin written in Python takes seconds.
//!
//! What lies here is machine code that will run in this process, so it is read only from a folder
//! that nobody else can write to, and only when it is, byte for byte, what this host wrote: an
//! entry is the SHA-256 of the code and then the code. An entry's name says which component it
//! was made from and for which engine. Anything that does not fit is compiled again; nothing from
//! a plugin's own folder is ever read as code.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of the digest at the start of an entry.
const DIGEST: usize = 32;

/// The folder of compiled components.
pub(crate) struct Cache {
    folder: PathBuf,
    /// Sets apart what engines of other versions, settings or processors compiled.
    engine: u64,
}

impl Cache {
    /// Makes the folder, private to its owner, or takes an existing one that is.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        make_private(folder)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            folder: folder.to_owned(),
            engine: hasher.finish(),
        })
    }

    /// The compiled form of a component, and whether it was here already. `sha256` is that of
    /// `bytes`, in hex.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        bytes: &[u8],
        sha256: &str,
    ) -> wasmtime::Result<(Component, bool)> {
        let path = self
            .folder
            .join(format!("{sha256}-{:016x}.cwasm", self.engine));
        if let Some(component) = read(engine, &path) {
            return Ok((component, true));
        }
        let component = Component::from_binary(engine, bytes)?;
        let code = component.serialize()?;
        if let Err(error) = write(&path, &code) {
            // The plugin works without; it is only slower to load the next time.
            tracing::warn!(path = %path.display(), %error, "a compiled plugin could not be kept");
        }
        Ok((component, false))
    }
}

/// Sees to it that only the owner, who must be us, can change what is in `folder`.
fn make_private(folder: &Path) -> io::Result<()> {
    let refuse = |problem: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    let state = fs::symlink_metadata(folder)?;
    if !state.is_dir() {
        return refuse("it is not a folder");
    }
    // Whoever opens /proc/self owns it: the effective user, without a call to libc.
    if state.uid() != fs::metadata("/proc/self")?.uid() {
        return refuse("it belongs to another user");
    }
    let mode = state.permissions().mode() & 0o777;
    if mode & 0o022 != 0 && fs::read_dir(folder)?.next().is_some() {
        return refuse("others could write to it, so what is in it cannot be trusted; remove it");
    }
    if mode != 0o700 {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The component of an entry that is whole.
fn read(engine: &Engine, path: &Path) -> Option<Component> {
    let entry = fs::read(path).ok()?;
    let (digest, code) = entry.split_at_checked(DIGEST)?;
    if Sha256::digest(code).as_slice() != digest {
        tracing::warn!(path = %path.display(), "a kept plugin is damaged; compiling it again");
        return None;
    }
    match deserialize(engine, code) {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a kept plugin does not load; compiling it again");
            None
        }
    }
}

#[allow(
    unsafe_code,
    reason = "wasmtime cannot check machine code; the cache's folder and digest do"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` comes from `Component::serialize` of this crate. It was read from a folder
    // that only we can write to, it matches the digest stored with it, so it is neither damaged
    // nor cut, and wasmtime itself refuses what another version or configuration wrote. It is
    // copied, so that a change of the file cannot reach it.
    unsafe { Component::deserialize(engine, code) }
}

/// Writes an entry whole or not at all.
fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let draft = path.with_extension(format!("{}-{count}.tmp", std::process::id()));
    let written = write_draft(&draft, code).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write_draft(draft: &Path, code: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(Sha256::digest(code).as_slice())?;
    file.write_all(code)
}
