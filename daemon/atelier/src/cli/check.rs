//! `atelier check`: validates a manifest and says what it would make; writes nothing.

use std::path::PathBuf;

use clap::Args;

use super::{Place, output};
use crate::daemon::accept;
use crate::fault::Fault;
use crate::studio::Studio;

/// Which manifest.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The manifest
    manifest: PathBuf,
}

pub(super) fn run(place: &Place, args: &CheckArgs) -> Result<(), Fault> {
    let (home, config) = place.open()?;
    let studio = Studio::new(&home, &config)?;
    let checked = accept::check(&args.manifest, &studio, &home, &config)?;
    let job = checked.job;
    let stem = job.stem.clone().unwrap_or(checked.stem);
    if place.json {
        output::json(&serde_json::json!({
            "valid": true,
            "job": job,
            "outputs": job.outputs(&stem),
        }));
        return Ok(());
    }
    let begun = if job.init.is_some() {
        ", begun from a picture"
    } else {
        ""
    };
    let loras = match job.loras.len() {
        0 => String::new(),
        1 => " and 1 LoRA".to_owned(),
        many => format!(" and {many} LoRAs"),
    };
    output::line(format!(
        "valid: {} of {}×{} by {}, {}, with {}{loras}{begun}",
        count(job.renders(), "picture"),
        job.width,
        job.height,
        job.model.name,
        count(job.steps as usize, "step"),
        count(job.references.len(), "reference"),
    ));
    for name in job.outputs(&stem) {
        output::line(format!("  {name}"));
    }
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}
