//! How a picture is cut where it does not fit into memory as a whole.
//!
//! The stages at the picture's full size hold nearly all memory: those are run in tiles, and the small
//! stages, among them the attention between all pixels, on the whole. Tiles are as large as the budget
//! allows, because every tile computes a margin again that its neighbours compute too.
//!
//! Before the tiles, the moments that their normalisations use are measured on a sample: small patches
//! spread evenly, run in step. What a plan takes is summed from the shapes of what it holds, so it is
//! known before anything runs.

use std::ops::Range;

use super::shape::{Region, Shape, Span};
use super::stage::Stage;

/// That work does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom {
    /// The least bytes that it takes.
    pub(crate) needed: u64,
    /// The bytes that it may take.
    pub(crate) budget: u64,
}

/// Which end of a chain of stages has the full size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Large {
    First,
    Last,
}

/// How a chain is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// The most bytes that are held at once.
    pub(super) peak: u64,
    /// What is run in tiles; nothing, where all fits.
    pub(super) cut: Option<Cut>,
}

/// Stages that are run in tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) stages: Range<usize>,
    /// Parts of their result, which together make all of it.
    pub(super) tiles: Vec<Region>,
    /// Parts of their result on whose way the moments are measured.
    pub(super) sample: Vec<Region>,
}

/// Sides of tiles that are tried, in pixels of the picture.
const SIDES: Range<usize> = 4..129;
/// What they are multiples of.
const SIDE_STEP: usize = 16;
/// A patch of the sample, and the least distance from one to the next.
const PATCH: usize = 64;
const DISTANCE: usize = 128;

/// A chain of stages on a picture of a certain size.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) stages: &'a [Stage],
    /// What each stage is given, and at the end the result.
    pub(super) shapes: Vec<Shape>,
    large: Large,
}

impl<'a> Chain<'a> {
    pub(super) fn new(stages: &'a [Stage], input: Shape, large: Large) -> Self {
        let mut shapes = vec![input];
        for stage in stages {
            shapes.extend(shapes.last().map(|shape| stage.made(shape)));
        }
        Self {
            stages,
            shapes,
            large,
        }
    }

    /// The cheapest way to run it in so many bytes, or whole if there is no limit.
    pub(super) fn plan(&self, budget: Option<u64>) -> Result<Plan, NoRoom> {
        let all = 0..self.stages.len();
        // At either end the numbers exist in the layout of tensors too.
        let ends = 2 * self.shapes[0].bytes().max(self.shapes[all.end].bytes());
        let whole = Plan {
            peak: self.peak(all.clone(), &self.shapes[..1]).max(ends),
            cut: None,
        };
        let Some(budget) = budget.filter(|&budget| budget < whole.peak) else {
            return Ok(whole);
        };
        let mut least = whole.peak;
        let mut best: Option<(u64, Plan)> = None;
        for at in all.clone() {
            let stages = match self.large {
                Large::First => 0..at + 1,
                Large::Last => at..all.end,
            };
            if stages
                .clone()
                .any(|stage| matches!(self.stages[stage], Stage::Attend(_)))
            {
                continue;
            }
            for side in SIDES {
                let Some((work, plan)) = self.cut(stages.clone(), side * SIDE_STEP, budget, ends)
                else {
                    continue;
                };
                least = least.min(plan.peak);
                if plan.peak <= budget && best.as_ref().is_none_or(|best| work < best.0) {
                    best = Some((work, plan));
                }
            }
        }
        best.map(|(_, plan)| plan).ok_or(NoRoom {
            needed: least,
            budget,
        })
    }

