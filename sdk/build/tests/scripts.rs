//! New projects in Python and JavaScript really build, and what they import and do not ask for stops
//! the build. `.ci/guests.sh` brings what builds them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use atelier_plugin_build::{BuildError, BuildOptions, Built, Language, SdkSource, build, create};

/// Interpreters import all that their world has.
const COMMON: [&str; 3] = [
    "atelier:plugin/pictures@1.0.0",
    "atelier:plugin/log@1.0.0",
    "atelier:plugin/draw@1.0.0",
];

/// Builds a project. A machine without the tool is one whose environment `.ci/guests.sh` did not
/// make.
fn built(folder: &Path) -> Result<Built, BuildError> {
    let result = build(folder, &BuildOptions::default());
    if let Err(error) = &result
        && error.code() == "tool-missing"
    {
        panic!("{error}; run .ci/guests.sh and source the file `environment` that it writes");
    }
    result
}

/// A new project builds as it is; with `import` on top of its source it does not, until its
/// `plugin.toml` asks for `random`.
fn a_new_project_builds(language: Language, import: &str) {
    let into = tempfile::tempdir().unwrap();
    let folder = create(language, "my-grey", into.path(), &SdkSource::Carried).unwrap();
    assert_eq!(built(&folder).unwrap().imports, COMMON);

    fs::remove_file(folder.join("build/plugin.wasm")).unwrap();
    let source = folder.join(language.source());
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, format!("{import}\n{text}")).unwrap();
    let refused = built(&folder).unwrap_err();
    assert_eq!(refused.code(), "compiler-failed");
    assert!(!folder.join("build/plugin.wasm").exists());

    let package = folder.join("plugin.toml");
    let asked = fs::read_to_string(&package).unwrap().replace(
        "asks = []",
        "asks = [{ permission = \"random\", reason = \"Throws dice.\" }]",
    );
    fs::write(&package, asked).unwrap();
    let imports = built(&folder).unwrap().imports;
    assert!(
        imports.contains(&"atelier:plugin/random@1.0.0".to_owned()),
        "{imports:?}"
    );
}

#[test]
fn a_new_project_in_python_builds_and_imports_what_it_asks_for() {
    a_new_project_builds(Language::Python, "import atelier_plugin.random");
}

#[test]
fn a_new_project_in_javascript_builds_and_imports_what_it_asks_for() {
    a_new_project_builds(Language::Js, "import \"atelier-plugin/random\";");
}
