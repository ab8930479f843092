//! A tensor that stays in its file.
//!
//! A [`Stored`] is a handle: which stretches of which mapped files make up a tensor, how they are
//! encoded, and by what they are scaled. It costs a few words whatever the tensor's size, so a network
//! is built without reading its weights, and built again for every picture if that is convenient.
//! Numbers exist as f32 only while a layer computes, a few rows at a time ([`Stored::widen_rows`]);
//! there is never a second copy of a model.
//!
//! One tensor may consist of several pieces stacked along its first axis: layers on the same input
//! that are computed as one product, or halves that a file holds in another order. Each piece has its
//! own encoding and its own scale.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use half::bf16;

use super::encoding::Encoding;
use super::file::WeightFile;
use super::quantisation::Hints;
use super::scale::Scale;

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
    scale: Scale,
    hints: Hints,
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
    ) -> Self {
        let rows = shape.first().copied().unwrap_or(1);
        let piece = Piece {
            file,
            bytes,
            encoding,
            scale: Scale::NONE,
            hints: Hints::default(),
            rows,
        };
        Self {
            name,
            shape,
            pieces: vec![piece],
        }
    }

    /// The same tensor with the scales that its file states for it.
    pub(super) fn scaled(mut self, scale: &Scale, hints: Hints) -> Self {
        for piece in &mut self.pieces {
            piece.scale = scale.clone();
            piece.hints = hints;
        }
        self
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

    /// Each piece's file, bytes and encoding.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (&WeightFile, Range<usize>, Encoding)> {
        self.pieces
            .iter()
            .map(|piece| (&*piece.file, piece.bytes.clone(), piece.encoding))
    }

    /// How the file wants this layer to be multiplied in fp8, for devices that can. Stacked pieces that
    /// disagree have no scale for their common input.
    pub(crate) fn hints(&self) -> Hints {
        let mut all = self.pieces.iter().map(|piece| piece.hints);
        let first = all.next().unwrap_or_default();
        all.fold(first, |first, other| Hints {
            input_scale: first
                .input_scale
                .filter(|_| first.input_scale == other.input_scale),
            full_precision: first.full_precision || other.full_precision,
        })
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
                    scale: piece.scale.from((from - first) * length),
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
        let mut rest = out;
        for (piece, from, count) in self.runs(first, rest.len()) {
            let (now, later) = rest.split_at_mut(count);
            piece.widen(from, now);
            rest = later;
        }
    }

    /// The scale of each row, where all that is stored are numbers of bf16 and no row has two scales; empty
    /// where there is none.
    pub(crate) fn row_scales(&self) -> Option<Vec<f32>> {
        if self.pieces.iter().all(Piece::is_plain_bf16) {
            return Some(Vec::new());
        }
        let length = self.row_length();
        let mut scales = Vec::with_capacity(self.rows());
        for piece in &self.pieces {
            if !piece.encoding.is_within_bf16() {
                return None;
            }
            for row in 0..piece.rows {
                let mut runs = piece.scale.runs(row * length, length);
                let (_, scale) = runs.next()?;
                if runs.any(|(_, other)| other.to_bits() != scale.to_bits()) {
                    return None;
                }
                scales.push(scale);
            }
        }
        Some(scales)
    }

    /// As [`widen_rows`](Self::widen_rows), of rows that have [`row_scales`](Self::row_scales), without
    /// these: bits of bf16.
    pub(crate) fn unscaled_bf16_rows(&self, first: usize, out: &mut [u16]) {
        const AT_ONCE: usize = 1024;
        if self.copy_bf16_rows(first, out) {
            return;
        }
        let mut widened = [0.0; AT_ONCE];
        let mut rest = out;
        for (piece, from, count) in self.runs(first, rest.len()) {
            let (now, later) = rest.split_at_mut(count);
            let mut start = piece.bytes.start + piece.encoding.bytes_of(from);
            for out in now.chunks_mut(AT_ONCE) {
                let end = start + piece.encoding.bytes_of(out.len());
                let widened = &mut widened[..out.len()];
                piece
                    .encoding
                    .widen(&piece.file.map[start..end], 1.0, widened);
                for (out, number) in out.iter_mut().zip(widened) {
                    *out = bf16::from_f32(*number).to_bits();
                }
                start = end;
            }
            rest = later;
        }
    }

    /// As [`widen_rows`](Self::widen_rows), of rows that are stored as bf16 and not scaled: the bits as they
    /// are. Where they are stored otherwise, nothing is done and the answer is no.
    pub(crate) fn copy_bf16_rows(&self, first: usize, out: &mut [u16]) -> bool {
        if !self
            .runs(first, out.len())
            .all(|(piece, ..)| piece.is_plain_bf16())
        {
            return false;
        }
        let mut rest = out;
        for (piece, from, count) in self.runs(first, rest.len()) {
            let (now, later) = rest.split_at_mut(count);
            let start = piece.bytes.start + piece.encoding.bytes_of(from);
            let bytes = &piece.file.map[start..start + piece.encoding.bytes_of(count)];
            for (number, &pair) in now.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *number = u16::from_le_bytes(pair);
            }
            rest = later;
        }
        true
    }

    /// Whether all of it is stored in this encoding.
    pub(crate) fn is_all(&self, encoding: Encoding) -> bool {
        self.pieces.iter().all(|piece| piece.encoding == encoding)
    }

    /// The bytes as they lie in the files, without any scale. `out` is as long as they are.
    pub(crate) fn copy_bytes(&self, out: &mut [u8]) {
        let mut rest = out;
        for piece in &self.pieces {
            let (now, later) = rest.split_at_mut(piece.bytes.len());
            now.copy_from_slice(&piece.file.map[piece.bytes.clone()]);
            rest = later;
        }
    }

    /// Where `count` numbers of whole rows are, from the row `first` on: pieces, the first number in each
    /// and how many from there.
    fn runs(&self, first: usize, count: usize) -> impl Iterator<Item = (&Piece, usize, usize)> {
        let length = self.row_length();
        let (mut skip, mut left) = (first, count);
        self.pieces.iter().filter_map(move |piece| {
            let rows = piece.rows.saturating_sub(skip);
            let count = (rows * length).min(left);
            let from = skip * length;
            skip = skip.saturating_sub(piece.rows);
            left -= count;
            (count > 0).then_some((piece, from, count))
        })
    }

    /// All numbers as f32.
    pub(crate) fn widen(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.elements()];
        self.widen_rows(0, &mut values);
        values
    }
}

impl Piece {
    fn is_plain_bf16(&self) -> bool {
        self.encoding == Encoding::Bf16 && matches!(self.scale, Scale::One(1.0))
    }

    /// Decodes as many numbers as `out` holds, from the number `first` on, where a row begins.
    fn widen(&self, first: usize, out: &mut [f32]) {
        let mut start = self.bytes.start + self.encoding.bytes_of(first);
        let mut rest = out;
        for (count, scale) in self.scale.runs(first, rest.len()) {
            let (now, later) = rest.split_at_mut(count);
            let end = start + self.encoding.bytes_of(count);
            self.encoding.widen(&self.file.map[start..end], scale, now);
            (rest, start) = (later, end);
        }
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} {}[{:?}] × {:?}",
            self.encoding,
            self.file.path.display(),
            self.bytes,
            self.scale
        )
    }
}
