//! What the daemon asks of a plugin.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use image::RgbaImage;
use serde_json::{Map, Value};

/// One thing to start from.
#[derive(Clone)]
pub enum Source {
    /// A decoded picture, RGBA, 8 bits each, not premultiplied, sRGB; at least one pixel.
    Picture(Arc<RgbaImage>),
    /// The text of a document: keypoints as JSON, say.
    Document(String),
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Picture(pixels) => {
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
    /// Set it to `true` from anywhere and the call ends within some 10 ms with
    /// [`PluginError::Cancelled`](crate::PluginError::Cancelled).
    pub cancel: Option<Arc<AtomicBool>>,
    /// Called on the caller's thread with 0.0 to 1.0, rising, at most 101 times.
    pub progress: Option<Arc<dyn Fn(f32) + Send + Sync>>,
}

impl PrepareRequest {
    /// A call that nobody watches or cancels.
    pub fn new(sources: Vec<Source>, parameters: Map<String, Value>, output: (u32, u32)) -> Self {
        Self {
            sources,
            parameters,
            output,
            cancel: None,
            progress: None,
        }
    }
}

impl fmt::Debug for PrepareRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PrepareRequest")
            .field("sources", &self.sources)
            .field("parameters", &self.parameters)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}
