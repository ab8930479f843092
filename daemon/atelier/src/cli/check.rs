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
    output::line(format!(
        "valid: {} of {} by {}, {} steps, with {}",
        pictures(job.seeds.count()),
        format_args!("{}×{}", job.width, job.height),
        job.model.name,
        job.steps,
        match job.references.len() {
            0 => "no references".to_owned(),
            1 => "1 reference".to_owned(),
            count => format!("{count} references"),
        }
    ));
    for name in job.outputs(&stem) {
        output::line(format!("  {name}"));
    }
    Ok(())
}

fn pictures(count: usize) -> String {
    if count == 1 {
        "1 picture".to_owned()
    } else {
        format!("{count} pictures")
    }
}
