//! `atelier plugin`: what is installed, what one is, and trying one on a file by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_plugin_host::{PrepareRequest, Source};
use clap::{Args, Subcommand};

use super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::studio::{Plugins, Studio};

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// List the installed plugins
    List,
    /// Compile one, and say which parameters it takes
    Check {
        /// An installed plugin's name, or a plugin folder
        plugin: String,
    },
    /// Run one on a file, and keep what it makes
    Run(RunArgs),
}

/// What to run on what.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The plugin and its parameters: NAME or NAME:key=value,…
    plugin: String,
    /// Pictures or documents to start from
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Width of the picture that the job would make
    #[arg(long, default_value_t = 1024)]
    width: u32,
    /// Height of the picture that the job would make
    #[arg(long, default_value_t = 1024)]
    height: u32,
    /// Where to put the picture, as PNG; several get -1, -2
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(place: &Place, command: PluginCommand) -> Result<(), Fault> {
    let (home, config) = place.open()?;
    let studio = Studio::new(&home, &config)?;
    match command {
        PluginCommand::List => list(place, studio.plugins()),
        PluginCommand::Check { plugin } => check(place, studio.plugins(), &plugin),
        PluginCommand::Run(args) => try_one(place, studio.plugins(), &args),
    }
}

fn list(place: &Place, plugins: &Plugins) -> Result<(), Fault> {
    let found = plugins.list();
    if place.json {
        let rows: Vec<_> = found
            .iter()
            .map(|(folder, package)| match package {
                Ok(package) => serde_json::json!({
                    "name": package.name, "version": package.version, "license": package.license,
                    "summary": package.summary, "world": package.world.as_str(), "asks": package.asks, "folder": folder,
                }),
                Err(error) => serde_json::json!({
                    "folder": folder, "error": { "code": error.code(), "message": error.to_string() },
                }),
            })
            .collect();
        output::json(&rows);
        return Ok(());
    }
    if found.is_empty() {
        output::line("no plugins are installed");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|(folder, package)| match package {
            Ok(package) => vec![
                package.name.clone(),
                package.version.clone(),
                package.summary.clone(),
            ],
            Err(error) => vec![
                folder.display().to_string(),
                "unusable".to_owned(),
                error.to_string(),
            ],
        })
        .collect();
    output::table(&rows);
    Ok(())
}

fn check(place: &Place, plugins: &Plugins, name: &str) -> Result<(), Fault> {
    let plugin = plugins.load(name)?;
    let described = plugin
        .describe()
        .map_err(|e| Fault::plugin(Stage::Check, &e))?;
    let parameters = &described.parameters;
    if place.json {
        output::json(&serde_json::json!({
            "name": described.name, "version": described.version, "summary": described.summary,
            "sha256": plugin.sha256(), "asks": plugin.package().asks, "parameters": parameters,
        }));
        return Ok(());
    }
    output::line(format!(
        "{} {}: {}",
        described.name, described.version, described.summary
    ));
    output::line(format!("  module sha256 {}", plugin.sha256()));
    output::line("  parameters:");
    for (name, schema) in parameters
        .get("properties")
        .and_then(|properties| properties.as_object())
        .into_iter()
        .flatten()
    {
        let text = |key: &str| schema[key].as_str().unwrap_or_default().to_owned();
        let default = schema
            .get("default")
            .map_or(String::new(), |value| format!(" [default: {value}]"));
        output::line(format!(
            "    {name} ({}): {}{default}",
            text("type"),
            text("description")
        ));
    }
    Ok(())
}

fn try_one(place: &Place, plugins: &Plugins, args: &RunArgs) -> Result<(), Fault> {
    let preparation = atelier_manifest::preparation(&args.plugin)
        .map_err(|problems| Fault::from_problems(&problems))?;
    let plugin = plugins.load(&preparation.plugin)?;
    let sources = args
        .inputs
        .iter()
        .map(|path| source(path))
        .collect::<Result<Vec<_>, _>>()?;
    let request = PrepareRequest::new(sources, preparation.parameters, (args.width, args.height));
    let start = std::time::Instant::now();
    let made = plugin
        .prepare(
            &request,
            &mut |line| tracing::info!(level = ?line.level, "{}", line.text),
        )
        .map_err(|e| Fault::plugin(Stage::Prepare, &e))?;
    let seconds = start.elapsed().as_secs_f64();
    let mut outputs = Vec::with_capacity(made.pictures.len());
    for (index, picture) in made.pictures.iter().enumerate() {
        let path = numbered(&args.output, index, made.pictures.len());
        picture
            .save_with_format(&path, image::ImageFormat::Png)
            .map_err(|cause| {
                Fault::fatal(
                    Stage::Encode,
                    "output-unwritable",
                    format!("{}: {cause}", path.display()),
                )
            })?;
        outputs.push(path);
    }
    if place.json {
        output::json(&serde_json::json!({
            "outputs": outputs, "prompt": made.prompt, "keypoints": made.keypoints, "notes": made.notes,
            "seconds": seconds,
        }));
        return Ok(());
    }
    for path in &outputs {
        output::line(path.display().to_string());
    }
    if let Some(prompt) = &made.prompt {
        output::line(format!("adds to the prompt: {prompt}"));
    }
    for (key, value) in &made.notes {
        output::line(format!("{key}: {value}"));
    }
    Ok(())
}

fn source(path: &Path) -> Result<Source, Fault> {
    let bytes = fs::read(path)
        .map_err(|cause| Fault::io(Stage::Prepare, "reference-unreadable", path, &cause))?;
    if let Ok(picture) = image::load_from_memory(&bytes) {
        return Ok(Source::Picture(Arc::new(picture.into_rgba8())));
    }
    String::from_utf8(bytes).map(Source::Document).map_err(|_| {
        Fault::rejected(
            Stage::Prepare,
            "reference-undecodable",
            format!(
                "{} is neither a picture that can be read nor text",
                path.display()
            ),
        )
    })
}

fn numbered(path: &Path, index: usize, count: usize) -> PathBuf {
    if count == 1 {
        return path.to_path_buf();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{}.{extension}", index + 1))
}
