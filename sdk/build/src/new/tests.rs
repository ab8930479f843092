//! New projects: what is in them, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use super::{SdkSource, create};
use crate::project::Project;
use crate::{Language, embedded};

/// The languages that this version has a template of.
fn languages() -> Vec<Language> {
    let has_template = |language: &Language| {
        let folder = format!("templates/{}/", language.name());
        embedded::under(&folder).next().is_some()
    };
    Language::ALL.into_iter().filter(has_template).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_new_project_is_one_of_its_language_and_has_a_case() {
    assert!(languages().contains(&Language::Rust) && languages().contains(&Language::C));
    for language in languages() {
        let into = tempfile::tempdir().unwrap();
        let made = create(language, "my-grey", into.path(), &SdkSource::Carried).unwrap();
        assert_eq!(made, into.path().join("my-grey"));
        let project = Project::open(&made).unwrap();
        assert_eq!(
            (project.language, project.about.name.as_str()),
            (language, "my-grey")
        );
        for file in ["README.md", "parameters.schema.json", ".gitignore"] {
            assert!(made.join(file).is_file(), "{language:?} lacks {file}");
        }
        let files = files_below(&made);
        assert!(files.iter().any(|file| file.ends_with("case.toml")));
        for file in files {
            let text = fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains("{{"), "{} has a gap", file.display());
        }
        // Nothing else was left in the folder.
        assert_eq!(into.path().read_dir().unwrap().count(), 1);
    }
}

#[test]
fn a_project_in_rust_carries_the_sdk_or_names_its_folder() {
    let into = tempfile::tempdir().unwrap();
    let dependency = |made: &Path| {
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(made.join("Cargo.toml")).unwrap()).unwrap();
        let path = manifest["dependencies"]["atelier-plugin"]["path"].as_str();
        PathBuf::from(path.unwrap())
    };
    let carried = create(Language::Rust, "carried", into.path(), &SdkSource::Carried).unwrap();
    assert!(
        carried
            .join(dependency(&carried))
            .join("src/lib.rs")
            .is_file()
    );

    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = create(
        Language::Rust,
        "named",
        into.path(),
        &SdkSource::Folder(sdk.clone()),
    )
    .unwrap();
    assert_eq!(dependency(&named), sdk.join("rust").canonicalize().unwrap());
    assert!(!named.join("vendor").exists());

    let wrong = SdkSource::Folder(into.path().to_owned());
    let error = create(Language::Rust, "wrong", into.path(), &wrong).unwrap_err();
    assert_eq!(error.code(), "sdk-sources");
    assert!(!into.path().join("wrong").exists());
}

#[test]
fn bad_names_and_folders_that_are_there_are_refused() {
    let into = tempfile::tempdir().unwrap();
    for bad in ["", "../evil", "Grey", "9", "a b"] {
        let error = create(Language::C, bad, into.path(), &SdkSource::Carried).unwrap_err();
        assert_eq!(error.code(), "plugin-name");
    }
    fs::create_dir(into.path().join("there")).unwrap();
    let error = create(Language::C, "there", into.path(), &SdkSource::Carried).unwrap_err();
    assert_eq!(error.code(), "project-exists");
    // A link to nowhere is there, too.
    std::os::unix::fs::symlink("/nowhere", into.path().join("link")).unwrap();
    let error = create(Language::C, "link", into.path(), &SdkSource::Carried).unwrap_err();
    assert_eq!(error.code(), "project-exists");
}

#[test]
fn where_nothing_can_be_written_nothing_is_left() {
    let into = tempfile::tempdir().unwrap();
    let file = into.path().join("file");
    fs::write(&file, "").unwrap();
    let error = create(Language::C, "grey", &file, &SdkSource::Carried).unwrap_err();
    assert_eq!(error.code(), "project-unwritable");
}
