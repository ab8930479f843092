//! What was found, in the form in which it is printed for programs.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use super::{Measured, Part};
use crate::device::Precision;

/// The number of the form below. Keys may be added to it; what is there keeps its name and meaning.
pub(super) const FORM: u32 = 1;

/// All that a benchmark found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// 1, the number of this form.
    pub bench: u32,
    /// The engine's version.
    pub version: &'static str,
    /// What computed.
    pub device: Device,
    /// The networks' size, by name.
    pub size: &'static str,
    /// The picture's width in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// References of its size.
    pub references: u32,
    /// Tokens in a step: the prompt's 512, the picture's and the references'.
    pub tokens: u64,
    /// A plain product of matrices, in each precision.
    pub products: Vec<Product>,
    /// Each part in each precision.
    pub results: Vec<Timing>,
}

/// What computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    /// As its maker calls it.
    pub name: String,
    /// As one asks for it: `cpu`, `cuda:NUMBER` or `twin`.
    pub kind: String,
    /// The card's driver, as `550.54.15`.
    pub driver: Option<String>,
    /// MiB of its memory; the processor's is the machine's.
    pub memory_mib: Option<u64>,
}

/// A plain product of matrices, `[rows, inputs]` times `[inputs, outputs]`, timed in the same run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Product {
    /// What is multiplied, as programs of this precision multiply it: bf16 where the device does not multiply
    /// fp8.
    #[serde(serialize_with = "as_text")]
    pub precision: Precision,
    /// Rows of the input.
    pub rows: usize,
    /// Rows of the weight.
    pub outputs: usize,
    /// Columns of both.
    pub inputs: usize,
    /// Milliseconds, the least of some runs.
    pub ms: f64,
    /// 10¹² operations in a second, a multiplication and an addition being two.
    pub tflops: f64,
}

/// A part in a precision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timing {
    /// What was asked for.
    #[serde(serialize_with = "as_text")]
    pub precision: Precision,
    /// What was timed.
    pub part: Part,
    /// How often.
    pub runs: u32,
    /// Milliseconds of a run, the median.
    pub ms: f64,
    /// The least.
    pub ms_min: f64,
    /// The most.
    pub ms_max: f64,
    /// 10¹² operations of a run, as [`Work`](crate::Work) counts them.
    pub tflop: f64,
    /// 10¹² operations in a second of the median run.
    pub tflops: f64,
    /// That as a part of the product's in this precision.
    pub share_of_product: f64,
    /// The most MiB of the card's memory that this process had while the part was loaded and run once, as NVIDIA's
    /// management library counts it: context, kernels and reserves included.
    pub peak_mib: Option<u64>,
    /// MiB of the device's memory that weights took, the places of those that come in each run included; of
    /// networks that run as programs.
    pub weights_mib: Option<u64>,
    /// 10⁹ bytes of weights that came to the device in each run, where not all stay there.
    pub streamed_gb: Option<f64>,
    /// 10⁹ bytes that the link carried in a second, measured with nothing beside it.
    pub link_gb_s: Option<f64>,
    /// What came in a second of the median run, as a part of that.
    pub share_of_link: Option<f64>,
}

impl Timing {
    pub(super) fn new(
        part: Part,
        precision: Precision,
        measured: Measured,
        flop: f64,
        product: &Product,
    ) -> Self {
        let Measured { times, peak, held } = measured;
        let tflop = flop / 1e12;
        let tflops = tflop / times.median;
        let traffic = held.and_then(|held| held.traffic);
        let streamed = traffic.map(|traffic| traffic.bytes as f64 / 1e9);
        let link = traffic.map(|traffic| traffic.rate / 1e9);
        let share = streamed.zip(link);
        Self {
            precision,
            part,
            runs: times.runs,
            ms: 1e3 * times.median,
            ms_min: 1e3 * times.least,
            ms_max: 1e3 * times.most,
            tflop,
            tflops,
            share_of_product: tflops / product.tflops,
            peak_mib: peak.map(|bytes| bytes >> 20),
            weights_mib: held.map(|held| held.weights >> 20),
            streamed_gb: streamed,
            link_gb_s: link,
            share_of_link: share.map(|(streamed, link)| streamed / times.median / link),
        }
    }
}

fn as_text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
