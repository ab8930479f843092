//! The manifest as it was written: typed, in range, and nothing filled in.
//!
//! A [`Manifest`] is what the text alone can tell. It does not know whether its model exists or
//! its files are there (`check` asks a [`crate::World`]), and what was left out is `None`, so that
//! a template can be laid under it.

use crate::document::{self, Findings, Section};
use crate::format::Format;
use crate::limits::{self, MAX_MANIFEST_BYTES};
use crate::place::{Place, Places};
use crate::problem::{Code, Fault, Problem, Problems};
use crate::read::{BYTE_ORDER_MARK, too_large};
use crate::seeds::{self, Seeds};

mod files;
mod init;

pub use init::InitWishes;
pub(crate) use init::nowhere;

pub use files::{Lora, PreparationStep, Reference};

/// The version of the manifest that this program reads.
pub const MANIFEST_VERSION: i64 = 1;

/// What a manifest says. Every value is in its range; what was left out is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Manifest {
    /// What the picture shows.
    pub prompt: Option<String>,
    /// What it must not show.
    pub negative: Option<String>,
    /// The name or path of a model.
    pub model: Option<String>,
    /// The name of a template that gives defaults.
    pub template: Option<String>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Denoising steps.
    pub steps: Option<u32>,
    /// Guidance scale.
    pub guidance: Option<f32>,
    /// Seeds, one for each picture.
    pub seeds: Option<Seeds>,
    /// The stem of the outputs' names.
    pub name: Option<String>,
    /// Higher ones run first.
    pub priority: Option<i8>,
    /// LoRA files, in order.
    pub loras: Vec<Lora>,
    /// References, in order.
    pub references: Vec<Reference>,
    /// The table `[init]`: a picture to begin from.
    pub init: Option<InitWishes>,
    /// The table `[output]`.
    pub output: OutputWishes,
    /// The table `[provenance]`.
    pub provenance: ProvenanceWishes,
    pub(crate) places: Places,
}

/// The table `[output]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputWishes {
    /// The picture format.
    pub format: Option<Format>,
    /// Quality, 1 to 100, of the lossy formats.
    pub quality: Option<u8>,
}

/// The table `[provenance]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenanceWishes {
    /// Whether the prompt is signed into the picture, for all to read.
    pub include_prompt: Option<bool>,
    /// A title that is signed into the picture.
    pub title: Option<String>,
}

impl Manifest {
    /// Where the value of a key stands, by its path (`reference[2].prepare[1].width`); a key that
    /// was left out has the place of the table around it. A later stage (a plugin that refuses a
    /// parameter) can so point at the manifest too.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<Place> {
        self.places.nearest(key)
    }
}

/// Reads a manifest's text.
///
/// # Errors
///
/// Everything that is wrong with the text, by place. Where the text is not TOML from some line
/// on, only what stands before that line is judged.
pub fn parse(text: &str) -> Result<Manifest, Problems> {
    let (manifest, problems) = read(text, Grammar::Manifest);
    match Problems::gather(problems) {
        None => Ok(manifest),
        Some(problems) => Err(problems),
    }
}

/// Which keys there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// All of them; `manifest` is required.
    Manifest,
    /// No files, no name, no template; `manifest` is not needed.
    Template,
}

/// Reads what can be read, with everything that is wrong; the values of keys with problems are
/// left out.
pub(crate) fn read(text: &str, grammar: Grammar) -> (Manifest, Vec<Problem>) {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.len() > MAX_MANIFEST_BYTES {
        let problem = Problem::new(None, None, too_large());
        return (Manifest::default(), vec![problem]);
    }
    let syntax = document::parse(text);
    let mut findings = Findings::default();
    let mut manifest = top(Section::top(&syntax.table, &mut findings), grammar);
    if let Some(offset) = syntax.broken_from {
        findings.trust_only_before(offset);
    }
    let (mut problems, _) = syntax.findings.in_text(text);
    let (found, places) = findings.in_text(text);
    problems.extend(found);
    manifest.places = places;
    (manifest, problems)
}

fn top(mut section: Section<'_, '_>, grammar: Grammar) -> Manifest {
    if grammar == Grammar::Manifest {
        section.require("manifest", "begin with the line: manifest = 1");
    }
    let mut other = false;
    section.integer("manifest", |version| {
        other = version != MANIFEST_VERSION;
        known_version(version)
    });
    if other {
        // Nothing more can be said of it: another version has other keys.
        return Manifest::default();
    }
    let mut manifest = Manifest {
        prompt: section.string("prompt", limits::prompt),
        negative: section.string("negative", limits::negative),
        model: section.string("model", limits::naming),
        width: section.integer("width", limits::side),
        height: section.integer("height", limits::side),
        steps: section.integer("steps", limits::steps),
        guidance: section.number("guidance", limits::guidance),
        seeds: seeds::read(&mut section),
        priority: section.integer("priority", limits::priority),
        output: output(&mut section),
        provenance: provenance(&mut section),
        ..Manifest::default()
    };
    if grammar == Grammar::Manifest {
        manifest.template = section.string("template", limits::stem);
        manifest.name = section.string("name", limits::stem);
        manifest.loras = files::loras(&mut section);
        manifest.references = files::references(&mut section);
        manifest.init = init::read(&mut section);
    }
    section.finish();
    manifest
}

fn known_version(version: i64) -> Result<(), Fault> {
    if version == MANIFEST_VERSION {
        return Ok(());
    }
    let says = format!("is {version}; this program reads version {MANIFEST_VERSION}");
    let fault = Fault::of_key(Code::ManifestVersion, says);
    Err(if version > MANIFEST_VERSION {
        fault.hint("a newer version of this program may read it")
    } else {
        fault
    })
}

fn output(section: &mut Section<'_, '_>) -> OutputWishes {
    let table = section.entry("output");
    let Some(mut table) = table.and_then(|entry| section.enter(&entry, "[output]")) else {
        return OutputWishes::default();
    };
    let wishes = OutputWishes {
        format: table.string("format", Format::named),
        quality: table.integer("quality", limits::quality),
    };
    table.finish();
    wishes
}

fn provenance(section: &mut Section<'_, '_>) -> ProvenanceWishes {
    let table = section.entry("provenance");
    let Some(mut table) = table.and_then(|entry| section.enter(&entry, "[provenance]")) else {
        return ProvenanceWishes::default();
    };
    let wishes = ProvenanceWishes {
        include_prompt: table.boolean("include_prompt"),
        title: table.string("title", limits::title),
    };
    table.finish();
    wishes
}
