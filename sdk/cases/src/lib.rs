//! The cases of a plugin: what goes in, and what must come out.
//!
//! A case is a folder in a project's `cases/` with a `case.toml` and the files that it names. Two run
//! them, `atelier plugin test` on the component and `cargo test` on the same code natively; what a
//! case says and when it holds stands here, once, so that neither accepts what the other refuses.
//! Nothing here runs a plugin.

mod case;
mod judge;

pub use case::{Case, CaseError, all};

use image::RgbaImage;

/// What a plugin made of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Its pictures, in order.
    pub pictures: Vec<RgbaImage>,
    /// The words that it suggests for the prompt.
    pub prompt: Option<String>,
    /// Its keypoints, as JSON.
    pub keypoints: Option<String>,
}
