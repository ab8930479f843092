//! Which of a prompt's places are computed.
//!
//! Padding on the left comes before every token it could look at, so it looks at nothing, and all of
//! it has the same state in every layer: what the layers make of the padding token by itself. It is
//! computed as one token and copied to its places, which for a short prompt to dev, 512 places of
//! which some hundred are words, saves most of the work. Padding on the right sees the words, each
//! place from another distance, so all of it is computed; but nobody looks at it.

use std::ops::Range;

use burn::tensor::{Tensor, s};

/// The places of a prompt by what they see and who sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Places before the first that is not padding.
    leading: usize,
    /// The place after the last that is not padding.
    end: usize,
    length: usize,
}

impl Span {
    /// From an attention mask, 0 for padding.
    pub(super) fn of(mask: &[i64]) -> Self {
        let is_real = |&bit: &i64| bit != 0;
        let length = mask.len();
        Self {
            leading: mask.iter().position(is_real).unwrap_or(length),
            end: mask
                .iter()
                .rposition(is_real)
                .map_or(length, |last| last + 1),
            length,
        }
    }

    /// How many tokens at the start of the computed ones see nothing: one for all, or none.
    pub(super) fn blind(self) -> usize {
        self.leading.min(1)
    }

    /// The places that are computed.
    pub(super) fn computed(self) -> Range<usize> {
        self.leading - self.blind()..self.length
    }

    /// The computed places that see something.
    pub(super) fn seeing(self) -> Range<usize> {
        self.leading..self.length
    }

    /// How many places, from the first that sees, may be looked at.
    pub(super) fn keys(self) -> usize {
        self.end - self.leading
    }

    /// The states of the computed places, `[computed, width]`, copied to all places.
    pub(super) fn spread(self, states: Tensor<2>) -> Tensor<2> {
        if self.leading < 2 {
            return states;
        }
        let [_, width] = states.dims();
        let copies = states.clone().slice(s![..1, ..]);
        let copies = copies.expand([self.leading - 1, width]);
        Tensor::cat(vec![copies, states], 0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use burn::tensor::Device;

    use super::*;

    #[test]
    fn padding_on_the_left_is_one_token() {
        let span = Span::of(&[0, 0, 0, 1, 1, 0]);
        assert_eq!(span.blind(), 1);
        assert_eq!(span.computed(), 2..6);
        assert_eq!(span.seeing(), 3..6);
        assert_eq!(span.keys(), 2);
        let states =
            Tensor::<1>::from_floats([7.0, 1.0, 2.0, 3.0], &Device::flex()).reshape([4, 1]);
        let spread: Vec<f32> = span.spread(states).into_data().try_into_vec().unwrap();
        assert_eq!(spread, [7.0, 7.0, 7.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn padding_on_the_right_is_computed_and_not_looked_at() {
        let span = Span::of(&[1, 1, 0, 0]);
        assert_eq!((span.blind(), span.keys()), (0, 2));
        assert_eq!(span.computed(), 0..4);
        assert_eq!(span.seeing(), 0..4);
    }

    #[test]
    fn nothing_but_padding_sees_nothing() {
        let span = Span::of(&[0, 0, 0]);
        assert_eq!((span.blind(), span.keys()), (1, 0));
        assert_eq!(span.computed(), 2..3);
        assert_eq!(span.seeing(), 3..3);
    }
}
