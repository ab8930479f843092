//! Files to pictures for the model: references are read once, digested, and passed through the
//! plugins that the job names; what the job begins from comes after them. What provenance will say
//! of each file is recorded here, from the very bytes that were used.

use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use atelier_flux::Init;
use atelier_manifest::{Job, JobReference};
use atelier_plugin_host::Source;
use atelier_provenance::{ReferenceFacts, Role};
use image::{DynamicImage, RgbImage};

use super::chain::{self, Chained, Material, Setting};
use super::digest::sha256_hex;
use super::picture::{self, Input};
use super::plugins::Plugins;
use super::{Moment, Watch, init};
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
    let cancelled = Arc::clone(watch.cancelled());
    let setting = Setting {
        plugins,
        output: (job.width, job.height),
        seed: job.seeds.first().unwrap_or_default(),
        cancelled: &cancelled,
    };
    let count = job.references.len();
    let (paths, mut rest) = inputs.split_at_checked(count).unwrap_or((inputs, &[]));
    // Facts stand in the order of the inputs: what references take besides comes after all of them.
    let mut besides = Vec::new();
    for (index, (reference, path)) in job.references.iter().zip(paths).enumerate() {
        if cancelled.load(Ordering::Relaxed) {
            return Err(Fault::cancelled(Stage::Prepare));
        }
        let also;
        (also, rest) = rest
            .split_at_checked(reference.also.len())
            .unwrap_or((rest, &[]));
        let mut files = Vec::with_capacity(1 + also.len());
        for path in iter::once(path).chain(also) {
            files.push(read(reference, path)?);
        }
        let mut facts = files.iter().map(|file| file.facts.clone());
        let own = facts.next();
        besides.extend(facts);
        let mut progress = |fraction: f32| {
            watch.at(Moment::Preparing {
                percent: percent(index, fraction, count),
            });
        };
        let steps = prepared.add(&setting, reference, files, &mut progress)?;
        prepared.facts.extend(own.map(|facts| ReferenceFacts {
            prepared_by: steps,
            ..facts
        }));
    }
    prepared.facts.append(&mut besides);
    for (number, facts) in (1..).zip(&mut prepared.facts) {
        facts.number = number;
    }
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

impl Prepared {
    /// Adds what one reference becomes; returns what was done to it.
    fn add(
        &mut self,
        setting: &Setting<'_>,
        reference: &JobReference,
        files: Vec<InputFile>,
        progress: &mut dyn FnMut(f32),
    ) -> Result<Vec<atelier_provenance::StepFacts>, Fault> {
        if reference.prepare.is_empty() {
            self.pictures
                .extend(files.into_iter().filter_map(|file| file.picture));
            return Ok(Vec::new());
        }
        let files = files.into_iter().map(InputFile::into_source).collect();
        let Chained {
            pictures,
            fragments,
            steps,
        } = chain::run(
            setting,
            reference.number,
            Material::of_files(files),
            &reference.prepare,
            progress,
        )?;
        if pictures.is_empty() {
            return Err(no_picture(reference));
        }
        let first = (self.pictures.len() + 1).to_string();
        for fragment in fragments {
            let fragment = fragment.replace("{image}", &first);
            self.prompt = format!("{}, {fragment}", self.prompt.trim_end());
        }
        let opaque = |picture| DynamicImage::ImageRgba8(picture).into_rgb8();
        self.pictures.extend(pictures.into_iter().map(opaque));
        Ok(steps)
    }
}

/// A file of a reference that was read.
struct InputFile {
    /// Its pixels; none for a document.
    picture: Option<RgbImage>,
    source: Source,
    facts: ReferenceFacts,
}

impl InputFile {
    fn into_source(self) -> (Source, String) {
        (self.source, self.facts.sha256)
    }
}

fn read(reference: &JobReference, path: &Path) -> Result<InputFile, Fault> {
    let named = Input::Reference(reference.number);
    let bytes = picture::read(path, named)?;
    let as_it_is = reference.prepare.is_empty();
    let mut facts = ReferenceFacts {
        number: 0,
        role: Role::Reference,
        sha256: sha256_hex(&bytes),
        format: None,
        bytes: None,
        prepared_by: Vec::new(),
    };
    let (picture, source) = match picture::decode(&bytes, named) {
        Ok((picture, media)) => {
            facts.format = Some(media.to_owned());
            facts.bytes = Some(bytes.into());
            // Only what nobody prepares goes to the model as it is.
            let straight = as_it_is.then(|| picture.to_rgb8());
            let source = Source::Picture {
                pixels: Arc::new(picture.into_rgba8()),
                format: Some(media.to_owned()),
            };
            (straight, source)
        }
        // A plugin may read what is no picture; without one there is nobody to ask.
        Err(fault) if as_it_is => return Err(fault),
        Err(fault) => match String::from_utf8(bytes) {
            Ok(text) => (None, Source::Document(text)),
            Err(_) => return Err(fault),
        },
    };
    Ok(InputFile {
        picture,
        source,
        facts,
    })
}

/// A file as the first plugin of a reference gets it: its picture, or its text.
///
/// # Errors
///
/// When it cannot be read, or is neither.
pub(crate) fn source_of(path: &Path) -> Result<Source, Fault> {
    let named = Input::Reference(1);
    let bytes = picture::read(path, named)?;
    match picture::decode(&bytes, named) {
        Ok((picture, media)) => Ok(Source::Picture {
            pixels: Arc::new(picture.into_rgba8()),
            format: Some(media.to_owned()),
        }),
        Err(_) => String::from_utf8(bytes).map(Source::Document).map_err(|_| {
            Fault::rejected(
                Stage::Prepare,
                "reference-undecodable",
                format!(
                    "{} is neither a picture that can be read nor text",
                    path.display()
                ),
            )
        }),
    }
}

fn no_picture(reference: &JobReference) -> Fault {
    let last = reference.prepare.last();
    let plugin = last.map_or("", |step| step.plugin.as_str());
    Fault::rejected(
        Stage::Prepare,
        "plugin-no-picture",
        format!(
            "reference {}: the last step, plugin \"{plugin}\", gave keypoints and no picture",
            reference.number
        ),
    )
    .hint("add a step that draws them: { plugin = \"pose\" }")
}

/// How far preparing is when `done` of `count` references are, and `fraction` of the next.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 100"
)]
fn percent(done: usize, fraction: f32, count: usize) -> u8 {
    let whole = (done as f32 + fraction.clamp(0.0, 1.0)) / count.max(1) as f32;
    (100.0 * whole.clamp(0.0, 1.0)) as u8
}
