//! A plugin as one file, `NAME-VERSION.atelier-plugin`: a zip of its folder. Packing the same folder
//! gives the same bytes. Unpacking takes anybody's file: names, counts and sizes are checked before
//! anything is written, only plain files come out, and nothing of it is run.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Component, Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::PluginError;
use atelier_plugin_package::{PACKAGE_FILE, folder_name};

/// The ending of a packed plugin.
pub const ARCHIVE_EXTENSION: &str = "atelier-plugin";

/// Files in an archive; an honest one has a handful.
const MOST_FILES: usize = 256;
/// Bytes of all files together, unpacked.
const MOST_BYTES: u64 = 128 << 20;
/// The longest name in an archive, in bytes.
const LONGEST_NAME: usize = 200;

/// The files of a plugin's folder that travel with it, by their names with `/`, sorted. Folders of
/// builds and hidden files stay.
///
/// # Errors
///
/// [`PluginError::Archive`] when the folder cannot be read, or holds too much or what is no file.
pub fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, PluginError> {
    let plugin = folder_name(folder);
    let mut found = Vec::new();
    collect(&plugin, folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(
    plugin: &str,
    folder: &Path,
    under: &str,
    found: &mut Vec<(String, PathBuf)>,
) -> Result<(), PluginError> {
    let refuse = |problem: String| PluginError::Archive {
        plugin: plugin.to_owned(),
        problem,
    };
    let unreadable = |cause: std::io::Error| refuse(format!("{}: {cause}", folder.display()));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(refuse(format!("{:?} is no UTF-8 name", entry.file_name())));
        };
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{under}{name}");
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            collect(plugin, &entry.path(), &format!("{name}/"), found)?;
        } else if kind.is_file() {
            found.push((name, entry.path()));
        } else {
            return Err(refuse(format!("{name} is neither a file nor a folder")));
        }
        if found.len() > MOST_FILES {
            return Err(refuse(format!("more than {MOST_FILES} files")));
        }
    }
    Ok(())
}

/// Packs a plugin's folder into a stream.
///
/// # Errors
///
/// [`PluginError::Archive`].
pub fn pack(folder: &Path, out: impl Write + Seek) -> Result<(), PluginError> {
    let plugin = folder_name(folder);
    let refuse = |problem: String| PluginError::Archive {
        plugin: plugin.clone(),
        problem,
    };
    let mut writer = ZipWriter::new(out);
    // The format's own beginning of time: when a file was written must not change the digest.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for (name, path) in files(folder)? {
        let mut written = || {
            let bytes = fs::read(&path)?;
            writer.start_file(&name, options)?;
            writer.write_all(&bytes)?;
            Ok::<(), zip::result::ZipError>(())
        };
        written().map_err(|cause| refuse(format!("{name}: {cause}")))?;
    }
    writer.finish().map_err(|cause| refuse(cause.to_string()))?;
    Ok(())
}

/// Unpacks an archive into an empty folder.
///
/// # Errors
///
/// [`PluginError::Archive`] when it is no archive of a plugin, holds too much, or names what lies
/// outside; then some of it may have been written.
pub fn unpack(archive: &Path, into: &Path) -> Result<(), PluginError> {
    let plugin = archive
        .file_stem()
        .unwrap_or(archive.as_os_str())
        .to_string_lossy()
        .into_owned();
    let refuse = |problem: String| PluginError::Archive {
        plugin: plugin.clone(),
        problem,
    };
    let file = File::open(archive).map_err(|cause| refuse(cause.to_string()))?;
    let mut zip =
        ZipArchive::new(file).map_err(|cause| refuse(format!("is no zip archive: {cause}")))?;
    if zip.len() > MOST_FILES {
        return Err(refuse(format!(
            "it holds {} files; {MOST_FILES} are allowed",
            zip.len()
        )));
    }
    if zip.index_for_name(PACKAGE_FILE).is_none() {
        return Err(refuse(format!("it holds no {PACKAGE_FILE}")));
    }
    let mut left = MOST_BYTES;
    for index in 0..zip.len() {
        let mut entry = zip
            .by_index(index)
            .map_err(|cause| refuse(cause.to_string()))?;
        let name = entry.name().to_owned();
        if entry.is_dir() {
            continue;
        }
        if !entry.is_file() || !is_plain(&name) {
            return Err(refuse(format!("it holds {name:?}, which is not taken")));
        }
        let path = into.join(&name);
        let mut write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            // What an entry says of its size is anybody's word: the limit counts what comes.
            let mut out = File::create_new(&path)?;
            std::io::copy(&mut entry.by_ref().take(left + 1), &mut out)
        };
        let bytes = write().map_err(|cause| refuse(format!("{name}: {cause}")))?;
        left = left.checked_sub(bytes).ok_or_else(|| {
            refuse(format!(
                "it holds more than the {} MiB that are allowed",
                MOST_BYTES >> 20
            ))
        })?;
    }
    Ok(())
}

/// A relative name of plain parts that are not hidden.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.contains('\\')
        && !name.chars().any(char::is_control)
        && Path::new(name).components().all(|part| match part {
            Component::Normal(part) => !part.as_encoded_bytes().starts_with(b"."),
            _ => false,
        })
}

#[cfg(test)]
mod tests;
