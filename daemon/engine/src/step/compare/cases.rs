//! The operations that are compared: each kernel in each of its forms, at sizes that fill no tile.

mod pictures;

use super::Case;
use crate::step::Program;
use crate::step::op::{Attend, By, Gated, Heads, Inner, Norm, Normed, Op, Span, Update, Vector};
use crate::step::place::{Address, Arena, Kind, Matrix, Operand, Raw};

/// All cases.
pub(super) fn all(multiplies_e4m3: bool) -> Vec<Case> {
    let kinds = [Kind::F32, Kind::Bf16, Kind::E4m3];
    let mut cases = Vec::new();
    for kind in kinds {
        cases.extend([norm(kind, None), norm(kind, Some(0.01)), rms(kind)]);
        cases.extend([
            gated(kind, 264, 520),
            gated(kind, 0, 520),
            gated(kind, 264, 0),
            // The widest published, after narrow ones: it takes 96 KiB of shared memory.
            gated(kind, 6144, 18_432),
        ]);
        cases.extend([vector(kind, false), vector(kind, true)]);
    }
    for kind in [Kind::F32, Kind::Bf16] {
        cases.push(settle(kind));
        cases.extend([heads(kind, false), heads(kind, true)]);
        for width in [32, 64, 128] {
            cases.extend([attend(kind, width, false), attend(kind, width, true)]);
        }
    }
    cases.push(decode());
    let size = [150, 264, 592];
    cases.push(product(Kind::F32, Kind::F32, size));
    cases.push(product(Kind::Bf16, Kind::Bf16, size));
    cases.push(product(Kind::Bf16, Kind::F32, size));
    if multiplies_e4m3 {
        cases.push(product(Kind::E4m3, Kind::Bf16, size));
        // As long as a feed-forward is wide: what tensor cores cut off of a sum must not add up.
        cases.push(product(Kind::E4m3, Kind::Bf16, [16, 16, 12_288]));
    }
    cases.extend(pictures::all());
    cases
}

/// A case in the making.
#[derive(Default)]
struct Draft {
    arena: Arena,
    inputs: Vec<(Matrix, Vec<f32>)>,
    outputs: Vec<Matrix>,
    state: u32,
}

impl Draft {
    /// A matrix of random numbers around `mean`, about 1 wide.
    fn random(&mut self, rows: usize, columns: usize, kind: Kind, mean: f32) -> Matrix {
        let matrix = self.arena.matrix(rows, columns, kind);
        let values = (0..rows * columns).map(|_| mean + self.number()).collect();
        self.inputs.push((matrix, values));
        matrix
    }

    /// The sum of four uniform numbers, nearly normal, of variance 1.
    fn number(&mut self) -> f32 {
        let mut sum = 0.0;
        for _ in 0..4 {
            self.state = self
                .state
                .wrapping_mul(1_664_525)
                .wrapping_add(1_013_904_223);
            #[allow(clippy::cast_precision_loss, reason = "24 bits are exact")]
            let uniform = (self.state >> 8) as f32 / 16_777_216.0;
            sum += uniform - 0.5;
        }
        sum * 3.0_f32.sqrt()
    }

    fn vector(&mut self, length: usize, mean: f32) -> Address {
        self.random(1, length, Kind::F32, mean).at
    }

    /// What products of this kind leave, with scales where there are some.
    fn raw(&mut self, rows: usize, columns: usize, kind: Kind) -> Raw {
        let values = self.random(rows, columns, kind.product(), 0.0);
        let scaled = kind == Kind::E4m3;
        Raw {
            values,
            row_scales: scaled.then(|| self.vector(rows, 4.0)),
            column_scales: scaled.then(|| self.vector(columns, 4.0)),
        }
    }

    fn out(&mut self, rows: usize, columns: usize, kind: Kind) -> Matrix {
        let matrix = self.arena.matrix(rows, columns, kind);
        self.outputs.push(matrix);
        matrix
    }

    fn operand(&mut self, rows: usize, columns: usize, kind: Kind) -> Operand {
        Operand {
            values: self.out(rows, columns, kind),
            scales: (kind == Kind::E4m3).then(|| self.out(1, rows, Kind::F32).at),
        }
    }

    fn case(self, kernel: &'static str, words: String, op: Op) -> Case {
        Case {
            kernel,
            words,
            program: Program {
                ops: vec![op],
                bytes: self.arena.bytes(),
            },
            inputs: self.inputs,
            outputs: self.outputs,
        }
    }
}

