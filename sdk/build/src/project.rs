//! A plugin's project: its folder, its language and what its `plugin.toml` says.

use std::io;
use std::path::{Path, PathBuf};

use atelier_plugin_package::{PACKAGE_FILE, Package, PackageError, folder_name};

use crate::{BuildError, Language, language_of, output};

/// A project that can be built.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// Its folder, absolute.
    pub(crate) folder: PathBuf,
    /// Told by its source.
    pub(crate) language: Language,
    /// The text of its `plugin.toml`.
    pub(crate) package: String,
    /// What that says.
    pub(crate) about: Package,
}

impl Project {
    /// Reads what a folder says of itself.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoPackage`], [`BuildError::Package`], [`BuildError::Read`], and those of
    /// [`language_of`].
    pub(crate) fn open(folder: &Path) -> Result<Self, BuildError> {
        let unreadable = |path: &Path, source| BuildError::Read {
            path: path.to_owned(),
            source,
        };
        let folder = folder
            .canonicalize()
            .map_err(|error| unreadable(folder, error))?;
        let path = folder.join(PACKAGE_FILE);
        let package = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BuildError::NoPackage { folder });
            }
            Err(error) => return Err(unreadable(&path, error)),
        };
        let refuse = |problem| BuildError::Package {
            path: path.clone(),
            problem,
        };
        let called = folder_name(&folder);
        let about = Package::parse(&called, &package).map_err(|error| match error {
            // The path says which file and which plugin.
            PackageError::Invalid { problem, .. } => {
                let bare = problem.strip_prefix("plugin.toml: ");
                refuse(bare.unwrap_or(&problem).to_owned())
            }
            PackageError::NotFound { .. } => refuse(error.to_string()),
        })?;
        let language = language_of(&folder)?;
        Ok(Self {
            folder,
            language,
            package,
            about,
        })
    }

    /// The folder for what is built, made if need be.
    ///
    /// # Errors
    ///
    /// [`BuildError::Write`].
    pub(crate) fn build_folder(&self) -> Result<PathBuf, BuildError> {
        let folder = self.folder.join("build");
        output::create_folder(&folder)?;
        Ok(folder)
    }
}

/// A package that asks for these.
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) fn asking(permissions: &[&str]) -> Package {
    let asks: String = permissions
        .iter()
        .map(|permission| format!("{{ permission = {permission:?}, reason = \"A test\" }},"))
        .collect();
    let text = format!(
        "name = \"x\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\nsummary = \"x\"\n\
         world = \"atelier:plugin@1.0.0\"\nasks = [{asks}]\n"
    );
    Package::parse("x", &text).unwrap()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use std::fs;

    use super::Project;
    use crate::BuildError;
    use atelier_plugin_package::Interface;

    const GOOD: &str = r#"
name = "pose"
version = "0.1.0"
license = "MIT"
summary = "Draws"
world = "atelier:plugin@1.0.0"
asks = [{ permission = "model:movenet", reason = "Finds joints." }]
"#;

    fn open(package: &str) -> Result<Project, BuildError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plugin.c"), "").unwrap();
        fs::write(folder.path().join("plugin.toml"), package).unwrap();
        Project::open(folder.path())
    }

    #[test]
    fn a_project_says_what_it_asks_for() {
        let project = open(GOOD).unwrap();
        assert_eq!(project.about.name, "pose");
        assert!(project.about.needs(Interface::Infer));
        assert!(!project.about.needs(Interface::Random));
    }

    #[test]
    fn mistakes_are_refused_with_their_place() {
        for (from, to, expected) in [
            ("\"pose\"", "\"Pose\"", "name = \"Pose\""),
            ("@1.0.0", "@2.0.0", "known: atelier:plugin@1.0.0"),
            ("model:", "file:", "\"file:movenet\" is no permission"),
            ("name =", "name", "line 2"),
            (
                "summary",
                "summery",
                "line 5, column 1: unknown field `summery`",
            ),
        ] {
            let error = open(&GOOD.replace(from, to)).unwrap_err();
            assert_eq!(error.code(), "project-package");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_folder_without_a_package_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let error = Project::open(folder.path()).unwrap_err();
        assert_eq!(error.code(), "project-without-package");
        assert!(error.hint().unwrap().contains("atelier plugin new"));
    }
}
