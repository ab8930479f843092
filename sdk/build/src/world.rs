//! The world that a plugin is built for: the common one and what its `plugin.toml` asks for.
//!
//! Bindings of compiled languages leave out imports that nothing calls. Interpreters import
//! everything in their world, because nobody knows what a script will call; so theirs is made to
//! measure.

use std::path::Path;

use atelier_plugin_package::{Interface, Package};
use wit_parser::{Resolve, WorldId};

use crate::{BuildError, output};

/// The interface, as in `sdk/wit`.
const PLUGIN_WIT: &str = include_str!("../../wit/plugin.wit");

/// What the world of [`text`] is called.
pub(crate) const MADE_TO_MEASURE: &str = "made-to-measure";

/// The world with everything in it, for compiled languages.
const EVERYTHING: &str = "asking-plugin";

/// `plugin.wit` with one more world in it, [`MADE_TO_MEASURE`].
pub(crate) fn text(package: &Package) -> String {
    let imports: String = Interface::ALL
        .into_iter()
        .filter(|&interface| package.needs(interface))
        .map(|interface| format!("    import {};\n", interface.name()))
        .collect();
    format!(
        "{PLUGIN_WIT}\n/// What this plugin's plugin.toml asks for.\n\
         world {MADE_TO_MEASURE} {{\n    include plugin;\n{imports}}}\n"
    )
}

/// Writes [`text`] as `plugin.wit` to a folder, which then is one that binding generators take.
///
/// # Errors
///
/// [`BuildError::Write`].
pub(crate) fn write(folder: &Path, package: &Package) -> Result<(), BuildError> {
    output::write_changed(&folder.join("plugin.wit"), text(package).as_bytes())
}

/// The world with everything, parsed.
///
/// # Errors
///
/// [`BuildError::Sdk`], which a test rules out.
pub(crate) fn everything() -> Result<(Resolve, WorldId), BuildError> {
    let mut resolve = Resolve::default();
    resolve
        .push_str("plugin.wit", PLUGIN_WIT)
        .and_then(|package| resolve.select_world(&[package], Some(EVERYTHING)))
        .map(|world| (resolve, world))
        .map_err(|error| BuildError::Sdk(format!("plugin.wit: {error:#}")))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use wit_parser::{Resolve, WorldId};

    use super::{MADE_TO_MEASURE, everything, text};
    use crate::project::asking;

    fn names(resolve: &Resolve, world: WorldId) -> Vec<String> {
        let imports = resolve.worlds[world].imports.keys();
        let mut names: Vec<String> = imports
            .map(|key| {
                let name = resolve.name_world_key(key);
                let name = name.strip_prefix("atelier:plugin/").unwrap();
                name.strip_suffix("@1.0.0").unwrap().to_owned()
            })
            .collect();
        names.sort();
        names
    }

    fn made(permissions: &[&str]) -> Vec<String> {
        let mut resolve = Resolve::default();
        let package = resolve
            .push_str("plugin.wit", &text(&asking(permissions)))
            .unwrap();
        let world = resolve
            .select_world(&[package], Some(MADE_TO_MEASURE))
            .unwrap();
        assert_eq!(resolve.worlds[world].exports.len(), 1);
        names(&resolve, world)
    }

    #[test]
    fn a_world_imports_what_is_asked_for_and_no_more() {
        assert_eq!(made(&[]), ["draw", "log", "pictures"]);
        assert_eq!(
            made(&["setting:key", "model:a", "model:b"]),
            ["draw", "infer", "log", "pictures", "settings"]
        );
    }

    #[test]
    fn everything_is_all_that_can_be_asked_for() {
        let (resolve, world) = everything().unwrap();
        assert_eq!(
            names(&resolve, world),
            ["draw", "infer", "log", "pictures", "random", "settings"]
        );
    }
}
