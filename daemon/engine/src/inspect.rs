//! What a model is, without reading its weights.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::ModelIndex;
use crate::error::EngineError;
use crate::family::Family;
use crate::folder::{Folder, INDEX};
use crate::weights::Weights;

/// What the tokenizer is read from; not every model has all of them.
const TOKENIZER_FILES: [&str; 7] = [
    "added_tokens.json",
    "chat_template.jinja",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
];

/// The variants of FLUX.2. Sizes differ within a variant and are no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Variant {
    /// FLUX.2 \[klein\], with a Qwen3 text encoder.
    Klein {
        /// Distilled to few steps without guidance, or the base model that is guided by a second
        /// pass. Weights do not tell; `model_index.json` does.
        distilled: bool,
    },
    /// FLUX.2 \[dev\], with a Mistral text encoder and guidance as an input.
    Dev,
}

impl Variant {
    /// The family, which settles how prompts are read.
    pub fn family(self) -> Family {
        match self {
            Self::Klein { .. } => Family::Klein,
            Self::Dev => Family::Dev,
        }
    }

    pub(crate) fn of(index: &ModelIndex, path: &Path) -> Result<Self, EngineError> {
        match index.class.as_str() {
            "Flux2KleinPipeline" => Ok(Self::Klein {
                distilled: index.is_distilled,
            }),
            "Flux2Pipeline" => Ok(Self::Dev),
            other => Err(EngineError::unsupported(
                path,
                format!("the pipeline {other} is not FLUX.2 [klein] or [dev]"),
            )),
        }
    }
}

impl fmt::Display for Variant {
    /// As its maker writes it: `FLUX.2 [klein]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Klein { distilled: true } => "FLUX.2 [klein]",
            Self::Klein { distilled: false } => "FLUX.2 [klein] base",
            Self::Dev => "FLUX.2 [dev]",
        })
    }
}

/// What a model is, as its files say.
#[derive(Debug, Clone, Serialize)]
pub struct ModelInfo {
    /// The name of the model's folder.
    pub name: String,
    /// Which FLUX.2 it is.
    pub variant: Variant,
    /// The pipeline's class in diffusers.
    pub pipeline: String,
    /// Whether it was distilled to few steps, with guidance built in or without.
    pub is_distilled: bool,
    /// Sizes of the networks.
    pub architecture: Architecture,
    /// The parts in the order data flows through them.
    pub parts: Vec<Part>,
    /// Numbers in all parts together.
    pub parameters: u64,
    /// Bytes of weights in all parts together.
    pub bytes: u64,
    /// Steps to take if none are asked for.
    pub default_steps: u32,
    /// Guidance to use if none is asked for.
    pub default_guidance: f32,
    /// Files that belong to no part.
    #[serde(skip)]
    common_files: Vec<PathBuf>,
}

/// Sizes of the networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Architecture {
    /// The transformer's hidden width.
    pub hidden: usize,
    /// Its attention heads.
    pub heads: usize,
    /// The width of a head.
    pub head_width: usize,
    /// Its double-stream blocks.
    pub double_blocks: usize,
    /// Its single-stream blocks.
    pub single_blocks: usize,
    /// The width of a prompt token.
    pub context: usize,
    /// The text encoder's hidden width.
    pub text_hidden: usize,
    /// Its layers, of which those after the last tap are not used.
    pub text_layers: usize,
    /// Channels of the VAE's encoder, from the picture inwards.
    pub vae_channels: Vec<usize>,
    /// Channels of its decoder, from the picture inwards.
    pub vae_decoder_channels: Vec<usize>,
    /// Channels of the latent.
    pub latent_channels: usize,
}

/// One part of a model.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// The part's name, which is its folder's.
    pub name: &'static str,
    /// All files that the part is read from.
    pub files: Vec<PathBuf>,
    /// Bytes of weights by element type.
    pub precision: BTreeMap<String, u64>,
    /// Numbers in its weights.
    pub parameters: u64,
    /// Bytes of its weights.
    pub bytes: u64,
}

/// Says what the model at `path`, a diffusers pipeline folder, is. Headers and configs are read and
/// checked; weights are not.
///
/// # Errors
/// Whatever would keep the model from being opened, except that its variant or its precision may be
/// one that cannot be run.
pub fn inspect(path: &Path) -> Result<ModelInfo, EngineError> {
    Ok(ModelInfo::of(&Folder::open(path)?))
}

impl ModelInfo {
    pub(crate) fn of(folder: &Folder) -> Self {
        let root = &folder.root;
        let parts = vec![
            without_weights(root, "tokenizer", &TOKENIZER_FILES),
            with_weights(root, "text_encoder", &folder.text_encoder),
            without_weights(root, "scheduler", &["scheduler_config.json"]),
            with_weights(root, "transformer", &folder.transformer),
            with_weights(root, "vae", &folder.vae),
        ];
        let transformer = &folder.transformer_config;
        let text = &folder.text_config;
        let (default_steps, default_guidance) = match folder.variant {
            Variant::Klein { distilled: true } => (4, 1.0),
            Variant::Klein { distilled: false } | Variant::Dev => (50, 4.0),
        };
        Self {
            name: name_of(root),
            variant: folder.variant,
            pipeline: folder.index.class.clone(),
            is_distilled: folder.index.is_distilled || folder.variant == Variant::Dev,
            architecture: Architecture {
                hidden: transformer.hidden(),
                heads: transformer.num_attention_heads,
                head_width: transformer.attention_head_dim,
                double_blocks: transformer.num_layers,
                single_blocks: transformer.num_single_layers,
                context: transformer.joint_attention_dim,
                text_hidden: text.hidden_size,
                text_layers: text.num_hidden_layers,
                vae_channels: folder.vae_config.block_out_channels.clone(),
                vae_decoder_channels: folder.vae_config.decoder_channels().to_vec(),
                latent_channels: folder.vae_config.latent_channels,
            },
            parameters: parts.iter().map(|part| part.parameters).sum(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
            parts,
            default_steps,
            default_guidance,
            common_files: vec![root.join(INDEX)],
        }
    }

    /// All files whose bytes determine a picture, sorted: weights, configs, tokenizer. Their digests
    /// together identify the model.
    pub fn weight_files(&self) -> Vec<PathBuf> {
        let of_parts = self.parts.iter().flat_map(|part| &part.files);
        let mut files: Vec<_> = of_parts.chain(&self.common_files).cloned().collect();
        files.sort();
        files
    }

    /// The layers of the text encoder whose hidden states the transformer reads, counted from 1.
    pub fn text_taps(&self) -> &'static [usize] {
        self.variant.family().taps()
    }
}

/// The folder's own name, also where it is given as `.` or with a slash at its end.
fn name_of(root: &Path) -> String {
    let full = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    full.file_name().map_or_else(
        || "model".into(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn with_weights(root: &Path, name: &'static str, weights: &Weights) -> Part {
    let mut files: Vec<_> = weights.paths().map(Path::to_owned).collect();
    files.push(root.join(name).join("config.json"));
    files.sort();
    let precision = weights.bytes_by_dtype();
    let bytes = precision.values().sum();
    Part {
        name,
        files,
        precision,
        parameters: weights.parameters(),
        bytes,
    }
}

fn without_weights(root: &Path, name: &'static str, candidates: &[&str]) -> Part {
    let files = candidates.iter().map(|file| root.join(name).join(file));
    let files = files.filter(|file| file.is_file()).collect();
    Part {
        name,
        files,
        precision: BTreeMap::new(),
        parameters: 0,
        bytes: 0,
    }
}
