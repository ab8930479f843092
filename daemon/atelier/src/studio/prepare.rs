//! Files to pictures for the model: references are read once, digested, and passed through the
//! plugins that the job names; what the job begins from comes after them. What provenance will say
//! of each file is recorded here, from the very bytes that were used.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use atelier_flux::Init;
use atelier_manifest::{Job, JobReference};
use atelier_plugin_host::{PrepareRequest, Source};
use atelier_provenance::{ReferenceFacts, Role, StepFacts};
use image::{DynamicImage, RgbImage};

use super::digest::sha256_hex;
use super::picture::{self, Input};
use super::plugins::Plugins;
use super::{Watch, init};
use crate::fault::{Fault, Stage};

/// The most pictures that the model is conditioned on.
const MAX_PICTURES: usize = 10;

/// A job whose references are ready for the model.
pub(crate) struct Prepared {
    /// The job's prompt with what plugins added.
    pub(crate) prompt: String,
    /// Reference pictures in the order of the prompt's "image 1", "image 2".
    pub(crate) pictures: Vec<RgbImage>,
    /// What the picture is begun from, of the job's size.
    pub(crate) init: Option<Init>,
    /// What is signed about each file that went in, in the order of [`Job::inputs`].
    pub(crate) facts: Vec<ReferenceFacts>,
    /// Seconds that it took.
    pub(crate) seconds: f64,
}

/// What a reference is between two plugins.
enum Material {
    Document(String),
    Pictures(Vec<DynamicImage>),
}

/// Prepares every file of a job. `inputs` are where they lie, in the order of [`Job::inputs`].
pub(super) fn prepare(
    job: &Job,
    inputs: &[PathBuf],
    plugins: &Plugins,
    watch: &mut dyn Watch,
) -> Result<Prepared, Fault> {
    let start = Instant::now();
    let mut prepared = Prepared {
        prompt: job.prompt.clone(),
        pictures: Vec::new(),
        init: None,
        facts: Vec::new(),
        seconds: 0.0,
    };
    for (reference, input) in job.references.iter().zip(inputs) {
        if watch.cancelled().load(Ordering::Relaxed) {
            return Err(Fault::cancelled(Stage::Prepare));
        }
        prepare_one(
            job,
            reference,
            input,
            plugins,
            watch.cancelled(),
            &mut prepared,
        )?;
    }
    let rest = inputs.get(job.references.len()..).unwrap_or_default();
    init::prepare(job, rest, &mut prepared)?;
    if prepared.pictures.len() > MAX_PICTURES {
        return Err(Fault::rejected(
            Stage::Prepare,
            "too-many-references",
            format!(
                "the plugins made {} reference pictures; the model takes {MAX_PICTURES}",
                prepared.pictures.len()
            ),
        ));
    }
    prepared.seconds = start.elapsed().as_secs_f64();
    Ok(prepared)
}

fn prepare_one(
    job: &Job,
    reference: &JobReference,
    input: &Path,
    plugins: &Plugins,
    cancelled: &Arc<AtomicBool>,
    prepared: &mut Prepared,
) -> Result<(), Fault> {
    let number = u32::try_from(reference.number).unwrap_or(u32::MAX);
    let named = Input::Reference(reference.number);
    let bytes = picture::read(input, named)?;
    let sha256 = sha256_hex(&bytes);
    let (mut material, media) = match picture::decode(&bytes, named) {
        Ok((picture, media)) => (Material::Pictures(vec![picture]), Some(media)),
        // A plugin may read what is no picture; without one there is nobody to ask.
        Err(fault) if reference.prepare.is_empty() => return Err(fault),
        Err(fault) => match String::from_utf8(bytes.clone()) {
            Ok(text) => (Material::Document(text), None),
            Err(_) => return Err(fault),
        },
    };
    let mut steps = Vec::with_capacity(reference.prepare.len());
    for preparation in &reference.prepare {
        let plugin = plugins.load(&preparation.plugin)?;
        let sources = match material {
            Material::Document(text) => vec![Source::Document(text)],
            Material::Pictures(pictures) => pictures
                .into_iter()
                .map(|p| Source::Picture(Arc::new(p.into_rgba8())))
                .collect(),
        };
        let mut request = PrepareRequest::new(
            sources,
            preparation.parameters.clone(),
            (job.width, job.height),
        );
        request.cancel = Some(Arc::clone(cancelled));
        let name = preparation.plugin.clone();
        let done = plugin
            .prepare(&request, &mut |line| {
                tracing::info!(plugin = %name, reference = number, level = ?line.level, "{}", line.text);
            })
            .map_err(|e| Fault::plugin(Stage::Prepare, &e))?;
        if let Some(fragment) = done.prompt {
            prepared.prompt = format!("{}, {fragment}", prepared.prompt.trim_end());
        }
        steps.push(StepFacts {
            plugin: plugin.package().name.clone(),
            version: plugin.package().version.clone(),
            module_sha256: plugin.sha256().to_owned(),
            notes: done.notes,
        });
        material = Material::Pictures(
            done.pictures
                .into_iter()
                .map(DynamicImage::ImageRgba8)
                .collect(),
        );
    }
    if let Material::Pictures(pictures) = material {
        prepared
            .pictures
            .extend(pictures.into_iter().map(DynamicImage::into_rgb8));
    }
    prepared.facts.push(ReferenceFacts {
        number,
        role: Role::Reference,
        sha256,
        format: media.map(str::to_owned),
        bytes: media.is_some().then(|| bytes.into()),
        prepared_by: steps,
    });
    Ok(())
}
