//! What a single file is, whatever else a model of it would need.

use std::path::Path;

use serde::Serialize;

use super::{Part, name_of, with_weights};
use crate::error::EngineError;
use crate::layout::Kind;
use crate::part::{self, Part as OpenedPart};
use crate::source::SourceError;
use crate::variant::{self, Evidence, Variant, VariantBasis};

/// What a file of weights is. Most hold one part of a model, checkpoints several.
#[derive(Debug, Clone, Serialize)]
pub struct FileInfo {
    /// The file's name less its ending.
    pub name: String,
    /// The parts that it holds.
    pub parts: Vec<Part>,
    /// Which FLUX.2 its transformer is, if it holds one.
    pub variant: Option<Variant>,
    /// How that is known.
    pub variant_basis: Option<VariantBasis>,
    /// Numbers in all its parts together.
    pub parameters: u64,
    /// Bytes of weights in all its parts together.
    pub bytes: u64,
    /// What it is and what it goes with, in sentences.
    pub notes: Vec<String>,
}

/// Says what the file at `path` is. Its header is read and checked; weights are not.
///
/// # Errors
/// `model-part-invalid` if it holds no part of a FLUX.2 model, and any error of a weight file.
pub fn inspect_file(path: &Path) -> Result<FileInfo, EngineError> {
    let mut info = FileInfo {
        name: name_of(path),
        parts: Vec::new(),
        variant: None,
        variant_basis: None,
        parameters: 0,
        bytes: 0,
        notes: Vec::new(),
    };
    // What keeps the file from being read as weights at all is told as such.
    let held = part::held(path)?;
    if held.contains(&Kind::TextEncoder) {
        let part = OpenedPart::text_encoder(path)?;
        let config = &part.config;
        info.notes.push(format!(
            "a text encoder of {}: {} layers, states {} wide; it goes with a transformer that takes {}",
            config.family,
            config.num_hidden_layers,
            config.hidden_size,
            config.family.context(config.hidden_size)
        ));
        info.parts
            .push(with_weights(Kind::TextEncoder.name(), &part));
    }
    if held.contains(&Kind::Transformer) {
        let part = OpenedPart::transformer(path)?;
        let config = &part.config;
        let (variant, basis) = variant::decide(&Evidence {
            takes_guidance: config.guidance_embeds,
            index: None,
            asked: None,
            metadata: part.weights.metadata(),
            file: path,
        })
        .map_err(|problem| EngineError::Variant {
            path: path.to_owned(),
            problem,
        })?;
        let taps = variant.family().taps().len();
        info.notes.push(format!(
            "the transformer of {variant}, {basis}: {} double-stream and {} single-stream blocks, {} \
             wide; it takes a text encoder with states {} wide",
            config.num_layers,
            config.num_single_layers,
            config.hidden(),
            config.joint_attention_dim / taps
        ));
        (info.variant, info.variant_basis) = (Some(variant), Some(basis));
        info.parts
            .push(with_weights(Kind::Transformer.name(), &part));
    }
    if held.contains(&Kind::Vae) {
        let part = OpenedPart::vae(path)?;
        let config = &part.config;
        let (encoder, decoder) = (&config.block_out_channels, config.decoder_channels());
        info.notes.push(if encoder == decoder {
            format!("the VAE of FLUX.2, of channels {encoder:?}")
        } else {
            format!(
                "a VAE of FLUX.2 with a decoder of channels {decoder:?}, an encoder of {encoder:?}"
            )
        });
        info.parts.push(with_weights(Kind::Vae.name(), &part));
    }
    if info.parts.is_empty() {
        return Err(SourceError::NotThisPart {
            path: path.to_owned(),
            part: "part of a FLUX.2 model",
        }
        .into());
    }
    info.parameters = info.parts.iter().map(|part| part.parameters).sum();
    info.bytes = info.parts.iter().map(|part| part.bytes).sum();
    Ok(info)
}
