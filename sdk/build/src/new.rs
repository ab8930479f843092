//! New projects from the templates.

use std::path::{Path, PathBuf};
use std::{fs, io};

use atelier_plugin_package::is_name;

use crate::{BuildError, Language, embedded, output, vendor};

/// What stands for the plugin's name in a template's texts.
const NAME: &str = "{{name}}";
/// What stands for the path to the Rust SDK.
const SDK: &str = "{{sdk}}";
/// Where a project keeps the Rust SDK's sources.
const VENDOR: &str = "vendor/atelier";

/// Where a new project takes the SDK from. Only projects in Rust refer to it by a path; for the
/// other languages the build brings what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SdkSource {
    /// The sources that this program carries are written into the project, which then builds
    /// anywhere and stays as it is when Atelier changes.
    #[default]
    Carried,
    /// The folder `sdk` of Atelier's sources, for who works on both.
    Folder(PathBuf),
}

/// Writes a new project to the folder `into`/`name`, which then builds as it is, and returns that
/// folder. It appears whole or not at all.
///
/// # Errors
///
/// [`BuildError::Name`], [`BuildError::Exists`], [`BuildError::Write`], and [`BuildError::Sdk`]
/// where a [folder](SdkSource::Folder) is not the SDK's or this program has no template of the
/// language.
pub fn create(
    language: Language,
    name: &str,
    into: &Path,
    sdk: &SdkSource,
) -> Result<PathBuf, BuildError> {
    if !is_name(name) {
        return Err(BuildError::Name(name.to_owned()));
    }
    let folder = into.join(name);
    if folder.symlink_metadata().is_ok() {
        return Err(BuildError::Exists { path: folder });
    }
    let files = files_of(language, name, sdk)?;
    let part = into.join(format!(".{name}.{}.part", std::process::id()));
    let made = fill(&part, &files).and_then(|()| move_to(&part, &folder));
    if made.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_dir_all(&part);
    }
    made.map(|()| folder)
}

fn files_of(
    language: Language,
    name: &str,
    sdk: &SdkSource,
) -> Result<Vec<(String, Vec<u8>)>, BuildError> {
    let mut vendored = Vec::new();
    let path = match sdk {
        _ if language != Language::Rust => String::new(),
        SdkSource::Carried => {
            vendored = vendor::files()?;
            format!("{VENDOR}/rust")
        }
        SdkSource::Folder(folder) => sdk_path(folder)?,
    };
    let template = format!("templates/{}/", language.name());
    let mut files: Vec<(String, Vec<u8>)> = embedded::under(&template)
        .map(|(file, bytes)| {
            let bytes = match std::str::from_utf8(bytes) {
                Ok(text) => text.replace(NAME, name).replace(SDK, &path).into_bytes(),
                Err(_) => bytes.to_vec(),
            };
            // A dot in front would hide it from this repository's own git.
            let file = if file == "gitignore" {
                ".gitignore"
            } else {
                file
            };
            (file.to_owned(), bytes)
        })
        .collect();
    if files.is_empty() {
        return Err(BuildError::Language(language.name()));
    }
    let vendored = vendored
        .into_iter()
        .map(|(file, bytes)| (format!("{VENDOR}/{file}"), bytes));
    files.extend(vendored);
    Ok(files)
}

/// The absolute path to the crate of an SDK's folder.
fn sdk_path(sdk: &Path) -> Result<String, BuildError> {
    let crate_folder = sdk.join("rust");
    let refuse = |problem: &str| BuildError::Sdk(format!("{}: {problem}", sdk.display()));
    if !crate_folder.join("Cargo.toml").is_file() {
        return Err(refuse("there is no rust/Cargo.toml in this folder"));
    }
    let absolute = crate_folder
        .canonicalize()
        .map_err(|error| refuse(&error.to_string()))?;
    let text = absolute
        .to_str()
        .ok_or_else(|| refuse("its path is not Unicode"))?;
    if text.contains(['"', '\\']) || text.chars().any(char::is_control) {
        return Err(refuse(
            "its path has a character that Cargo.toml would have to escape",
        ));
    }
    Ok(text.to_owned())
}

fn fill(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), BuildError> {
    for (name, bytes) in files {
        output::write_changed(&folder.join(name), bytes)?;
    }
    Ok(())
}

/// A rename onto an empty folder that somebody made meanwhile would succeed; onto a full one it
/// fails, and nothing is lost.
fn move_to(part: &Path, folder: &Path) -> Result<(), BuildError> {
    fs::rename(part, folder).map_err(|source| match source.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => BuildError::Exists {
            path: folder.to_owned(),
        },
        _ => BuildError::Write {
            path: folder.to_owned(),
            source,
        },
    })
}

#[cfg(test)]
mod tests;
