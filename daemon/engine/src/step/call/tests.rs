//! Calls at the sizes of published models: those that tests run are small.

use super::*;
use crate::published::{HEAD_WIDTH, Size};
use crate::step::op::{Inner, Normed, Update};
use crate::step::place::{Arena, Operand, Raw};

/// Bytes of shared memory that a block can have on sm_86, sm_89 and sm_120; on other cards it is more.
const LEAST_SHARED: u32 = 99 << 10;
/// Of these, what kernels declare themselves.
const DECLARED: u32 = 1 << 10;

fn operand(arena: &mut Arena, columns: usize, kind: Kind) -> Operand {
    Operand {
        values: arena.matrix(1, columns, kind),
        scales: Some(arena.vector(1)),
    }
}

fn raw(arena: &mut Arena, columns: usize) -> Raw {
    Raw {
        values: arena.matrix(1, columns, Kind::Bf16),
        row_scales: None,
        column_scales: None,
    }
}

/// A row of one network: what is normalised, and what is gated, behind something else or alone.
fn rows(hidden: usize, front: usize, inner: usize, kind: Kind) -> [Op; 3] {
    let arena = &mut Arena::default();
    let norm = Op::Norm(Norm {
        x: arena.matrix(1, hidden, Kind::F32),
        update: Some(Update {
            y: raw(arena, hidden),
            gate: None,
        }),
        then: Some(Normed {
            by: By::Rms {
                weight: arena.vector(hidden),
            },
            eps: 1e-6,
            out: operand(arena, hidden, kind),
            fixed: None,
        }),
    });
    let mut gated = |front: usize, inner: usize| {
        Op::Gated(Gated {
            front: (front > 0).then(|| arena.matrix(1, front, Kind::Bf16)),
            inner: (inner > 0).then(|| Inner {
                y: raw(arena, 2 * inner),
                gate: 0,
                value: inner,
                width: inner,
            }),
            out: operand(arena, front + inner, kind),
            fixed: None,
        })
    };
    [norm, gated(front, inner), gated(0, inner)]
}

#[test]
fn no_row_of_a_published_model_takes_more_shared_memory_than_a_block_can_have() {
    for size in [Size::KLEIN_4B, Size::KLEIN_9B, Size::DEV] {
        let hidden = size.heads * HEAD_WIDTH;
        let text = &size.text;
        let transformer = rows(hidden, hidden, 3 * hidden, Kind::E4m3);
        // Only its weights are ever 8-bit floats.
        let encoder = rows(
            text.hidden,
            text.heads * text.head_width,
            text.inner,
            Kind::Bf16,
        );
        for op in transformer.iter().chain(&encoder) {
            let shared = call(op, &|_| 0).map_or(u32::MAX, |call| call.shared);
            let most = LEAST_SHARED - DECLARED;
            assert!(shared <= most, "{}: {shared} bytes for {op:?}", size.name);
        }
    }
}
