//! Tensor names: every spelling that files use becomes the one that the networks are built from.
//!
//! The same weights are published under many names: BFL's own, which ComfyUI and GGUF files keep;
//! those of diffusers and transformers; those of llama.cpp for text encoders; each with or without a
//! prefix that says where in a larger checkpoint the part lies. The networks know one name per tensor,
//! diffusers' for the transformer and the VAE, transformers' `model.layers…` for the text encoder.
//! [`canonical`] gives a part under these names. No number is read or copied on the way: a fused
//! projection becomes three handles on its rows, exchanged halves become a handle with its pieces
//! in another order.
//!
//! - What looks like a weight and has no place is an error, for it may be a bias or an adapter without
//!   which the picture would be quietly wrong. Scalars are no weights: files carry markers.
//! - Which part of a larger checkpoint is meant, a *landmark* tells: a tensor that only this part has.
//!   What stands before the landmark's name is the prefix; tensors without it belong to other parts.
//! - A scale per tensor goes with each piece of it, so splitting loses nothing.

mod text_encoder;
mod transformer;
mod vae;

use std::collections::BTreeMap;

use tracing::debug;

use crate::error::EngineError;
use crate::weights::{Stored, Weights, WeightsError};

/// Tensors of up to so many numbers may be markers, which mean nothing to the network.
pub(crate) const MARKER_ELEMENTS: usize = 2;

/// The parts of a model that have weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Transformer,
    TextEncoder,
    Vae,
}

/// What becomes of a tensor.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// It is the tensor of this name.
    As(String),
    /// A third of its rows each belongs to one of these tensors.
    Thirds([String; 3]),
    /// It is the tensor of this name once the halves of its rows are exchanged.
    Exchanged(String),
    /// It is the matrix of this name, and may be stored as a 1×1 convolution.
    Matrix(String),
    /// The engine has no use for it.
    Unused,
}

/// A part's place in a file.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    kind: Kind,
    /// What every name of the part begins with: nothing, or words that end in a dot.
    prefix: String,
    /// The landmark that was found, which tells the spelling.
    landmark: &'static str,
}

impl Kind {
    /// The part's name in a pipeline folder and in the settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Transformer => "transformer",
            Self::TextEncoder => "text_encoder",
            Self::Vae => "vae",
        }
    }

    /// The part in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Transformer => "FLUX.2 transformer",
            Self::TextEncoder => "text encoder",
            Self::Vae => "FLUX.2 VAE",
        }
    }

    /// Tensors that a file of this part has in one spelling or another, and no other part has.
    fn landmarks(self) -> &'static [&'static str] {
        match self {
            Self::Transformer => &transformer::LANDMARKS,
            Self::TextEncoder => &text_encoder::LANDMARKS,
            Self::Vae => &vae::LANDMARKS,
        }
    }

    /// A tensor that must be there beside the landmark: what tells the part from its relatives.
    fn witness(self, landmark: &str) -> Option<&'static str> {
        match self {
            Self::Transformer => None,
            Self::TextEncoder if landmark == text_encoder::LLAMA_CPP => Some("token_embd.weight"),
            Self::TextEncoder => Some("embed_tokens.weight"),
            Self::Vae => Some(vae::WITNESS),
        }
    }

    fn place(self, name: &str) -> Option<Place> {
        match self {
            Self::Transformer => transformer::place(name),
            Self::TextEncoder => text_encoder::place(name),
            Self::Vae => vae::place(name),
        }
    }
}

/// BFL's name of the tensor of a transformer that holds this one, without a prefix.
pub(crate) fn to_bfl(canonical: &str) -> Option<String> {
    transformer::to_bfl(canonical)
}

/// Where in these weights the part is, if it is there.
pub(crate) fn find(kind: Kind, weights: &Weights) -> Option<Found> {
    landmarks(kind, weights)
        .find(|&(prefix, landmark)| {
            let witness = kind.witness(landmark);
            witness.is_none_or(|it| weights.contains(&format!("{prefix}{it}")))
        })
        .map(|place| Found::new(kind, place))
}

/// Each landmark of the part that there is, with what stands before it.
fn landmarks(kind: Kind, weights: &Weights) -> impl Iterator<Item = (&str, &'static str)> {
    weights.names().filter_map(move |name| {
        let landmark = kind.landmarks().iter().find(|&&it| name.ends_with(it))?;
        let prefix = &name[..name.len() - landmark.len()];
        (prefix.is_empty() || prefix.ends_with('.')).then_some((prefix, *landmark))
    })
}

