//! Finding tensors by dotted name.
//!
//! A model is built by walking down a tree of names, so each module gets a [`Scope`]: the weights,
//! a prefix, the device, and what layers there round to before they multiply. Every read states the shape that the config implies, and a tensor of
//! another shape is an error here, before burn would panic on it. Adapters, where there are some, are
//! found by the same names.

use std::fmt::Display;
use std::path::PathBuf;

use burn::tensor::{Device, Tensor};

use super::{Stored, Weights, WeightsError};
use crate::cpu::Operands;
use crate::host::upload;
use crate::lora::{Adapters, Fitted};

/// A place in the tree of tensor names.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    weights: &'a Weights,
    device: &'a Device,
    prefix: String,
    operands: Operands,
    adapters: Option<&'a Adapters>,
}

impl<'a> Scope<'a> {
    /// The root of a part's tree.
    pub(crate) fn root(weights: &'a Weights, device: &'a Device) -> Self {
        Self {
            weights,
            device,
            prefix: String::new(),
            operands: Operands::F32,
            adapters: None,
        }
    }

    /// The same place, with adapters to the layers below it.
    pub(crate) fn adapted(self, adapters: &'a Adapters) -> Self {
        Self {
            adapters: Some(adapters),
            ..self
        }
    }

    /// The same place, where linear layers and attention round to these operands; without this, and below what is
    /// [`unrounded`](Self::unrounded), they do not.
    pub(crate) fn rounding(self, operands: Operands) -> Self {
        Self { operands, ..self }
    }

    /// The same place, where nothing is rounded whatever else is: for what depends on the time.
    pub(crate) fn unrounded(&self) -> Self {
        self.clone().rounding(Operands::F32)
    }

    /// The place one name further down; the name may hold dots.
    pub(crate) fn at(&self, name: impl Display) -> Self {
        Self {
            prefix: format!("{}{name}.", self.prefix),
            ..self.clone()
        }
    }

    /// The device that tensors are read to.
    pub(crate) fn device(&self) -> &'a Device {
        self.device
    }

    /// What linear layers and attention round to.
    pub(crate) fn operands(&self) -> Operands {
        self.operands
    }

    /// The adapters of the layer `leaf`.
    pub(crate) fn adapters(&self, leaf: &str) -> &'a [Fitted] {
        self.adapters
            .map_or(&[], |adapters| adapters.of(&self.name(leaf)))
    }

    /// The tensor `leaf`, which must have this shape; it stays in its file.
    pub(crate) fn stored(&self, leaf: &str, shape: &[usize]) -> Result<Stored, WeightsError> {
        let tensor = self.name(leaf);
        let stored = self.weights.get(&tensor)?;
        if stored.shape() == shape {
            return Ok(stored.clone());
        }
        Err(WeightsError::Shape {
            path: stored.path().to_owned(),
            tensor,
            expected: shape.to_vec(),
            found: stored.shape().to_vec(),
        })
    }

    /// Equally shaped matrices with their rows stacked into one of this shape, so that linear layers
    /// on the same input become one product.
    pub(crate) fn stacked(
        &self,
        leaves: &[&str],
        [rows, columns]: [usize; 2],
    ) -> Result<Stored, WeightsError> {
        let shape = [rows / leaves.len().max(1), columns];
        let tensors: Vec<_> = leaves
            .iter()
            .map(|leaf| self.stored(leaf, &shape))
            .collect::<Result<_, _>>()?;
        Stored::stack(tensors).ok_or_else(|| WeightsError::TensorMissing {
            path: PathBuf::new(),
            tensor: self.prefix.clone(),
        })
    }

    /// Reads the tensor `leaf`, which must have this shape, as f32: for the small ones, that a layer
    /// keeps.
    pub(crate) fn tensor<const D: usize>(
        &self,
        leaf: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, WeightsError> {
        let values = self.stored(leaf, &shape)?.widen();
        Ok(upload(values, shape, self.device))
    }

    fn name(&self, leaf: &str) -> String {
        format!("{}{leaf}", self.prefix)
    }
}
