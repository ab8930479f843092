//! A step as a program against the network as layers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Distribution, Tensor};

use crate::config::TransformerConfig;
use crate::cpu::Operands;
use crate::device::{Precision, Target};
use crate::error::EngineError;
use crate::layers::testing::distance;
use crate::lora::Adapters;
use crate::model::Model;
use crate::part::Part;
use crate::source::ModelSource;
use crate::step::Program;
use crate::step::bank::Bank;
use crate::step::machine::{Host, Machine, Processor, Stepper, Traffic};
use crate::step::network::Arithmetic;
use crate::step::place::Matrix;
use crate::step::twin::emulator::Emulator;
use crate::transformer::{ReferenceTokens, Transformer};
use crate::variant::Reading;

/// The transformer of a model among the fixtures.
pub(crate) fn fixture(name: &str) -> Part<TransformerConfig> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let source = ModelSource::discover(&fixtures.join(name).join("model")).unwrap();
    Model::open(&source).unwrap().transformer
}

pub(crate) fn load(part: &Part<TransformerConfig>, target: &Target) -> Transformer {
    let adapters = Adapters::default();
    Transformer::load(part.config.clone(), &part.weights, &adapters, target).unwrap()
}

pub(crate) fn stepped(precision: Precision, host: Host) -> Target {
    Target::programs(Arc::new(host), precision)
}

/// The velocities of two steps of a small picture with two references, of a number of guidances.
pub(crate) fn velocities(
    transformer: &Transformer,
    config: &TransformerConfig,
    reading: Reading,
) -> Vec<Tensor<2>> {
    let device = Device::flex();
    device.seed(7);
    let normal = Distribution::Normal(0.0, 1.0);
    let random = |rows, columns| Tensor::<2>::random([rows, columns], normal, &device);
    let prompt = random(24, config.joint_attention_dim);
    let [output, first, second] = [12, 6, 4].map(|count| random(count, config.in_channels));
    let places = |count: u32, t: u32| (0..count).map(move |at| [t, at / 4, at % 4, 0]);
    let text = (0..24).map(|at| [0, 0, 0, at]);
    let of_references: Vec<_> = places(6, 10).chain(places(4, 20)).collect();
    let mut all: Vec<_> = text.chain(places(12, 0)).collect();
    if reading == Reading::EveryStep {
        all.extend(&of_references);
    }
    let references = ReferenceTokens {
        tokens: vec![first, second],
        places: of_references,
    };
    let conditionings = [1.0, 3.5].map(|guidance| {
        transformer
            .condition(prompt.clone(), &all, guidance)
            .unwrap()
    });
    let references = transformer
        .read(&references, reading, &conditionings[0], 12)
        .unwrap();
    let steps = [(980.0, 0), (412.5, 0), (412.5, 1)];
    steps
        .map(|(time, which)| {
            transformer
                .predict(output.clone(), &references, time, &conditionings[which])
                .unwrap()
        })
        .into()
}

/// The largest relative distance of any velocity from that of the layers in f32.
pub(crate) fn farthest(name: &str, precision: Precision, host: Host, reading: Reading) -> f32 {
    let part = fixture(name);
    let layered = load(&part, &Target::processor(Operands::F32));
    let stepped = load(&part, &stepped(precision, host));
    let expected = velocities(&layered, &part.config, reading);
    let found = velocities(&stepped, &part.config, reading);
    let distances = found.into_iter().zip(expected).map(|(a, b)| distance(a, b));
    distances.fold(0.0, f32::max)
}

/// What e4m3's three bits of mantissa do to a number is 2.6 % of it, root mean square; to a sum of products of two
/// such numbers 3.7 %. A token goes through six such products in these networks, of which each adds to a residual.
const FP8: f32 = 0.1;

#[test]
fn a_program_computes_what_the_layers_do() {
    for name in ["klein", "dev"] {
        for reading in [Reading::EveryStep, Reading::Once] {
            for (precision, most) in [
                (Precision::F32, 1e-5),
                (Precision::Bf16, 1.5e-2),
                (Precision::Fp8, FP8),
            ] {
                let found = farthest(name, precision, Host::new(Box::new(Processor)), reading);
                println!("{name}, {reading:?}, {precision}: {found:e}");
                assert!(found < most, "{name}, {reading:?}, {precision}: {found:e}");
            }
        }
    }
}

