//! The Rust SDK's sources, as a new project carries them.
//!
//! The SDK is on no registry, so a project that is to build anywhere has it in `vendor/atelier`,
//! laid out as `sdk/` is. In this workspace the crates' manifests take versions from the
//! workspace's; here they must stand alone.

use toml::{Table, Value};

use crate::BuildError;
use crate::embedded;

/// The crates of the SDK, each a folder of `sdk/`; one that this version lacks is left out.
const CRATES: [&str; 2] = ["rust", "draw"];

/// The files of `vendor/atelier`: each path below it and its bytes.
///
/// # Errors
///
/// [`BuildError::Sdk`], which a test rules out.
pub(crate) fn files() -> Result<Vec<(String, Vec<u8>)>, BuildError> {
    let workspace = parse("Cargo.toml", embedded::text("workspace/Cargo.toml"))?;
    let mut files = Vec::new();
    for name in CRATES {
        let folder = format!("{name}/");
        for (path, bytes) in embedded::under(&folder) {
            let bytes = if path == "Cargo.toml" {
                let place = format!("{folder}{path}");
                let manifest = parse(&place, std::str::from_utf8(bytes).ok())?;
                standing_alone(&place, manifest, &workspace)?.into_bytes()
            } else {
                bytes.to_vec()
            };
            files.push((format!("{folder}{path}"), bytes));
        }
    }
    let others = embedded::under("wit/").map(|(path, bytes)| (format!("wit/{path}"), bytes));
    let licences = embedded::under("workspace/")
        .filter(|(path, _)| path.starts_with("LICENSE"))
        .map(|(path, bytes)| (path.to_owned(), bytes));
    files.extend(
        others
            .chain(licences)
            .map(|(path, bytes)| (path, bytes.to_vec())),
    );
    Ok(files)
}

fn parse(place: &str, text: Option<&str>) -> Result<Table, BuildError> {
    let text = text.ok_or_else(|| BuildError::Sdk(format!("{place} is not there")))?;
    toml::from_str(text).map_err(|error| BuildError::Sdk(format!("{place}: {error}")))
}

/// A crate's manifest with the workspace's values in it, and without what only the workspace
/// needs.
fn standing_alone(
    place: &str,
    mut manifest: Table,
    workspace: &Table,
) -> Result<String, BuildError> {
    let workspace = table(workspace, "workspace");
    manifest.remove("lints");
    manifest.remove("dev-dependencies");
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        inherit(place, package, &table(&workspace, "package"))?;
    }
    let known = table(&workspace, "dependencies");
    if let Some(Value::Table(dependencies)) = manifest.get_mut("dependencies") {
        inherit(place, dependencies, &known)?;
    }
    if let Some(Value::Table(targets)) = manifest.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            if let Some(Value::Table(dependencies)) = target.get_mut("dependencies") {
                inherit(place, dependencies, &known)?;
            }
        }
    }
    toml::to_string(&manifest).map_err(|error| BuildError::Sdk(format!("{place}: {error}")))
}

/// Replaces each `KEY.workspace = true` by the workspace's value.
fn inherit(place: &str, entries: &mut Table, known: &Table) -> Result<(), BuildError> {
    for (key, entry) in entries.iter_mut() {
        let Value::Table(here) = entry else { continue };
        if here.remove("workspace") != Some(Value::Boolean(true)) {
            continue;
        }
        let Some(there) = known.get(key) else {
            let problem = format!("{place}: the workspace does not say {key}");
            return Err(BuildError::Sdk(problem));
        };
        *entry = match there {
            Value::Table(there) => merged(there, here),
            other if here.is_empty() => other.clone(),
            version => {
                let there = Table::from_iter([("version".to_owned(), version.clone())]);
                merged(&there, here)
            }
        };
    }
    Ok(())
}

/// The workspace's dependency with what the crate adds to it. Paths are seen from a crate's
/// folder instead of from the workspace's.
fn merged(there: &Table, here: &Table) -> Value {
    let mut all = there.clone();
    if let Some(Value::String(path)) = all.get_mut("path")
        && let Some(below) = path.strip_prefix("sdk/")
    {
        *path = format!("../{below}");
    }
    for (key, value) in here {
        match (all.get_mut(key), value) {
            (Some(Value::Array(old)), Value::Array(more)) => old.extend(more.iter().cloned()),
            _ => {
                all.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Table(all)
}

fn table(of: &Table, key: &str) -> Table {
    match of.get(key) {
        Some(Value::Table(table)) => table.clone(),
        _ => Table::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::{files, standing_alone};

    #[test]
    fn what_the_workspace_says_is_written_out() {
        let workspace = toml::from_str(
            r#"
            [workspace.package]
            edition = "2024"
            [workspace.dependencies]
            plain = "1"
            rich = { version = "2", default-features = false, features = ["a"] }
            ours = { path = "sdk/draw" }
            "#,
        )
        .unwrap();
        let manifest = toml::from_str(
            r#"
            [package]
            name = "x"
            edition.workspace = true
            [lints]
            workspace = true
            [dependencies]
            plain.workspace = true
            rich = { workspace = true, features = ["b"] }
            own = "3"
            [target.'cfg(unix)'.dependencies]
            ours.workspace = true
            [dev-dependencies]
            unknown.workspace = true
            "#,
        )
        .unwrap();
        let expected: toml::Table = toml::from_str(
            r#"
            [package]
            name = "x"
            edition = "2024"
            [dependencies]
            plain = "1"
            rich = { version = "2", default-features = false, features = ["a", "b"] }
            own = "3"
            [target.'cfg(unix)'.dependencies]
            ours = { path = "../draw" }
            "#,
        )
        .unwrap();
        let alone = standing_alone("x", manifest, &workspace).unwrap();
        assert_eq!(toml::from_str::<toml::Table>(&alone).unwrap(), expected);
    }

    #[test]
    fn what_the_workspace_does_not_say_is_told() {
        let manifest = toml::from_str("[dependencies]\nlost.workspace = true").unwrap();
        let error = standing_alone("x", manifest, &toml::Table::new()).unwrap_err();
        assert_eq!(error.code(), "sdk-sources");
        assert!(error.to_string().ends_with("does not say lost"), "{error}");
    }

    #[test]
    fn the_sdk_stands_alone_with_its_licences() {
        let files = files().unwrap();
        let text = |name: &str| {
            let (_, bytes) = files.iter().find(|(path, _)| path == name).unwrap();
            String::from_utf8(bytes.clone()).unwrap()
        };
        let manifest: toml::Table = toml::from_str(&text("rust/Cargo.toml")).unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("atelier-plugin"));
        for (name, _) in &files {
            if name.ends_with("Cargo.toml") {
                assert!(!text(name).contains("workspace"), "{name}");
            }
        }
        assert!(text("rust/src/lib.rs").contains("pub trait Plugin"));
        assert!(text("wit/plugin.wit").contains("package atelier:plugin"));
        assert!(text("LICENSE-MIT").contains("MIT"));
        assert!(text("LICENSE-APACHE").contains("Apache"));
    }
}
