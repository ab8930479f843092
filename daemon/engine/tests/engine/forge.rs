//! Forging files: the tiny model's tensors, renamed and encoded as other programs write them.
//!
//! The names are written out here as those programs have them, not taken from the engine, so that a
//! wrong row of the engine's tables cannot agree with itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::surgery::{Parts, write_raw};

/// A tensor as numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

pub(crate) type Tensors = BTreeMap<String, Tensor>;

/// All bf16 tensors of a file of the tiny model.
pub(crate) fn read(path: &Path) -> Tensors {
    let Parts { header, data } = Parts::read(path);
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let weights = header
        .into_iter()
        .filter(|(_, entry)| entry["dtype"] == "BF16");
    let tensors = weights.map(|(name, entry)| {
        let offsets = &entry["data_offsets"];
        let bytes = &data[number(&offsets[0])..number(&offsets[1])];
        let widen = |&pair: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(pair)) << 16);
        let values = bytes.as_chunks().0.iter().map(widen).collect();
        let shape = entry["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect();
        (name, Tensor { shape, values })
    });
    tensors.collect()
}

impl Tensor {
    fn rows(&self) -> usize {
        self.shape[0]
    }

    /// The rows of all tensors below one another.
    fn stack(tensors: &[&Self]) -> Self {
        let mut shape = tensors[0].shape.clone();
        shape[0] = tensors.iter().map(|tensor| tensor.rows()).sum();
        let values = tensors.iter().flat_map(|tensor| tensor.values.clone());
        Self {
            shape,
            values: values.collect(),
        }
    }

    fn halves_exchanged(&self) -> Self {
        let mut values = self.values.clone();
        let half = values.len() / 2;
        values.rotate_left(half);
        Self {
            shape: self.shape.clone(),
            values,
        }
    }
}

/// The tiny transformer under BFL's names.
pub(crate) fn transformer_to_bfl(tensors: &Tensors) -> Tensors {
    let mut out = Tensors::new();
    for (name, tensor) in tensors {
        let name = name.strip_suffix(".weight").unwrap();
        let (name, tensor) = match name {
            "x_embedder" => ("img_in.weight".to_owned(), tensor.clone()),
            "context_embedder" => ("txt_in.weight".to_owned(), tensor.clone()),
            "proj_out" => ("final_layer.linear.weight".to_owned(), tensor.clone()),
            "norm_out.linear" => (
                "final_layer.adaLN_modulation.1.weight".to_owned(),
                tensor.halves_exchanged(),
            ),
            _ => {
                let words: Vec<_> = name.split('.').collect();
                match *words.as_slice() {
                    ["time_guidance_embed", embedder, layer] => {
                        let embedder = match embedder {
                            "timestep_embedder" => "time_in",
                            "guidance_embedder" => "guidance_in",
                            other => panic!("{other}"),
                        };
                        let layer = layer.replace("linear_1", "in").replace("linear_2", "out");
                        (format!("{embedder}.{layer}_layer.weight"), tensor.clone())
                    }
                    [modulation, "linear"] => (format!("{modulation}.lin.weight"), tensor.clone()),
                    ["transformer_blocks", number, ref inner @ ..] => {
                        let block = format!("transformer_blocks.{number}");
                        let fused = |names: [&str; 3]| {
                            let parts =
                                names.map(|it| &tensors[&format!("{block}.attn.{it}.weight")]);
                            Tensor::stack(&parts)
                        };
                        let inner = inner.join(".");
                        let (leaf, tensor) = match inner.as_str() {
                            "attn.to_q" => ("img_attn.qkv.weight", fused(["to_q", "to_k", "to_v"])),
                            "attn.add_q_proj" => (
                                "txt_attn.qkv.weight",
                                fused(["add_q_proj", "add_k_proj", "add_v_proj"]),
                            ),
                            "attn.to_k" | "attn.to_v" | "attn.add_k_proj" | "attn.add_v_proj" => {
                                continue;
                            }
                            other => (double(other), tensor.clone()),
                        };
                        (format!("double_blocks.{number}.{leaf}"), tensor)
                    }
                    ["single_transformer_blocks", number, "attn", layer] => {
                        let leaf = match layer {
                            "to_qkv_mlp_proj" => "linear1.weight",
                            "to_out" => "linear2.weight",
                            "norm_q" => "norm.query_norm.scale",
                            "norm_k" => "norm.key_norm.scale",
                            other => panic!("{other}"),
                        };
                        (format!("single_blocks.{number}.{leaf}"), tensor.clone())
                    }
                    _ => panic!("{name}"),
                }
            }
        };
        out.insert(name, tensor);
    }
    out
}

