//! The halves as programs against the stages on the processor.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use burn::tensor::{Device, Tensor};

use super::build::{BAND, Laid};
use super::network::{Network, Side};
use crate::config::{self, VaeConfig};
use crate::device::Precision;
use crate::error::EngineError;
use crate::host::{download, upload};
use crate::model::Model;
use crate::published::Size;
use crate::seed;
use crate::source::ModelSource;
use crate::step::bank::Bank;
use crate::step::machine::{Host, Machine, Processor, Stepper};
use crate::step::network::Arithmetic;
use crate::step::op::Op;
use crate::step::op::picture::Window;
use crate::step::place::Kind;
use crate::step::twin::emulator::Emulator;
use crate::step::twin::tests::stepped;
use crate::vae::Vae;
use crate::vae::tests::picture;
use crate::weights::Weights;

/// An autoencoder to be compared.
struct Sample {
    name: &'static str,
    config: VaeConfig,
    weights: Weights,
}

impl Sample {
    /// Of a model among the fixtures.
    fn fixture(name: &'static str) -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        let source = ModelSource::discover(&fixtures.join(name).join("model")).unwrap();
        let part = Model::open(&source).unwrap().vae;
        Self {
            name,
            config: part.config,
            weights: part.weights,
        }
    }

    /// A decoder of other widths than its encoder, with random weights.
    fn small_decoder() -> Self {
        let name = "small decoder";
        let (encoder, decoder) = (Size::TINY, [96, 64, 32, 96]);
        let channels = decoder;
        let mut tensors = encoder.vae();
        tensors.retain(|tensor| !tensor.name.starts_with("decoder."));
        let mut file = encoder.vae_config();
        let narrow = Size {
            channels,
            ..encoder
        }
        .vae()
        .into_iter();
        tensors.extend(narrow.filter(|tensor| tensor.name.starts_with("decoder.")));
        file["decoder_block_out_channels"] = decoder.to_vec().into();
        Self {
            name,
            config: config::parse(Path::new(name), file).unwrap(),
            weights: Weights::random(&tensors, 5).unwrap(),
        }
    }

    fn layered(&self) -> Vae {
        Vae::layered(&self.config, &self.weights).unwrap()
    }

    fn stepped(&self, precision: Precision, stepper: Box<dyn Stepper>) -> Vae {
        let target = stepped(precision, Host::new(stepper));
        Vae::load(&self.config, &self.weights, &target).unwrap()
    }

    fn network(&self, side: Side, numbers: Kind) -> Network {
        Network::load(side, &self.config, &self.weights, numbers).unwrap()
    }
}

/// Normal patches, `[1, 128, height / 16, width / 16]`.
fn patches(config: &VaeConfig, [height, width]: [usize; 2]) -> Tensor<4> {
    let shape = [1, config.token_channels(), height / 16, width / 16];
    let values = seed::randn(3, shape.iter().product());
    upload(values, shape, &Device::flex())
}

/// What a decoder makes of a latent, as a picture is clamped.
fn decoded(vae: &Vae, config: &VaeConfig, size: [usize; 2]) -> Vec<f32> {
    let latent = vae.restore(patches(config, size));
    let values = download(vae.decode(latent, None).unwrap()).unwrap();
    assert_eq!(values.len(), 3 * size[0] * size[1]);
    values.into_iter().map(|x| x.clamp(-1.0, 1.0)).collect()
}

fn encoded(vae: &Vae, size: [usize; 2]) -> Vec<f32> {
    download(vae.encode(picture(size), None).unwrap()).unwrap()
}

/// In dB, of values of this range.
fn psnr(found: &[f32], expected: &[f32], range: f32) -> f64 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    let squares: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let mean = squares / found.len() as f64;
    10.0 * (f64::from(range).powi(2) / mean.max(f64::MIN_POSITIVE)).log10()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, x| most.max(x.abs()))
}

const LEAST: [(Precision, f64); 3] = [
    (Precision::F32, 60.0),
    (Precision::Bf16, 40.0),
    (Precision::Fp8, 40.0),
];

