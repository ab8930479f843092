//! A tensor that stays in its file.
//!
//! A [`Stored`] is a handle: which stretches of which mapped files make up a tensor, how they are
//! encoded, and by what they are scaled. It costs a few words whatever the tensor's size, so a network
//! is built without reading its weights, and built again for every picture if that is convenient.
//! Numbers exist as f32 only while a layer computes, a few rows at a time ([`Stored::widen_rows`]);
//! there is never a second copy of a model.
//!
//! One tensor may consist of several pieces stacked along its first axis: layers on the same input
//! that are computed as one product, or halves that a file holds in another order.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::WeightFile;
use super::encoding::Encoding;

/// A tensor in files. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Its name in the file, for messages.
    name: Arc<str>,
    shape: Vec<usize>,
    /// Stacked along the first axis.
    pieces: Vec<Piece>,
}

/// One stretch of one file.
#[derive(Clone)]
struct Piece {
    file: Arc<WeightFile>,
    bytes: Range<usize>,
    encoding: Encoding,
    /// What decoded numbers are multiplied by.
    scale: f32,
    rows: usize,
}

impl Stored {
    /// A tensor that is one stretch of `file`. The range must lie in the file, hold exactly the shape's
    /// elements, and each row must be whole blocks of the encoding.
    pub(super) fn new(
        name: Arc<str>,
        shape: Vec<usize>,
        file: Arc<WeightFile>,
        bytes: Range<usize>,
        encoding: Encoding,
        scale: f32,
    ) -> Self {
        let rows = shape.first().copied().unwrap_or(1);
        let piece = Piece {
            file,
            bytes,
            encoding,
            scale,
            rows,
        };
        Self {
            name,
            shape,
            pieces: vec![piece],
        }
    }

    /// The shape, outermost axis first.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many numbers the tensor holds.
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Rows: the first axis.
    pub(crate) fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Numbers in a row: all axes but the first.
    pub(crate) fn row_length(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// The file that holds the first piece, for messages.
    pub(crate) fn path(&self) -> &Path {
        self.pieces
            .first()
            .map_or(Path::new(""), |piece| &piece.file.path)
    }

    /// The tensor's name in its file, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Each piece's encoding and bytes in the file.
    pub(crate) fn encodings(&self) -> impl Iterator<Item = (Encoding, u64)> {
        self.pieces
            .iter()
            .map(|piece| (piece.encoding, piece.bytes.len() as u64))
    }

    /// These rows only, still in the file. The range must lie within [`rows`](Self::rows).
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        let length = self.row_length();
        let mut pieces = Vec::new();
        let mut first = 0;
        for piece in &self.pieces {
            let last = first + piece.rows;
            let (from, to) = (rows.start.max(first), rows.end.min(last));
            if from < to {
                let offset = |row: usize| {
                    piece.bytes.start + piece.encoding.bytes_of((row - first) * length)
                };
                pieces.push(Piece {
                    bytes: offset(from)..offset(to),
                    rows: to - from,
                    ..piece.clone()
                });
            }
            first = last;
        }
        let mut shape = self.shape.clone();
        if let Some(outermost) = shape.first_mut() {
            *outermost = rows.len();
        }
        Self {
            name: self.name.clone(),
            shape,
            pieces,
        }
    }

    /// The rows of all tensors below one another; the tensors must be alike but for their rows. Gives
    /// `None` for no tensors.
    pub(crate) fn stack(tensors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut tensors = tensors.into_iter();
        let mut all = tensors.next()?;
        for tensor in tensors {
            debug_assert_eq!(all.shape[1..], tensor.shape[1..], "alike but for the rows");
            all.shape[0] += tensor.shape[0];
            all.pieces.extend(tensor.pieces);
        }
        Some(all)
    }

    /// The same numbers under another shape of as many elements; rows may only be cut where the
    /// encoding's blocks end.
    pub(crate) fn reshaped(mut self, shape: Vec<usize>) -> Self {
        debug_assert_eq!(
            self.elements(),
            shape.iter().product::<usize>(),
            "as many elements"
        );
        let length: usize = shape.iter().skip(1).product();
        for piece in &mut self.pieces {
            let elements =
                piece.bytes.len() / piece.encoding.block_bytes() * piece.encoding.block();
            piece.rows = elements / length.max(1);
        }
        self.shape = shape;
        self
    }

    /// Decodes whole rows from the row `first` on: as many as `out` holds. Safe to call from several
    /// threads at once.
    pub(crate) fn widen_rows(&self, first: usize, out: &mut [f32]) {
        let length = self.row_length();
        let mut rest = out;
        let mut skip = first;
        for piece in &self.pieces {
            if rest.is_empty() {
                break;
            }
            if skip >= piece.rows {
                skip -= piece.rows;
                continue;
            }
            let count = ((piece.rows - skip) * length).min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            let start = piece.bytes.start + piece.encoding.bytes_of(skip * length);
            let end = start + piece.encoding.bytes_of(count);
            piece.encoding.widen(&piece.file.map[start..end], now);
            if piece.scale.to_bits() != 1.0_f32.to_bits() {
                now.iter_mut().for_each(|value| *value *= piece.scale);
            }
            rest = later;
            skip = 0;
        }
    }

    /// All numbers as f32.
    pub(crate) fn widen(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.elements()];
        self.widen_rows(0, &mut values);
        values
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} {}[{:?}] × {}",
            self.encoding,
            self.file.path.display(),
            self.bytes,
            self.scale
        )
    }
}
