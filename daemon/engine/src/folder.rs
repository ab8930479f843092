//! A diffusers pipeline folder, opened but not read: configs parsed and checked, weight files mapped
//! and their headers checked.
//!
//! Inspecting a model and opening it both start here, so a model that can be inspected has no file
//! missing and no part that does not fit another.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{self, ModelIndex, TextEncoderConfig, TransformerConfig, VaeConfig};
use crate::error::EngineError;
use crate::inspect::Variant;
use crate::schedule::SchedulerConfig;
use crate::text_encoder::{TAPS, TextEncoder};
use crate::weights::Weights;

/// The file that makes a folder a pipeline.
pub(crate) const INDEX: &str = "model_index.json";
/// What diffusers calls its weight files.
const DIFFUSERS_STEM: &str = "diffusion_pytorch_model";
/// What transformers calls its weight files.
const TRANSFORMERS_STEM: &str = "model";

/// An opened folder.
pub(crate) struct Folder {
    pub(crate) root: PathBuf,
    pub(crate) index: ModelIndex,
    pub(crate) variant: Variant,
    pub(crate) scheduler: SchedulerConfig,
    pub(crate) text_config: TextConfig,
    pub(crate) text_encoder: Weights,
    pub(crate) transformer_config: TransformerConfig,
    pub(crate) transformer: Weights,
    pub(crate) vae_config: VaeConfig,
    pub(crate) vae: Weights,
}

/// The text encoder's config, which depends on the variant.
pub(crate) enum TextConfig {
    /// klein's Qwen3.
    Qwen3(Box<TextEncoderConfig>),
    /// \[dev\]'s Mistral, of which only sizes are read so far.
    Mistral(MistralConfig),
}

/// `text_encoder/config.json` of \[dev\].
#[derive(Deserialize)]
pub(crate) struct MistralConfig {
    text_config: MistralSizes,
}

#[derive(Deserialize)]
struct MistralSizes {
    hidden_size: usize,
    num_hidden_layers: usize,
}

impl TextConfig {
    /// The hidden width and the number of layers.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Qwen3(config) => (config.hidden_size, config.num_hidden_layers),
            Self::Mistral(MistralConfig { text_config: sizes }) => {
                (sizes.hidden_size, sizes.num_hidden_layers)
            }
        }
    }
}

impl Folder {
    /// Opens the folder at `root`.
    ///
    /// # Errors
    /// Anything but a whole, consistent FLUX.2 pipeline; see [`EngineError`].
    pub(crate) fn open(root: &Path) -> Result<Self, EngineError> {
        if !root.exists() {
            return Err(EngineError::ModelMissing {
                path: root.to_owned(),
            });
        }
        let index_path = root.join(INDEX);
        if !index_path.is_file() {
            return Err(EngineError::NotAModel {
                path: root.to_owned(),
                reason: format!("it is not a folder with a {INDEX}"),
            });
        }
        let index: ModelIndex = config::read(&index_path)?;
        let variant = Variant::of(&index, &index_path)?;
        let text = root.join("text_encoder");
        let transformer = root.join("transformer");
        let vae = root.join("vae");
        let folder = Self {
            scheduler: read_scheduler(root)?,
            text_config: read_text_config(&text, variant)?,
            text_encoder: Weights::open(&text, TRANSFORMERS_STEM)?,
            transformer_config: read_checked(&transformer, TransformerConfig::check)?,
            transformer: Weights::open(&transformer, DIFFUSERS_STEM)?,
            vae_config: read_checked(&vae, VaeConfig::check)?,
            vae: Weights::open(&vae, DIFFUSERS_STEM)?,
            root: root.to_owned(),
            index,
            variant,
        };
        folder.check_fit()?;
        Ok(folder)
    }

    /// Whether the parts' widths agree: encoders of other sizes have the same file names.
    fn check_fit(&self) -> Result<(), EngineError> {
        let mismatch = |problem: String| {
            Err(EngineError::Mismatch {
                path: self.root.clone(),
                problem,
            })
        };
        let context = TextEncoder::output_width(self.text_config.sizes().0);
        if context != self.transformer_config.joint_attention_dim {
            return mismatch(format!(
                "the text encoder gives {} states of {} for each token, the transformer takes {} in all",
                TAPS.len(),
                self.text_config.sizes().0,
                self.transformer_config.joint_attention_dim
            ));
        }
        let channels = self.vae_config.token_channels();
        if channels != self.transformer_config.in_channels {
            return mismatch(format!(
                "the VAE makes tokens of {channels} channels, the transformer takes {}",
                self.transformer_config.in_channels
            ));
        }
        Ok(())
    }
}

fn read_checked<T: serde::de::DeserializeOwned>(
    part: &Path,
    check: fn(&T) -> config::Check,
) -> Result<T, EngineError> {
    let path = part.join("config.json");
    let config = config::read(&path)?;
    config::refuse(&path, check(&config))?;
    Ok(config)
}

fn read_text_config(part: &Path, variant: Variant) -> Result<TextConfig, EngineError> {
    match variant {
        Variant::Klein { .. } => Ok(TextConfig::Qwen3(Box::new(read_checked(
            part,
            TextEncoderConfig::check,
        )?))),
        Variant::Dev => Ok(TextConfig::Mistral(config::read(
            &part.join("config.json"),
        )?)),
    }
}

fn read_scheduler(root: &Path) -> Result<SchedulerConfig, EngineError> {
    let text = config::read_text(&root.join("scheduler").join("scheduler_config.json"))?;
    Ok(SchedulerConfig::parse(&text)?)
}
