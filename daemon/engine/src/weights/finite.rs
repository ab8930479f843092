//! The search for NaN and infinity in weights, before any work is done.
//!
//! One NaN anywhere makes every picture black, after minutes of work. So the numbers are looked at
//! once, in their stored precision, at the speed of memory or of the disk. Stretches are taken in the
//! order of the file, each read ahead of its use; nothing is decoded unless a fault is found, and then
//! only to say which.

use rayon::prelude::*;

use super::encoding::Encoding;
use super::file::WeightFile;
use super::{Stored, WeightsError};

/// Bytes that one thread looks at in one go, about: enough for the disk to be busy, few enough for
/// the threads to share a tensor.
const STRETCH: usize = 8 << 20;
/// Bytes that are looked at before a fault in them would be noticed, about: what a core's cache holds.
const CHUNK: usize = 1 << 14;

/// Whole blocks of one tensor.
struct Stretch<'a> {
    tensor: &'a Stored,
    file: &'a WeightFile,
    encoding: Encoding,
    start: usize,
    end: usize,
    /// Numbers of the tensor before this stretch.
    before: usize,
}

/// Looks at all of these tensors.
pub(super) fn check<'a>(tensors: impl Iterator<Item = &'a Stored>) -> Result<(), WeightsError> {
    let mut stretches: Vec<_> = tensors.flat_map(stretches).collect();
    stretches.sort_by(|a, b| (&a.file.path, a.start).cmp(&(&b.file.path, b.start)));
    let fault = stretches.par_iter().find_map_first(Stretch::fault);
    fault.map_or(Ok(()), Err)
}

fn stretches(tensor: &Stored) -> Vec<Stretch<'_>> {
    let mut stretches = Vec::new();
    let mut before = 0;
    for (file, bytes, encoding) in tensor.stretches() {
        let step = (STRETCH / encoding.block_bytes()) * encoding.block_bytes();
        for start in bytes.clone().step_by(step) {
            let end = bytes.end.min(start + step);
            stretches.push(Stretch {
                tensor,
                file,
                encoding,
                start,
                end,
                before,
            });
            before += (end - start) / encoding.block_bytes() * encoding.block();
        }
    }
    stretches
}

impl Stretch<'_> {
    fn fault(&self) -> Option<WeightsError> {
        self.file.will_need(&(self.start..self.end));
        let bytes = &self.file.map[self.start..self.end];
        let block = self.encoding.block_bytes();
        let mut before = self.before;
        for chunk in bytes.chunks((CHUNK / block).max(1) * block) {
            let count = chunk.len() / block * self.encoding.block();
            if !self.encoding.is_finite(chunk) {
                let mut values = vec![0.0; count];
                self.encoding.widen(chunk, 1.0, &mut values);
                let place = values.iter().position(|value| !value.is_finite());
                let place = place.unwrap_or_default();
                return Some(WeightsError::NotFinite {
                    path: self.file.path.clone(),
                    tensor: self.tensor.name().to_owned(),
                    value: values[place],
                    position: before + place,
                });
            }
            before += count;
        }
        None
    }
}