fn double(inner: &str) -> &'static str {
    match inner {
        "attn.norm_q" => "img_attn.norm.query_norm.scale",
        "attn.norm_k" => "img_attn.norm.key_norm.scale",
        "attn.norm_added_q" => "txt_attn.norm.query_norm.scale",
        "attn.norm_added_k" => "txt_attn.norm.key_norm.scale",
        "attn.to_out.0" => "img_attn.proj.weight",
        "attn.to_add_out" => "txt_attn.proj.weight",
        "ff.linear_in" => "img_mlp.0.weight",
        "ff.linear_out" => "img_mlp.2.weight",
        "ff_context.linear_in" => "txt_mlp.0.weight",
        "ff_context.linear_out" => "txt_mlp.2.weight",
        other => panic!("{other}"),
    }
}

/// The tiny VAE under BFL's names, its attention as 1×1 convolutions.
pub(crate) fn vae_to_bfl(tensors: &Tensors) -> Tensors {
    let rename = |(name, tensor): (&String, &Tensor)| {
        let mut tensor = tensor.clone();
        let mut name = name.clone();
        for (theirs, bfl) in [
            ("post_quant_conv", "decoder.post_quant_conv"),
            ("conv_norm_out", "norm_out"),
            ("mid_block.resnets.0", "mid.block_1"),
            ("mid_block.resnets.1", "mid.block_2"),
            ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
            ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
            ("mid_block.attentions.0.to_", "mid.attn_1."),
            ("down_blocks", "down"),
            ("up_blocks.0", "up.3"),
            ("up_blocks.1", "up.2"),
            ("up_blocks.2", "up.1"),
            ("up_blocks.3", "up.0"),
            ("resnets", "block"),
            ("conv_shortcut", "nin_shortcut"),
            ("downsamplers.0", "downsample"),
            ("upsamplers.0", "upsample"),
        ] {
            name = name.replace(theirs, bfl);
        }
        if name.starts_with("quant_conv") {
            name = format!("encoder.{name}");
        }
        if name.contains("attn_1") && tensor.shape.len() == 2 {
            tensor.shape.extend([1, 1]);
        }
        (name, tensor)
    };
    tensors.iter().map(rename).collect()
}

/// A matrix of queries or keys with the rows of each head as llama.cpp orders them for Mistral: the first
/// of the first half, the first of the second, the second of the first.
pub(crate) fn rows_interleaved(tensor: &Tensor, heads: usize) -> Tensor {
    let [rows, columns] = tensor.shape[..] else {
        panic!("{:?}", tensor.shape)
    };
    let width = rows / heads;
    let row = |row: usize| &tensor.values[row * columns..(row + 1) * columns];
    let from = |row: usize| row / width * width + row % 2 * (width / 2) + row % width / 2;
    Tensor {
        shape: tensor.shape.clone(),
        values: (0..rows).flat_map(|it| row(from(it)).to_vec()).collect(),
    }
}

/// The tiny Qwen3 under llama.cpp's names.
pub(crate) fn text_encoder_to_llama_cpp(tensors: &Tensors) -> Tensors {
    let rename = |(name, tensor): (&String, &Tensor)| {
        let mut name = name.replace("model.", "").replace("layers.", "blk.");
        for (theirs, ours) in [
            ("embed_tokens", "token_embd"),
            ("input_layernorm", "attn_norm"),
            ("post_attention_layernorm", "ffn_norm"),
            ("self_attn.q_proj", "attn_q"),
            ("self_attn.k_proj", "attn_k"),
            ("self_attn.v_proj", "attn_v"),
            ("self_attn.o_proj", "attn_output"),
            ("self_attn.q_norm", "attn_q_norm"),
            ("self_attn.k_norm", "attn_k_norm"),
            ("mlp.gate_proj", "ffn_gate"),
            ("mlp.up_proj", "ffn_up"),
            ("mlp.down_proj", "ffn_down"),
        ] {
            name = name.replace(theirs, ours);
        }
        if name == "norm.weight" {
            name = "output_norm.weight".into();
        }
        (name, tensor.clone())
    };
    tensors.iter().map(rename).collect()
}

/// Puts a prefix before every name.
pub(crate) fn prefixed(prefix: &str, tensors: &Tensors) -> Tensors {
    let named = tensors
        .iter()
        .map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone()));
    named.collect()
}

/// What goes into a safetensors file.
#[derive(Default)]
pub(crate) struct Safetensors {
    header: Map<String, Value>,
    data: Vec<u8>,
}

impl Safetensors {
    pub(crate) fn add(&mut self, name: &str, dtype: &str, shape: &[usize], bytes: &[u8]) {
        let begin = self.data.len();
        self.data.extend_from_slice(bytes);
        let entry =
            json!({"dtype": dtype, "shape": shape, "data_offsets": [begin, self.data.len()]});
        self.header.insert(name.to_owned(), entry);
    }

    pub(crate) fn add_all(&mut self, dtype: &str, tensors: &Tensors) {
        for (name, tensor) in tensors {
            self.add(name, dtype, &tensor.shape, &encode(dtype, &tensor.values));
        }
    }

    pub(crate) fn metadata(&mut self, key: &str, value: &str) {
        self.header
            .insert("__metadata__".into(), json!({ key: value }));
    }

    pub(crate) fn write(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_raw(
            path,
            &serde_json::to_string(&self.header).unwrap(),
            &self.data,
        );
    }
}

