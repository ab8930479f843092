//! The rate of a plain product of matrices, which the parts' rates are measured by.

use std::time::Instant;

use burn::tensor::{Device, Tensor};

use super::report::Product;
use crate::cpu::Operands;
use crate::device::{Precision, Target};
use crate::drawn::SEED;
use crate::error::EngineError;
use crate::host::upload;
use crate::layers::Linear;
use crate::published::{Like, Tensor as Described};
use crate::seed;
use crate::step::Program;
use crate::step::bank::Bank;
use crate::step::machine::{Host, Machine, Owner};
use crate::step::op::Op;
use crate::step::place::{Arena, Kind};
use crate::weights::Weights;

/// Rows, outputs and inputs on the processor: a middle-sized layer, large enough to reach the full rate.
const ON_PROCESSOR: [usize; 3] = [1536, 3072, 1024];
/// How often a product is timed; the least counts, for only what disturbs it makes it slower.
const RUNS: usize = 5;
/// What one measurement of a device that runs programs should take, so that starting it is no part of it.
const SECONDS: f64 = 0.02;
/// The most products in one program.
const MOST: usize = 64;

/// Times a product: on the processor of a fixed size, elsewhere that of all tokens with a layer three times as
/// wide as the network.
pub(super) fn measure(
    target: &Target,
    precision: Precision,
    tokens: u64,
    hidden: usize,
) -> Result<Product, EngineError> {
    let (size, seconds) = match &target.host {
        None => (ON_PROCESSOR, on_processor(target.operands)?),
        Some(host) => {
            let rows = usize::try_from(tokens).unwrap_or(usize::MAX);
            let size = [rows, 3 * hidden, hidden];
            (size, on_host(host, precision, size)?)
        }
    };
    let [rows, outputs, inputs] = size;
    Ok(Product {
        precision,
        rows,
        outputs,
        inputs,
        ms: 1e3 * seconds,
        tflops: operations(size) / seconds / 1e12,
    })
}

/// Operations of f32 in a second of a plain product on the processor, all threads: the `gemm` crate's, through
/// burn.
#[must_use]
pub fn processor_rate() -> f64 {
    operations(ON_PROCESSOR) / in_f32()
}

/// A multiplication and an addition are two.
fn operations(size: [usize; 3]) -> f64 {
    2.0 * size.map(|side| side as f64).iter().product::<f64>()
}

/// f32 by the crate that burn multiplies with. That has no bf16, nor has any other: those by our own kernels.
fn on_processor(operands: Operands) -> Result<f64, EngineError> {
    match operands {
        Operands::F32 => Ok(in_f32()),
        Operands::Bf16 => in_bf16(),
    }
}

fn in_f32() -> f64 {
    let [_, outputs, inputs] = ON_PROCESSOR;
    let (x, weight) = (tokens(), draw(1, outputs, inputs));
    least(|| {
        let product = x.clone().matmul(weight.clone().transpose());
        std::hint::black_box(product.dims());
    })
}

fn in_bf16() -> Result<f64, EngineError> {
    let [_, outputs, inputs] = ON_PROCESSOR;
    let name = "product.weight";
    let described = Described {
        name: name.into(),
        shape: vec![outputs, inputs],
        like: Like::Normal(0.0, 1.0),
    };
    let weights = Weights::random(&[described], SEED)?;
    let weight = weights.get(name)?.clone();
    let layer = Linear::of(weight, Operands::Bf16);
    let x = tokens();
    Ok(least(|| {
        std::hint::black_box(layer.forward(x.clone()).dims());
    }))
}

fn tokens() -> Tensor<2> {
    let [rows, _, inputs] = ON_PROCESSOR;
    draw(0, rows, inputs)
}

fn draw(seed: u64, rows: usize, columns: usize) -> Tensor<2> {
    upload(
        seed::randn(seed, rows * columns),
        [rows, columns],
        &Device::flex(),
    )
}

fn least(mut act: impl FnMut()) -> f64 {
    let seconds = (0..RUNS).map(|_| {
        let began = Instant::now();
        act();
        began.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

/// Seconds of a product as the programs of this precision have it. Where 8-bit floats are not multiplied, that is
/// one of bf16.
fn on_host(host: &Host, precision: Precision, size: [usize; 3]) -> Result<f64, EngineError> {
    let [rows, outputs, inputs] = size;
    let arithmetic = host.arithmetic(precision);
    let kind = match arithmetic.weights {
        Kind::E4m3 if !arithmetic.multiplies_e4m3 => Kind::Bf16,
        kind => kind,
    };
    let mut arena = Arena::default();
    let a = arena.matrix(rows, inputs, kind);
    let b = arena.matrix(outputs, inputs, kind);
    let out = arena.matrix(rows, outputs, kind.product());
    let times = |count| Program {
        ops: vec![Op::Product { a, b, out }; count],
        bytes: arena.bytes(),
    };
    // Not zeros: cards draw less power on those, and clock higher.
    let [x, weight] =
        [(0, a), (1, b)].map(|(seed, matrix)| seed::randn(seed, matrix.rows * matrix.columns));
    let owner = Owner::new();
    let once = times(1);
    let seconds = host.with(owner, &Bank::default(), once.bytes, |machine| {
        machine.write(&once, &a, &x)?;
        machine.write(&once, &b, &weight)?;
        // The first run chooses a kernel, and the second has nothing to wait for.
        run(machine, &once)?;
        let count = (SECONDS / run(machine, &once)?).clamp(1.0, MOST as f64) as usize;
        let many = times(count);
        let mut least = f64::INFINITY;
        for _ in 0..RUNS {
            least = least.min(run(machine, &many)? / count as f64);
        }
        Ok(least)
    });
    host.release(owner);
    seconds
}

/// Seconds from the first operation to the end of the last.
fn run(machine: &mut dyn Machine, program: &Program) -> Result<f64, EngineError> {
    machine.finish()?;
    let began = Instant::now();
    machine.run(program)?;
    machine.finish()?;
    Ok(began.elapsed().as_secs_f64())
}
