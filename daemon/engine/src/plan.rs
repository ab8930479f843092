//! What a picture takes in memory, known before it is begun.
//!
//! Two kinds of memory count, and must not be mixed up. *Anonymous* memory is what the engine computes
//! in: activations, scratch, kept encodings. It cannot be given back while it is in use, so where it
//! does not fit, the picture is refused before any work. *Mapped* memory are the model's files. The
//! kernel reads their pages as they are touched and drops them when others need the room, so a model
//! may be larger than memory: what does not fit beside the anonymous part *streams*, is read from the
//! disk again in every pass, and costs time only.
//!
//! The sums below follow the code that they describe, buffer by buffer, at its fullest moment. They are
//! compared with measured peaks in `docs/memory.md`; whoever changes what a stage holds changes its sum
//! here, and measures again.

mod denoising;
mod limits;
mod networks;
#[cfg(test)]
pub(crate) mod tests;

use std::fs;

use serde::Serialize;

use crate::error::EngineError;
use crate::inspect::ModelInfo;
use crate::latent::TOKEN_PIXELS;
use crate::model::Model;
use crate::prompt;
use crate::source::ModelSource;
use crate::vae::{NoRoom, Vae};
use crate::variant::Reading;
pub use limits::{LimitBasis, MemoryLimit};
pub(crate) use networks::{Networks, VaeSizes};

/// Bytes of a number.
const F32: u64 = 4;
/// What is there once a model is open: code's data, the runtime's and allocator's own, configs. Measured.
const PROGRAM: u64 = 48 << 20;
/// Scratch of the products, all threads together, whatever their size: packed weights, sums and strips.
const SCRATCH: u64 = 16 << 20;
/// What a tokenizer's file becomes once it is read: so many times its size. Measured.
const TOKENIZER: u64 = 12;
/// What each thread adds to it.
const SCRATCH_EACH: u64 = 4 << 20;
/// The allocator keeps some of what was freed, and splits what it keeps: a part in so many.
const SLACK: u64 = 16;

/// The sizes of a picture and of what it is conditioned on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderShape {
    /// Width in pixels, a multiple of 16.
    pub width: u32,
    /// Height in pixels, a multiple of 16.
    pub height: u32,
    /// Width and height of each reference as the model sees it; multiples of 16.
    pub references: Vec<(u32, u32)>,
    /// Whether it begins from a picture of its own size.
    pub init: bool,
    /// Whether each step takes a second pass, with the negative prompt.
    pub guided: bool,
    /// Whether LoRA files act on the transformer.
    pub adapted: bool,
}

impl RenderShape {
    /// Tokens that the transformer attends to: the prompt's, the picture's and the references'.
    pub fn tokens(&self) -> u64 {
        prompt::TOKENS as u64 + self.output_tokens() + self.reference_tokens()
    }

    /// Those of them that are in every step; what was kept of others is looked at only.
    pub(crate) fn step_tokens(&self, reading: Reading) -> u64 {
        match reading {
            Reading::EveryStep => self.tokens(),
            Reading::Once => self.tokens() - self.reference_tokens(),
        }
    }

    fn output_tokens(&self) -> u64 {
        tokens_of((self.width, self.height))
    }

    pub(crate) fn reference_tokens(&self) -> u64 {
        self.references.iter().copied().map(tokens_of).sum()
    }

    fn passes(&self) -> u64 {
        1 + u64::from(self.guided)
    }
}

fn tokens_of((width, height): (u32, u32)) -> u64 {
    u64::from(width / TOKEN_PIXELS) * u64::from(height / TOKEN_PIXELS)
}

fn pixels_of((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Bytes of a picture that is encoded, in bytes and in numbers.
fn given(size: (u32, u32)) -> u64 {
    (3 + 3 * F32) * pixels_of(size)
}

/// What a picture takes in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemoryPlan {
    /// The picture's width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// How many references it has.
    pub references: usize,
    /// Tokens that the transformer attends to.
    pub tokens: u64,
    /// In the order in which they run.
    pub stages: Vec<StageMemory>,
    /// The most anonymous bytes at any moment.
    pub anonymous: u64,
    /// What the anonymous bytes may be, where the system says or the user has set it.
    pub limit: Option<MemoryLimit>,
    /// Bytes that the autoencoder may take beside what else is held then.
    #[serde(skip)]
    vae_budget: Option<u64>,
}

/// What one stage takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageMemory {
    /// `text_encoder`, `references`, `transformer` or `vae`.
    pub name: &'static str,
    /// The most anonymous bytes that it holds at a time, with what waits for later stages.
    pub anonymous: u64,
    /// Bytes of the model's files that it reads.
    pub mapped: u64,
    /// How often it reads them.
    pub passes: u32,
    /// Whether they stay in memory from one pass to the next.
    pub residency: Residency,
    /// Whether it works in tiles, to take no more than it may.
    pub tiled: bool,
}

