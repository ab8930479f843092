//! `atelier verify`: the provenance of any picture, offline.

use std::fs;
use std::path::PathBuf;

use atelier_provenance::{Identity, Report, State, Trust};
use clap::Args;
use serde::Serialize;

use super::{Place, output};
use crate::fault::{Fault, Stage};

/// Which pictures, and whom to trust.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Pictures, made by Atelier or by anything else
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Root certificates to trust beside this home's own
    #[arg(long, value_name = "PEM")]
    trust: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Verified {
    file: PathBuf,
    #[serde(flatten)]
    report: Report,
}

pub(super) fn run(place: &Place, args: &VerifyArgs) -> Result<(), Fault> {
    let mut roots = Vec::new();
    // One's own pictures are trusted without being told; without a home there is nothing to add.
    if let Ok(identity) = place.home().map(|home| Identity::open(&home.keys())) {
        roots.extend(identity.ok().map(|identity| identity.root_pem().to_owned()));
    }
    for path in &args.trust {
        let pem = fs::read_to_string(path)
            .map_err(|cause| Fault::io(Stage::Check, "trust-unreadable", path, &cause))?;
        roots.push(pem);
    }
    let trust = Trust { roots_pem: roots };
    let mut verified = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let bytes = fs::read(path)
            .map_err(|cause| Fault::io(Stage::Check, "picture-unreadable", path, &cause))?;
        let report = atelier_provenance::verify(&bytes, None, &trust).map_err(|e| {
            let mut fault = Fault::provenance(Stage::Check, &e);
            fault.message = format!("{}: {}", path.display(), fault.message);
            fault
        })?;
        verified.push(Verified {
            file: path.clone(),
            report,
        });
    }
    if place.json {
        output::json(&verified);
    } else {
        verified.iter().for_each(print);
    }
    let unproven: Vec<String> = verified
        .iter()
        .filter(|v| !matches!(v.report.state, State::Trusted | State::Valid))
        .map(|v| v.file.display().to_string())
        .collect();
    if unproven.is_empty() {
        return Ok(());
    }
    Err(Fault::unproven(format!(
        "no valid provenance: {}",
        unproven.join(", ")
    )))
}

fn word(state: State) -> &'static str {
    match state {
        State::Trusted => "trusted",
        State::Valid => "valid, by a signer who is not trusted here",
        State::Invalid => "invalid",
        State::Unsigned => "unsigned",
    }
}

fn print(verified: &Verified) {
    let report = &verified.report;
    output::line(format!(
        "{}: {}",
        verified.file.display(),
        word(report.state)
    ));
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |name: &str, value: String| rows.push(vec![format!("  {name}"), value]);
    if let Some(signer) = &report.signer {
        row("signer", signer.clone());
    }
    if report.state != State::Unsigned {
        row(
            "made by AI",
            if report.ai.generated {
                "yes"
            } else {
                "not said"
            }
            .to_owned(),
        );
    }
    if let Some(model) = &report.ai.model {
        row("model", model.name.clone());
    }
    for ingredient in &report.ingredients {
        let digest = ingredient
            .sha256
            .as_deref()
            .map_or(String::new(), |sha256| format!(", sha256 {sha256}"));
        let scale = ingredient
            .scale
            .as_deref()
            .map_or(String::new(), |scale| format!(" × {scale}"));
        row(
            "ingredient",
            format!(
                "{}{scale}{digest}",
                ingredient.title.as_deref().unwrap_or("without a title")
            ),
        );
    }
    for step in &report.steps {
        let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        row(
            "prepared by",
            format!(
                "{} {}, module sha256 {}",
                said(&step.plugin),
                said(&step.version),
                said(&step.module_sha256)
            ),
        );
        for (key, value) in &step.notes {
            row("", format!("{key}: {}", value.as_str().unwrap_or("?")));
        }
    }
    for problem in &report.problems {
        row(
            "problem",
            format!("{} ({})", problem.explanation, problem.code),
        );
    }
    output::table(&rows);
}
