//! GGUF files for tests, true ones and lying ones.

/// The parts of a file that is yet to be written.
#[derive(Clone)]
pub(super) struct Gguf {
    pub(super) magic: [u8; 4],
    pub(super) version: u32,
    /// What the file says, where that is not the truth.
    pub(super) tensor_count: Option<u64>,
    pub(super) pair_count: Option<u64>,
    /// Key, type, and the bytes of the value.
    pub(super) pairs: Vec<(String, u32, Vec<u8>)>,
    pub(super) tensors: Vec<Tensor>,
    pub(super) data: Vec<u8>,
}

#[derive(Clone)]
pub(super) struct Tensor {
    pub(super) name: Vec<u8>,
    /// As in the file: innermost first.
    pub(super) sides: Vec<u64>,
    pub(super) kind: u32,
    pub(super) offset: u64,
}

impl Gguf {
    /// A file of two tensors, 2 × 3 of F32 and 1 × 32 of Q8_0, at the offsets 0 and 32.
    pub(super) fn sound() -> Self {
        let tensor = |name: &str, sides: &[u64], kind, offset| Tensor {
            name: name.into(),
            sides: sides.to_vec(),
            kind,
            offset,
        };
        let text = [&4_u64.to_le_bytes()[..], b"flux"].concat();
        Self {
            magic: *b"GGUF",
            version: 3,
            tensor_count: None,
            pair_count: None,
            pairs: vec![("general.architecture".into(), 8, text)],
            tensors: vec![tensor("a", &[3, 2], 0, 0), tensor("b", &[32, 1], 8, 32)],
            data: vec![0; 32 + 34],
        }
    }

    pub(super) fn pair(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        self.pairs.push((key.into(), kind, value.to_vec()));
        self
    }

    /// With the tensor "b" changed.
    pub(super) fn changed(mut self, change: impl FnOnce(&mut Tensor)) -> Self {
        change(&mut self.tensors[1]);
        self
    }

    pub(super) fn header(&self) -> Vec<u8> {
        let string = |text: &[u8]| [&(text.len() as u64).to_le_bytes()[..], text].concat();
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        let tensors = self.tensor_count.unwrap_or(self.tensors.len() as u64);
        bytes.extend(tensors.to_le_bytes());
        let pairs = self.pair_count.unwrap_or(self.pairs.len() as u64);
        bytes.extend(pairs.to_le_bytes());
        for (key, kind, value) in &self.pairs {
            bytes.extend(string(key.as_bytes()));
            bytes.extend(kind.to_le_bytes());
            bytes.extend(value);
        }
        for tensor in &self.tensors {
            bytes.extend(string(&tensor.name));
            bytes.extend(u32::try_from(tensor.sides.len()).unwrap().to_le_bytes());
            for side in &tensor.sides {
                bytes.extend(side.to_le_bytes());
            }
            bytes.extend(tensor.kind.to_le_bytes());
            bytes.extend(tensor.offset.to_le_bytes());
        }
        bytes
    }

    pub(super) fn bytes(&self, alignment: usize) -> Vec<u8> {
        let mut bytes = self.header();
        bytes.resize(bytes.len().next_multiple_of(alignment), 0);
        bytes.extend(&self.data);
        bytes
    }
}
