//! Compares the engine with reference renderings, tensor by tensor.
//!
//! ```text
//! cargo run --release -p atelier-flux --example parity -- MODEL CASES
//! ```
//!
//! MODEL is a pipeline folder. CASES holds a folder per case with `request.json`, `expected.png`,
//! the references it names and, optionally, `tensors.safetensors`. For each case it prints the PSNR
//! of the picture in dB and the relative L2 distance of each tensor, and it fails if a picture is
//! below 55 dB, a tensor further off than 1e-3, or an id another one.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use atelier_flux::{Observer, OpenOptions, Pipeline, Progress, Request, TensorData};
use image::RgbImage;
use serde::Deserialize;
use serde_json::Value;

const LEAST_PSNR: f64 = 55.0;
const MOST_DISTANCE: f64 = 1e-3;

/// What of `request.json` is asked of the engine.
#[derive(Deserialize)]
struct Asked {
    prompt: String,
    width: u32,
    height: u32,
    steps: u32,
    guidance: f32,
    seed: u64,
    references: Vec<String>,
}

type Tensors = BTreeMap<String, Vec<f64>>;

/// Keeps the tensors of a rendering.
#[derive(Default)]
struct Recorder(Tensors);

impl Observer for Recorder {
    fn progress(&mut self, _: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn tensor(&mut self, name: &str, _: &[usize], data: TensorData<'_>) {
        let values = match data {
            TensorData::F32(values) => values.iter().copied().map(f64::from).collect(),
            TensorData::I64(values) => values.iter().map(|&id| id as f64).collect(),
        };
        self.0.insert(name.to_owned(), values);
    }

    fn wants_tensors(&self) -> bool {
        true
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(model), Some(cases)) = (arguments.next(), arguments.next()) else {
        return Err("usage: parity MODEL CASES".into());
    };
    let pipeline = Pipeline::open(model.as_ref(), &OpenOptions::default())?;
    let mut folders = fs::read_dir(cases)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    folders.sort();
    let mut equal = true;
    for folder in folders {
        equal &= compare(&pipeline, &folder)?;
    }
    Ok(if equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Renders a case and prints how far it is from what is expected; false if too far.
fn compare(pipeline: &Pipeline, folder: &Path) -> Result<bool, Box<dyn Error>> {
    let open = |name: &str| Ok::<_, image::ImageError>(image::open(folder.join(name))?.into_rgb8());
    let asked: Asked = serde_json::from_slice(&fs::read(folder.join("request.json"))?)?;
    let request = Request {
        prompt: asked.prompt,
        width: asked.width,
        height: asked.height,
        steps: asked.steps,
        guidance: asked.guidance,
        seed: asked.seed,
        references: asked
            .references
            .iter()
            .map(|name| open(name))
            .collect::<Result<_, _>>()?,
        ..Request::default()
    };
    let mut recorder = Recorder::default();
    let picture = pipeline.render(&request, &mut recorder)?;
    let psnr = psnr(&picture, &open("expected.png")?);
    let mut equal = psnr >= LEAST_PSNR;
    println!(
        "{:28} {psnr:8.2} dB",
        folder.file_name().unwrap_or_default().to_string_lossy()
    );
    let tensors = folder.join("tensors.safetensors");
    for (name, expected) in if tensors.exists() {
        read(&tensors)?
    } else {
        Tensors::new()
    } {
        let found = recorder
            .0
            .get(&name)
            .ok_or_else(|| format!("{name} is not reported"))?;
        let distance = distance(found, &expected);
        let ids = name == "input_ids" || name == "attention_mask";
        equal &= if ids {
            distance == 0.0
        } else {
            distance <= MOST_DISTANCE
        };
        println!("    {name:24} {distance:8.1e}");
    }
    Ok(equal)
}

/// Peak signal-to-noise ratio in dB; infinite for equal pictures, NaN for those of unequal sizes.
fn psnr(found: &RgbImage, expected: &RgbImage) -> f64 {
    if found.dimensions() != expected.dimensions() {
        return f64::NAN;
    }
    let squares = found
        .iter()
        .zip(expected.iter())
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    10.0 * (255.0_f64.powi(2) * expected.len() as f64 / squares.sum::<f64>()).log10()
}

/// |found − expected| / |expected| in L2; infinite where the lengths differ.
fn distance(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / norm(&mut expected.iter().copied())
}

/// The f32 and i64 tensors of a safetensors file.
fn read(path: &Path) -> Result<Tensors, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let damaged = || format!("{} is damaged", path.display());
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
    let (header, data) = rest
        .split_at_checked(u64::from_le_bytes(*length).try_into()?)
        .ok_or_else(damaged)?;
    let header: BTreeMap<String, Value> = serde_json::from_slice(header)?;
    let mut tensors = Tensors::new();
    for (name, entry) in header
        .into_iter()
        .filter(|(name, _)| name != "__metadata__")
    {
        let (start, end) = <(usize, usize)>::deserialize(&entry["data_offsets"])?;
        let bytes = data.get(start..end).ok_or_else(damaged)?;
        let values = match entry["dtype"].as_str() {
            Some("F32") => bytes
                .as_chunks()
                .0
                .iter()
                .map(|&v| f32::from_le_bytes(v).into())
                .collect(),
            Some("I64") => bytes
                .as_chunks()
                .0
                .iter()
                .map(|&v| i64::from_le_bytes(v) as f64)
                .collect(),
            _ => return Err(format!("{name} is neither f32 nor i64").into()),
        };
        tensors.insert(name, values);
    }
    Ok(tensors)
}