/// Where a stage's weights are while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Residency {
    /// They fit beside the anonymous memory: read from the disk once.
    Resident,
    /// They do not: each pass reads from the disk what does not fit.
    Streams,
}

/// Bytes of the weights of a model's parts, and of its open state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) text_encoder: u64,
    pub(crate) transformer: u64,
    pub(crate) vae: u64,
    /// Of the tokenizer's file.
    pub(crate) tokenizer: u64,
}

impl Sizes {
    pub(crate) fn of(info: &ModelInfo) -> Self {
        let part = |name: &str| info.parts.iter().find(|part| part.name == name);
        let bytes = |name| part(name).map_or(0, |part| part.bytes);
        let files = part("tokenizer").into_iter().flat_map(|part| &part.files);
        let lengths = files.map(|file| fs::metadata(file).map_or(0, |file| file.len()));
        Self {
            text_encoder: bytes("text_encoder"),
            transformer: bytes("transformer"),
            vae: bytes("vae"),
            tokenizer: lengths.max().unwrap_or(0),
        }
    }
}

/// A model, as far as its memory is concerned.
pub(crate) struct Planner<'a> {
    pub(crate) networks: &'a Networks,
    pub(crate) sizes: Sizes,
    pub(crate) vae: &'a Vae,
    /// Bytes of encodings that were kept from earlier pictures.
    pub(crate) kept: u64,
}

impl Planner<'_> {
    /// The plan for a picture, in as much memory as the user allows, or else as there is.
    pub(crate) fn plan(&self, shape: &RenderShape, steps: u32, asked: Option<u64>) -> MemoryPlan {
        let limit = MemoryLimit::now(asked);
        let held = self.open() + self.networks.conditions(shape);
        let size = [shape.height as usize, shape.width as usize];
        let mut stages = vec![self.text_stage(shape)];
        let init = shape.init.then_some((shape.width, shape.height));
        let encoded = init.iter().chain(&shape.references);
        let picture = 3 * pixels_of((shape.width, shape.height));
        let beside = encoded
            .clone()
            .map(|&size| given(size))
            .fold(picture, u64::max);
        let budget = limit.map(|limit| without_slack(limit.bytes).saturating_sub(held + beside));
        let encodings = encoded.map(|&size| {
            let sides = [size.1 as usize, size.0 as usize];
            let (peak, tiled) = of_vae(|budget| self.vae.encode_peak(sides, budget), budget);
            (peak + given(size), tiled)
        });
        if let Some((peak, tiled)) = encodings.reduce(|a, b| (a.0.max(b.0), a.1 || b.1)) {
            let mut stage = stage("references", held + peak, self.sizes.vae / 2, 1);
            stage.tiled = tiled;
            stages.push(stage);
        }
        let transformer = self.open() + self.networks.denoising(shape);
        let once = self.networks.transformer.reading == Reading::Once;
        let reading = u32::from(once && !shape.references.is_empty());
        let passes = steps.saturating_mul(if shape.guided { 2 } else { 1 });
        let passes = passes.saturating_add(reading);
        stages.push(stage(
            "transformer",
            transformer,
            self.sizes.transformer,
            passes,
        ));
        let (peak, tiled) = of_vae(|budget| self.vae.decode_peak(size, budget), budget);
        let mut decoding = stage("vae", held + peak + picture, self.sizes.vae / 2, 1);
        decoding.tiled = tiled;
        stages.push(decoding);

        let available = limits::available();
        for stage in &mut stages {
            let needed = stage.anonymous + stage.mapped;
            if available.is_some_and(|available| needed > available) {
                stage.residency = Residency::Streams;
            }
        }
        MemoryPlan {
            width: shape.width,
            height: shape.height,
            references: shape.references.len(),
            tokens: shape.tokens(),
            anonymous: stages
                .iter()
                .map(|stage| stage.anonymous)
                .max()
                .unwrap_or(0),
            stages,
            limit,
            vae_budget: budget,
        }
    }

    /// What is held as long as the model is open.
    fn open(&self) -> u64 {
        PROGRAM + TOKENIZER * self.sizes.tokenizer + self.kept
    }

    /// A layer's fullest moment: its input and that normalised, the states that were tapped before, and
    /// either queries, keys, values, those packed (an f32 in three halves), and the result, or the
    /// feed-forward's inside.
    fn text_stage(&self, shape: &RenderShape) -> StageMemory {
        let sizes = self.networks.text;
        let [hidden, inner, queries, keys] =
            [sizes.hidden, sizes.inner, sizes.queries, sizes.keys].map(|size| size as u64);
        let inside = (2 * queries + 5 * keys).max(inner + 2 * keys);
        let layer = 4 * hidden + inside;
        // At the end the tapped states are put side by side.
        let numbers = prompt::TOKENS as u64 * layer.max(6 * hidden);
        let working = with_slack(F32 * numbers + scratch());
        let name = "text_encoder";
        let passes = if shape.guided { 2 } else { 1 };
        let anonymous = self.open() + self.networks.conditions(shape) + working;
        stage(name, anonymous, self.sizes.text_encoder, passes)
    }
}

