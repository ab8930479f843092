//! `atelier plugin new`, `build`, `test` and `pack`: an author's way from an idea to one file.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use atelier_plugin_build::{BuildError, BuildOptions, Language, SdkSource};
use atelier_plugin_host::{AuthorKey, Package, archive, author};
use clap::Args;

use super::super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::studio::sha256_hex;

mod cases;

pub(crate) use cases::TestArgs;
pub(super) use cases::test;

/// What to begin.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The plugin's name: 1 to 64 of a-z, 0-9 and -, the first a letter
    name: String,
    /// rust, python, js or c
    #[arg(long, default_value = "rust")]
    lang: String,
    /// The folder that the project's folder is made in
    #[arg(long, default_value = ".")]
    into: PathBuf,
    /// The folder sdk of Atelier's sources, instead of the copy that this program carries
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// What to build.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// The project's folder
    #[arg(default_value = ".")]
    project: PathBuf,
    /// Say nothing but what is wrong
    #[arg(long)]
    quiet: bool,
}

/// What to pack.
#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// The project's folder, built, or the folder of a plugin
    #[arg(default_value = ".")]
    project: PathBuf,
    /// Where to put the file [default: NAME-VERSION.atelier-plugin here]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Sign it with your author's key, which is made at the first time
    #[arg(long)]
    sign: bool,
}

pub(super) fn new(place: &Place, args: &NewArgs) -> Result<(), Fault> {
    let language = Language::named(&args.lang).ok_or_else(|| {
        let known: Vec<_> = Language::ALL
            .iter()
            .map(|language| language.name())
            .collect();
        Fault::rejected(
            Stage::Check,
            "language-unknown",
            format!(
                "--lang {} is no language that plugins are written in",
                args.lang
            ),
        )
        .hint(format!("one of {}", known.join(", ")))
    })?;
    let sdk = args
        .sdk
        .clone()
        .map_or(SdkSource::Carried, SdkSource::Folder);
    let folder = atelier_plugin_build::create(language, &args.name, &args.into, &sdk)
        .map_err(|e| fault(&e))?;
    if place.json {
        output::json(&serde_json::json!({ "folder": folder }));
    } else {
        let folder = folder.display();
        output::line(format!("{folder} is a plugin in {}; go on with", args.lang));
        output::line(format!("  atelier plugin build {folder}"));
        output::line(format!("  atelier plugin test {folder}"));
    }
    Ok(())
}

pub(super) fn build(place: &Place, home: &Home, args: &BuildArgs) -> Result<(), Fault> {
    let options = BuildOptions {
        quiet: args.quiet || place.json,
        ..options(home)
    };
    let built = atelier_plugin_build::build(&args.project, &options).map_err(|e| fault(&e))?;
    if place.json {
        output::json(&serde_json::json!({
            "component": built.component, "bytes": built.bytes, "imports": built.imports,
        }));
    } else {
        output::line(format!(
            "{}, {} bytes, imports {}",
            built.component.display(),
            built.bytes,
            built.imports.join(", ")
        ));
    }
    Ok(())
}

/// Compilers' results go to the cache's folder, unless cargo was told where.
fn options(home: &Home) -> BuildOptions {
    let options = BuildOptions::default();
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(_) => options,
        None => BuildOptions {
            wasm_target: home.cache().join("wasm"),
            ..options
        },
    }
}

pub(super) fn pack(place: &Place, home: &Home, args: &PackArgs) -> Result<(), Fault> {
    let staged = Staged::of(&args.project, home)?;
    let package =
        Package::read(&staged.folder).map_err(|e| Fault::plugin(Stage::Check, &e.into()))?;
    if args.sign {
        let path = home.keys().join("plugin-author.key");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(home.keys())
            .and_then(|()| AuthorKey::open_or_create(&path))
            .map_err(|cause| Fault::io(Stage::Sign, "author-key-unusable", &path, &cause))?
            .sign(&staged.folder)
            .map_err(|e| Fault::plugin(Stage::Sign, &e))?;
    }
    let signed_by = author(&staged.folder).map_err(|e| Fault::plugin(Stage::Sign, &e))?;
    let out = args.output.clone().unwrap_or_else(|| {
        PathBuf::from(format!(
            "{}-{}.{}",
            package.name,
            package.version,
            archive::ARCHIVE_EXTENSION
        ))
    });
    let unwritable =
        |cause: &std::io::Error| Fault::io(Stage::Encode, "output-unwritable", &out, cause);
    let file = File::create(&out).map_err(|cause| unwritable(&cause))?;
    archive::pack(&staged.folder, file).map_err(|e| Fault::plugin(Stage::Encode, &e))?;
    let bytes = fs::read(&out).map_err(|cause| unwritable(&cause))?;
    let sha256 = sha256_hex(&bytes);
    if place.json {
        output::json(&serde_json::json!({
            "file": out, "sha256": sha256, "bytes": bytes.len(), "author": signed_by,
        }));
    } else {
        output::line(format!("{sha256}  {}", out.display()));
        if let Some(author) = signed_by {
            output::line(format!("signed by {author}"));
        }
    }
    Ok(())
}

/// What goes into the file, gathered in a folder of its own.
struct Staged {
    folder: PathBuf,
}

/// Files of a project that travel with the component.
const COMPANIONS: &[&str] = &["README.md", "LICENSE", "NOTICE", "parameters.schema.json"];

impl Staged {
    fn of(project: &Path, home: &Home) -> Result<Self, Fault> {
        let folder = home.cache().join(format!("pack-{}", std::process::id()));
        let failed = |path: &Path, cause: &std::io::Error| {
            Fault::io(Stage::Encode, "pack-failed", path, cause)
        };
        fs::create_dir_all(&folder).map_err(|cause| failed(&folder, &cause))?;
        let staged = Self { folder };
        let built = project.join("build");
        let from = if built.join("plugin.wasm").is_file() {
            built
        } else {
            project.to_owned()
        };
        for name in ["plugin.toml", "plugin.wasm"] {
            let path = from.join(name);
            fs::copy(&path, staged.folder.join(name)).map_err(|cause| {
                failed(&path, &cause).hint("build it first: atelier plugin build")
            })?;
        }
        for name in COMPANIONS {
            let path = project.join(name);
            if path.is_file() {
                fs::copy(&path, staged.folder.join(name)).map_err(|cause| failed(&path, &cause))?;
            }
        }
        Ok(staged)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It lies in the cache's folder, which may be deleted at any time.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn fault(error: &BuildError) -> Fault {
    let fault = Fault::rejected(Stage::Check, error.code(), error.to_string());
    match error.hint() {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}