#[test]
fn programs_make_the_pictures_and_latents_that_the_stages_do() {
    // Twenty pixels of a latent, and 35: not all of them fill what kernels have at once.
    let sizes = [[64, 80], [80, 112]];
    let samples = [
        Sample::fixture("klein"),
        Sample::fixture("dev"),
        Sample::small_decoder(),
    ];
    for (sample, size) in samples.iter().zip([sizes[0], sizes[1], sizes[1]]) {
        let layered = sample.layered();
        let picture = decoded(&layered, &sample.config, size);
        let latent = encoded(&layered, size);
        for (precision, least) in LEAST {
            let stepped = sample.stepped(precision, Box::new(Processor));
            let found = decoded(&stepped, &sample.config, size);
            let decoding = psnr(&found, &picture, 2.0);
            let found = encoded(&stepped, size);
            let encoding = psnr(&found, &latent, 2.0 * largest(&latent));
            let name = sample.name;
            println!("{name} in {precision}: decoded {decoding:.2} dB, encoded {encoding:.2} dB");
            assert!(
                decoding >= least,
                "{name} in {precision}: decoded {decoding:.2} dB"
            );
            assert!(
                encoding >= least,
                "{name} in {precision}: encoded {encoding:.2} dB"
            );
        }
    }
}

/// The kernels themselves, on a latent whose pixels fill no multiple of eight.
#[test]
fn the_kernels_make_the_pictures_that_their_twins_do() {
    let sample = Sample::fixture("klein");
    let size = [48, 16];
    for (precision, least) in [(Precision::F32, 90.0), (Precision::Bf16, 50.0)] {
        let of = |stepper: Box<dyn Stepper>| {
            let vae = sample.stepped(precision, stepper);
            [decoded(&vae, &sample.config, size), encoded(&vae, size)]
        };
        let [kernels, twins] = [of(Box::new(Emulator)), of(Box::new(Processor))];
        for (kernels, twins) in kernels.iter().zip(&twins) {
            let found = psnr(kernels, twins, 2.0 * largest(twins));
            println!("{precision}: {found:.2} dB");
            assert!(found >= least, "{precision}: {found:.2} dB");
        }
    }
}

/// A card that takes no network, for this reason.
#[derive(Debug)]
struct Refuses(fn(u64) -> EngineError);

impl Stepper for Refuses {
    fn arithmetic(&self, precision: Precision) -> Arithmetic {
        Arithmetic::native(precision)
    }

    fn free(&self) -> Option<u64> {
        Some(0)
    }

    fn machine(&self, _: &Bank, bytes: usize) -> Result<Box<dyn Machine>, EngineError> {
        Err(self.0(bytes as u64))
    }
}

#[test]
fn what_a_card_has_no_room_for_the_processor_makes() {
    let size = [80, 112];
    for sample in [Sample::fixture("klein"), Sample::small_decoder()] {
        let full = Refuses(|needed| EngineError::DeviceMemory {
            what: "what a program computes in",
            needed,
            free: 0,
        });
        let (found, expected) = (
            sample.stepped(Precision::Bf16, Box::new(full)),
            sample.layered(),
        );
        let pictures = [&found, &expected].map(|vae| decoded(vae, &sample.config, size));
        assert!(pictures[0] == pictures[1], "{}: decoded", sample.name);
        let latents = [&found, &expected].map(|vae| encoded(vae, size));
        assert!(latents[0] == latents[1], "{}: encoded", sample.name);

        let alone = found.without_spare();
        let error = alone.encode(picture(size), None).unwrap_err();
        assert_eq!(error.code(), "device-memory");
    }
}

#[test]
fn a_card_that_fails_is_no_card_without_room() {
    let sample = Sample::fixture("klein");
    let broken = Refuses(|_| EngineError::Compute {
        reason: "the card has gone".into(),
    });
    let vae = sample.stepped(Precision::F32, Box::new(broken));
    let latent = vae.restore(patches(&sample.config, [64, 64]));
    let errors = [
        vae.decode(latent, None).unwrap_err(),
        vae.encode(picture([64, 64]), None).unwrap_err(),
    ];
    assert_eq!(errors.map(|error| error.code()), ["compute-failed"; 2]);
}

