//! `Flux2Transformer2DModel`.

use super::tensor::{Tensor, matrix, vector};
use super::{HEAD_WIDTH, LATENT_CHANNELS, Size};
use crate::family::Family;

/// Width of the sinusoid that encodes time and guidance.
const WAVE: usize = 256;
/// How much a product grows what it gets.
const GAIN: f64 = 1.2;

impl Size {
    /// The transformer's tensors, as diffusers names them.
    #[must_use]
    pub fn transformer(&self) -> Vec<Tensor> {
        let d = self.hidden();
        let mut tensors = self.outside_blocks();
        for block in 0..self.double {
            let at = |leaf: &str| format!("transformer_blocks.{block}.{leaf}.weight");
            for leaf in [
                "to_q",
                "to_k",
                "to_v",
                "to_out.0",
                "add_q_proj",
                "add_k_proj",
                "add_v_proj",
                "to_add_out",
            ] {
                tensors.push(linear(at(&format!("attn.{leaf}")), d, d));
            }
            for leaf in ["norm_q", "norm_k", "norm_added_q", "norm_added_k"] {
                tensors.push(norm(at(&format!("attn.{leaf}"))));
            }
            for leaf in ["ff", "ff_context"] {
                tensors.push(linear(at(&format!("{leaf}.linear_in")), 6 * d, d));
                tensors.push(linear(at(&format!("{leaf}.linear_out")), d, 3 * d));
            }
        }
        for block in 0..self.single {
            let at = |leaf: &str| format!("single_transformer_blocks.{block}.attn.{leaf}.weight");
            tensors.push(linear(at("to_qkv_mlp_proj"), 9 * d, d));
            tensors.push(linear(at("to_out"), d, 4 * d));
            tensors.push(norm(at("norm_q")));
            tensors.push(norm(at("norm_k")));
        }
        tensors
    }

    fn outside_blocks(&self) -> Vec<Tensor> {
        let d = self.hidden();
        let embedders: &[&str] = match self.family {
            Family::Klein => &["timestep_embedder"],
            Family::Dev => &["timestep_embedder", "guidance_embedder"],
        };
        let mut tensors = Vec::new();
        for embedder in embedders {
            let at = |leaf: &str| format!("time_guidance_embed.{embedder}.{leaf}.weight");
            tensors.push(linear(at("linear_1"), d, WAVE));
            tensors.push(linear(at("linear_2"), d, d));
        }
        let others = [
            ("x_embedder", d, 4 * LATENT_CHANNELS),
            ("context_embedder", d, self.context()),
            ("double_stream_modulation_img.linear", 6 * d, d),
            ("double_stream_modulation_txt.linear", 6 * d, d),
            ("single_stream_modulation.linear", 3 * d, d),
            ("norm_out.linear", 2 * d, d),
            ("proj_out", 4 * LATENT_CHANNELS, d),
        ];
        let others =
            others.map(|(name, rows, columns)| linear(format!("{name}.weight"), rows, columns));
        tensors.extend(others);
        tensors
    }
}

fn linear(name: String, rows: usize, columns: usize) -> Tensor {
    matrix(name, rows, columns, GAIN)
}

fn norm(name: String) -> Tensor {
    vector(name, HEAD_WIDTH, 1.6, 0.2)
}
