//! Times the stages of a picture, and says how near each comes to what the machine can do.
//!
//! ```text
//! cargo run --release -p atelier-flux --example bench -- MODEL [--width 512] [--height 512]
//!     [--steps 4] [--references 0] [--runs 3] [--precision f32] [--memory MIB] [--lora FILE]
//!     [--out PICTURE.png]
//! ```
//!
//! MODEL is whatever `atelier` takes for a path. After a picture that is not counted it makes RUNS
//! pictures, each with a prompt and references of its own, so that no encoding is at hand. Before each
//! it measures the rate of a plain matrix product (the `gemm` crate's, through burn, f32, all threads):
//! a busy or throttled machine slows both, so their ratio says more than seconds do. Printed are
//! medians: a table on stderr, one JSON document on stdout. Anonymous memory is sampled every few
//! milliseconds while a stage runs, and shown beside what the plan says. `--memory` is the limit that
//! the settings' `memory` gives. With `--runs 0` the first picture counts, where one takes minutes.
//! `--out` keeps the last picture, to compare it with another run's.

mod memory;
mod report;
mod stages;

use std::error::Error;
use std::path::PathBuf;

use atelier_flux::{Lora, OpenOptions, Pipeline, Precision, RenderShape, Request};
use image::RgbImage;

use memory::Sampler;
use report::Report;
use stages::{STAGES, Stopwatch};

struct Asked {
    model: String,
    width: u32,
    height: u32,
    steps: u32,
    references: u32,
    runs: u32,
    precision: Precision,
    /// Bytes.
    memory: Option<u64>,
    loras: Vec<Lora>,
    out: Option<PathBuf>,
}

const USAGE: &str = "usage: bench MODEL [--width W] [--height H] [--steps N] [--references N] \
                     [--runs N] [--precision f32|bf16] [--memory MIB] [--lora FILE]… \
                     [--out PICTURE.png]";

fn main() -> Result<(), Box<dyn Error>> {
    let asked = parse(std::env::args().skip(1))?;
    let options = OpenOptions {
        precision: asked.precision,
        memory: asked.memory,
        ..OpenOptions::default()
    };
    let pipeline = Pipeline::open(asked.model.as_ref(), &options)?;
    let shape = RenderShape {
        width: asked.width,
        height: asked.height,
        references: vec![(asked.width, asked.height); asked.references as usize],
        adapted: !asked.loras.is_empty(),
        ..RenderShape::default()
    };
    let sampler = Sampler::start(STAGES.len());
    let mut rates = Vec::new();
    let mut seconds = vec![Vec::new(); STAGES.len()];
    for run in 0..=asked.runs {
        let rate = atelier_flux::bench::processor_rate();
        let mut watch = Stopwatch::new(&sampler);
        let picture = pipeline.render(&request(&asked, run), &mut watch)?;
        // The first is for caches, clocks and pages to settle, unless there is no other.
        if run > 0 || asked.runs == 0 {
            rates.push(rate);
            for (all, of_run) in seconds.iter_mut().zip(watch.finish()) {
                all.extend(of_run);
            }
        }
        if let Some(out) = asked.out.as_ref().filter(|_| run == asked.runs) {
            picture.save(out)?;
        }
    }
    let report = Report {
        info: pipeline.info(),
        shape: &shape,
        precision: asked.precision,
        steps: asked.steps,
        work: pipeline.work(&shape),
        plan: pipeline.memory_plan(&shape, asked.steps),
        rate: median(&mut rates).unwrap_or(f64::NAN),
        seconds: seconds.iter_mut().map(|all| median(all)).collect(),
        peaks: sampler.peaks(),
    };
    eprint!("{}", report.table());
    println!("{}", report.json());
    Ok(())
}

/// A picture unlike those of other runs in all that is encoded.
fn request(asked: &Asked, run: u32) -> Request {
    let reference = |number: u32| {
        RgbImage::from_fn(asked.width, asked.height, |x, y| {
            let shade = |n: u32| (n % 256) as u8;
            image::Rgb([shade(x + number), shade(y + run), shade(x ^ y)])
        })
    };
    Request {
        prompt: format!("a red fox reading a newspaper in the rain, number {run}"),
        width: asked.width,
        height: asked.height,
        steps: asked.steps,
        seed: 1,
        loras: asked.loras.clone(),
        references: (0..asked.references).map(reference).collect(),
        ..Request::default()
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Asked, Box<dyn Error>> {
    let mut asked = Asked {
        model: arguments.next().ok_or(USAGE)?,
        width: 512,
        height: 512,
        steps: 4,
        references: 0,
        runs: 3,
        precision: Precision::F32,
        memory: None,
        loras: Vec::new(),
        out: None,
    };
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        let number = || value.parse::<u32>();
        match option.as_str() {
            "--width" => asked.width = number()?,
            "--height" => asked.height = number()?,
            "--steps" => asked.steps = number()?,
            "--references" => asked.references = number()?,
            "--runs" => asked.runs = number()?,
            "--precision" => asked.precision = value.parse()?,
            "--memory" => asked.memory = Some(u64::from(number()?) << 20),
            "--lora" => asked.loras.push(Lora {
                path: value.into(),
                scale: 1.0,
            }),
            "--out" => asked.out = Some(value.into()),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(asked)
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count.is_multiple_of(2) => Some(f64::midpoint(values[middle - 1], values[middle])),
        _ => Some(values[middle]),
    }
}
