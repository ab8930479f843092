//! Safetensors files for tests.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The tensors of a file that is yet to be written.
#[derive(Clone, Default)]
pub(super) struct Safetensors {
    pub(super) tensors: BTreeMap<String, (&'static str, Vec<usize>, Vec<u8>)>,
    pub(super) metadata: Map<String, Value>,
}

impl Safetensors {
    pub(super) fn with(
        mut self,
        name: &str,
        dtype: &'static str,
        shape: &[usize],
        data: &[u8],
    ) -> Self {
        self.tensors
            .insert(name.to_owned(), (dtype, shape.to_vec(), data.to_vec()));
        self
    }

    /// A matrix of two rows, of which every element is this byte.
    pub(super) fn fp8(self, name: &str, byte: u8) -> Self {
        self.with(name, "F8_E4M3", &[2, 4], &[byte; 8])
    }

    pub(super) fn f32(self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        let data: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.with(name, "F32", shape, &data)
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.with(name, "U8", &[text.len()], text.as_bytes())
    }

    pub(super) fn note(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.tensors.remove(name).unwrap();
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut header = Map::new();
        let mut data = Vec::new();
        for (name, (dtype, shape, bytes)) in &self.tensors {
            let offsets = [data.len(), data.len() + bytes.len()];
            data.extend(bytes);
            let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
            header.insert(name.clone(), entry);
        }
        header.insert("__metadata__".into(), Value::Object(self.metadata.clone()));
        let header = serde_json::to_vec(&header).unwrap();
        [&header.len().to_le_bytes()[..], &header, &data].concat()
    }
}
