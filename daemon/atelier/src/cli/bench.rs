//! `atelier bench`: how fast this machine is at FLUX.2, without a model.

use atelier_flux::bench::{self, Comparison, Part, Plan, Report, Timing};
use atelier_flux::cuda::caches;
use clap::Args;
use serde::Serialize;

use super::{Place, output};
use crate::config::ByteSize;
use crate::fault::{Fault, Stage};

/// What is timed, where and in what.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Sizes of the networks, whose weights are random: klein-4b, klein-9b, dev, or tiny
    #[arg(long, value_name = "NAME", default_value = "klein-4b")]
    size: String,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    device: String,
    /// auto, f32, bf16 or fp8; several with commas between them [default: bf16, on the processor f32]
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "auto",
        hide_default_value = true
    )]
    precision: Vec<String>,
    /// Pixels, a multiple of 16
    #[arg(long, default_value_t = 1024)]
    width: u32,
    /// Pixels, a multiple of 16
    #[arg(long, default_value_t = 1024)]
    height: u32,
    /// How many references each step reads, of the picture's size
    #[arg(long, value_name = "N", default_value_t = 0)]
    references: u32,
    /// How often each part is timed
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: u32,
    /// text, step or vae; several with commas between them [default: all]
    #[arg(long, value_delimiter = ',')]
    part: Vec<String>,
    /// The most of a card's memory that networks may take, as 8GiB [default: what is free]
    #[arg(long, value_name = "SIZE")]
    vram: Option<String>,
    /// Time nothing: compare each kernel of a card with plain arithmetic, on random numbers
    #[arg(long)]
    kernels: bool,
}

/// Each kernel beside its twin.
#[derive(Debug, Serialize)]
struct Kernels {
    kernels: Vec<Comparison>,
}

pub(super) fn run(place: &Place, args: &BenchArgs) -> Result<(), Fault> {
    let (home, config) = place.open()?;
    // Else each start would compile for its first run what the daemon has compiled before.
    caches::keep_in(config.device.kernels(&home));
    if args.kernels {
        return compare(place, &args.device);
    }
    let report = bench::run(&args.plan()?, &mut |words| tracing::info!("{words}"));
    let report = report.map_err(|error| Fault::engine(Stage::Infer, &error))?;
    if place.json {
        output::json(&report);
    } else {
        print(&report);
    }
    Ok(())
}

fn compare(place: &Place, device: &str) -> Result<(), Fault> {
    let refused = |error| Fault::engine(Stage::Infer, &error);
    let device = device.parse().map_err(refused)?;
    let kernels = bench::compare_kernels(device).map_err(refused)?;
    let wrong = kernels.iter().filter(|one| !one.holds()).count();
    let of = kernels.len();
    if place.json {
        output::json(&Kernels { kernels });
    } else {
        let heading = ["kernel", "case", "distance", "most"].map(str::to_owned);
        let rows = kernels.iter().map(|one| {
            let number = |x: f32| format!("{x:.1e}");
            vec![
                one.kernel.to_owned(),
                one.case.clone(),
                number(one.distance),
                number(one.most),
            ]
        });
        output::table(
            &std::iter::once(heading.to_vec())
                .chain(rows)
                .collect::<Vec<_>>(),
        );
    }
    if wrong == 0 {
        return Ok(());
    }
    let message = format!(
        "{wrong} of {of} comparisons are further from plain arithmetic than rounding explains"
    );
    Err(Fault::fatal(Stage::Infer, "kernels-wrong", message))
}

impl BenchArgs {
    fn plan(&self) -> Result<Plan, Fault> {
        let refused = |error| Fault::engine(Stage::Check, &error);
        let parts = self.part.iter().map(|name| name.parse::<Part>());
        let parts = parts.collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let precisions = self.precision.iter().map(|name| name.parse());
        Ok(Plan {
            size: self.size.parse().map_err(refused)?,
            device: self.device.parse().map_err(refused)?,
            precisions: precisions.collect::<Result<_, _>>().map_err(refused)?,
            width: self.width,
            height: self.height,
            references: self.references,
            runs: self.runs,
            parts: if parts.is_empty() {
                Part::ALL.to_vec()
            } else {
                parts
            },
            vram: self.vram.as_deref().map(bytes).transpose()?,
        })
    }
}

fn bytes(text: &str) -> Result<u64, Fault> {
    let size: Result<ByteSize, String> = text.parse();
    size.map(|size| size.0).map_err(|problem| {
        let message = format!("--vram: {problem}");
        Fault::rejected(Stage::Check, "request-invalid", message)
    })
}

fn print(report: &Report) {
    output::line(format!(
        "{}, {}×{}, {} references, {} tokens, on {} ({})",
        report.size,
        report.width,
        report.height,
        report.references,
        report.tokens,
        report.device.kind,
        report.device.name
    ));
    for product in &report.products {
        output::line(format!(
            "{}: a plain product of {}×{}×{} takes {:.3} ms, {:.2} TFLOP/s",
            product.precision,
            product.rows,
            product.outputs,
            product.inputs,
            product.ms,
            product.tflops
        ));
    }
    let heading = [
        "part",
        "in",
        "ms",
        "min",
        "max",
        "TFLOP",
        "TFLOP/s",
        "share",
        "peak MiB",
        "weights MiB",
        "streamed",
        "of link",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(report.results.iter().map(row));
    output::table(&rows);
}

fn row(timing: &Timing) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let percent = |share: f64| format!("{:.0}%", 100.0 * share);
    vec![
        timing.part.name().to_owned(),
        timing.precision.to_string(),
        format!("{:.2}", timing.ms),
        format!("{:.2}", timing.ms_min),
        format!("{:.2}", timing.ms_max),
        format!("{:.3}", timing.tflop),
        format!("{:.3}", timing.tflops),
        percent(timing.share_of_product),
        or_dash(timing.peak_mib.map(|mib| mib.to_string())),
        or_dash(timing.weights_mib.map(|mib| mib.to_string())),
        or_dash(timing.streamed_gb.map(|size| format!("{size:.2} GB"))),
        or_dash(timing.share_of_link.map(percent)),
    ]
}
