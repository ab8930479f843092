//! A diffusers pipeline folder, opened but not read: configs parsed and checked, weight files mapped
//! and their headers checked.
//!
//! Inspecting a model and opening it both start here, so a model that can be inspected has no file
//! missing and no part that does not fit another.

use std::path::{Path, PathBuf};

use crate::config::{self, ModelIndex, TextEncoderConfig, TransformerConfig, VaeConfig};
use crate::error::EngineError;
use crate::inspect::Variant;
use crate::schedule::SchedulerConfig;
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
    pub(crate) text_config: TextEncoderConfig,
    pub(crate) text_encoder: Weights,
    pub(crate) transformer_config: TransformerConfig,
    pub(crate) transformer: Weights,
    pub(crate) vae_config: VaeConfig,
    pub(crate) vae: Weights,
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
        let hidden = self.text_config.hidden_size;
        let context = self.text_config.family.context(hidden);
        if context != self.transformer_config.joint_attention_dim {
            return mismatch(format!(
                "the text encoder gives {} states of {hidden} for each token, the transformer takes {} in all",
                self.text_config.family.taps().len(),
                self.transformer_config.joint_attention_dim
            ));
        }
        let takes_guidance = self.transformer_config.guidance_embeds;
        if takes_guidance != (self.variant == Variant::Dev) {
            let verb = if takes_guidance {
                "takes"
            } else {
                "does not take"
            };
            return mismatch(format!(
                "the transformer {verb} guidance as an input, unlike {}",
                self.variant
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

fn read_text_config(part: &Path, variant: Variant) -> Result<TextEncoderConfig, EngineError> {
    let config = read_checked(part, TextEncoderConfig::check)?;
    if config.family == variant.family() {
        return Ok(config);
    }
    Err(EngineError::Mismatch {
        path: part.to_owned(),
        problem: format!(
            "this is the text encoder of {}, the pipeline is {variant}",
            config.family
        ),
    })
}

fn read_scheduler(root: &Path) -> Result<SchedulerConfig, EngineError> {
    let text = config::read_text(&root.join("scheduler").join("scheduler_config.json"))?;
    Ok(SchedulerConfig::parse(&text)?)
}
