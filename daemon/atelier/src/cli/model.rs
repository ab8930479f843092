//! `atelier model`: what models there are, what a folder holds, and making an fp8 file.

mod quantize;

use atelier_flux::ModelInfo;
use clap::Subcommand;

use super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::studio::Studio;

/// What to do with models.
#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// List the models that have a name here
    List,
    /// Say what a model is: variant, precision, parameters, bytes
    Inspect {
        /// A name from the settings, or the path of a diffusers pipeline folder
        model: String,
    },
    /// Make an fp8 file of a model's transformer, about half as large
    Quantize(quantize::QuantizeArgs),
}

pub(super) fn run(place: &Place, command: &ModelCommand) -> Result<(), Fault> {
    let (home, config) = place.open()?;
    let studio = Studio::new(&home, &config)?;
    match command {
        ModelCommand::List => list(place, &studio),
        ModelCommand::Quantize(args) => quantize::run(place, &studio, args),
        ModelCommand::Inspect { model } => {
            let (name, path) = studio.models().find(Some(model))?;
            let info = atelier_flux::inspect(&path).map_err(|e| Fault::engine(Stage::Check, &e))?;
            if place.json {
                output::json(&info);
            } else {
                print(&name, &info);
            }
            Ok(())
        }
    }
}

fn list(place: &Place, studio: &Studio) -> Result<(), Fault> {
    let default = studio.models().default_name();
    let models = studio.models().list();
    if place.json {
        let rows: Vec<_> = models
            .iter()
            .map(|(name, path)| {
                serde_json::json!({ "name": name, "path": path, "default": default.as_ref() == Some(name) })
            })
            .collect();
        output::json(&rows);
        return Ok(());
    }
    if models.is_empty() {
        output::line(
            "no models: put a diffusers pipeline folder into models/, or name one in config.toml",
        );
        return Ok(());
    }
    let rows: Vec<Vec<String>> = models
        .iter()
        .map(|(name, path)| {
            let mark = if default.as_ref() == Some(name) {
                "default"
            } else {
                ""
            };
            vec![name.clone(), path.display().to_string(), mark.to_owned()]
        })
        .collect();
    output::table(&rows);
    Ok(())
}

fn print(name: &str, info: &ModelInfo) {
    output::line(format!("{name}: {}", info.variant));
    let mut rows = vec![vec![
        "  part".to_owned(),
        "parameters".to_owned(),
        "bytes".to_owned(),
        "precision".to_owned(),
    ]];
    for part in &info.parts {
        let precision: Vec<&str> = part.precision.keys().map(String::as_str).collect();
        rows.push(vec![
            format!("  {}", part.name),
            part.parameters.to_string(),
            part.bytes.to_string(),
            precision.join(", "),
        ]);
    }
    rows.push(vec![
        "  in all".to_owned(),
        info.parameters.to_string(),
        info.bytes.to_string(),
    ]);
    output::table(&rows);
    output::line(format!(
        "  default steps {}, guidance {}",
        info.default_steps, info.default_guidance
    ));
}
