//! A model, opened but not read: configs parsed or derived and checked, weight files mapped and their
//! headers checked, the variant settled, every part compared with the others.
//!
//! Inspecting a model and opening it both start here, so a model that can be inspected has no file
//! missing and no part that does not fit another.

use std::path::Path;

use tracing::warn;

use crate::config::{self, ModelIndex, TextEncoderConfig, TransformerConfig, VaeConfig};
use crate::error::EngineError;
use crate::fit;
use crate::part::Part;
use crate::prompt::TokenizerSource;
use crate::schedule::SchedulerConfig;
use crate::source::{self, INDEX, ModelSource};
use crate::variant::{self, Evidence, Variant, VariantBasis};

/// An opened model.
pub(crate) struct Model {
    pub(crate) source: ModelSource,
    /// The pipeline's class in diffusers.
    pub(crate) pipeline: String,
    pub(crate) variant: Variant,
    pub(crate) variant_basis: VariantBasis,
    pub(crate) scheduler: SchedulerConfig,
    pub(crate) tokenizer: TokenizerSource,
    pub(crate) text_encoder: Part<TextEncoderConfig>,
    pub(crate) transformer: Part<TransformerConfig>,
    pub(crate) vae: Part<VaeConfig>,
}

impl Model {
    /// Opens the model.
    ///
    /// # Errors
    /// Anything but a whole, consistent FLUX.2; see [`EngineError`].
    pub(crate) fn open(source: &ModelSource) -> Result<Self, EngineError> {
        let index = source.folder.as_ref().map(|folder| folder.join(INDEX));
        let index = index.map(|path| read_index(&path)).transpose()?;
        let scheduler = read_scheduler(source)?;
        let transformer = Part::transformer(&source.transformer)?;
        let (variant, variant_basis) = settle(source, index.as_ref(), &transformer)?;
        let text_encoder = Part::text_encoder(&source.text_encoder)?;
        fit::text_encoder(&text_encoder, &transformer.config)?;
        let vae = Part::vae(&source.vae)?;
        fit::vae(&vae, &transformer.config)?;
        let own = index.filter(|_| source.has_own_transformer());
        let model = Self {
            pipeline: own.map_or_else(|| variant.pipeline().into(), |index| index.class),
            variant,
            variant_basis,
            scheduler,
            tokenizer: source::tokenizer(source, &text_encoder)?,
            text_encoder,
            transformer,
            vae,
            source: source.clone(),
        };
        for note in model.notes() {
            warn!(model = %source.path().display(), "{note}");
        }
        Ok(model)
    }

    /// What a user should know before trusting a picture.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.variant_basis == VariantBasis::Assumed {
            notes.push(format!(
                "no file says whether this is the distilled klein, the base model or KV; taken for \
                 {}; set `variant` in the settings, or name the file after it, if it is not",
                self.variant
            ));
        }
        notes
    }
}

fn read_index(path: &Path) -> Result<ModelIndex, EngineError> {
    let index: ModelIndex = config::read(path)?;
    if variant::is_known(&index) {
        return Ok(index);
    }
    let reason = format!(
        "the pipeline {} is not FLUX.2 [klein] or [dev]",
        index.class
    );
    Err(EngineError::unsupported(path, reason))
}

fn settle(
    source: &ModelSource,
    index: Option<&ModelIndex>,
    transformer: &Part<TransformerConfig>,
) -> Result<(Variant, VariantBasis), EngineError> {
    let evidence = Evidence {
        takes_guidance: transformer.config.guidance_embeds,
        index: index.filter(|_| source.has_own_transformer()),
        asked: source.variant,
        metadata: transformer.weights.metadata(),
        file: &transformer.path,
    };
    variant::decide(&evidence).map_err(|problem| EngineError::Variant {
        path: source.path().to_owned(),
        problem,
    })
}

/// The schedule of the pipeline folder; parts from elsewhere have FLUX.2's.
fn read_scheduler(source: &ModelSource) -> Result<SchedulerConfig, EngineError> {
    let Some(folder) = &source.folder else {
        return Ok(SchedulerConfig::flux2());
    };
    let text = config::read_text(&folder.join("scheduler").join("scheduler_config.json"))?;
    Ok(SchedulerConfig::parse(&text)?)
}
