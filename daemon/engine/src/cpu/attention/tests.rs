use super::*;
use crate::cpu::testing::{distance, draw};

/// One attention.
#[derive(Clone, Copy)]
struct Trial<'a> {
    heads: Heads,
    queries: &'a [Matrix<'a>],
    keys: &'a [Matrix<'a>],
    values: &'a [Matrix<'a>],
    hidden: Option<Hidden<'a>>,
}

impl OnUnit for Trial<'_> {
    type Output = Vec<f32>;

    fn on<U: Unit>(self, unit: U) -> Vec<f32> {
        let width = self.heads.count * self.heads.width;
        let mut outs: Vec<_> = self
            .queries
            .iter()
            .map(|queries| vec![f32::NAN; queries.rows() * width])
            .collect();
        let attention = Attention {
            heads: self.heads,
            queries: self.queries,
            keys: self.keys,
            values: self.values,
            hidden: self.hidden,
            outs: &mut outs.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>(),
        };
        attention.on(unit);
        outs.concat()
    }
}

/// In f64; what a query must not look at weighs nothing.
fn exact(trial: &Trial<'_>, shared: usize) -> Vec<f64> {
    let Heads { count, width } = trial.heads;
    let rows = |all: &[Matrix<'_>]| -> Vec<Vec<f64>> {
        let rows = all
            .iter()
            .flat_map(|part| (0..part.rows()).map(|row| part.row(row)));
        rows.map(|row| row.iter().copied().map(f64::from).collect())
            .collect()
    };
    let [queries, keys, values] = [trial.queries, trial.keys, trial.values].map(rows);
    let mut out = Vec::new();
    for (number, query) in queries.iter().enumerate() {
        for head in 0..count {
            let query = &query[head * width..][..width];
            let from = head / (count / shared) * width;
            let score = |key: &[f64]| {
                let pairs = query.iter().zip(&key[from..from + width]);
                let sum: f64 = pairs.map(|(a, b)| a * b).sum();
                (sum / f64::from(u32::try_from(width).unwrap_or(u32::MAX)).sqrt()).exp()
            };
            let weights: Vec<f64> = keys
                .iter()
                .enumerate()
                .map(|(key, row)| match trial.hidden {
                    Some(hidden) if hidden[number * keys.len() + key] => 0.0,
                    _ => score(row),
                })
                .collect();
            let total: f64 = weights.iter().sum();
            let total = if total > 0.0 { total } else { 1.0 };
            out.extend((from..from + width).map(|column| {
                let weighted = weights.iter().zip(&values);
                weighted
                    .map(|(weight, row)| weight * row[column])
                    .sum::<f64>()
                    / total
            }));
        }
    }
    out
}

/// Rows of this width, in two parts.
fn parts(all: &[f32], rows: usize, width: usize) -> [Matrix<'_>; 2] {
    let (first, second) = all.split_at(rows / 3 * width);
    [first, second].map(|part| Matrix::dense(part, width))
}

/// Around the sizes of tiles, steps, panels and bands: heads, shared heads, their width, queries, keys.
const SIZES: [[usize; 5]; 6] = [
    [1, 1, 128, 1, 1],
    [2, 2, 128, 97, 300],
    [4, 2, 16, 5, 257],
    [6, 1, 20, 101, 31],
    [2, 1, 33, 40, 513],
    [1, 1, 600, 33, 65],
];

#[test]
fn every_unit_attends_as_f64_does() {
    for [count, shared, width, queries, keys] in SIZES {
        let heads = Heads { count, width };
        let large = |seed, length| -> Vec<f32> {
            // Large enough that some weights dwarf others.
            draw(seed, length).iter().map(|x| 3.0 * x).collect()
        };
        let query = large(1, queries * count * width);
        let [key, value] = [2, 3].map(|seed| large(seed, keys * shared * width));
        let hidden: Vec<bool> = (0..queries * keys)
            .map(|place| place % keys > place / keys + keys / 2 || place % keys == 2)
            .collect();
        for hidden in [None, Some(&hidden[..])] {
            let trial = Trial {
                heads,
                queries: &parts(&query, queries, count * width),
                keys: &parts(&key, keys, shared * width),
                values: &parts(&value, keys, shared * width),
                hidden,
            };
            let expected = exact(&trial, shared);
            for (operands, found) in unit::everywhere(false, trial) {
                // bf16 keeps 8 bits of queries, keys, weights and values.
                let most = match operands {
                    Operands::F32 => 2e-6,
                    Operands::Bf16 => 1e-2,
                };
                let distance = distance(&found, &expected);
                assert!(
                    distance < most,
                    "{operands:?} {heads:?} {keys}: {distance:e}"
                );
            }
        }
    }
}
