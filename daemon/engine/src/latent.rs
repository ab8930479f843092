//! The latent: a picture as the transformer sees it, one token for each square of 16 pixels.
//!
//! A latent travels in two shapes. The autoencoder has a picture of patches,
//! `[1, channels, rows, columns]`; the transformer has tokens, `[rows · columns, channels]`,
//! row-major. Besides the pixels' contents a token has a place `(t, h, w, l)` that tells prompt,
//! output and references apart.

use burn::tensor::Tensor;

/// Pixels that one side of a token covers.
pub(crate) const TOKEN_PIXELS: u32 = 16;
/// How far apart output and references lie on the axis t.
const REFERENCE_STRIDE: u32 = 10;

/// The size of a latent in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) rows: u32,
    pub(crate) columns: u32,
}

impl Grid {
    /// The grid of a picture whose sides are multiples of [`TOKEN_PIXELS`].
    pub(crate) fn of_picture(width: u32, height: u32) -> Self {
        Self {
            rows: height / TOKEN_PIXELS,
            columns: width / TOKEN_PIXELS,
        }
    }

    pub(crate) fn tokens(self) -> usize {
        self.rows as usize * self.columns as usize
    }

    /// The shape of the picture of patches.
    pub(crate) fn shape(self, channels: usize) -> [usize; 4] {
        [1, channels, self.rows as usize, self.columns as usize]
    }

    fn places(self, t: u32) -> impl Iterator<Item = [u32; 4]> {
        (0..self.rows).flat_map(move |h| (0..self.columns).map(move |w| [t, h, w, 0]))
    }
}

/// The places `(t, h, w, l)` of all tokens in the transformer's order: prompt, output, references.
///
/// Prompt tokens count along l; the output lies at t = 0, the i-th reference (from 0) at
/// t = 10 + 10·i, each with rows and columns of its own from 0.
pub(crate) fn places(prompt: usize, output: Grid, references: &[Grid]) -> Vec<[u32; 4]> {
    let prompt = (0_u32..).take(prompt).map(|l| [0, 0, 0, l]);
    let references = reference_places(references);
    prompt.chain(output.places(0)).chain(references).collect()
}

/// The places of the references' tokens alone.
pub(crate) fn reference_places(references: &[Grid]) -> impl Iterator<Item = [u32; 4]> {
    let references = (1_u32..).zip(references);
    references.flat_map(|(number, grid)| grid.places(REFERENCE_STRIDE * number))
}

/// A picture of patches as tokens.
pub(crate) fn to_tokens(patches: Tensor<4>) -> Tensor<2> {
    let [_, channels, rows, columns] = patches.dims();
    patches.reshape([channels, rows * columns]).transpose()
}

/// Tokens as a picture of patches.
pub(crate) fn to_patches(tokens: Tensor<2>, grid: Grid) -> Tensor<4> {
    let [_, channels] = tokens.dims();
    tokens.transpose().reshape(grid.shape(channels))
}

#[cfg(test)]
mod tests;
