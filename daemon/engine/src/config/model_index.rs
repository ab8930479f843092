//! `model_index.json`: which pipeline a folder holds.

use serde::Deserialize;

/// The keys of `model_index.json` that matter here.
#[derive(Debug, Deserialize)]
pub(crate) struct ModelIndex {
    /// The pipeline's class in diffusers, which names the variant.
    #[serde(rename = "_class_name")]
    pub(crate) class: String,
    /// Whether a klein model was distilled to few steps without guidance; where an index is silent,
    /// diffusers takes it for the base model.
    pub(crate) is_distilled: Option<bool>,
}
