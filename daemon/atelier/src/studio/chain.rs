//! One reference through its plugins, one after the other. A step gets what the step before it made,
//! pictures first and then keypoints, as far as it takes them; what it gives is kept, so that the
//! same step on the same input does not run twice.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use atelier_manifest::Preparation;
use atelier_plugin_host::{PrepareRequest, Prepared, Said, Source, SourceKind};
use atelier_provenance::StepFacts;
use image::RgbaImage;
use sha2::{Digest, Sha256};

use super::digest::hex;
use super::plugins::{Plugins, Ready};
use crate::fault::{Fault, Stage};

/// What all steps of a job have in common.
pub(super) struct Setting<'a> {
    pub(super) plugins: &'a Plugins,
    /// Width and height of the job's picture.
    pub(super) output: (u32, u32),
    /// The job's first seed.
    pub(super) seed: u64,
    pub(super) cancelled: &'a Arc<AtomicBool>,
}

/// A reference between two steps.
pub(super) struct Material {
    sources: Vec<Source>,
    /// What it came from and went through: the same digest means the same sources.
    digest: [u8; 32],
}

/// What the steps of one reference made.
#[derive(Default)]
pub(super) struct Chained {
    pub(super) pictures: Vec<RgbaImage>,
    /// Words for the prompt, in order; `{image}` is not filled in yet.
    pub(super) fragments: Vec<String>,
    pub(super) steps: Vec<StepFacts>,
}

impl Material {
    /// Files as they were read, each with the SHA-256 of its bytes in hex.
    pub(super) fn of_files(files: Vec<(Source, String)>) -> Self {
        let mut digest = Sha256::new();
        let mut sources = Vec::with_capacity(files.len());
        for (source, sha256) in files {
            digest.update([u8::from(source.kind() == SourceKind::Document)]);
            digest.update(sha256);
            sources.push(source);
        }
        Self {
            sources,
            digest: digest.finalize().into(),
        }
    }
}

/// Takes a reference through all its steps. `progress` hears how far the whole chain is, 0 to 1.
pub(super) fn run(
    setting: &Setting<'_>,
    reference: usize,
    mut material: Material,
    steps: &[Preparation],
    progress: &mut dyn FnMut(f32),
) -> Result<Chained, Fault> {
    let mut chained = Chained::default();
    for (number, step) in (1..).zip(steps) {
        let place = Place { reference, number };
        let share = 1.0 / steps.len() as f32;
        let done = share * (number - 1) as f32;
        let ready = setting.plugins.ready(&step.plugin)?;
        let made = setting.step(&place, &ready, &material, step, &mut |fraction| {
            progress(done + share * fraction);
        })?;
        chained.steps.push(StepFacts {
            plugin: ready.plugin.package().name.clone(),
            version: ready.plugin.package().version.clone(),
            module_sha256: ready.plugin.sha256().to_owned(),
            notes: made.result.notes.clone(),
        });
        chained.fragments.extend(made.result.prompt.clone());
        let pictures = made.result.pictures.iter().cloned().map(Source::picture);
        let keypoints = made.result.keypoints.clone().map(Source::Document);
        material = Material {
            sources: pictures.chain(keypoints).collect(),
            digest: made.digest,
        };
        chained.pictures = made.result.pictures;
    }
    Ok(chained)
}

/// Which step of which reference, both from 1.
struct Place {
    reference: usize,
    number: usize,
}

/// What one step gave, and the digest that it follows from.
struct Made {
    result: Prepared,
    digest: [u8; 32],
}

impl Setting<'_> {
    fn step(
        &self,
        place: &Place,
        ready: &Ready,
        material: &Material,
        step: &Preparation,
        progress: &mut dyn FnMut(f32),
    ) -> Result<Made, Fault> {
        let described = ready
            .plugin
            .describe()
            .map_err(|e| Fault::plugin(Stage::Prepare, &e))?;
        let takes = |source: &&Source| described.takes.contains(&source.kind());
        let sources: Vec<Source> = material.sources.iter().filter(takes).cloned().collect();
        if sources.is_empty() {
            return Err(nothing_to_take(place, step, &described.takes, material));
        }
        let digest = self.digest(ready, material, step);
        let key = hex(&digest);
        if let Some(result) = self.plugins.kept().find(&key) {
            tracing::info!(plugin = %step.plugin, reference = place.reference, "prepared before; kept");
            progress(1.0);
            return Ok(Made { result, digest });
        }
        let mut request = PrepareRequest::new(sources, step.parameters.clone(), self.output);
        request.cancel = Some(Arc::clone(self.cancelled));
        request.powers = ready.powers(self.seed);
        let result = ready
            .plugin
            .prepare(&request, &mut |said| match said {
                Said::Line(line) => {
                    tracing::info!(plugin = %step.plugin, reference = place.reference, level = ?line.level, "{}", line.text);
                }
                Said::Progress(fraction) => progress(fraction),
            })
            .map_err(|e| Fault::plugin(Stage::Prepare, &e))?;
        progress(1.0);
        self.plugins.kept().keep(&key, &result);
        Ok(Made { result, digest })
    }

    /// Everything that decides what a step gives.
    fn digest(&self, ready: &Ready, material: &Material, step: &Preparation) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        };
        add(b"atelier prepared 1");
        add(ready.plugin.sha256().as_bytes());
        add(&material.digest);
        // The same parameters are the same text in whatever order they were written.
        let mut parameters = serde_json::Value::Object(step.parameters.clone());
        parameters.sort_all_objects();
        add(parameters.to_string().as_bytes());
        add(&self.output.0.to_le_bytes());
        add(&self.output.1.to_le_bytes());
        add(ready.reach(self.seed).as_bytes());
        digest.finalize().into()
    }
}

fn nothing_to_take(
    place: &Place,
    step: &Preparation,
    takes: &[SourceKind],
    material: &Material,
) -> Fault {
    let kind = |kind: SourceKind, many: bool| match (kind, many) {
        (SourceKind::Picture, false) => "a picture",
        (SourceKind::Picture, true) => "pictures",
        (SourceKind::Document, false) => "a document",
        (SourceKind::Document, true) => "documents",
    };
    let list = |kinds: &mut dyn Iterator<Item = &'static str>| {
        let kinds: Vec<_> = kinds.collect();
        match kinds.len() {
            0 => "nothing".to_owned(),
            _ => kinds.join(" and "),
        }
    };
    let wants = list(&mut takes.iter().map(|&one| kind(one, true)));
    let gets = list(&mut material.sources.iter().map(|one| kind(one.kind(), false)));
    let Place { reference, number } = place;
    Fault::rejected(
        Stage::Prepare,
        "plugin-source",
        format!(
            "reference {reference}, step {number}: plugin \"{}\" takes {wants}, and gets {gets}",
            step.plugin
        ),
    )
    .hint("`atelier plugin check NAME` says what a plugin takes; a step gets what the one before it gave")
}
