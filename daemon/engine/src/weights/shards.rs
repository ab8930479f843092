//! Which files hold a part's weights.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::WeightsError;

/// The files of a part, and with an index the file of each tensor.
pub(super) struct Shards {
    /// In the order of their names.
    pub(super) files: Vec<PathBuf>,
    /// Tensor name to number in `files`; `None` if one file holds all.
    pub(super) assignment: Option<HashMap<String, usize>>,
}

/// `stem.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Finds the files: the index wins over a single file, for it is written last.
pub(super) fn find(folder: &Path, stem: &str) -> Result<Shards, WeightsError> {
    let index = folder.join(format!("{stem}.safetensors.index.json"));
    if index.is_file() {
        return read_index(folder, &index);
    }
    let single = folder.join(format!("{stem}.safetensors"));
    if single.is_file() {
        return Ok(Shards {
            files: vec![single],
            assignment: None,
        });
    }
    Err(WeightsError::Missing {
        folder: folder.to_owned(),
        stem: stem.to_owned(),
    })
}

fn read_index(folder: &Path, path: &Path) -> Result<Shards, WeightsError> {
    let malformed = |problem: String| WeightsError::IndexMalformed {
        path: path.to_owned(),
        problem,
    };
    let text = fs::read(path).map_err(|source| WeightsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let index: Index =
        serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;

    let mut numbers: BTreeMap<&str, usize> = index
        .weight_map
        .values()
        .map(|shard| (shard.as_str(), 0))
        .collect();
    let mut files = Vec::with_capacity(numbers.len());
    for (number, (shard, slot)) in numbers.iter_mut().enumerate() {
        if !is_plain_name(shard) {
            return Err(malformed(format!(
                "{shard:?} is not the name of a file beside it"
            )));
        }
        let file = folder.join(shard);
        if !file.is_file() {
            return Err(WeightsError::ShardMissing {
                index: path.to_owned(),
                shard: (*shard).to_owned(),
            });
        }
        *slot = number;
        files.push(file);
    }
    let assignment = index
        .weight_map
        .iter()
        .map(|(tensor, shard)| (tensor.clone(), numbers[shard.as_str()]))
        .collect();
    Ok(Shards {
        files,
        assignment: Some(assignment),
    })
}

/// Whether a shard's name stays in the folder: an index is as little trusted as a header.
fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(_)), None)
    )
}