/// What a picture of a model would take in memory; the model's headers are read, not its weights.
///
/// # Errors
/// Whatever would keep the model from being opened.
pub fn memory_plan(
    source: &ModelSource,
    shape: &RenderShape,
    steps: u32,
    memory: Option<u64>,
) -> Result<MemoryPlan, EngineError> {
    let model = Model::open(source)?;
    let vae = Vae::layered(&model.vae.config, &model.vae.weights)
        .map_err(|error| model.vae.explain(error))?;
    let planner = Planner {
        networks: &Networks::of(&model),
        sizes: Sizes::of(&ModelInfo::of(&model)),
        vae: &vae,
        kept: 0,
    };
    Ok(planner.plan(shape, steps, memory))
}

fn stage(name: &'static str, anonymous: u64, mapped: u64, passes: u32) -> StageMemory {
    StageMemory {
        name,
        anonymous,
        mapped,
        passes,
        residency: Residency::Resident,
        tiled: false,
    }
}

/// The bytes that the autoencoder takes in a budget, the allocator's share included, and whether in
/// tiles. Where the budget is too small, the least that it could do with.
fn of_vae(peak: impl Fn(Option<u64>) -> Result<u64, NoRoom>, budget: Option<u64>) -> (u64, bool) {
    match (peak(None), peak(budget)) {
        (Ok(whole), Ok(planned)) => (with_slack(planned), planned < whole),
        (_, Err(no_room)) | (Err(no_room), _) => (with_slack(no_room.needed), true),
    }
}

/// Bytes that one stage by itself may take now, the allocator's share left out; nothing on a system that does not
/// say what it has.
pub(crate) fn room() -> Option<u64> {
    MemoryLimit::now(None).map(|limit| without_slack(limit.bytes))
}

fn scratch() -> u64 {
    SCRATCH + SCRATCH_EACH * rayon::current_num_threads() as u64
}

fn with_slack(bytes: u64) -> u64 {
    bytes + bytes / SLACK
}

fn without_slack(bytes: u64) -> u64 {
    bytes - bytes / SLACK
}

impl MemoryPlan {
    /// Bytes that the autoencoder may take.
    pub(crate) fn vae_budget(&self) -> Option<u64> {
        self.vae_budget
    }

    /// Whether all weights that are read more than once, and the text encoder's beside them, stay in
    /// memory.
    pub(crate) fn is_roomy(&self) -> bool {
        let available = limits::available().unwrap_or(u64::MAX);
        let mapped: u64 = self.stages.iter().map(|stage| stage.mapped).sum();
        mapped + self.anonymous <= available
    }

    /// Refuses what cannot fit.
    ///
    /// # Errors
    /// `memory-insufficient`, with the stage and the numbers.
    pub fn check(&self) -> Result<(), EngineError> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let fullest = self.stages.iter().max_by_key(|stage| stage.anonymous);
        match fullest {
            Some(stage) if stage.anonymous > limit.bytes => Err(EngineError::MemoryShort {
                what: words(stage.name),
                needed: stage.anonymous,
                budget: limit.bytes,
            }),
            _ => Ok(()),
        }
    }
}

/// What a stage does, as a message's subject.
fn words(stage: &str) -> &'static str {
    match stage {
        "text_encoder" => "encoding the prompt",
        "references" => "encoding the references",
        "transformer" => "denoising",
        _ => "decoding the picture",
    }
}