/// A whole file of one element type.
pub(crate) fn write(path: &Path, dtype: &str, tensors: &Tensors) {
    let mut file = Safetensors::default();
    file.add_all(dtype, tensors);
    file.write(path);
}

/// Numbers as bytes; the tiny model's are bf16, so `F32` and `BF16` lose nothing.
pub(crate) fn encode(dtype: &str, values: &[f32]) -> Vec<u8> {
    match dtype {
        "F32" => values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        "BF16" => values
            .iter()
            .flat_map(|value| (value.to_bits() >> 16).to_le_bytes()[..2].to_vec())
            .collect(),
        "F8_E4M3" => values.iter().map(|&value| e4m3(value)).collect(),
        other => panic!("{other}"),
    }
}

/// The e4m3 number nearest to `value`.
fn e4m3(value: f32) -> u8 {
    let distance = |code: u8| (f64::from(from_e4m3(code)) - f64::from(value)).abs();
    let codes = (0..=0x7e).chain(0x80..=0xfe);
    codes
        .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
        .unwrap()
}

/// Four bits of exponent with the bias 7, three of mantissa.
pub(crate) fn from_e4m3(code: u8) -> f32 {
    let (exponent, mantissa) = (i32::from(code >> 3 & 15), f32::from(code & 7));
    let size = match exponent {
        0 => mantissa / 8.0 * 2.0_f32.powi(-6),
        _ => (1.0 + mantissa / 8.0) * 2.0_f32.powi(exponent - 7),
    };
    if code & 0x80 == 0 { size } else { -size }
}

/// What goes into a GGUF file.
#[derive(Default)]
pub(crate) struct Gguf {
    pairs: Vec<u8>,
    pair_count: u64,
    entries: Vec<u8>,
    entry_count: u64,
    data: Vec<u8>,
}

/// The format's numbers of element types.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GgufType {
    F32 = 0,
    Q8_0 = 8,
    Bf16 = 30,
}

const ALIGNMENT: usize = 32;

impl Gguf {
    fn key(&mut self, key: &str, kind: u32) {
        text(&mut self.pairs, key);
        self.pairs.extend(kind.to_le_bytes());
        self.pair_count += 1;
    }

    pub(crate) fn string(&mut self, key: &str, value: &str) {
        self.key(key, 8);
        text(&mut self.pairs, value);
    }

    pub(crate) fn integer(&mut self, key: &str, value: u32) {
        self.key(key, 4);
        self.pairs.extend(value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, key: &str, value: f32) {
        self.key(key, 6);
        self.pairs.extend(value.to_le_bytes());
    }

    /// Adds a tensor; one whose rows are no whole blocks is stored as F32, as writers do.
    pub(crate) fn add(&mut self, name: &str, kind: GgufType, tensor: &Tensor) {
        let is_small = tensor.shape.len() < 2 || !tensor.shape.last().unwrap().is_multiple_of(32);
        let kind = if is_small { GgufType::F32 } else { kind };
        text(&mut self.entries, name);
        self.entries
            .extend(u32::try_from(tensor.shape.len()).unwrap().to_le_bytes());
        for side in tensor.shape.iter().rev() {
            self.entries.extend((*side as u64).to_le_bytes());
        }
        self.entries.extend((kind as u32).to_le_bytes());
        self.entries.extend((self.data.len() as u64).to_le_bytes());
        self.entry_count += 1;
        self.data.extend(match kind {
            GgufType::F32 => encode("F32", &tensor.values),
            GgufType::Bf16 => encode("BF16", &tensor.values),
            GgufType::Q8_0 => tensor
                .values
                .chunks(32)
                .flat_map(|block| q8_0(block).0)
                .collect(),
        });
        self.data
            .resize(self.data.len().next_multiple_of(ALIGNMENT), 0);
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(self.entry_count.to_le_bytes());
        bytes.extend(self.pair_count.to_le_bytes());
        bytes.extend(&self.pairs);
        bytes.extend(&self.entries);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes.extend(&self.data);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// 32 numbers as whole steps of a scale, and what they stand for. The scale is a power of two, which
/// f16 holds exactly.
pub(crate) fn q8_0(block: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let largest = block
        .iter()
        .fold(1e-3_f32, |largest, value| largest.max(value.abs()));
    let exponent = (largest / 127.0).log2().ceil();
    let scale = exponent.exp2();
    // Normal numbers of f16: the exponent's bias is 15.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "-14 ..= 15"
    )]
    let half = ((exponent + 15.0) as u16) << 10;
    #[allow(clippy::cast_possible_truncation, reason = "-127 ..= 127")]
    let steps: Vec<i8> = block
        .iter()
        .map(|value| (value / scale).round() as i8)
        .collect();
    let bytes = half
        .to_le_bytes()
        .into_iter()
        .chain(steps.iter().map(|step| step.to_le_bytes()[0]));
    let values = steps.iter().map(|&step| f32::from(step) * scale);
    (bytes.collect(), values.collect())
}
