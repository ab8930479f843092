//! What programs of transformers keep to.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;

use super::*;
use crate::device::Precision;
use crate::lora::Adapters;
use crate::step::call::call;
use crate::step::network::Arithmetic;
use crate::step::place::Space;
use crate::step::twin::tests::fixture;

/// The groups whose weights an operation reads while they are not there, by the operation's number.
fn strays(ops: &[Op]) -> Vec<(usize, usize)> {
    let mut there = Vec::new();
    let mut strays = Vec::new();
    for (number, op) in ops.iter().enumerate() {
        let read = RefCell::new(Vec::new());
        match op {
            Op::Enter(group) => there.push(*group),
            Op::Leave(group) => there.retain(|other| other != group),
            Op::Copy { from, to } => read.borrow_mut().extend([from.at, to.at]),
            _ => {
                let place = |at| {
                    read.borrow_mut().push(at);
                    1
                };
                call(op, &place).unwrap();
            }
        }
        let spaces = read.into_inner().into_iter().map(|at| at.space);
        strays.extend(spaces.filter_map(|space| match space {
            Space::Weights(group) if !there.contains(&group) => Some((number, group)),
            _ => None,
        }));
    }
    strays
}

/// A block that has left may have been overwritten by another.
#[test]
fn weights_are_read_only_while_their_block_is_there() {
    let step = |kept| Tokens {
        prompt: 24,
        image: 12,
        predicted: 12,
        kept,
    };
    let references = Tokens {
        prompt: 0,
        image: 12,
        predicted: 0,
        kept: 12,
    };
    for (name, precision, multiplies_e4m3) in [
        ("klein", Precision::F32, true),
        ("klein", Precision::Fp8, true),
        ("klein", Precision::Fp8, false),
        ("dev", Precision::Bf16, true),
        ("dev", Precision::Fp8, true),
    ] {
        let part = fixture(name);
        let arithmetic = Arithmetic {
            multiplies_e4m3,
            ..Arithmetic::native(precision)
        };
        let adapters = Adapters::default();
        let network = Network::load(part.config, &part.weights, &adapters, arithmetic).unwrap();
        for (tokens, purpose) in [
            (step(0), Purpose::Predict),
            (step(12), Purpose::Predict),
            (references, Purpose::Remember),
        ] {
            let laid = Laid::new(&network, tokens, purpose);
            let found = strays(&laid.program.ops);
            assert_eq!(found, [], "{name} in {precision}, {purpose:?}");
        }
    }
}
