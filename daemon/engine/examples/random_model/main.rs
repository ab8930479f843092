//! Writes a model of a published size with random weights: what loads, runs and takes memory like the
//! real one, for whoever has no real one.
//!
//! ```text
//! cargo run --release -p atelier-flux --example random_model -- klein-4b OUT TOKENIZER
//!     [--precision bf16|fp8] [--text-layers N] [--seed N]
//! ```
//!
//! OUT becomes a diffusers pipeline folder: sharded transformer and text encoder in bf16, VAE in f32,
//! configs, and a copy of the folder TOKENIZER, which holds a real Qwen3 tokenizer. With `fp8` the
//! transformer is a single file in ComfyUI's layout, `OUT/SIZE-fp8.safetensors`, in place of the
//! shards. Weights are drawn so that activations keep their scale through the layers. The same seed
//! gives the same bytes whatever the number of threads. It needs no more memory than a few tens of
//! MiB, and OUT's size on the disk (klein-4b: 16 GB; for fp8, 20 GB until it is done).

mod configs;
mod part;

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use atelier_flux::published::Size;
use atelier_flux::{Dtype, Family, QuantizeOptions, quantize};
use part::Part;

/// What is asked for.
struct Asked {
    size: Size,
    out: PathBuf,
    tokenizer: PathBuf,
    fp8: bool,
    seed: u64,
}

const USAGE: &str = "usage: random_model klein-4b|klein-9b|tiny OUT TOKENIZER \
                     [--precision bf16|fp8] [--text-layers N] [--seed N]";

fn main() -> Result<(), Box<dyn Error>> {
    let asked = parse(std::env::args().skip(1))?;
    let began = Instant::now();
    let size = &asked.size;
    fs::create_dir_all(&asked.out)?;
    configs::write(size, &asked.out)?;
    copy(&asked.tokenizer, &asked.out.join("tokenizer"))?;
    let parts = [
        (
            "transformer",
            "diffusion_pytorch_model",
            Dtype::Bf16,
            size.transformer(),
        ),
        ("text_encoder", "model", Dtype::Bf16, size.text_encoder()),
        ("vae", "diffusion_pytorch_model", Dtype::F32, size.vae()),
    ];
    for (folder, stem, dtype, tensors) in parts {
        let part = Part {
            folder: asked.out.join(folder),
            stem,
            dtype,
            tensors,
        };
        let bytes = part.write(asked.seed)?;
        eprintln!(
            "{:8.1} s  {folder}: {bytes} bytes",
            began.elapsed().as_secs_f64()
        );
    }
    if asked.fp8 {
        let file = asked
            .out
            .join(format!("{}-fp8.safetensors", asked.size.name));
        let options = QuantizeOptions {
            overwrite: true,
            ..QuantizeOptions::default()
        };
        let done = quantize(&asked.out, &file, &options, &mut |_| {
            ControlFlow::Continue(())
        })?;
        fs::remove_dir_all(asked.out.join("transformer"))?;
        eprintln!(
            "{:8.1} s  {}: {} bytes",
            began.elapsed().as_secs_f64(),
            file.display(),
            done.bytes_after
        );
    }
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Asked, Box<dyn Error>> {
    let mut next = || arguments.next().ok_or(USAGE);
    let mut asked = Asked {
        size: next()?.parse()?,
        out: next()?.into(),
        tokenizer: next()?.into(),
        fp8: false,
        seed: 0,
    };
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match (option.as_str(), value.as_str()) {
            ("--precision", "bf16") => asked.fp8 = false,
            ("--precision", "fp8") => asked.fp8 = true,
            ("--text-layers", layers) => asked.size.text.layers = layers.parse()?,
            ("--seed", seed) => asked.seed = seed.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    // The tokenizer that is copied is a Qwen3's, and the others' weights are more than a disk should hold for this.
    if asked.size.family != Family::Klein {
        return Err(USAGE.into());
    }
    Ok(asked)
}

fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
