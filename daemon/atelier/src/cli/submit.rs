//! `atelier submit`: hands a manifest to the daemon, and waits for the picture if asked.

use std::path::PathBuf;

use clap::Args;

use super::progress::Bar;
use super::{Place, client, output};
use crate::fault::{Fault, Stage};

/// What to hand over.
#[derive(Debug, Args)]
pub(super) struct SubmitArgs {
    /// The manifest; it stays where it is
    manifest: PathBuf,
    /// Show progress, and exit as the job does
    #[arg(long)]
    wait: bool,
}

pub(super) fn run(place: &Place, args: &SubmitArgs) -> Result<(), Fault> {
    let manifest = std::path::absolute(&args.manifest)
        .map_err(|cause| Fault::io(Stage::Check, "manifest-unreadable", &args.manifest, &cause))?;
    let id = client::submit(&manifest)?;
    if !args.wait {
        if place.json {
            output::json(&serde_json::json!({ "job": id }));
        } else {
            output::line(&id);
        }
        return Ok(());
    }
    let bar = Bar::new();
    let ended = client::follow(&id, &bar)?;
    let outcome = ended.outcome();
    if place.json {
        let error = outcome.as_ref().err();
        output::json(&serde_json::json!({
            "job": id, "state": ended.state, "outputs": ended.outputs, "error": error,
        }));
    } else {
        ended.outputs.iter().for_each(output::line);
    }
    outcome
}
