//! A whole pipeline folder with the transformer quantised: the other files are those of the original.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{QuantizeError, QuantizeOptions, QuantizeProgress, Quantized};
use crate::layout::Kind;
use crate::source::INDEX;
use crate::weights::WriteError;

/// Files up to this many bytes are copied; larger ones are linked where the file system can.
const SMALL: u64 = 1 << 20;

/// Whether a folder is to be made: of a pipeline folder, if the output is not named as a file.
pub(super) fn is_meant(input: &Path, output: &Path) -> bool {
    let named_as_file = output.extension().is_some_and(|it| it == "safetensors");
    input.join(INDEX).is_file() && !named_as_file
}

/// A folder that is removed unless it was given its name.
struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // There is no one to tell, and the next attempt begins by removing it.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Makes the folder `output`, which must not be there: it comes up whole.
pub(super) fn quantize(
    input: &Path,
    output: &Path,
    options: &QuantizeOptions,
    watch: &mut dyn FnMut(QuantizeProgress<'_>) -> ControlFlow<()>,
) -> Result<Quantized, QuantizeError> {
    let failed = |source| {
        QuantizeError::Write(WriteError::Unwritable {
            path: output.to_owned(),
            source,
        })
    };
    let exists = || WriteError::Exists {
        path: output.to_owned(),
    };
    // A folder may hold anything, so it is never replaced.
    if fs::symlink_metadata(output).is_ok() {
        return Err(exists().into());
    }
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let path = output.with_file_name(name);
    if path.is_dir() {
        fs::remove_dir_all(&path).map_err(failed)?;
    }
    let mut partial = Partial(Some(path.clone()));
    copy(input, &path, Path::new("")).map_err(failed)?;
    let own = Path::new(Kind::Transformer.name()).join("transformer-fp8.safetensors");
    let mut result = super::quantize_file(input, &path.join(&own), options, watch)?;
    fs::rename(&path, output).map_err(failed)?;
    partial.0 = None;
    result.path = output.join(own);
    Ok(result)
}

/// Copies all files but the transformer's weights.
fn copy(from: &Path, to: &Path, below: &Path) -> io::Result<()> {
    fs::create_dir(to.join(below))?;
    for entry in fs::read_dir(from.join(below))? {
        let entry = entry?;
        let below = below.join(entry.file_name());
        // What a link points at is meant, not the link.
        let file = fs::metadata(entry.path())?;
        if file.is_dir() {
            copy(from, to, &below)?;
        } else if !is_transformers_weight(&below) {
            let link = || fs::hard_link(entry.path(), to.join(&below));
            if file.len() <= SMALL || link().is_err() {
                fs::copy(entry.path(), to.join(&below))?;
            }
        }
    }
    Ok(())
}

fn is_transformers_weight(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let weights = [".safetensors", ".safetensors.index.json", ".gguf", ".bin"];
    path.starts_with(Kind::Transformer.name()) && weights.iter().any(|it| name.ends_with(it))
}
