//! `atelier generate`: one picture without a daemon, through the same stages, signed like any
//! other.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use atelier_manifest::{Job, Request};
use clap::Args;

use super::progress::Bar;
use super::references::References;
use super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::studio::{Signed, Studio, Surroundings, seeds, sha256_hex};

/// What to make.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// A model's name, a diffusers pipeline folder, or a transformer's file [default: the config's]
    #[arg(long, value_name = "M")]
    model: Option<String>,
    /// What the picture shows
    #[arg(long)]
    prompt: String,
    #[command(flatten)]
    references: References,
    /// A LoRA file, and how strongly it acts [scale: -10 to 10, default 1]; may be given several times
    #[arg(long, value_name = "FILE[:scale]")]
    lora: Vec<String>,
    /// What it shall not show (models with true guidance)
    #[arg(long)]
    negative: Option<String>,
    /// Pixels, a multiple of 16
    #[arg(long, allow_negative_numbers = true)]
    width: Option<i64>,
    /// Pixels, a multiple of 16
    #[arg(long, allow_negative_numbers = true)]
    height: Option<i64>,
    /// Denoising steps [default: the model's]
    #[arg(long, allow_negative_numbers = true)]
    steps: Option<i64>,
    /// Guidance [default: the model's]
    #[arg(long, allow_negative_numbers = true)]
    guidance: Option<f64>,
    /// PyTorch's CPU seed, 0 to 2^63-1 [default: drawn and printed]
    #[arg(long, allow_negative_numbers = true)]
    seed: Option<i64>,
    /// A picture to begin from; transparent parts are painted anew
    #[arg(long, value_name = "FILE")]
    init: Option<PathBuf>,
    /// Where to paint the picture anew: a black and white one of its size
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    /// How much of the picture may change, up to 1 [default: 1 where a part is painted anew, else 0.6]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    strength: Option<f64>,
    /// How far the picture grows on each side, in pixels
    #[arg(long, value_name = "left=N,right=N,top=N,bottom=N")]
    extend: Option<String>,
    /// auto, cpu, cuda or cuda:N [default: the config's]
    #[arg(long)]
    device: Option<String>,
    /// auto, f32, bf16 or fp8 [default: the config's]
    #[arg(long)]
    precision: Option<String>,
    /// JPEG quality, 1 to 100
    #[arg(long, allow_negative_numbers = true)]
    quality: Option<i64>,
    /// Title to sign into the picture
    #[arg(long)]
    title: Option<String>,
    /// Sign the prompt into the picture, for everyone to read
    #[arg(long)]
    include_prompt: bool,
    /// Where to put the picture; its ending names the format: png, jpg, webp, tiff
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(place: &Place, args: GenerateArgs) -> Result<(), Fault> {
    let (home, config) = place.open()?;
    let mut studio = Studio::new(&home, &config)?;
    studio.compute_on(args.device.as_deref(), args.precision.as_deref())?;
    let output = args.output.clone();
    refuse_unwritable(&output)?;
    let world = Surroundings::for_command(&studio, home.templates());
    let job = request(args).check(&world).map_err(|problems| {
        let mut fault = Fault::from_problems(&problems);
        if fault.code == "file-missing" {
            fault.hint = Some("paths are relative to the current folder".to_owned());
        }
        fault
    })?;
    let mut bar = Bar::new();
    bar.stop_on_interrupt();
    let prepared = studio.prepare(&job, &job.inputs(), &mut bar)?;
    let seed = seeds(&job)?[0];
    let signed = studio.make(&job, &prepared, seed, &mut bar)?;
    bar.finish();
    write(&output, &signed.bytes)?;
    report(place, &job, &output, &signed, prepared.seconds);
    Ok(())
}

/// The flags in the form that the manifest's own checks take.
fn request(args: GenerateArgs) -> Request {
    Request {
        prompt: Some(args.prompt),
        negative: args.negative,
        model: args.model,
        width: args.width,
        height: args.height,
        steps: args.steps,
        guidance: args.guidance,
        seed: args.seed,
        references: args.references.0,
        init: args.init,
        mask: args.mask,
        strength: args.strength,
        extend: args.extend,
        loras: args.lora,
        output: args.output,
        quality: args.quality,
        include_prompt: args.include_prompt,
        title: args.title,
        ..Request::default()
    }
}

/// A picture takes minutes; that it cannot be written is worth knowing before.
fn refuse_unwritable(path: &Path) -> Result<(), Fault> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match fs::metadata(folder) {
        Ok(facts) if facts.is_dir() && !path.is_dir() => Ok(()),
        Ok(_) => Err(Fault::rejected(
            Stage::Check,
            "output-unwritable",
            format!("--output {}: a picture cannot be put there", path.display()),
        )),
        Err(cause) => {
            let mut fault = Fault::io(Stage::Check, "output-unwritable", folder, &cause);
            fault.class = crate::fault::Class::Rejected;
            Err(fault)
        }
    }
}

/// Writes beside the target and renames, so that no half picture is ever seen under its name.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let failed = |cause| Fault::io(Stage::Deliver, "output-unwritable", path, &cause);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(failed)
}

fn report(place: &Place, job: &Job, path: &Path, signed: &Signed, prepare: f64) {
    if !place.json {
        tracing::info!(
            seed = signed.seed,
            width = job.width,
            height = job.height,
            "signed"
        );
        output::line(path.display().to_string());
        return;
    }
    let mut timings = signed.timings;
    timings.prepare = prepare;
    output::json(&serde_json::json!({
        "output": path,
        "sha256": sha256_hex(&signed.bytes),
        "seed": signed.seed,
        "width": job.width,
        "height": job.height,
        "steps": job.steps,
        "guidance": job.guidance,
        "model": job.model.name,
        "lora": signed.loras,
        "warnings": signed.warnings,
        "timings": timings,
    }));
}
