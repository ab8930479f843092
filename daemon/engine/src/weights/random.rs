//! Weights that nobody trained, in memory and without a file.
//!
//! To time a network its weights need not be those of a model, nor lie on a disk: what a product takes does not
//! depend on its numbers, as long as they are finite and not all alike. Values are bf16, drawn as
//! [`published`](crate::published) says, and the same for each seed whatever the number of threads.
//!
//! Tensors of the same shape whose names differ in numbers only, such as those of all blocks of a kind, share one
//! stretch of memory. So the transformer of \[dev\], 64 GB of numbers, takes 4.6 GB of the host, and its text
//! encoder 2.5 GB. A device that is brought these weights gets them block by block and holds all of them, and so does
//! the host of those blocks that come to a card for each step.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use memmap2::MmapMut;

use super::file::WeightFile;
use super::{Encoding, Stored, Weights, WeightsError};
use crate::published::{Like, Table, Tensor};

/// What messages call it.
const PLACE: &str = "(random weights)";
/// What stretches are aligned to: a cache line.
const ALIGNMENT: usize = 64;

/// A stretch that tensors share.
struct Stretch {
    offset: usize,
    bytes: usize,
    like: Like,
}

/// By names without numbers, and shapes.
type Stretches = BTreeMap<(String, Vec<usize>), Stretch>;

impl Weights {
    /// Draws these tensors.
    ///
    /// # Errors
    /// `weights-unreadable` if the system has no memory for them.
    pub(crate) fn random(tensors: &[Tensor], seed: u64) -> Result<Self, WeightsError> {
        let (stretches, bytes) = lay_out(tensors);
        let unreadable = |source| WeightsError::Unreadable {
            path: PLACE.into(),
            source,
        };
        let mut map = MmapMut::map_anon(bytes.max(1)).map_err(unreadable)?;
        for ((name, _), stretch) in &stretches {
            let table = Table::new(seed, name, stretch.like, false);
            table.fill(0, &mut map[stretch.offset..][..stretch.bytes]);
        }
        let file = Arc::new(WeightFile {
            path: PLACE.into(),
            map: map.make_read_only().map_err(unreadable)?,
        });
        // It is not among the files: what `release` drops of those comes from the disk again, and this would not.
        let mut weights = Self::empty(Path::new(PLACE));
        for tensor in tensors {
            if let Some(stretch) = stretches.get(&shared(tensor)) {
                let range = stretch.offset..stretch.offset + stretch.bytes;
                let label = tensor.name.as_str().into();
                let file = Arc::clone(&file);
                let stored = Stored::new(label, tensor.shape.clone(), file, range, Encoding::Bf16);
                weights.tensors.insert(tensor.name.clone(), stored);
            }
        }
        Ok(weights)
    }

    /// Bytes of memory that drawing these tensors takes.
    pub(crate) fn random_bytes(tensors: &[Tensor]) -> u64 {
        lay_out(tensors).1 as u64
    }
}

fn lay_out(tensors: &[Tensor]) -> (Stretches, usize) {
    let mut stretches = Stretches::new();
    let mut end = 0;
    for tensor in tensors {
        stretches.entry(shared(tensor)).or_insert_with(|| {
            let bytes = Encoding::Bf16.bytes_of(tensor.shape.iter().product());
            let offset = end;
            end = (offset + bytes).next_multiple_of(ALIGNMENT);
            Stretch {
                offset,
                bytes,
                like: tensor.like,
            }
        });
    }
    (stretches, end)
}

/// What tensors that share a stretch have in common.
fn shared(tensor: &Tensor) -> (String, Vec<usize>) {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = tensor.name.split('.');
    let parts = parts.map(|part| if is_number(part) { "*" } else { part });
    (parts.collect::<Vec<_>>().join("."), tensor.shape.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::published::Size;

    #[test]
    fn blocks_share_their_numbers_and_nothing_else_does() {
        let size = Size::TINY;
        let weights = Weights::random(&size.transformer(), 0).unwrap();
        let values = |name: &str| weights.get(name).unwrap().widen();
        let of_block =
            |block: usize| format!("single_transformer_blocks.{block}.attn.to_out.weight");
        assert_eq!(values(&of_block(0)), values(&of_block(1)));
        let of_stream = |leaf: &str| format!("transformer_blocks.0.attn.{leaf}.weight");
        assert_ne!(values(&of_stream("to_q")), values(&of_stream("to_k")));
        let again = Weights::random(&size.transformer(), 0).unwrap();
        assert_eq!(
            again.get(&of_block(1)).unwrap().widen(),
            values(&of_block(0))
        );
    }

    #[test]
    fn numbers_are_what_they_were_to_be_like_and_outlive_a_release() {
        let tensors = Size::TINY.vae();
        let weights = Weights::random(&tensors, 0).unwrap();
        weights.release();
        weights.check_finite().unwrap();
        for tensor in &tensors {
            let values = weights.get(&tensor.name).unwrap().widen();
            if let Like::Uniform(low, high) = tensor.like {
                // bf16 has 8 bits.
                let margin = 0.01 * high.abs();
                let is_between =
                    |&value: &f32| (low - margin..=high + margin).contains(&f64::from(value));
                assert!(values.iter().all(is_between), "{}", tensor.name);
                assert!(
                    values.iter().any(|&value| value != values[0]),
                    "{}",
                    tensor.name
                );
            }
        }
    }

    #[test]
    fn a_large_model_takes_a_small_part_of_its_size() {
        let bytes = Weights::random_bytes(&Size::DEV.transformer());
        let transformer = bytes as f64 / 1e9;
        assert!((4.5..4.7).contains(&transformer), "{transformer}");
    }
}
