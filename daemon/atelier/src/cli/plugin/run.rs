//! `atelier plugin run`: a plugin on files by itself, with what it cost.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use atelier_plugin_host::{PrepareRequest, Prepared, Said};
use clap::Args;

use super::super::{Place, output};
use super::numbered;
use crate::fault::{Fault, Stage};
use crate::studio::{Plugins, source_of};

/// What to run on what.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
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
    /// The job's seed, which `random` follows from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where to put the picture, as PNG; several get -1, -2
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(place: &Place, plugins: &Plugins, args: &RunArgs) -> Result<(), Fault> {
    let preparation = atelier_manifest::preparation(&args.plugin)
        .map_err(|problems| Fault::from_problems(&problems))?;
    let ready = plugins.ready(&preparation.plugin)?;
    let sources = args
        .inputs
        .iter()
        .map(|path| source_of(path))
        .collect::<Result<Vec<_>, _>>()?;
    let mut request =
        PrepareRequest::new(sources, preparation.parameters, (args.width, args.height));
    request.powers = ready.powers(args.seed);
    let start = Instant::now();
    let made = ready
        .plugin
        .prepare(&request, &mut |said| {
            if let Said::Line(line) = said {
                tracing::info!(level = ?line.level, "{}", line.text);
            }
        })
        .map_err(|e| Fault::plugin(Stage::Prepare, &e))?;
    let seconds = start.elapsed().as_secs_f64();
    let outputs = save(&made, &args.output)?;
    if place.json {
        output::json(&serde_json::json!({
            "outputs": outputs, "prompt": made.prompt, "keypoints": made.keypoints, "notes": made.notes,
            "seconds": seconds, "instance_seconds": made.instantiation.as_secs_f64(), "memory": made.memory,
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
    output::line(format!(
        "took {:.1} ms, {:.2} ms of it to make an instance, and {:.1} MiB of memory",
        1e3 * seconds,
        1e3 * made.instantiation.as_secs_f64(),
        made.memory as f64 / f64::from(1 << 20)
    ));
    Ok(())
}

fn save(made: &Prepared, to: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut outputs = Vec::with_capacity(made.pictures.len() + 1);
    for (index, picture) in made.pictures.iter().enumerate() {
        let path = numbered(to, index, made.pictures.len());
        picture
            .save_with_format(&path, image::ImageFormat::Png)
            .map_err(|cause| unwritable(&path, &cause.to_string()))?;
        outputs.push(path);
    }
    if let (true, Some(keypoints)) = (made.pictures.is_empty(), &made.keypoints) {
        let path = to.with_extension("json");
        fs::write(&path, keypoints).map_err(|cause| unwritable(&path, &cause.to_string()))?;
        outputs.push(path);
    }
    Ok(outputs)
}

fn unwritable(path: &Path, cause: &str) -> Fault {
    let message = format!("{}: {cause}", path.display());
    Fault::fatal(Stage::Encode, "output-unwritable", message)
}
