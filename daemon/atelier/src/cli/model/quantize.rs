//! `atelier model quantize`: half as large a file of a transformer.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use atelier_flux::{QuantizeOptions, Quantized, Recipe};
use clap::Args;

use crate::cli::progress::Bar;
use crate::cli::{Place, output};
use crate::fault::Fault;
use crate::studio::{Studio, Watch};

/// What to quantise, and into which file.
#[derive(Debug, Args)]
pub(in crate::cli) struct QuantizeArgs {
    /// A name from the settings, a diffusers pipeline folder, or a transformer's file
    #[arg(value_name = "IN")]
    input: String,
    /// The file to write, such as klein-4b-fp8.safetensors
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// What becomes fp8: blocks (all their matrices), mixed (those but for the double-stream blocks'
    /// attention), or auto (mixed for dev)
    #[arg(long, default_value_t)]
    recipe: Recipe,
    /// Replace OUT if it is there
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(place: &Place, studio: &Studio, args: &QuantizeArgs) -> Result<(), Fault> {
    let input = studio.models().transformer(&args.input)?;
    let options = QuantizeOptions {
        recipe: args.recipe,
        overwrite: args.overwrite,
    };
    let bar = Bar::new();
    bar.stop_on_interrupt();
    let result = atelier_flux::quantize(&input, &args.output, &options, &mut |at| {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a fraction of a bar needs no more digits"
        )]
        bar.show("quantising", at.done as f64 / at.total.max(1) as f64);
        if bar.cancelled().load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    bar.finish();
    let result = result.map_err(|error| Fault::quantize(&error))?;
    if place.json {
        output::json(&result);
    } else {
        print(&result);
    }
    Ok(())
}

fn print(result: &Quantized) {
    let (before, after) = (result.bytes_before, result.bytes_after);
    #[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
    let saving = 100.0 * (1.0 - after as f64 / before.max(1) as f64);
    output::line(format!(
        "{}: {}, was {}: {saving:.1} % smaller",
        result.path.display(),
        output::bytes(after),
        output::bytes(before),
    ));
    output::line(format!(
        "  {} matrices in fp8 with a scale each (recipe {}), {} tensors in bf16",
        result.quantized, result.recipe, result.kept
    ));
}
