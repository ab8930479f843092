//! What the interpreted languages have in common: their sources are copied to a folder of their
//! own together with the SDK's, and a module is written beside them that says what the plugin is.

use std::fs;
use std::path::Path;

use crate::project::Project;
use crate::{BuildError, embedded, output, read};

/// The schema of a plugin without parameters.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{},"additionalProperties":false}"#;

/// Folders of a project that hold no source of the component.
const LEFT_OUT: [&str; 7] = [
    "build",
    "cases",
    "tests",
    "target",
    "node_modules",
    "__pycache__",
    "venv",
];

/// The arguments of the SDK's `preparer` after the module: name, version, summary and schema, as
/// literals of Python and JavaScript alike.
///
/// # Errors
///
/// [`BuildError::Read`] where the schema cannot be read.
pub(crate) fn description(project: &Project) -> Result<String, BuildError> {
    let schema = project.folder.join("parameters.schema.json");
    let schema = if schema.is_file() {
        String::from_utf8_lossy(&read(&schema)?).into_owned()
    } else {
        NO_PARAMETERS.to_owned()
    };
    let values = [
        &project.about.name,
        &project.about.version,
        &project.about.summary,
        &schema,
    ];
    Ok(values.map(|value| literal(value)).join(", "))
}

/// An empty folder, for a build that must not see what an earlier one left.
///
/// # Errors
///
/// [`BuildError::Write`].
pub(crate) fn empty_folder(folder: &Path) -> Result<(), BuildError> {
    if folder.symlink_metadata().is_ok() {
        fs::remove_dir_all(folder).map_err(|source| BuildError::Write {
            path: folder.to_owned(),
            source,
        })?;
    }
    output::create_folder(folder)
}

/// Writes the SDK's files below `from`, such as `js/`, to a folder.
///
/// # Errors
///
/// [`BuildError::Write`].
pub(crate) fn unpack(from: &str, into: &Path) -> Result<(), BuildError> {
    for (name, bytes) in embedded::under(from) {
        output::write_changed(&into.join(name), bytes)?;
    }
    Ok(())
}

/// Copies a project's sources, told by the ends of their names, with the folders that they are in.
/// Links, hidden folders and what tests and builds need are left out.
///
/// # Errors
///
/// [`BuildError::Read`] and [`BuildError::Write`].
pub(crate) fn copy_sources(from: &Path, into: &Path, ends: &[&str]) -> Result<(), BuildError> {
    let unreadable = |source| BuildError::Read {
        path: from.to_owned(),
        source,
    };
    for entry in from.read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let path = entry.path();
        if kind.is_dir() {
            if !text.starts_with('.') && !LEFT_OUT.contains(&&*text) {
                copy_sources(&path, &into.join(&name), ends)?;
            }
        } else if kind.is_file() {
            let end = path.extension().unwrap_or_default().to_string_lossy();
            if ends.contains(&&*end) {
                output::write_changed(&into.join(&name), &read(&path)?)?;
            }
        }
    }
    Ok(())
}

/// A string literal that Python and JavaScript read alike. A template's quotes could be in the
/// text, so everything that is not plain is escaped.
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                literal.push('\\');
                literal.push(character);
            }
            '\n' => literal += "\\n",
            // Line ends of their own in JavaScript's older editions.
            '\0'..='\x1f' | '\x7f' | '\u{2028}' | '\u{2029}' => {
                literal += &format!("\\u{:04x}", u32::from(character));
            }
            _ => literal.push(character),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use super::{copy_sources, literal};

    #[test]
    fn a_literal_ends_where_its_text_does() {
        assert_eq!(
            literal("a\"b\\c\nd\t\u{2028}é"),
            r#""a\"b\\c\nd\u0009\u2028é""#
        );
    }

    #[test]
    fn sources_are_copied_and_nothing_else() {
        let from = tempfile::tempdir().unwrap();
        let into = tempfile::tempdir().unwrap();
        for file in [
            "plugin.py",
            "parts/one.py",
            "tests/test.py",
            "notes.txt",
            ".git/x.py",
        ] {
            let path = from.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        copy_sources(from.path(), into.path(), &["py"]).unwrap();
        let there = |file: &str| into.path().join(file).is_file();
        assert!(there("plugin.py") && there("parts/one.py"));
        assert!(!there("tests/test.py") && !there("notes.txt") && !there(".git/x.py"));
    }
}
