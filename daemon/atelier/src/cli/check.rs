//! `atelier check`: validates a manifest and says what it would make; writes nothing.

mod schema;

use std::fmt;
use std::path::PathBuf;

use atelier_manifest::Job;
use atelier_plugin_host::SourceKind;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Place, output};
use crate::daemon::accept;
use crate::fault::{Fault, Stage};
use crate::studio::{Plugins, Studio};

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
    let steps = steps(&job, studio.plugins())?;
    if place.json {
        output::json(&serde_json::json!({
            "valid": true,
            "job": job,
            "outputs": job.outputs(&stem),
            "prepare": steps,
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
    for step in &steps {
        output::line(format!("  {step}"));
    }
    Ok(())
}

/// What one plugin would do in the job.
#[derive(Serialize)]
struct Step {
    reference: usize,
    step: usize,
    plugin: String,
    version: String,
    module_sha256: String,
    summary: String,
    takes: Vec<SourceKind>,
    parameters: Map<String, Value>,
    /// What it asks for and nobody granted.
    not_granted: Vec<String>,
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reference,
            step,
            plugin,
            version,
            summary,
            ..
        } = self;
        write!(
            out,
            "reference {reference}, step {step}: {plugin} {version}: {summary}"
        )?;
        if !self.parameters.is_empty() {
            write!(out, " {}", Value::Object(self.parameters.clone()))?;
        }
        if !self.not_granted.is_empty() {
            write!(
                out,
                " (not granted: {}; run: atelier plugin grant {plugin})",
                self.not_granted.join(", ")
            )?;
        }
        Ok(())
    }
}

/// Every step of every reference; a parameter that its plugin's schema does not allow is refused.
fn steps(job: &Job, plugins: &Plugins) -> Result<Vec<Step>, Fault> {
    let mut steps = Vec::new();
    for reference in &job.references {
        for (number, preparation) in (1..).zip(&reference.prepare) {
            let ready = plugins.ready(&preparation.plugin)?;
            let described = ready
                .plugin
                .describe()
                .map_err(|e| Fault::plugin(Stage::Check, &e))?;
            if let Some((parameter, problem)) =
                schema::problem(&described.parameters, &preparation.parameters)
            {
                let plugin = &preparation.plugin;
                let key = format!(
                    "reference[{}].prepare[{number}].{parameter}",
                    reference.number
                );
                return Err(Fault::rejected(
                    Stage::Check,
                    "plugin-parameter",
                    format!("{key} {problem}"),
                )
                .hint(format!(
                    "`atelier plugin check {plugin}` lists its parameters"
                )));
            }
            let package = ready.plugin.package();
            let missing = package.missing(&ready.granted);
            steps.push(Step {
                reference: reference.number,
                step: number,
                plugin: package.name.clone(),
                version: package.version.clone(),
                module_sha256: ready.plugin.sha256().to_owned(),
                summary: described.summary,
                takes: described.takes,
                parameters: preparation.parameters.clone(),
                not_granted: missing
                    .iter()
                    .map(|ask| ask.permission.to_string())
                    .collect(),
            });
        }
    }
    Ok(steps)
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}
