//! The files that a manifest names: whether they may be, are there, and can be what they are for.

use std::io;
use std::path::{Path, PathBuf};

use super::Examination;
use crate::job::{JobLora, JobReference, Preparation};
use crate::manifest::{Manifest, Reference};
use crate::paths::{self, PathProblem};
use crate::problem::{Code, Fault, quoted};
use crate::sniff::{self, Kind};
use crate::suggest;

impl Examination<'_> {
    pub(super) fn references(&mut self, wishes: &Manifest) -> Vec<JobReference> {
        let installed = match wishes.references.iter().any(|it| !it.prepare.is_empty()) {
            true => self.world.plugins(),
            false => Vec::new(),
        };
        wishes
            .references
            .iter()
            .filter_map(|reference| self.reference(reference, &installed))
            .collect()
    }

    fn reference(&mut self, reference: &Reference, installed: &[String]) -> Option<JobReference> {
        let place = format!("reference[{}]", reference.number);
        let mut prepare = Vec::with_capacity(reference.prepare.len());
        for step in &reference.prepare {
            if !installed.contains(&step.plugin) {
                let key = format!("{place}.prepare[{}].plugin", step.number);
                let says = format!("is {}, which is not installed", quoted(&step.plugin));
                let fault = Fault::of_key(Code::PluginUnknown, says)
                    .maybe_hint(suggest::advice(&step.plugin, installed));
                self.report(&key, fault);
            }
            prepare.push(Preparation {
                plugin: step.plugin.clone(),
                parameters: step.parameters.clone(),
            });
        }
        // A step that could not be read was still a step.
        let steps = format!("{place}.prepare");
        let as_it_is = reference.prepare.is_empty() && !self.blamed_below(&steps);
        if as_it_is && !reference.also.is_empty() {
            let says = "are more files than one picture is made of";
            let fault = Fault::of_key(Code::InvalidValue, says)
                .hint("add the plugin that joins them: prepare = [{ plugin = \"collage\" }]");
            self.report(&format!("{place}.also"), fault);
        }
        let also: Vec<_> = (1..)
            .zip(&reference.also)
            .filter_map(|(number, path)| self.file(&format!("{place}.also[{number}]"), path, false))
            .collect();
        let path = self.file(&format!("{place}.path"), &reference.path, as_it_is)?;
        Some(JobReference {
            number: reference.number,
            path,
            also,
            prepare,
        })
    }

    /// A file that may be named, is there and can be a reference; anything else is reported.
    fn file(&mut self, key: &str, given: &Path, as_it_is: bool) -> Option<PathBuf> {
        let (folder, allowed) = (self.world.folder(), self.world.allowed_folders());
        paths::confine(given, folder, allowed)
            .map_err(|problem| problem.into_fault(given))
            .and_then(|(path, file)| {
                suits(sniff::sniff(file), as_it_is, given)?;
                Ok(path)
            })
            .map_err(|fault| self.report(key, fault))
            .ok()
    }

    pub(super) fn loras(&mut self, wishes: &Manifest) -> Vec<JobLora> {
        let mut loras = Vec::with_capacity(wishes.loras.len());
        for lora in &wishes.loras {
            let (folder, allowed) = (self.world.folder(), self.world.allowed_folders());
            let found = paths::confine(&lora.path, folder, allowed)
                .map_err(|problem| problem.into_fault(&lora.path))
                .and_then(|(path, _)| match self.world.lora(&path) {
                    Ok(()) => Ok(path),
                    Err(why) => Err(unusable(&why, &lora.path)),
                });
            match found {
                Ok(path) => loras.push(JobLora {
                    path,
                    scale: lora.scale,
                }),
                Err(fault) => self.report(&format!("lora[{}].path", lora.number), fault),
            }
        }
        loras
    }
}

fn unusable(why: &str, given: &Path) -> Fault {
    let name = quoted(&given.to_string_lossy());
    let says = format!("is {name}, which cannot be used as a LoRA: {why}");
    Fault::of_key(Code::LoraUnusable, says)
        .hint("a LoRA is a safetensors file that was trained for FLUX.2")
}

/// Whether a file of this kind can be a reference; one that is prepared need not be a picture,
/// since plugins also take documents.
fn suits(kind: io::Result<Kind>, as_it_is: bool, given: &Path) -> Result<(), Fault> {
    let name = quoted(&given.to_string_lossy());
    let not = |what: &str| Fault::of_key(Code::NotAPicture, format!("is {name}, {what}"));
    let kind = kind.map_err(|error| PathProblem::Unreadable(error).into_fault(given))?;
    match kind {
        Kind::Empty => Err(not("which is an empty file").hint("was it copied whole?")),
        _ if !as_it_is => Ok(()),
        Kind::Picture => Ok(()),
        Kind::Json => Err(not("which is JSON, not a picture")
            .hint("if it holds keypoints, add prepare = [{ plugin = \"pose\" }]")),
        Kind::OtherPicture(format) => Err(not(&format!("a {format} picture, which is not read"))
            .hint("save it as PNG, JPEG, WebP or TIFF")),
        Kind::Unknown => Err(not("which is not a picture")
            .hint("a reference is PNG, JPEG, WebP or TIFF, or prepared by a plugin")),
    }
}