/// A card that is as full as it can be: what a network computes in cannot grow.
#[derive(Debug, Default)]
struct Full {
    /// How many programs have run.
    runs: Arc<AtomicUsize>,
    /// Which of them finds that another process has taken the card's memory.
    robbed: Option<usize>,
}

#[derive(Debug)]
struct FullMachine {
    twin: Box<dyn Machine>,
    bytes: usize,
    runs: Arc<AtomicUsize>,
    robbed: Option<usize>,
}

fn full(bytes: usize) -> EngineError {
    EngineError::DeviceMemory {
        what: "what the network computes in",
        needed: bytes as u64,
        free: 0,
    }
}

impl Stepper for Full {
    fn arithmetic(&self, precision: Precision) -> Arithmetic {
        Processor.arithmetic(precision)
    }

    fn free(&self) -> Option<u64> {
        None
    }

    fn machine(&self, bank: &Bank, bytes: usize) -> Result<Box<dyn Machine>, EngineError> {
        let twin = Processor.machine(bank, bytes)?;
        Ok(Box::new(FullMachine {
            twin,
            bytes,
            runs: Arc::clone(&self.runs),
            robbed: self.robbed,
        }))
    }
}

impl Machine for FullMachine {
    fn reserve(&mut self, bytes: usize) -> Result<(), EngineError> {
        if bytes <= self.bytes {
            return Ok(());
        }
        Err(full(bytes))
    }

    fn write(&mut self, program: &Program, to: &Matrix, values: &[f32]) -> Result<(), EngineError> {
        self.reserve(program.bytes)?;
        self.twin.write(program, to, values)
    }

    fn run(&mut self, program: &Program) -> Result<(), EngineError> {
        if self.robbed == Some(self.runs.fetch_add(1, Ordering::Relaxed)) {
            return Err(full(program.bytes));
        }
        self.twin.run(program)
    }

    fn epoch(&self) -> u64 {
        self.twin.epoch()
    }

    fn read(&mut self, from: &Matrix) -> Result<Vec<f32>, EngineError> {
        self.twin.read(from)
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        self.twin.finish()
    }

    fn traffic(&self) -> Option<Traffic> {
        None
    }

    fn weights(&self) -> u64 {
        self.twin.weights()
    }
}

#[test]
fn what_is_kept_of_references_stays_where_nothing_can_grow() {
    let host = Host::new(Box::new(Full::default()));
    let found = farthest("klein", Precision::F32, host, Reading::Once);
    assert!(found < 1e-5, "{found:e}");
}

/// The network leaves in the middle of each step in turn, and comes back without what it kept.
#[test]
fn references_are_read_again_where_what_was_kept_of_them_has_left() {
    for robbed in 1..=3 {
        let full = Full {
            robbed: Some(robbed),
            ..Full::default()
        };
        let runs = Arc::clone(&full.runs);
        let found = farthest(
            "klein",
            Precision::F32,
            Host::new(Box::new(full)),
            Reading::Once,
        );
        assert!(found < 1e-5, "{robbed}: {found:e}");
        // A pass of the references and three steps; the step that failed, and a second pass.
        assert_eq!(runs.load(Ordering::Relaxed), 6, "{robbed}");
    }
}

/// The kernels themselves: names, grids, arguments, indices and arithmetic. In 8-bit floats some numbers fall to the
/// other side of a rounding, an eighth of them away.
#[test]
fn the_kernels_compute_what_their_twins_do() {
    for (name, reading, precision, most) in [
        ("klein", Reading::EveryStep, Precision::F32, 1e-5),
        ("klein", Reading::Once, Precision::Bf16, 4e-3),
        ("dev", Reading::EveryStep, Precision::Fp8, 2e-2),
        ("klein", Reading::Once, Precision::Fp8, 2e-2),
    ] {
        let part = fixture(name);
        let of = |stepper: Box<dyn Stepper>| {
            let transformer = load(&part, &stepped(precision, Host::new(stepper)));
            velocities(&transformer, &part.config, reading)
        };
        let pairs = of(Box::new(Emulator))
            .into_iter()
            .zip(of(Box::new(Processor)));
        let found = pairs.map(|(a, b)| distance(a, b)).fold(0.0, f32::max);
        println!("{name}, {reading:?}, {precision}: {found:e}");
        assert!(found < most, "{name}, {reading:?}, {precision}: {found:e}");
    }
}
