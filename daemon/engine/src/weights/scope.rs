//! Reading tensors by dotted name into burn.
//!
//! A model is built by walking down a tree of names, so each module gets a [`Scope`]: the weights,
//! a prefix, and the device. Every read states the shape that the config implies, and a tensor of
//! another shape is an error here, before burn would panic on it.

use std::fmt::Display;

use burn::tensor::{Device, Tensor};

use super::{View, Weights, WeightsError};
use crate::host::upload;

/// A place in the tree of tensor names.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    weights: &'a Weights,
    device: &'a Device,
    prefix: String,
}

impl<'a> Scope<'a> {
    /// The root of a part's tree.
    pub(crate) fn root(weights: &'a Weights, device: &'a Device) -> Self {
        Self {
            weights,
            device,
            prefix: String::new(),
        }
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

    /// Reads the tensor `leaf`, which must have this shape, as f32.
    pub(crate) fn tensor<const D: usize>(
        &self,
        leaf: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, WeightsError> {
        let mut values = Vec::new();
        self.append(leaf, &shape, &mut values)?;
        Ok(upload(values, shape, self.device))
    }

    /// Reads equally shaped matrices and stacks their rows into one of this shape, so that linear
    /// layers on the same input become one product.
    pub(crate) fn stacked(
        &self,
        leaves: &[&str],
        [rows, columns]: [usize; 2],
    ) -> Result<Tensor<2>, WeightsError> {
        let mut values = Vec::new();
        for leaf in leaves {
            self.append(leaf, &[rows / leaves.len(), columns], &mut values)?;
        }
        Ok(upload(values, [rows, columns], self.device))
    }

    /// Reads only these rows of the matrix `leaf`, for embedding tables of which a prompt needs a
    /// few hundred rows out of a hundred thousand. Every row number must be below the matrix's.
    pub(crate) fn rows(
        &self,
        leaf: &str,
        shape: [usize; 2],
        rows: &[usize],
    ) -> Result<Tensor<2>, WeightsError> {
        let view = self.view(leaf, &shape)?;
        let stride = view.bytes.len() / shape[0].max(1);
        let mut values = Vec::with_capacity(rows.len() * shape[1]);
        for &row in rows {
            let bytes = &view.bytes[row * stride..(row + 1) * stride];
            self.convert(leaf, &view, bytes, &mut values)?;
        }
        Ok(upload(values, [rows.len(), shape[1]], self.device))
    }

    fn append(&self, leaf: &str, shape: &[usize], out: &mut Vec<f32>) -> Result<(), WeightsError> {
        let view = self.view(leaf, shape)?;
        self.convert(leaf, &view, view.bytes, out)
    }

    fn view(&self, leaf: &str, shape: &[usize]) -> Result<View<'a>, WeightsError> {
        let tensor = self.name(leaf);
        let view = self.weights.view(&tensor)?;
        if view.entry.shape == shape {
            return Ok(view);
        }
        Err(WeightsError::Shape {
            path: view.path.to_owned(),
            tensor,
            expected: shape.to_vec(),
            found: view.entry.shape.clone(),
        })
    }

    fn convert(
        &self,
        leaf: &str,
        view: &View<'_>,
        bytes: &[u8],
        out: &mut Vec<f32>,
    ) -> Result<(), WeightsError> {
        if view.entry.dtype.append_f32(bytes, out) {
            return Ok(());
        }
        Err(WeightsError::DtypeUnsupported {
            path: view.path.to_owned(),
            tensor: self.name(leaf),
            dtype: view.entry.dtype,
        })
    }

    fn name(&self, leaf: &str) -> String {
        format!("{}{leaf}", self.prefix)
    }
}
