//! The parts of a manifest that name files: references with their preparation, and LoRA files.
//!
//! Only what is written is read here; whether a file is there and may be named, `check` finds out.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::document::{Entry, Section, string};
use crate::limits::{self, MAX_ALSO, MAX_LORAS, MAX_PREPARATIONS, MAX_REFERENCES};
use crate::parameters;

/// One `[[reference]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Its number in the prompt, from 1.
    pub number: usize,
    /// The path as written.
    pub path: PathBuf,
    /// More files for the first plugin, as written.
    pub also: Vec<PathBuf>,
    /// What is done to it first, in order.
    pub prepare: Vec<PreparationStep>,
}

/// One step of a reference's `prepare`.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparationStep {
    /// Its place in the list, from 1.
    pub number: usize,
    /// The plugin's name.
    pub plugin: String,
    /// Every other key of the step.
    pub parameters: Map<String, Value>,
}

/// One entry of `lora`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lora {
    /// Its place in the list, from 1.
    pub number: usize,
    /// The path as written.
    pub path: PathBuf,
    /// How strongly it acts; 1 where it was left out.
    pub scale: f32,
}

/// The references; one without a usable path is left out, the others keep their numbers.
pub(super) fn references(section: &mut Section<'_, '_>) -> Vec<Reference> {
    let entries = section.list(
        "reference",
        MAX_REFERENCES,
        "[[reference]] in double brackets",
    );
    numbered(entries)
        .filter_map(|(number, entry)| {
            let mut table = section.enter(&entry, "[[reference]] in double brackets")?;
            let path = table.string("path", limits::naming);
            table.require("path", "name the file: path = \"woman.jpg\"");
            let also = more_files(&mut table);
            let prepare = preparations(&mut table);
            table.finish();
            Some(Reference {
                number,
                path: path?.into(),
                also,
                prepare,
            })
        })
        .collect()
}

fn more_files(section: &mut Section<'_, '_>) -> Vec<PathBuf> {
    let entries = section.list("also", MAX_ALSO, "also = [\"second.jpg\", \"third.jpg\"]");
    entries
        .iter()
        .filter_map(|entry| {
            let named = string(entry.value).and_then(limits::naming);
            match named {
                Ok(path) => Some(path.into()),
                Err(fault) => {
                    section.report(entry, fault);
                    None
                }
            }
        })
        .collect()
}

fn preparations(section: &mut Section<'_, '_>) -> Vec<PreparationStep> {
    const WRITTEN: &str = "prepare = [{ plugin = \"pose\" }]";
    let entries = section.list("prepare", MAX_PREPARATIONS, WRITTEN);
    numbered(entries)
        .filter_map(|(number, entry)| {
            let mut table = section.enter(&entry, WRITTEN)?;
            let plugin = table.string("plugin", limits::naming);
            table.require("plugin", "name the plugin: { plugin = \"pose\" }");
            let parameters = parameters::read(&mut table);
            Some(PreparationStep {
                number,
                plugin: plugin?,
                parameters,
            })
        })
        .collect()
}

/// The LoRA files; one without a usable path or scale is left out.
pub(super) fn loras(section: &mut Section<'_, '_>) -> Vec<Lora> {
    const WRITTEN: &str = "lora = [{ path = \"style.safetensors\", scale = 0.8 }]";
    let entries = section.list("lora", MAX_LORAS, WRITTEN);
    numbered(entries)
        .filter_map(|(number, entry)| {
            let mut table = section.enter(&entry, WRITTEN)?;
            let path = table.string("path", limits::naming);
            table.require("path", "name the file: path = \"style.safetensors\"");
            let scale = table.number("scale", limits::lora_scale);
            table.finish();
            Some(Lora {
                number,
                path: path?.into(),
                scale: scale.unwrap_or(1.0),
            })
        })
        .collect()
}

fn numbered<'t>(entries: Vec<Entry<'t>>) -> impl Iterator<Item = (usize, Entry<'t>)> {
    (1..).zip(entries)
}
