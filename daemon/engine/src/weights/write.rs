//! Writing a safetensors file, tensor by tensor.
//!
//! The header is laid out and written first, from names, types and shapes alone; then each tensor's
//! bytes go straight to their place, in whatever order and pieces they become known. So a file of any
//! size is written in the memory of one piece.
//!
//! The layout is the one that the format's own library gives: the JSON is padded with spaces to eight
//! bytes, and tensors are sorted by the width of their elements, widest first, then by name. A tensor
//! whose file is mapped is then aligned to its element type.
//!
//! Nobody ever sees half a file. It grows under another name beside the target (`NAME.partial`), is
//! flushed to the disk, and only then gets its name; whatever fails before that, a full disk above
//! all, leaves nothing behind. If the process is killed, the partial file stays and the next attempt
//! takes it over; a lock keeps two attempts apart. An existing target is replaced only if that was
//! asked for, and then in one step.

mod error;
mod layout;
mod partial;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub use error::WriteError;
pub use layout::TensorSpec;
use layout::{Slot, lay_out};
use partial::Partial;

/// A safetensors file that is being written.
///
/// ```no_run
/// use atelier_flux::{Dtype, SafetensorsWriter, TensorSpec};
///
/// # fn main() -> Result<(), atelier_flux::WriteError> {
/// let spec = TensorSpec { name: "bias".into(), dtype: Dtype::F32, shape: vec![2] };
/// let mut writer = SafetensorsWriter::create("b.safetensors".as_ref(), &[spec], &[].into(), false)?;
/// writer.write("bias", &1.0_f32.to_le_bytes())?;
/// writer.write("bias", &2.0_f32.to_le_bytes())?;
/// writer.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SafetensorsWriter {
    target: PathBuf,
    partial: Partial,
    overwrite: bool,
    slots: BTreeMap<String, Slot>,
    length: u64,
}

impl SafetensorsWriter {
    /// Starts a file with these tensors and this `__metadata__`, and writes its header.
    ///
    /// # Errors
    /// `output-exists` unless `overwrite`; `output-busy`; `output-unwritable` or `disk-full`;
    /// `output-inconsistent` for a name given twice or a shape whose size overflows.
    pub fn create(
        target: &Path,
        tensors: &[TensorSpec],
        metadata: &BTreeMap<String, String>,
        overwrite: bool,
    ) -> Result<Self, WriteError> {
        if !overwrite && fs::symlink_metadata(target).is_ok() {
            return Err(WriteError::Exists {
                path: target.to_owned(),
            });
        }
        let (header, slots) = lay_out(target, tensors, metadata)?;
        let partial = Partial::open(target)?;
        let writer = Self {
            length: slots
                .values()
                .map(|slot| slot.end)
                .fold(header.len() as u64, u64::max),
            target: target.to_owned(),
            partial,
            overwrite,
            slots,
        };
        let written = writer.partial.file.write_all_at(&header, 0);
        written.map_err(|source| WriteError::unwritable(target, source))?;
        Ok(writer)
    }

    /// Appends bytes to a tensor, little-endian and row-major as the format has them.
    ///
    /// # Errors
    /// `output-inconsistent` for a tensor that was not announced, or for more bytes than it has;
    /// `output-unwritable` or `disk-full`.
    pub fn write(&mut self, tensor: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let inconsistent = |problem: &str| WriteError::Tensor {
            path: self.target.clone(),
            tensor: tensor.to_owned(),
            problem: problem.to_owned(),
        };
        let Some(slot) = self.slots.get_mut(tensor) else {
            return Err(inconsistent("was not announced"));
        };
        let end = slot.next + bytes.len() as u64;
        if end > slot.end {
            return Err(inconsistent("was given more bytes than its shape has"));
        }
        let written = self.partial.file.write_all_at(bytes, slot.next);
        slot.next = end;
        written.map_err(|source| WriteError::unwritable(&self.target, source))
    }