/// Whether a picture is made at once or a few rows at a time.
#[test]
fn bands_change_nothing() {
    let sample = Sample::small_decoder();
    for (side, size) in [(Side::Encoder, [96, 80]), (Side::Decoder, [12, 10])] {
        let target = stepped(Precision::F32, Host::new(Box::new(Processor)));
        let host = target.host.unwrap();
        let runner = |band| {
            let precision = target.precision;
            let (config, weights) = (&sample.config, &sample.weights);
            let mut runner = super::PictureRunner::load(side, config, weights, &host, precision);
            runner.as_mut().unwrap().band = band;
            runner.unwrap()
        };
        let channels = match side {
            Side::Encoder => 3,
            Side::Decoder => sample.config.latent_channels,
        };
        let given = seed::randn(4, channels * size[0] * size[1]);
        let whole = runner(BAND).run(&given, size).unwrap();
        // A row of pixels at the large end takes a third of it.
        let parts = runner(100 << 10).run(&given, size).unwrap();
        let apart = psnr(&parts, &whole, 2.0 * largest(&whole));
        assert!(apart > 110.0, "{side:?}: {apart} dB");

        let network = sample.network(side, Kind::F32);
        let count = |band| {
            let ops = Laid::new(&network, size, band).program.ops;
            let patches = ops.iter().filter(|op| matches!(op, Op::Patches(_)));
            let scores = ops.iter().filter(|op| matches!(op, Op::Softmax(_)));
            (patches.count(), scores.count())
        };
        let (few, many) = (count(BAND), count(100 << 10));
        assert!(
            few.0 < many.0 && few.1 < many.1,
            "{side:?}: {few:?} {many:?}"
        );
    }
}

/// What one half of the published autoencoder takes, MiB.
struct Computed {
    weights: usize,
    arena: usize,
    /// The most that is laid out at a time, and what comes of it.
    band: usize,
}

fn computed(side: Side, numbers: Kind, pixels: usize) -> Computed {
    const MIB: usize = 1 << 20;
    let config = config::parse(Path::new("published"), Size::KLEIN_4B.vae_config()).unwrap();
    let weights = Weights::random(&Size::KLEIN_4B.vae(), 0).unwrap();
    let network = Network::load(side, &config, &weights, numbers).unwrap();
    let size = match side {
        Side::Encoder => [pixels; 2],
        Side::Decoder => [pixels / 8; 2],
    };
    let laid = Laid::new(&network, size, BAND);
    let band = laid.program.ops.iter().map(|op| match op {
        // The normalised pixels of the attention are held as a whole.
        Op::Patches(patches) if patches.window != Window::Point => patches.out.bytes(),
        Op::Softmax(softmax) => softmax.scores.bytes() + softmax.out.bytes(),
        Op::Settle(settle) => settle.y.bytes(),
        _ => 0,
    });
    Computed {
        weights: network.bank.total() / MIB,
        arena: laid.program.bytes / MIB,
        band: band.max().unwrap_or(0).div_ceil(MIB),
    }
}

/// The numbers that `docs/memory.md` calls computed.
#[test]
fn the_arena_is_little_more_than_the_pictures_that_live_at_once() {
    for (side, numbers, pixels, arena) in [
        (Side::Decoder, Kind::Bf16, 1024, 1110),
        (Side::Decoder, Kind::Bf16, 2048, 4424),
        (Side::Decoder, Kind::F32, 1024, 2216),
        (Side::Encoder, Kind::Bf16, 1024, 579),
        (Side::Encoder, Kind::Bf16, 2048, 2113),
    ] {
        let found = computed(side, numbers, pixels);
        let words = format!("{side:?} in {numbers:?}, {pixels}");
        println!("{words}: {} MiB beside {}", found.arena, found.weights);
        assert_eq!(found.arena, arena, "{words}");
        assert!(found.band <= BAND >> 20, "{words}: {}", found.band);
        let weights = match (side, numbers) {
            (Side::Decoder, Kind::Bf16) => 94,
            (Side::Decoder, _) => 189,
            (Side::Encoder, _) => 65,
        };
        assert_eq!(found.weights, weights, "{words}");
    }
}
