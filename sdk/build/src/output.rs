//! Files that are whole or not there.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::BuildError;

/// Writes a file beside its place and moves it there.
///
/// # Errors
///
/// [`BuildError::Write`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = fs::File::create(&part)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        // The first error is the one to report; what is left behind is named `.part`.
        let _ = fs::remove_file(&part);
        BuildError::Write {
            path: path.to_owned(),
            source,
        }
    })
}

/// Writes a file, and the folders that it lies in, unless it is there with these bytes already:
/// compilers look at the time.
///
/// # Errors
///
/// [`BuildError::Write`].
pub(crate) fn write_changed(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    write(path, bytes)
}

/// Makes a folder and those that it lies in.
///
/// # Errors
///
/// [`BuildError::Write`].
pub(crate) fn create_folder(folder: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(folder).map_err(|source| BuildError::Write {
        path: folder.to_owned(),
        source,
    })
}
