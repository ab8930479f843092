//! What a model is, without reading its weights; and what one file holds, reading them.

mod file;
mod single;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::EngineError;
use crate::model::Model;
use crate::prompt::TokenizerSource;
use crate::source::{INDEX, ModelSource};
use crate::variant::{Variant, VariantBasis};
pub use file::{LoraInfo, WeightsInfo};
pub use single::{FileInfo, inspect_file};

/// What the tokenizer is read from; not every model has all of them.
const TOKENIZER_FILES: [&str; 8] = [
    "added_tokens.json",
    "chat_template.jinja",
    "merges.txt",
    "special_tokens_map.json",
    "tekken.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
];

/// What a model is, as its files say.
#[derive(Debug, Clone, Serialize)]
pub struct ModelInfo {
    /// The name of the model's folder, or of its transformer's file less the ending.
    pub name: String,
    /// Which FLUX.2 it is.
    pub variant: Variant,
    /// How that is known.
    pub variant_basis: VariantBasis,
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
    /// Width and height of a picture where none are asked for, in pixels.
    pub default_side: u32,
    /// What a user should know before trusting a picture.
    pub notes: Vec<String>,
    /// The pipeline folder, if the model is one.
    #[serde(skip)]
    folder: Option<PathBuf>,
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
    /// The part's name, which is its folder's in a pipeline folder.
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

/// Says what the model at `path` is, with its parts where [`ModelSource::discover`] finds them. Headers
/// and configs are read and checked; weights are not.
///
/// # Errors
/// Whatever would keep the model from being opened.
pub fn inspect(path: &Path) -> Result<ModelInfo, EngineError> {
    inspect_source(&ModelSource::discover(path)?)
}

/// Says what the model of these files is.
///
/// # Errors
/// As [`inspect()`].
pub fn inspect_source(source: &ModelSource) -> Result<ModelInfo, EngineError> {
    Ok(ModelInfo::of(&Model::open(source)?))
}

impl ModelInfo {
    pub(crate) fn of(model: &Model) -> Self {
        let folder = model.source.folder.clone();
        let scheduler = folder.as_ref().map(|root| root.join("scheduler"));
        let parts = vec![
            without_weights("tokenizer", tokenizer_files(&model.tokenizer)),
            with_weights("text_encoder", &model.text_encoder),
            without_weights("scheduler", files_in(scheduler, &["scheduler_config.json"])),
            with_weights("transformer", &model.transformer),
            with_weights("vae", &model.vae),
        ];
        let transformer = &model.transformer.config;
        let text = &model.text_encoder.config;
        let vae = &model.vae.config;
        let (default_steps, default_guidance) = model.variant.defaults();
        Self {
            name: name_of(model.source.path()),
            variant: model.variant,
            variant_basis: model.variant_basis,
            pipeline: model.pipeline.clone(),
            is_distilled: model.variant.is_distilled(),
            architecture: Architecture {
                hidden: transformer.hidden(),
                heads: transformer.num_attention_heads,
                head_width: transformer.attention_head_dim,
                double_blocks: transformer.num_layers,
                single_blocks: transformer.num_single_layers,
                context: transformer.joint_attention_dim,
                text_hidden: text.hidden_size,
                text_layers: text.num_hidden_layers,
                vae_channels: vae.block_out_channels.clone(),
                vae_decoder_channels: vae.decoder_channels().to_vec(),
                latent_channels: vae.latent_channels,
            },
            parameters: parts.iter().map(|part| part.parameters).sum(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
            parts,
            default_steps,
            default_guidance,
            default_side: vae.sample_side(),
            notes: model.notes(),
            common_files: files_in(folder.clone(), &[INDEX]),
            folder,
        }
    }

    /// All files whose bytes determine a picture, sorted: weights, configs, tokenizer. Their digests
    /// together identify the model.
    pub fn weight_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = self.named_files().into_values().collect();
        files.sort();
        files.dedup();
        files
    }

    /// The same files by names that are the same wherever the model lies: relative to the pipeline
    /// folder, or `PART/FILE` for what is elsewhere.
    pub fn named_files(&self) -> BTreeMap<PathBuf, PathBuf> {
        let of_parts = self.parts.iter().flat_map(|part| {
            let files = part.files.iter();
            files.map(|file| (Path::new(part.name), file))
        });
        let common = self.common_files.iter().map(|file| (Path::new(""), file));
        let named = of_parts.chain(common).map(|(part, file)| {
            let inside = self
                .folder
                .as_ref()
                .and_then(|it| file.strip_prefix(it).ok());
            let elsewhere = || part.join(file.file_name().unwrap_or_default());
            let name = inside.map_or_else(elsewhere, Path::to_owned);
            (name, file.clone())
        });
        named.collect()
    }

    /// The layers of the text encoder whose hidden states the transformer reads, counted from 1.
    pub fn text_taps(&self) -> &'static [usize] {
        self.variant.family().taps()
    }
}

/// The folder's own name, also where it is given as `.` or with a slash at its end; a file's less its
/// ending.
fn name_of(path: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let full = if path.is_dir() {
        full.canonicalize().unwrap_or(full)
    } else {
        full.with_extension("")
    };
    full.file_name().map_or_else(
        || "model".into(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn with_weights<C>(name: &'static str, part: &crate::part::Part<C>) -> Part {
    let mut files: Vec<_> = part.weights.paths().map(Path::to_owned).collect();
    files.extend(part.config_path.clone());
    files.sort();
    let precision = part.weights.bytes_by_dtype();
    let bytes = precision.values().sum();
    Part {
        name,
        files,
        precision,
        parameters: part.weights.parameters(),
        bytes,
    }
}

fn without_weights(name: &'static str, files: Vec<PathBuf>) -> Part {
    Part {
        name,
        files,
        precision: BTreeMap::new(),
        parameters: 0,
        bytes: 0,
    }
}

fn tokenizer_files(source: &TokenizerSource) -> Vec<PathBuf> {
    match source {
        TokenizerSource::Folder(folder) => files_in(Some(folder.clone()), &TOKENIZER_FILES),
        TokenizerSource::File(file) => vec![file.clone()],
        // It is in the text encoder's file.
        TokenizerSource::Tekken { .. } | TokenizerSource::Gguf(_) => Vec::new(),
    }
}

/// Those of the files that there are.
fn files_in(folder: Option<PathBuf>, names: &[&str]) -> Vec<PathBuf> {
    let files = folder
        .into_iter()
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    files.filter(|file| file.is_file()).collect()
}
