//! Plugins in JavaScript: componentize-qjs puts `plugin.js`, the modules beside it, the SDK and
//! QuickJS into one component, for a world of just what `plugin.toml` asks for.
//!
//! Of its two runtimes the one without asynchronous calls is taken: the other imports what no
//! host of plugins has.

use std::env;
use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::{BuildError, BuildOptions, machine, output, read, script, world};

/// The version that the SDK is tried with.
const VERSION: &str = "0.4.5";

/// Names a `node_modules` folder with componentize-qjs in it.
const VARIABLE: &str = "COMPONENTIZE_QJS";

/// A name that no plugin's module has.
const ENTRY: &str = "atelier-entry.js";

/// Makes a component of `plugin.js`, for the world of [`crate::world`].
///
/// # Errors
///
/// [`BuildError::NoTool`] where there is no node or no componentize-qjs of [`VERSION`],
/// [`BuildError::Failed`] where it refuses the plugin, and those of reading and writing.
pub(crate) fn component(project: &Project, options: &BuildOptions) -> Result<Vec<u8>, BuildError> {
    let node = options
        .machine
        .find("node")
        .or_else(|| options.machine.find("nodejs"));
    let node = node.ok_or_else(|| BuildError::NoTool {
        tool: "node",
        purpose: "a plugin in JavaScript is built with it (18 or newer)",
        hint: if options.machine.has_apt {
            "apt-get install --no-install-recommends nodejs npm".to_owned()
        } else {
            "install Node.js 18 or newer, with npm".to_owned()
        },
    })?;
    let tool = find(project, &node)?;

    let folder = project.build_folder()?.join("js");
    let sources = folder.join("sources");
    script::empty_folder(&sources)?;
    script::copy_sources(&project.folder, &sources, &["js", "mjs"])?;
    script::unpack("js/", &sources.join("node_modules/atelier-plugin"))?;
    let described = script::description(project)?;
    let entry = format!(
        "// Made by `atelier plugin build`.\n\n\
         import * as plugin from \"./plugin.js\";\n\
         import {{ preparer as made }} from \"atelier-plugin/serve\";\n\n\
         export const preparer = made(plugin, {described});\n"
    );
    output::write_changed(&sources.join(ENTRY), entry.as_bytes())?;
    let wit = folder.join("wit");
    world::write(&wit, &project.about)?;

    let made = folder.join("plugin.wasm");
    let mut command = options.machine.command(&node);
    command
        .arg(&tool)
        .arg("--wit")
        .arg(&wit)
        .args([
            "--world",
            world::MADE_TO_MEASURE,
            "--js",
            ENTRY,
            "--module-root",
            ".",
        ])
        .args(["--stub-wasi", "--sync", "--output"])
        .arg(&made)
        .current_dir(&sources);
    machine::run(
        &mut command,
        Some(
            "the error above says what is wrong with plugin.js; a module that is not found may be \
             one that plugin.toml has to ask for: infer, random and settings are",
        ),
    )?;
    read(&made)
}

/// The program of a componentize-qjs of [`VERSION`]: in `$COMPONENTIZE_QJS`, in the project's
/// `node_modules`, in one of a folder above it, or where `npm install --global` puts it.
fn find(project: &Project, node: &Path) -> Result<PathBuf, BuildError> {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let above = project
        .folder
        .ancestors()
        .map(|folder| folder.join("node_modules"));
    // PREFIX/bin/node and PREFIX/lib/node_modules; Debian's npm has a prefix of its own.
    let beside = node
        .parent()
        .and_then(Path::parent)
        .map(|prefix| prefix.join("lib/node_modules"));
    let debian = PathBuf::from("/usr/local/lib/node_modules");
    let folders = named.into_iter().chain(above).chain(beside).chain([debian]);
    let mut other = String::new();
    for folder in folders {
        let package = folder.join("componentize-qjs");
        let Ok(described) = read(&package.join("package.json")) else {
            continue;
        };
        if version_of(&String::from_utf8_lossy(&described)) == Some(VERSION) {
            return Ok(package.join("cli.mjs"));
        }
        if other.is_empty() {
            other = format!("; {} is another version", package.display());
        }
    }
    Err(BuildError::NoTool {
        tool: "componentize-qjs",
        purpose: "a plugin in JavaScript is built with it",
        hint: format!(
            "npm install componentize-qjs@{VERSION} in the plugin's folder, or elsewhere with \
             {VARIABLE} naming the node_modules folder{other}"
        ),
    })
}

/// What a `package.json` gives as its version: the first key of that name, as npm writes it.
fn version_of(package: &str) -> Option<&str> {
    let (_, after) = package.split_once("\"version\"")?;
    after.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn a_package_says_its_version() {
        let package = r#"{ "name": "componentize-qjs", "version": "0.4.5", "engines": {} }"#;
        assert_eq!(version_of(package), Some("0.4.5"));
        assert_eq!(version_of("{}"), None);
    }
}