    /// Work and plan with these stages in tiles of about this side in pixels, the sample as large as the
    /// budget allows; nothing if the tiles are larger than the picture.
    fn cut(
        &self,
        stages: Range<usize>,
        side: usize,
        budget: u64,
        ends: u64,
    ) -> Option<(u64, Plan)> {
        let (from, to) = (&self.shapes[stages.start], &self.shapes[stages.end]);
        let rest = match self.large {
            Large::First => stages.end..self.stages.len(),
            Large::Last => 0..stages.start,
        };
        let pixels = self.shapes[0].whole[0].max(self.shapes[self.stages.len()].whole[0]);
        let scale = pixels / to.whole[0];
        if side / SIDE_STEP > 4 && side >= 2 * scale * to.whole[0].max(to.whole[1]) {
            return None;
        }
        let tiles = tiles(to.whole, (side / scale).max(1));
        let kept = from.bytes() + to.bytes();
        let mut peak = self.peak(rest.clone(), &self.shapes[rest.start..=rest.start]);
        let mut work = self.work(rest.clone(), &self.shapes[rest.start]);
        for &tile in &tiles {
            let part = self.input(stages.clone(), tile);
            peak = peak.max(kept + self.peak(stages.clone(), &[part]) + tile_bytes(to, tile));
            work += self.work(stages.clone(), &part);
        }
        peak = peak.max(ends);
        let mut sample = Vec::new();
        let mut distance = DISTANCE;
        loop {
            let found = patches(to.whole, PATCH / scale, distance / scale);
            let alone = found.len() == 1;
            let parts: Vec<_> = found
                .iter()
                .map(|&patch| self.input(stages.clone(), patch))
                .collect();
            let measuring = from.bytes() + self.peak(stages.clone(), &parts);
            if measuring <= budget.max(peak) || alone {
                peak = peak.max(measuring);
                work += parts
                    .iter()
                    .map(|part| self.work(stages.clone(), part))
                    .sum::<u64>();
                sample.extend(found);
                break;
            }
            distance += distance / 4;
        }
        let cut = Cut {
            stages,
            tiles,
            sample,
        };
        Some((
            work,
            Plan {
                peak,
                cut: Some(cut),
            },
        ))
    }

    /// What the first of these stages must be given to make this part of the last one's result.
    pub(super) fn input(&self, stages: Range<usize>, mut region: Region) -> Shape {
        for stage in stages.clone().rev() {
            let geometry = self.stages[stage].geometry();
            let whole = self.shapes[stage].whole;
            region = [0, 1].map(|axis| geometry.needed(region[axis], whole[axis]));
        }
        Shape {
            region,
            ..self.shapes[stages.start]
        }
    }

    /// The most bytes that these stages hold, on these inputs.
    fn peak(&self, stages: Range<usize>, inputs: &[Shape]) -> u64 {
        let mut shapes = inputs.to_vec();
        let mut most = shapes.iter().map(Shape::bytes).sum();
        for stage in &self.stages[stages] {
            most = stage.peak(&shapes).max(most);
            for shape in &mut shapes {
                *shape = stage.made(shape);
            }
        }
        most
    }

    fn work(&self, stages: Range<usize>, input: &Shape) -> u64 {
        let mut shape = *input;
        let mut sum = 0;
        for stage in &self.stages[stages] {
            shape = stage.made(&shape);
            sum += stage.work(&shape);
        }
        sum
    }
}

/// A tile's result, while it is cut to size.
fn tile_bytes(result: &Shape, tile: Region) -> u64 {
    Shape {
        region: tile,
        ..*result
    }
    .bytes()
}

/// Squares of this side that cover a picture; the last ones may be smaller.
fn tiles(whole: [usize; 2], side: usize) -> Vec<Region> {
    let spans = |whole: usize| {
        (0..whole).step_by(side).map(move |start| Span {
            start,
            end: (start + side).min(whole),
        })
    };
    spans(whole[0])
        .flat_map(|rows| spans(whole[1]).map(move |columns| [rows, columns]))
        .collect()
}

/// Squares of this side, about so far from one another, spread evenly.
fn patches(whole: [usize; 2], side: usize, distance: usize) -> Vec<Region> {
    let spans = |whole: usize| {
        let side = side.clamp(1, whole);
        let count = (whole / distance.max(1)).max(1);
        (0..count).map(move |number| {
            let start = ((2 * number + 1) * whole / (2 * count))
                .saturating_sub(side / 2)
                .min(whole - side);
            Span {
                start,
                end: start + side,
            }
        })
    };
    spans(whole[0])
        .flat_map(|rows| spans(whole[1]).map(move |columns| [rows, columns]))
        .collect()
}
