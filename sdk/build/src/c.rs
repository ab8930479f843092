//! Plugins in C: clang and a linker make a core module of the project's and the SDK's sources,
//! and with the interface's description in it the module becomes a component.
//!
//! There is no libc and no WASI: what `sdk/c/runtime.c` does not have does not link.

mod tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use wit_component::StringEncoding;

use crate::project::Project;
use crate::{BuildError, BuildOptions, embedded, machine, output, read, world};

use tools::Tools;

/// Whole programs, bulk memory and 128-bit vectors: all of it is in every engine that runs
/// components. Floats are as written, so that results are the same everywhere.
const COMPILE: [&str; 11] = [
    "--target=wasm32-unknown-unknown",
    "-std=c17",
    "-O3",
    "-mbulk-memory",
    "-msimd128",
    "-ffreestanding",
    "-nostdlibinc",
    "-fno-math-errno",
    "-ffp-contract=off",
    "-ffunction-sections",
    "-c",
];

/// The stack comes first, so that running out of it traps instead of writing over data.
const LINK: [&str; 5] = [
    "--no-entry",
    "--stack-first",
    "-z",
    "stack-size=1048576",
    "--strip-all",
];

/// Makes a component of `plugin.c` and the other `.c` files beside it.
///
/// # Errors
///
/// Those of finding clang and a linker, of running them and of making a component.
pub(crate) fn component(project: &Project, options: &BuildOptions) -> Result<Vec<u8>, BuildError> {
    let tools = Tools::find(&options.machine, &project.folder)?;
    let folder = project.build_folder()?.join("c");
    unpack(project, &folder)?;
    let sdk = sources_in(&folder)?;
    let own = sources_in(&project.folder)?;

    let objects = folder.join("objects");
    output::create_folder(&objects)?;
    let mut linked = Vec::new();
    // The SDK's are known to be clean, and its warnings are not the author's.
    for (sources, kind, warnings) in [
        (&sdk, "sdk", ["-w"].as_slice()),
        (&own, "own", ["-Wall", "-Wextra"].as_slice()),
    ] {
        for source in sources {
            let stem = source.file_stem().unwrap_or_default().to_string_lossy();
            let object = objects.join(format!("{kind}-{stem}.o"));
            compile(project, options, &tools, source, &object, warnings)?;
            linked.push(object);
        }
    }
    let module = folder.join("plugin.core.wasm");
    link(project, options, &tools, &linked, &module)?;

    let mut bytes = read(&module)?;
    let (resolve, world) = world::everything()?;
    wit_component::embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| BuildError::Sdk(format!("plugin.wit: {error:#}")))?;
    Ok(atelier_componentize::component_of(&bytes)?)
}

/// Writes the SDK's headers and sources, and `project.h`.
fn unpack(project: &Project, folder: &Path) -> Result<(), BuildError> {
    for (name, bytes) in embedded::under("c/") {
        output::write_changed(&folder.join(name), bytes)?;
    }
    let schema = project.folder.join("parameters.schema.json");
    let schema = if schema.is_file() {
        String::from_utf8_lossy(&read(&schema)?).into_owned()
    } else {
        r#"{"type":"object","additionalProperties":false}"#.to_owned()
    };
    let header = project_header(project, &schema);
    output::write_changed(&folder.join("project.h"), header.as_bytes())
}

/// What the plugin says of itself, for the compiler.
fn project_header(project: &Project, schema: &str) -> String {
    let mut header =
        "/* Made by `atelier plugin build` of plugin.toml and parameters.schema.json. */\n"
            .to_owned();
    for (name, value) in [
        ("NAME", project.about.name.as_str()),
        ("VERSION", &project.about.version),
        ("SUMMARY", &project.about.summary),
        ("PARAMETERS", schema),
    ] {
        header += &format!("#define PLUGIN_{name} {}\n", literal(value));
    }
    header
}

/// A string literal of C. Everything but plain letters is written in octal, which ends after
/// three digits whatever follows.
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | b'?' => literal += &format!("\\{}", char::from(byte)),
            b' '..=b'~' => literal.push(char::from(byte)),
            _ => literal += &format!("\\{byte:03o}"),
        }
    }
    literal.push('"');
    literal
}

/// The `.c` files in a folder, by name, so that the module does not depend on the file system.
fn sources_in(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let unreadable = |source| BuildError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut sources = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() && path.extension().is_some_and(|end| end == "c") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

fn compile(
    project: &Project,
    options: &BuildOptions,
    tools: &Tools,
    source: &Path,
    object: &Path,
    warnings: &[&str],
) -> Result<(), BuildError> {
    // Relative to the project, so that __FILE__ is the same wherever it lies.
    let source = source.strip_prefix(&project.folder).unwrap_or(source);
    let mut command = options.machine.command(&tools.clang);
    command
        .args(COMPILE)
        .args(warnings)
        .args(["-isystem", "build/c", "-isystem", "build/c/include", "-o"])
        .arg(object)
        .arg(source)
        .current_dir(&project.folder);
    machine::run(&mut command, None)
}

fn link(
    project: &Project,
    options: &BuildOptions,
    tools: &Tools,
    objects: &[PathBuf],
    module: &Path,
) -> Result<(), BuildError> {
    let (linker, flavor): &(PathBuf, Vec<OsString>) = &tools.linker;
    let mut command = options.machine.command(linker);
    command
        .args(flavor)
        .args(LINK)
        .args(objects)
        .arg("-o")
        .arg(module)
        .current_dir(&project.folder);
    machine::run(
        &mut command,
        Some(
            "an undefined symbol is a function that plugins do not have: build/c/include shows \
             what there is of the C library",
        ),
    )
}

#[cfg(test)]
mod tests;
