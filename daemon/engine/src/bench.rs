//! How fast a device is at what FLUX.2 does, without a model.
//!
//! What a network takes depends on its sizes, not on its weights. So a published size with random weights says
//! how fast the real model would be here, before it is downloaded, and on machines that never hold one. Timed are
//! the engine's own entry points, each as a picture calls it: encoding a prompt of 512 tokens, one denoising step,
//! decoding a latent.
//!
//! A machine that is busy or throttled slows everything, so in each precision a plain product of matrices is
//! timed in the same run ([`product`](Product)), and every part's rate is said as a share of that product's.
//! Arithmetic is counted as [`Work`] counts it.
//!
//! Nothing here may be timed that the engine does not do for a picture, and no number is made up: what cannot be
//! known on a device is left out.

mod clock;
mod device;
mod kernels;
mod product;
mod report;
#[cfg(test)]
mod tests;

use crate::cuda::{Meter, Watch};
use crate::device::{DeviceChoice, OpenOptions, Precision};
pub use crate::drawn::Part;
use crate::drawn::{self, Drawn};
use crate::error::EngineError;
use crate::host::give_back;
use crate::plan::RenderShape;
use crate::published::Size;
use crate::request::Request;
pub use crate::step::compare::Comparison;
use crate::trial;
use crate::work::Work;
pub use kernels::compare_kernels;
pub use product::processor_rate;
pub use report::{Device, Product, Report, Timing};

/// The most runs of a part.
const MAX_RUNS: u32 = 1000;
/// The most references, as of a picture.
const MAX_REFERENCES: u32 = 10;

/// What is to be timed, where and in what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The networks' sizes.
    pub size: Size,
    /// The device that computes.
    pub device: DeviceChoice,
    /// Each part is timed in each of them, as a pipeline is that was opened in it: the autoencoder computes in f32
    /// in all on the processor, and elsewhere in f32 or bf16. `auto` is f32 on the processor and bf16 elsewhere.
    pub precisions: Vec<Precision>,
    /// Width of the picture in pixels, as of a [`Request`].
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// References, of the picture's size, that each step reads; at most 10.
    pub references: u32,
    /// How often each part is run, 1 to 1000, after a run that is not counted.
    pub runs: u32,
    /// What is timed.
    pub parts: Vec<Part>,
    /// As [`OpenOptions::vram`].
    pub vram: Option<u64>,
}

impl Default for Plan {
    /// All parts of klein 4B, five times, for a picture of 1024×1024 without references.
    fn default() -> Self {
        Self {
            size: Size::KLEIN_4B,
            device: DeviceChoice::Auto,
            precisions: vec![Precision::Auto],
            width: 1024,
            height: 1024,
            references: 0,
            runs: 5,
            parts: Part::ALL.to_vec(),
            vram: None,
        }
    }
}

impl Plan {
    /// Checks all that the device need not be known for.
    fn check(&self) -> Result<(), EngineError> {
        let picture = Request {
            width: self.width,
            height: self.height,
            ..Request::default()
        };
        picture.check()?;
        let within = |field, number, least, most| {
            let problem = || format!("{number} is not between {least} and {most}");
            match (least..=most).contains(&number) {
                true => Ok(()),
                false => Err(EngineError::request(field, problem())),
            }
        };
        within("references", self.references, 0, MAX_REFERENCES)?;
        within("runs", self.runs, 1, MAX_RUNS)
    }

    /// The device by its name, and each precision once, by its name.
    fn settled(&self) -> (DeviceChoice, Vec<Precision>) {
        let device = trial::settle(self.device).device;
        let mut precisions = Vec::new();
        for &precision in &self.precisions {
            let named = match (precision, device) {
                (Precision::Auto, DeviceChoice::Cpu) => Precision::F32,
                (Precision::Auto, _) => Precision::Bf16,
                (named, _) => named,
            };
            if !precisions.contains(&named) {
                precisions.push(named);
            }
        }
        (device, precisions)
    }

    fn options(&self, device: DeviceChoice, precision: Precision) -> OpenOptions {
        OpenOptions {
            device,
            precision,
            memory: None,
            vram: self.vram,
        }
    }

    fn shape(&self) -> RenderShape {
        RenderShape {
            width: self.width,
            height: self.height,
            references: vec![(self.width, self.height); self.references as usize],
            ..RenderShape::default()
        }
    }
}

/// Times what is planned; `say` hears, in words, what is done next.
///
/// # Errors
/// `request-invalid` for a number out of range, `device-unavailable` and `precision-unavailable` before anything
/// is timed; `memory-insufficient` or `device-memory` where there is no room, `compute-failed` if the device
/// failed.
pub fn run(plan: &Plan, say: &mut dyn FnMut(&str)) -> Result<Report, EngineError> {
    plan.check()?;
    let (choice, precisions) = plan.settled();
    let (device, meter) = device::find(choice);
    for &precision in &precisions {
        // What would be refused in the end is refused before half an hour of the others.
        plan.options(choice, precision).resolve()?;
    }
    let shape = plan.shape();
    let work = Work::of(&drawn::networks(&plan.size)?, &shape);
    let tokens = shape.tokens();
    let mut products = Vec::new();
    for &precision in &precisions {
        say(&format!("{precision}: a plain product of matrices"));
        let target = plan.options(choice, precision).resolve()?;
        products.push(product::measure(
            &target,
            precision,
            tokens,
            plan.size.hidden(),
        )?);
    }
    let mut results = Vec::new();
    for part in Part::ALL {
        if !plan.parts.contains(&part) {
            continue;
        }
        say(&format!("{}: drawing weights", part.name()));
        let drawn = Drawn::of(&plan.size, part)?;
        for (&precision, product) in precisions.iter().zip(&products) {
            let options = plan.options(choice, precision);
            let measured = measure(plan, &drawn, &options, meter.as_ref(), &mut |words| {
                say(&format!("{}, {precision}: {words}", part.name()));
            })?;
            let flop = match part {
                Part::Text => work.text,
                Part::Step => work.step,
                Part::Vae => work.decode,
            };
            results.push(Timing::new(part, precision, measured, flop, product));
        }
    }
    Ok(Report {
        bench: report::FORM,
        version: env!("CARGO_PKG_VERSION"),
        device,
        size: plan.size.name,
        width: plan.width,
        height: plan.height,
        references: plan.references,
        tokens,
        products,
        results,
    })
}

/// What was measured of a part.
struct Measured {
    times: clock::Times,
    /// Bytes of the card's memory at most.
    peak: Option<u64>,
    /// What the network takes on a device that runs programs.
    held: Option<crate::step::Held>,
}

fn measure(
    plan: &Plan,
    drawn: &Drawn,
    options: &OpenOptions,
    meter: Option<&Meter>,
    say: &mut dyn FnMut(&str),
) -> Result<Measured, EngineError> {
    let watch = meter.map(Meter::watch);
    let target = options.resolve()?;
    say("a run that is not counted");
    let mut once = drawn.load(&plan.shape(), &target)?;
    let mut act = || once().map(drop);
    act()?;
    // All that is ever allocated has been; and samples would take time from what is timed.
    let peak = watch.and_then(Watch::most);
    let times = clock::time(plan.runs, say, &mut act)?;
    let held = target.host.as_ref().and_then(|host| host.held());
    drop(once);
    give_back();
    Ok(Measured { times, peak, held })
}
