//! One part's files: shards of bounded size and their index.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use atelier_flux::published::{Table, Tensor};
use atelier_flux::{Dtype, SafetensorsWriter, TensorSpec};
use serde_json::{Map, json};

/// Bytes after which another shard begins, about what published models have.
const SHARD: u64 = 5_000_000_000;
/// Values that are drawn and written at once; a multiple of four.
const AT_ONCE: u64 = 4 << 20;

pub(crate) struct Part {
    pub(crate) folder: PathBuf,
    /// What the library that reads it calls its files.
    pub(crate) stem: &'static str,
    pub(crate) dtype: Dtype,
    pub(crate) tensors: Vec<Tensor>,
}

impl Part {
    /// Writes the part, replacing what is there; gives the bytes of its weights.
    pub(crate) fn write(&self, seed: u64) -> Result<u64, Box<dyn Error>> {
        let shards = self.shards();
        let count = shards.len();
        let mut map = Map::new();
        for (number, tensors) in shards.iter().enumerate() {
            let name = if count == 1 {
                format!("{}.safetensors", self.stem)
            } else {
                format!("{}-{:05}-of-{count:05}.safetensors", self.stem, number + 1)
            };
            self.write_shard(seed, &name, tensors)?;
            for tensor in tensors {
                map.insert(tensor.name.clone(), name.as_str().into());
            }
        }
        let bytes = self.tensors.iter().map(|tensor| self.bytes(tensor)).sum();
        if count > 1 {
            let index = json!({ "metadata": { "total_size": bytes }, "weight_map": map });
            let path = format!("{}.safetensors.index.json", self.stem);
            fs::write(self.folder.join(path), serde_json::to_vec_pretty(&index)?)?;
        }
        Ok(bytes)
    }

    fn width(&self) -> u64 {
        if self.dtype == Dtype::F32 { 4 } else { 2 }
    }

    fn bytes(&self, tensor: &Tensor) -> u64 {
        tensor.shape.iter().product::<usize>() as u64 * self.width()
    }

    fn shards(&self) -> Vec<Vec<&Tensor>> {
        let mut shards = vec![Vec::new()];
        let mut bytes = 0;
        for tensor in &self.tensors {
            if bytes > SHARD {
                shards.push(Vec::new());
                bytes = 0;
            }
            bytes += self.bytes(tensor);
            if let Some(shard) = shards.last_mut() {
                shard.push(tensor);
            }
        }
        shards
    }

    fn write_shard(
        &self,
        seed: u64,
        name: &str,
        tensors: &[&Tensor],
    ) -> Result<(), Box<dyn Error>> {
        let specs: Vec<_> = tensors
            .iter()
            .map(|tensor| TensorSpec {
                name: tensor.name.clone(),
                dtype: self.dtype,
                shape: tensor.shape.clone(),
            })
            .collect();
        let metadata = [("format".to_owned(), "pt".to_owned())].into();
        let path = self.folder.join(name);
        let mut writer = SafetensorsWriter::create(&path, &specs, &metadata, true)?;
        let mut scratch = Vec::new();
        for tensor in tensors {
            let is_f32 = self.dtype == Dtype::F32;
            let table = Table::new(seed, &tensor.name, tensor.like, is_f32);
            let values = self.bytes(tensor) / self.width();
            for first in (0..values).step_by(AT_ONCE as usize) {
                let count = AT_ONCE.min(values - first);
                scratch.resize((count * self.width()) as usize, 0);
                table.fill(first, &mut scratch);
                writer.write(&tensor.name, &scratch)?;
            }
        }
        writer.finish()?;
        Ok(())
    }
}