fn first_landmark(kind: Kind, weights: &Weights) -> Option<Found> {
    let place = landmarks(kind, weights).next()?;
    Some(Found::new(kind, place))
}

impl Found {
    fn new(kind: Kind, (prefix, landmark): (&str, &'static str)) -> Self {
        Self {
            kind,
            prefix: prefix.to_owned(),
            landmark,
        }
    }

    /// What stands before every name of the part.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether names are those of llama.cpp.
    pub(crate) fn is_llama_cpp(&self) -> bool {
        self.landmark == text_encoder::LLAMA_CPP
    }

    /// An error about a canonical tensor, with the name that it has in the file.
    pub(crate) fn explain(&self, mut error: WeightsError) -> WeightsError {
        if let WeightsError::TensorMissing { tensor, .. } | WeightsError::Shape { tensor, .. } =
            &mut error
        {
            *tensor = self.spelled(tensor);
        }
        error
    }

    /// The name that a canonical tensor has in this file, or would have: for messages.
    fn spelled(&self, canonical: &str) -> String {
        let local = match (self.kind, self.landmark) {
            (Kind::Transformer, transformer::BFL) => transformer::to_bfl(canonical),
            (Kind::Vae, vae::BFL) => vae::to_bfl(canonical),
            (Kind::TextEncoder, text_encoder::LLAMA_CPP) => text_encoder::to_llama_cpp(canonical),
            (Kind::TextEncoder, _) => canonical.strip_prefix("model.").map(str::to_owned),
            _ => None,
        };
        let local = local.unwrap_or_else(|| canonical.to_owned());
        format!("{}{local}", self.prefix)
    }
}

/// The part's tensors under the names that the networks are built from. Where no landmark is found
/// all names count as the part's, so that what is missing is named when the network is built.
///
/// # Errors
/// `model-unsupported`, naming the file and the tensor, for a weight that the network has no place for.
pub(crate) fn canonical(kind: Kind, weights: Weights) -> Result<Weights, EngineError> {
    let found = find(kind, &weights).or_else(|| first_landmark(kind, &weights));
    let prefix = found.as_ref().map_or("", |found| &found.prefix);
    let mut tensors = BTreeMap::new();
    for (name, stored) in weights.tensors() {
        let Some(local) = name.strip_prefix(prefix) else {
            continue;
        };
        match kind.place(local) {
            Some(place) => put(place, stored, &mut tensors)?,
            None if stored.elements() <= MARKER_ELEMENTS => {
                debug!(tensor = name, "a marker is ignored");
            }
            None => {
                let reason = format!("the tensor {name} has no place in a {}", kind.words());
                return Err(EngineError::unsupported(stored.path(), reason));
            }
        }
    }
    Ok(weights.relabelled(tensors))
}

/// Enters a tensor where it belongs.
fn put(
    place: Place,
    stored: &Stored,
    tensors: &mut BTreeMap<String, Stored>,
) -> Result<(), EngineError> {
    let mut enter = |name: String, tensor: Stored| match tensors.insert(name, tensor) {
        None => Ok(()),
        Some(other) => {
            let reason = format!("{} and {} are the same tensor", other.name(), stored.name());
            Err(EngineError::unsupported(stored.path(), reason))
        }
    };
    let rows = stored.rows();
    if stored.shape().is_empty() && matches!(place, Place::Thirds(_) | Place::Exchanged(_)) {
        let reason = format!("the tensor {} is a single number", stored.name());
        return Err(EngineError::unsupported(stored.path(), reason));
    }
    match place {
        Place::As(name) => enter(name, stored.clone()),
        Place::Thirds(names) => names.into_iter().zip(0..).try_for_each(|(name, third)| {
            enter(name, stored.part(third * rows / 3..(third + 1) * rows / 3))
        }),
        Place::Exchanged(name) => {
            let halves = [stored.part(rows / 2..rows), stored.part(0..rows / 2)];
            Stored::stack(halves).map_or(Ok(()), |tensor| enter(name, tensor))
        }
        Place::Matrix(name) => enter(
            name,
            match *stored.shape() {
                [outputs, inputs, 1, 1] => stored.clone().reshaped(vec![outputs, inputs]),
                _ => stored.clone(),
            },
        ),
        Place::Unused => Ok(()),
    }
}

/// Whether this is the number of a block or a layer.
fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}
