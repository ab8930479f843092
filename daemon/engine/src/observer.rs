//! What a caller learns while a picture is made, and how it stops the making.

use std::ops::ControlFlow;

use burn::tensor::Tensor;

use crate::error::EngineError;
use crate::host::download;

/// Watches one picture being made.
pub trait Observer {
    /// Called where work may stop: before each stage, and between steps. [`ControlFlow::Break`] ends
    /// the rendering with [`EngineError::Cancelled`].
    fn progress(&mut self, progress: Progress) -> ControlFlow<()>;

    /// Called with a tensor on the way, if [`wants_tensors`](Self::wants_tensors): `input_ids` and
    /// `attention_mask` `[1, 512]`, `prompt_embeds` `[1, 512, context width]`, `sigmas` `[steps + 1]`,
    /// `noise` `[1, 128, height / 16, width / 16]`, `latents_N` `[1, tokens, 128]` after the step N
    /// (from 0), `latents` `[1, 32, height / 8, width / 8]` as the decoder takes them, and `image`
    /// `[1, 3, height, width]` in about −1 … 1. Data are row-major.
    fn tensor(&mut self, _name: &str, _shape: &[usize], _data: TensorData<'_>) {}

    /// Whether tensors are to be copied out; it slows rendering down.
    fn wants_tensors(&self) -> bool {
        false
    }
}

/// How far a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The prompt is about to be encoded.
    Encoding,
    /// References are being encoded.
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
        /// How many there are.
        steps: u32,
    },
    /// The picture is about to be decoded.
    Decoding,
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
pub(crate) struct Watch<'a>(&'a mut dyn Observer);

impl<'a> Watch<'a> {
    pub(crate) fn new(observer: &'a mut dyn Observer) -> Self {
        Self(observer)
    }

    /// Tells how far the picture is.
    ///
    /// # Errors
    /// `cancelled` if the observer asks to stop.
    pub(crate) fn report(&mut self, progress: Progress) -> Result<(), EngineError> {
        match self.0.progress(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(EngineError::Cancelled),
        }
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
        if self.0.wants_tensors() {
            let tensor = tensor();
            let shape = tensor.dims();
            self.0
                .tensor(name, &shape, TensorData::F32(&download(tensor)?));
        }
        Ok(())
    }

    /// Shows values that lie on the host.
    pub(crate) fn show_host(&mut self, name: &str, shape: &[usize], data: TensorData<'_>) {
        if self.0.wants_tensors() {
            self.0.tensor(name, shape, data);
        }
    }
}