fn name(kind: Kind, [f32, bf16, e4m3]: [&'static str; 3]) -> &'static str {
    match kind {
        Kind::F32 => f32,
        Kind::Bf16 => bf16,
        Kind::E4m3 => e4m3,
    }
}

const NORMS: [&str; 3] = ["norm_f32", "norm_bf16", "norm_e4m3"];
const ROWS: usize = 7;
const WIDTH: usize = 1288;

fn norm(kind: Kind, fixed: Option<f32>) -> Case {
    let mut draft = Draft::default();
    let x = draft.random(ROWS, WIDTH, Kind::F32, 0.5);
    draft.outputs.push(x);
    let update = Update {
        y: draft.raw(ROWS, WIDTH, kind),
        gate: Some(draft.vector(WIDTH, 0.0)),
    };
    let by = By::Layer {
        shift: draft.vector(WIDTH, 0.0),
        scale: draft.vector(WIDTH, 0.0),
    };
    let then = Normed {
        by,
        eps: 1e-6,
        out: draft.operand(ROWS, WIDTH, kind),
        fixed,
    };
    let op = Op::Norm(Norm {
        x,
        update: Some(update),
        then: Some(then),
    });
    let words = format!("gated residual, layer norm, fixed scale {fixed:?}");
    draft.case(name(kind, NORMS), words, op)
}

fn rms(kind: Kind) -> Case {
    let mut draft = Draft::default();
    let x = draft.random(ROWS, WIDTH, Kind::F32, 0.5);
    let by = By::Rms {
        weight: draft.vector(WIDTH, 1.0),
    };
    let then = Normed {
        by,
        eps: 1e-6,
        out: draft.operand(ROWS, WIDTH, kind),
        fixed: None,
    };
    let op = Op::Norm(Norm {
        x,
        update: None,
        then: Some(then),
    });
    draft.case(name(kind, NORMS), "RMS norm".into(), op)
}

fn settle(kind: Kind) -> Case {
    let mut draft = Draft::default();
    let x = draft.random(ROWS, WIDTH, Kind::F32, 0.0);
    draft.outputs.push(x);
    let update = Update {
        y: draft.raw(ROWS, WIDTH, kind),
        gate: None,
    };
    let op = Op::Norm(Norm {
        x,
        update: Some(update),
        then: None,
    });
    draft.case(name(kind, NORMS), "residual alone".into(), op)
}

fn gated(kind: Kind, front: usize, inner: usize) -> Case {
    let mut draft = Draft::default();
    let before = (front > 0).then(|| draft.random(ROWS, front, kind.product(), 0.0));
    let inside = (inner > 0).then(|| Inner {
        y: draft.raw(ROWS, 2 * inner + 24, kind),
        gate: 8,
        value: 16 + inner,
        width: inner,
    });
    let columns = front + inner;
    let op = Op::Gated(Gated {
        front: before,
        inner: inside,
        out: draft.operand(ROWS, columns, kind),
        fixed: None,
    });
    let words = format!("front {front}, inner {inner}");
    let names = ["gated_f32", "gated_bf16", "gated_e4m3"];
    draft.case(name(kind, names), words, op)
}

fn heads(kind: Kind, halves: bool) -> Case {
    let (rows, queries, shared, width) = (13, 6, 2, 64);
    let mut draft = Draft::default();
    let columns = (queries + 2 * shared) * width;
    let y = match kind {
        Kind::F32 => draft.raw(rows, columns, Kind::F32),
        _ => draft.raw(rows, columns, Kind::E4m3),
    };
    let norm = |draft: &mut Draft| (!halves).then(|| draft.vector(width, 1.0));
    let [query_norm, key_norm] = [norm(&mut draft), norm(&mut draft)];
    let [cos, sin] = [
        draft.vector(rows * width / 2, 0.0),
        draft.vector(rows * width / 2, 0.0),
    ];
    let mut span = |first: usize, heads, norm| Span {
        column: first * width,
        heads,
        norm,
        out: draft.out(rows, heads * width, kind),
    };
    let op = Op::Heads(Heads {
        queries: Some(span(0, queries, query_norm)),
        keys: Some(span(queries, shared, key_norm)),
        values: Some(span(queries + shared, shared, None)),
        y,
        width,
        eps: 1e-6,
        cos,
        sin,
        halves,
    });
    let names = ["heads_f32", "heads_bf16", "heads_bf16"];
    draft.case(name(kind, names), format!("halves {halves}"), op)
}

fn attend(kind: Kind, width: usize, causal: bool) -> Case {
    let (queries, heads, shared) = (150, 4, 2);
    let keys = if causal { queries } else { 201 };
    let mut draft = Draft::default();
    let op = Op::Attend(Attend {
        query: draft.random(queries, heads * width, kind, 0.0),
        key: draft.random(keys, shared * width, kind, 0.0),
        value: draft.random(keys, shared * width, kind, 0.0),
        out: draft.out(queries, heads * width, kind),
        width,
        causal,
    });
    let names = ["attend_f32", "attend_bf16", "attend_bf16"];
    draft.case(
        name(kind, names),
        format!("width {width}, causal {causal}"),
        op,
    )
}

fn vector(kind: Kind, silu: bool) -> Case {
    let (outputs, inputs) = (77, 1032);
    let mut draft = Draft::default();
    let weight = draft.random(outputs, inputs, kind, 0.0);
    let scales = (kind == Kind::E4m3).then(|| draft.vector(outputs, 1.0));
    let x = draft.vector(inputs, 0.0);
    let out = draft.random(1, outputs, Kind::F32, 0.0);
    draft.outputs.push(out);
    let op = Op::Vector(Vector {
        weight,
        scales,
        x,
        out: out.at,
        silu,
        add: silu,
    });
    let names = ["matvec_f32", "matvec_bf16", "matvec_e4m3"];
    draft.case(name(kind, names), format!("after SiLU, added: {silu}"), op)
}

fn decode() -> Case {
    let mut draft = Draft::default();
    let op = Op::Decode {
        weight: draft.random(33, 1040, Kind::E4m3, 0.0),
        out: draft.out(33, 1040, Kind::Bf16),
    };
    draft.case("decode_e4m3", "without scales".into(), op)
}

fn product(operands: Kind, out: Kind, [rows, outputs, inputs]: [usize; 3]) -> Case {
    let mut draft = Draft::default();
    let op = Op::Product {
        a: draft.random(rows, inputs, operands, 0.0),
        b: draft.random(outputs, inputs, operands, 0.0),
        out: draft.out(rows, outputs, out),
    };
    let kernel = match (operands, out) {
        (Kind::F32, _) => "gemm_f32",
        (Kind::Bf16, Kind::F32) => "gemm_bf16_f32",
        (Kind::Bf16, _) => "gemm_bf16",
        (Kind::E4m3, _) => "gemm_e4m3",
    };
    draft.case(kernel, format!("{rows}x{outputs}x{inputs}"), op)
}
