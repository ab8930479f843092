//! Taking models apart: what the tests of damaged models share.

use std::fs;
use std::path::Path;

use atelier_flux::{EngineError, OpenOptions, Pipeline};
use serde_json::{Map, Value, json};

use crate::fixture::copy_of_model;

pub(crate) const TRANSFORMER: &str = "transformer/diffusion_pytorch_model.safetensors";
pub(crate) const VAE: &str = "vae/diffusion_pytorch_model.safetensors";
pub(crate) const TEXT_ENCODER: &str = "text_encoder/model.safetensors";
/// The tensor that is damaged where any would do.
pub(crate) const TENSOR: &str = "x_embedder.weight";

pub(crate) fn open(model: &Path) -> Result<Pipeline, EngineError> {
    Pipeline::open(model, &OpenOptions::default())
}

/// Applies `damage` to a copy of the model and expects `code`, and a message with each of `words`.
pub(crate) fn refused(code: &str, words: &[&str], damage: impl FnOnce(&Path)) {
    let model = copy_of_model();
    damage(model.path());
    let error = open(model.path()).err().expect("the damage goes unnoticed");
    assert_eq!(error.code(), code, "{error}");
    for word in words {
        assert!(
            error.to_string().contains(word),
            "{error} does not name {word}"
        );
    }
}

/// A weight file taken apart.
pub(crate) struct Parts {
    pub(crate) header: Map<String, Value>,
    pub(crate) data: Vec<u8>,
}

impl Parts {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
        Self {
            header: serde_json::from_slice(header).unwrap(),
            data: data.to_vec(),
        }
    }

    pub(crate) fn write(&self, path: &Path) {
        write_raw(
            path,
            &serde_json::to_string(&self.header).unwrap(),
            &self.data,
        );
    }

    /// A tensor's bytes.
    pub(crate) fn bytes(&self, tensor: &str) -> &[u8] {
        let entry = &self.header[tensor];
        let [begin, end] = [0, 1].map(|i| entry["data_offsets"][i].as_u64().unwrap());
        &self.data[usize::try_from(begin).unwrap()..usize::try_from(end).unwrap()]
    }

    /// Puts a tensor behind all others, in the place of the one of its name if there is one.
    pub(crate) fn put(&mut self, tensor: &str, dtype: &str, shape: &Value, bytes: &[u8]) {
        if self.header.contains_key(tensor) {
            self.remove(tensor);
        }
        let offsets = [self.data.len(), self.data.len() + bytes.len()];
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        self.header.insert(tensor.to_owned(), entry);
        self.data.extend(bytes);
    }

    /// Leaves a tensor out, and its bytes too.
    pub(crate) fn remove(&mut self, tensor: &str) {
        let entry = self.header.remove(tensor).unwrap();
        let [begin, end] = [0, 1].map(|i| entry["data_offsets"][i].as_u64().unwrap());
        self.data
            .drain(usize::try_from(begin).unwrap()..usize::try_from(end).unwrap());
        for (name, entry) in &mut self.header {
            let offsets = if name == "__metadata__" {
                None
            } else {
                entry.get_mut("data_offsets")
            };
            for offset in offsets
                .into_iter()
                .flat_map(|offsets| offsets.as_array_mut().unwrap())
            {
                let old = offset.as_u64().unwrap();
                *offset = json!(if old >= end { old - (end - begin) } else { old });
            }
        }
    }
}

pub(crate) fn write_raw(path: &Path, header: &str, data: &[u8]) {
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    fs::write(path, [&length, header.as_bytes(), data].concat()).unwrap();
}

pub(crate) fn edit(model: &Path, file: &str, change: impl FnOnce(&mut Parts)) {
    let path = model.join(file);
    let mut parts = Parts::read(&path);
    change(&mut parts);
    parts.write(&path);
}

pub(crate) fn edit_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// Splits `diffusion_pytorch_model.safetensors` into `a.safetensors` and `b.safetensors`.
pub(crate) fn split_in_two(folder: &Path) {
    let single = folder.join("diffusion_pytorch_model.safetensors");
    let names: Vec<String> = Parts::read(&single).header.keys().cloned().collect();
    let mut weight_map = Map::new();
    let shard_of = |name: &str| {
        if name < "single" {
            "a.safetensors"
        } else {
            "b.safetensors"
        }
    };
    for shard in ["a.safetensors", "b.safetensors"] {
        let mut parts = Parts::read(&single);
        for name in names.iter().filter(|name| *name != "__metadata__") {
            if shard_of(name) == shard {
                weight_map.insert(name.clone(), json!(shard));
            } else {
                parts.remove(name);
            }
        }
        parts.write(&folder.join(shard));
    }
    fs::remove_file(single).unwrap();
    let index = json!({"metadata": {"total_size": 0}, "weight_map": weight_map});
    let path = folder.join("diffusion_pytorch_model.safetensors.index.json");
    fs::write(path, index.to_string()).unwrap();
}
