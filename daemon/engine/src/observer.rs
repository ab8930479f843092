//! What a caller learns while a picture is made, and how it stops the making.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;
use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::host::download;

/// Watches one picture being made.
pub trait Observer {
    /// Called where work may stop: before each stage, and between steps. [`ControlFlow::Break`] ends
    /// the rendering with [`EngineError::Cancelled`].
    fn progress(&mut self, progress: Progress) -> ControlFlow<()>;

    /// Called, before any work, with what the user should know about the picture though it will be made.
    fn notice(&mut self, _notice: &Notice) {}

    /// Called with a tensor on the way, if [`wants_tensors`](Self::wants_tensors): `input_ids` and
    /// `attention_mask` `[1, 512]`, `prompt_embeds` `[1, 512, context width]`, `sigmas` `[steps + 1]`,
    /// `noise` `[1, 128, height / 16, width / 16]`, `latents_N` `[1, tokens, 128]` after the step N
    /// (from 0), `latents` `[1, 32, height / 8, width / 8]` as the decoder takes them, and `image`
    /// `[1, 3, height, width]` in about −1 … 1, before anything of a picture that is kept is put
    /// back. Data are row-major. A picture that is begun from another has fewer steps than its
    /// schedule, and N counts those.
    fn tensor(&mut self, _name: &str, _shape: &[usize], _data: TensorData<'_>) {}

    /// Whether tensors are to be copied out; it slows rendering down.
    fn wants_tensors(&self) -> bool {
        false
    }

    /// Called while denoising with a rough picture of what the model has in mind, an eighth as wide
    /// and high, if [`wants_previews`](Self::wants_previews); with none for the last step, whose
    /// picture is about to come, and never more often than every 0.4 seconds.
    fn preview(&mut self, _picture: &RgbImage) {}

    /// Whether previews are to be made.
    fn wants_previews(&self) -> bool {
        false
    }
}

/// The least time between two previews.
const PREVIEW_INTERVAL: Duration = Duration::from_millis(400);

/// How far a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// The prompt is about to be encoded.
    Encoding,
    /// References are being encoded, and the picture to begin from, which comes first.
    References {
        /// How many are done.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// The latent is being denoised.
    Denoising {
        /// How many steps are done, from 0.
        step: u32,
        /// How many are done in all: fewer than asked for where a picture is begun from.
        steps: u32,
    },
    /// The picture is about to be decoded.
    Decoding,
}

/// What a user should know about a picture, though it is made. Its text is one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Notice {
    /// The device is `auto`, and a card that is there is not used.
    CardSetAside {
        /// The card, as `cuda:0`.
        device: String,
        /// As its maker calls it.
        name: String,
        /// Why, in words.
        reason: String,
    },
    /// Some layers of a LoRA file are not this model's, or of a form that is not known.
    LoraPartial {
        /// The file.
        path: PathBuf,
        /// Layers that are applied.
        matched: usize,
        /// Layers in the file, those of text encoders left out.
        total: usize,
    },
    /// A LoRA file also changes a text encoder, which is not done.
    LoraTextEncoder {
        /// The file.
        path: PathBuf,
        /// Tensors of text encoders.
        tensors: usize,
    },
    /// A LoRA file holds `DoRA` magnitudes, which are left out; its low-rank changes are applied.
    LoraMagnitudes {
        /// The file.
        path: PathBuf,
        /// Layers with magnitudes.
        layers: usize,
    },
}

impl Notice {
    /// A stable name for scripts and result files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CardSetAside { .. } => "card-set-aside",
            Self::LoraPartial { .. } => "lora-partial",
            Self::LoraTextEncoder { .. } => "lora-text-encoder",
            Self::LoraMagnitudes { .. } => "lora-dora",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CardSetAside {
                device,
                name,
                reason,
            } => write!(
                formatter,
                "made on the processor, for {device} ({name}) did not pass its trial: {reason}"
            ),
            Self::LoraPartial {
                path,
                matched,
                total,
            } => write!(
                formatter,
                "{}: {matched} of {total} layers of the LoRA fit this model; the others are left out",
                path.display()
            ),
            Self::LoraTextEncoder { path, tensors } => write!(
                formatter,
                "{}: {tensors} tensors of the LoRA are for a text encoder; they are not applied",
                path.display()
            ),
            Self::LoraMagnitudes { path, layers } => write!(
                formatter,
                "{}: the LoRA is a DoRA; the magnitudes of {layers} layers are left out",
                path.display()
            ),
        }
    }
}

/// The values of a tensor.
#[derive(Debug, Clone, Copy)]
pub enum TensorData<'a> {
    /// Numbers.
    F32(&'a [f32]),
    /// Token ids and masks.
    I64(&'a [i64]),
}

/// An observer as the pipeline talks to it.
pub(crate) struct Watch<'a> {
    observer: &'a mut dyn Observer,
    last_preview: Option<Instant>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(observer: &'a mut dyn Observer) -> Self {
        Self {
            observer,
            last_preview: None,
        }
    }

    /// Tells how far the picture is.
    ///
    /// # Errors
    /// `cancelled` if the observer asks to stop.
    pub(crate) fn report(&mut self, progress: Progress) -> Result<(), EngineError> {
        match self.observer.progress(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(EngineError::Cancelled),
        }
    }

    /// Tells what the user should know.
    pub(crate) fn notice(&mut self, notice: &Notice) {
        self.observer.notice(notice);
    }

    /// Shows a tensor that lies on the device.
    ///
    /// # Errors
    /// `compute-failed` if it cannot be read back.
    pub(crate) fn show<const D: usize>(
        &mut self,
        name: &str,
        tensor: impl FnOnce() -> Tensor<D>,
    ) -> Result<(), EngineError> {
        if self.observer.wants_tensors() {
            let tensor = tensor();
            let shape = tensor.dims();
            self.observer
                .tensor(name, &shape, TensorData::F32(&download(tensor)?));
        }
        Ok(())
    }

    /// Shows values that lie on the host.
    pub(crate) fn show_host(&mut self, name: &str, shape: &[usize], data: TensorData<'_>) {
        if self.observer.wants_tensors() {
            self.observer.tensor(name, shape, data);
        }
    }

    /// Shows a preview if one is wanted and the last is long enough ago. What cannot be made is not
    /// shown; a preview never fails a picture.
    pub(crate) fn preview(&mut self, make: impl FnOnce() -> Option<RgbImage>) {
        let due = self
            .last_preview
            .is_none_or(|last| last.elapsed() >= PREVIEW_INTERVAL);
        if due && self.observer.wants_previews() {
            self.last_preview = Some(Instant::now());
            if let Some(picture) = make() {
                self.observer.preview(&picture);
            }
        }
    }
}
