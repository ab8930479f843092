//! Plugins in Python: componentize-py puts `plugin.py`, the modules beside it, the SDK and
//! CPython into one component, for a world of just what `plugin.toml` asks for.
//!
//! Nothing that is installed for Python on this machine gets in: the component is made of the
//! project's folder and the SDK alone.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::project::Project;
use crate::{BuildError, BuildOptions, machine, output, read, script, world};

/// The version that the SDK is tried with. Others differ in the bindings that they generate.
const VERSION: &str = "0.25.1";

/// Names a componentize-py that is not on the `PATH`.
const VARIABLE: &str = "COMPONENTIZE_PY";

/// A name that no plugin's module has.
const ENTRY: &str = "atelier_entry";

/// Makes a component of `plugin.py`, for the world of [`crate::world`].
///
/// # Errors
///
/// [`BuildError::NoTool`] where there is no componentize-py of [`VERSION`], [`BuildError::Failed`]
/// where it refuses the plugin, and those of reading and writing.
pub(crate) fn component(project: &Project, options: &BuildOptions) -> Result<Vec<u8>, BuildError> {
    let tool = Tool::find(project, options)?;
    let folder = project.build_folder()?.join("python");
    let sources = folder.join("sources");
    script::empty_folder(&sources)?;
    script::copy_sources(&project.folder, &sources, &["py"])?;
    script::unpack("python/atelier_plugin/", &sources.join("atelier_plugin"))?;
    let described = script::description(project)?;
    let entry = format!(
        "\"\"\"Made by `atelier plugin build`.\"\"\"\n\n\
         import plugin\nfrom atelier_plugin.serve import preparer\n\n\
         Preparer = preparer(plugin, {described})\n"
    );
    output::write_changed(&sources.join(format!("{ENTRY}.py")), entry.as_bytes())?;
    let wit = folder.join("wit");
    world::write(&wit, &project.about)?;

    let made = folder.join("plugin.wasm");
    let mut command = tool.command(options);
    command
        .arg("--quiet")
        .arg("--wit-path")
        .arg(&wit)
        .args([
            "--world",
            world::MADE_TO_MEASURE,
            "componentize",
            "--stub-wasi",
        ])
        .arg("--python-path")
        .arg(&sources)
        .arg("--output")
        .arg(&made)
        .arg(ENTRY)
        .current_dir(&project.folder)
        // Where it names a folder, its packages would get in.
        .env_remove("VIRTUAL_ENV")
        .env_remove("PYTHONPATH");
    machine::run(
        &mut command,
        Some("the last line of Python's own above says what is wrong with plugin.py"),
    )?;
    read(&made)
}

/// How componentize-py is started.
struct Tool {
    program: PathBuf,
    before: &'static [&'static str],
}

impl Tool {
    /// `$COMPONENTIZE_PY`, then `componentize-py` on the path, then the module of `python3`.
    fn find(project: &Project, options: &BuildOptions) -> Result<Self, BuildError> {
        let machine = &options.machine;
        let named = env::var_os(VARIABLE).map(PathBuf::from);
        let candidates = [
            (named, &[] as &[&str]),
            (machine.find("componentize-py"), &[]),
            (machine.find("python3"), &["-m", "componentize_py"]),
        ];
        let mut other = None;
        for (program, before) in candidates {
            let Some(program) = program else { continue };
            let arguments: Vec<&str> = before.iter().copied().chain(["--version"]).collect();
            match machine.ask(&program, &arguments, &project.folder) {
                Some(said) if said.ends_with(VERSION) => return Ok(Self { program, before }),
                Some(said) => other = other.or(Some(said)),
                None => {}
            }
        }
        let found = other.map_or_else(String::new, |said| format!("; here is {said}"));
        Err(BuildError::NoTool {
            tool: "componentize-py",
            purpose: "a plugin in Python is built with it",
            hint: format!(
                "python3 -m venv VENV && VENV/bin/pip install componentize-py=={VERSION}, and \
                 {VARIABLE}=VENV/bin/componentize-py{found}"
            ),
        })
    }

    fn command(&self, options: &BuildOptions) -> Command {
        let mut command = options.machine.command(&self.program);
        command.args(self.before);
        command
    }
}
