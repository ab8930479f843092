//! The languages of plugins, and how a project shows which one it is in.

use std::path::Path;

use crate::BuildError;

/// A language that plugins are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// `Cargo.toml` with `src/lib.rs`.
    Rust,
    /// `plugin.py`.
    Python,
    /// `plugin.js`.
    Js,
    /// `plugin.c`.
    C,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rust, Self::Python, Self::Js, Self::C];

    /// As `--lang` takes it: `rust`, `python`, `js` or `c`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Js => "js",
            Self::C => "c",
        }
    }

    /// The language of that [name](Self::name).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.name() == name)
    }

    /// The file that tells it.
    pub fn source(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "plugin.py",
            Self::Js => "plugin.js",
            Self::C => "plugin.c",
        }
    }
}

/// The language of the project in a folder.
///
/// # Errors
///
/// [`BuildError::NoSource`] and [`BuildError::TwoSources`].
pub fn language_of(project: &Path) -> Result<Language, BuildError> {
    let mut found = Language::ALL
        .into_iter()
        .filter(|language| project.join(language.source()).is_file());
    match (found.next(), found.next()) {
        (Some(language), None) => Ok(language),
        (Some(one), Some(other)) => Err(BuildError::TwoSources {
            folder: project.to_owned(),
            found: (one.source(), other.source()),
        }),
        (None, _) => Err(BuildError::NoSource {
            folder: project.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use std::fs;

    use super::{Language, language_of};

    #[test]
    fn the_source_tells_the_language() {
        for language in Language::ALL {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(language.source()), "").unwrap();
            assert_eq!(language_of(folder.path()).unwrap(), language);
            assert_eq!(Language::named(language.name()), Some(language));
        }
    }

    #[test]
    fn no_source_and_two_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let none = language_of(folder.path()).unwrap_err();
        assert_eq!(none.code(), "project-without-source");
        fs::write(folder.path().join("plugin.py"), "").unwrap();
        fs::write(folder.path().join("plugin.c"), "").unwrap();
        let two = language_of(folder.path()).unwrap_err();
        assert_eq!(two.code(), "project-ambiguous");
        assert!(two.to_string().ends_with("both plugin.py and plugin.c"));
    }
}