    /// Bytes of the whole file, header included.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Flushes the file to the disk and gives it its name.
    ///
    /// # Errors
    /// `output-inconsistent` if a tensor has not been given all its bytes; `output-exists` if a file
    /// came up there meanwhile and overwriting was not asked for; `output-unwritable` or `disk-full`.
    pub fn finish(mut self) -> Result<(), WriteError> {
        if let Some((name, slot)) = self.slots.iter().find(|(_, slot)| slot.next < slot.end) {
            return Err(WriteError::Tensor {
                path: self.target,
                tensor: name.clone(),
                problem: format!("lacks its last {} bytes", slot.end - slot.next),
            });
        }
        self.partial
            .name(&self.target, self.overwrite)
            .map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => WriteError::Exists {
                    path: self.target.clone(),
                },
                _ => WriteError::unwritable(&self.target, source),
            })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::weights::Dtype;

    fn spec(name: &str, dtype: Dtype, shape: &[usize]) -> TensorSpec {
        TensorSpec {
            name: name.into(),
            dtype,
            shape: shape.into(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    fn one_tensor(target: &Path, overwrite: bool) -> Result<SafetensorsWriter, WriteError> {
        let tensors = [spec("t", Dtype::Bf16, &[2, 2])];
        SafetensorsWriter::create(target, &tensors, &BTreeMap::new(), overwrite)
    }

    #[test]
    fn wide_elements_come_first_and_the_header_is_padded() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.safetensors");
        let tensors = [
            spec("tag", Dtype::U8, &[3]),
            spec("weight \"q\"", Dtype::F8E4M3, &[2, 1]),
            spec("scale", Dtype::F32, &[]),
            spec("b", Dtype::Bf16, &[1]),
            spec("a", Dtype::Bf16, &[1]),
        ];
        let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
        let mut writer = SafetensorsWriter::create(&target, &tensors, &metadata, false).unwrap();
        // In another order than in the file, and in pieces.
        writer.write("tag", b"xy").unwrap();
        writer.write("scale", &0.5_f32.to_le_bytes()).unwrap();
        writer.write("b", &[3, 4]).unwrap();
        writer.write("tag", b"z").unwrap();
        writer.write("weight \"q\"", &[5, 6]).unwrap();
        writer.write("a", &[1, 2]).unwrap();
        let length = writer.length();
        writer.finish().unwrap();

        let bytes = fs::read(&target).unwrap();
        assert_eq!(bytes.len() as u64, length);
        let (size, rest) = bytes.split_first_chunk::<8>().unwrap();
        let size = usize::try_from(u64::from_le_bytes(*size)).unwrap();
        assert_eq!(size % 8, 0);
        let (json, data) = rest.split_at(size);
        let json = std::str::from_utf8(json).unwrap();
        assert_eq!(
            json.trim_end(),
            r#"{"__metadata__":{"format":"pt"},"scale":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[6,8]},"weight \"q\"":{"dtype":"F8_E4M3","shape":[2,1],"data_offsets":[8,10]},"tag":{"dtype":"U8","shape":[3],"data_offsets":[10,13]}}"#
        );
        assert_eq!(data, b"\0\0\0\x3f\x01\x02\x03\x04\x05\x06xyz");
        assert_eq!(names(folder.path()), ["x.safetensors"]);
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.safetensors");
        fs::write(&target, "precious").unwrap();
        assert_eq!(
            one_tensor(&target, false).unwrap_err().code(),
            "output-exists"
        );
        let mut writer = one_tensor(&target, true).unwrap();
        writer.write("t", &[0; 8]).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"precious", "until the end");
        writer.finish().unwrap();
        assert_ne!(fs::read(&target).unwrap(), b"precious");
    }

    #[test]
    fn a_file_that_comes_up_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.safetensors");
        let mut writer = one_tensor(&target, false).unwrap();
        writer.write("t", &[0; 8]).unwrap();
        fs::write(&target, "precious").unwrap();
        assert_eq!(writer.finish().unwrap_err().code(), "output-exists");
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert_eq!(names(folder.path()), ["x.safetensors"]);
    }

    #[test]
    fn what_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.safetensors");
        drop(one_tensor(&target, false).unwrap());
        let mut short = one_tensor(&target, false).unwrap();
        short.write("t", &[0; 7]).unwrap();
        let error = short.finish().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the tensor t lacks its last 1 bytes")
        );
        let mut long = one_tensor(&target, false).unwrap();
        assert!(long.write("t", &[0; 9]).is_err());
        assert!(long.write("u", &[0]).is_err());
        drop(long);
        let twice = [spec("t", Dtype::U8, &[1]), spec("t", Dtype::U8, &[1])];
        assert!(SafetensorsWriter::create(&target, &twice, &BTreeMap::new(), false).is_err());
        let huge = [spec("t", Dtype::F32, &[usize::MAX, 2])];
        assert!(SafetensorsWriter::create(&target, &huge, &BTreeMap::new(), false).is_err());
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn two_writers_of_one_file_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.safetensors");
        let mut first = one_tensor(&target, false).unwrap();
        assert_eq!(
            one_tensor(&target, false).unwrap_err().code(),
            "output-busy"
        );
        first.write("t", &[7; 8]).unwrap();
        first.finish().unwrap();
        assert!(fs::read(&target).unwrap().ends_with(&[7; 8]));
    }

    #[test]
    fn a_partial_file_of_a_killed_process_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.safetensors");
        fs::write(folder.path().join("x.safetensors.partial"), [1; 4096]).unwrap();
        let mut writer = one_tensor(&target, false).unwrap();
        writer.write("t", &[0; 8]).unwrap();
        let length = writer.length();
        writer.finish().unwrap();
        assert_eq!(fs::metadata(&target).unwrap().len(), length);
        assert_eq!(names(folder.path()), ["x.safetensors"]);
    }
}
