//! `atelier model`: what models there are, what a folder holds, and making an fp8 file.

mod memory;
mod quantize;

use std::collections::BTreeMap;

use atelier_flux::{FileInfo, MemoryPlan, ModelInfo, ModelSource, Part};
use clap::Subcommand;
use serde::Serialize;

use super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::studio::{Models, Studio};

/// What to do with models.
#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// List the models that have a name here
    List,
    /// Say what a model is: variant, precision, parameters, bytes, and the memory that a picture takes
    Inspect {
        /// A name from the settings, the path of a diffusers pipeline folder, or a file of weights
        model: String,
        #[command(flatten)]
        picture: memory::PictureArgs,
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
        ModelCommand::Inspect { model, picture } => {
            let memory = config.device.memory.map(|size| size.0);
            inspect(place, &studio, model, &|source, info| {
                picture.plan(source, info, memory)
            })
        }
    }
}

/// A model with the plan of a picture, as one document.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    info: &'a ModelInfo,
    memory: &'a MemoryPlan,
}

/// A model if all its parts are found, else what the one file is.
fn inspect(
    place: &Place,
    studio: &Studio,
    model: &str,
    plan: &dyn Fn(&ModelSource, &ModelInfo) -> Result<MemoryPlan, Fault>,
) -> Result<(), Fault> {
    let incomplete = match studio.models().find(Some(model)) {
        Ok(found) => {
            let info = atelier_flux::inspect_source(&found.source)
                .map_err(|e| Fault::engine(Stage::Check, &e))?;
            let memory = plan(&found.source, &info)?;
            if place.json {
                let (info, memory) = (&info, &memory);
                output::json(&Inspected { info, memory });
            } else {
                print(&found.name, &info);
                memory::print(&memory);
            }
            return Ok(());
        }
        Err(fault) => fault,
    };
    let path = studio.models().transformer(model)?;
    if !path.is_file() {
        return Err(incomplete);
    }
    let mut info =
        atelier_flux::inspect_file(&path).map_err(|e| Fault::engine(Stage::Check, &e))?;
    if info.variant.is_some() {
        let hint = incomplete.hint.unwrap_or_default();
        info.notes.push(format!("to make pictures with it: {hint}"));
    }
    if place.json {
        output::json(&info);
    } else {
        print_file(&info);
    }
    Ok(())
}

fn list(place: &Place, studio: &Studio) -> Result<(), Fault> {
    let default = studio.models().default_name();
    let mut models: Vec<_> = studio.models().list().into_iter().collect();
    // The user's own come first.
    models.sort_by_key(|(_, path)| Models::is_starter(path));
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
    output::line(format!("{name}: {}, {}", info.variant, info.variant_basis));
    print_parts(&info.parts, info.parameters, info.bytes);
    output::line(format!(
        "  default steps {}, guidance {}",
        info.default_steps, info.default_guidance
    ));
    print_notes(&info.notes);
}

fn print_file(info: &FileInfo) {
    output::line(format!("{}: a file", info.name));
    print_parts(&info.parts, info.parameters, info.bytes);
    print_notes(&info.notes);
}

fn print_parts(parts: &[Part], parameters: u64, bytes: u64) {
    let heading = ["  part", "parameters", "bytes", "precision"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(parts.iter().map(|part| {
        vec![
            format!("  {}", part.name),
            part.parameters.to_string(),
            part.bytes.to_string(),
            precision(&part.precision),
        ]
    }));
    rows.push(vec![
        "  in all".to_owned(),
        parameters.to_string(),
        bytes.to_string(),
    ]);
    output::table(&rows);
}

/// Element types, with the bytes of each where there are several.
fn precision(precision: &BTreeMap<String, u64>) -> String {
    let is_mixed = precision.len() > 1;
    let each = precision.iter().map(|(kind, &bytes)| {
        if is_mixed {
            format!("{kind} {}", output::bytes(bytes))
        } else {
            kind.clone()
        }
    });
    each.collect::<Vec<_>>().join(", ")
}

fn print_notes(notes: &[String]) {
    for note in notes {
        output::line(format!("  {note}"));
    }
}
