//! What the daemon asks of a plugin.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use image::RgbaImage;
use serde_json::{Map, Value};

use crate::outcome::SourceKind;
use crate::powers::Powers;

/// One thing to start from.
#[derive(Clone)]
pub enum Source {
    /// A decoded picture.
    Picture {
        /// RGBA, 8 bits each, not premultiplied, sRGB, upright; at least one pixel.
        pixels: Arc<RgbaImage>,
        /// The media type of the file that it came from, none for what a plugin made.
        format: Option<String>,
    },
    /// The text of a document: keypoints as JSON, say.
    Document(String),
}

impl Source {
    /// A picture that came from no file.
    pub fn picture(pixels: RgbaImage) -> Self {
        Self::Picture {
            pixels: Arc::new(pixels),
            format: None,
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Picture { .. } => SourceKind::Picture,
            Self::Document(_) => SourceKind::Document,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Picture { pixels, .. } => {
                write!(out, "Picture({} x {})", pixels.width(), pixels.height())
            }
            Self::Document(text) => write!(out, "Document({} bytes)", text.len()),
        }
    }
}

/// One call of `prepare`.
#[derive(Clone)]
pub struct PrepareRequest {
    /// What the reference names; at least one.
    pub sources: Vec<Source>,
    /// The parameters of the job's `prepare` entry.
    pub parameters: Map<String, Value>,
    /// Width and height of the picture that the job makes, in pixels, each at least 1.
    pub output: (u32, u32),
    /// What it may reach beyond its pictures; nothing, unless somebody lends it.
    pub powers: Powers,
    /// Set it to `true` from anywhere and the call ends within some 10 ms with
    /// [`PluginError::Cancelled`](crate::PluginError::Cancelled).
    pub cancel: Option<Arc<AtomicBool>>,
}

impl PrepareRequest {
    /// A call that nobody lends anything to or cancels.
    pub fn new(sources: Vec<Source>, parameters: Map<String, Value>, output: (u32, u32)) -> Self {
        Self {
            sources,
            parameters,
            output,
            powers: Powers::default(),
            cancel: None,
        }
    }
}

impl fmt::Debug for PrepareRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PrepareRequest")
            .field("sources", &self.sources)
            .field("parameters", &self.parameters)
            .field("output", &self.output)
            .field("powers", &self.powers)
            .finish_non_exhaustive()
    }
}
