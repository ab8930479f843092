//! Running a chain of stages as planned.

use std::ops::Range;

use tracing::debug;

use super::field::Field;
use super::plan::{Chain, Cut, Plan};
use super::shape::{Region, Span};
use super::statistics::{Norms, Statistics, distance};

/// The distance of the moments that were used from those that were met at which tiles are taken as good.
/// An error of so much of a deviation is 48 dB below it.
const CLOSE: f64 = 0.004;

/// What each time that tiles are made again must bring: the distance falls to this part of itself.
const WORTH_IT: f64 = 0.25;

impl Chain<'_> {
    /// Runs all stages on a whole picture.
    pub(super) fn run(&self, input: Field, plan: &Plan) -> Field {
        let count = self.stages.len();
        let Some(cut) = &plan.cut else {
            return self.run_whole(0..count, input);
        };
        let input = self.run_whole(0..cut.stages.start, input);
        let made = self.run_cut(cut, &input);
        drop(input);
        self.run_whole(cut.stages.end..count, made)
    }

    fn run_whole(&self, stages: Range<usize>, input: Field) -> Field {
        let mut statistics = Statistics::new();
        let mut norms = Norms::Measured(&mut statistics);
        let mut fields = vec![input];
        for stage in &self.stages[stages] {
            fields = stage.compute(fields, &mut norms);
        }
        fields.swap_remove(0)
    }

    /// Tiles with the sample's moments, then with those that were met, as long as that comes closer: for a
    /// picture that is about the same everywhere, once or twice. Others do not come closer, because what
    /// one normalisation gets wrong the next one enlarges; for them the moments are measured in turn.
    fn run_cut(&self, cut: &Cut, input: &Field) -> Field {
        let mut used = self.measure(cut, input);
        let mut result = Field::zeros(self.shapes[cut.stages.end], None);
        let (mut aim, mut in_turn) = (f64::INFINITY, false);
        loop {
            let mut met = Statistics::new();
            for &tile in &cut.tiles {
                let fields = self.run_tile(cut, cut.stages.clone(), input, tile, &used, &mut met);
                for field in &fields {
                    result.paste(field, tile);
                }
            }
            let off = distance(&used, &met);
            debug!(tiles = cut.tiles.len(), off, "ran the autoencoder in tiles");
            // Moments that were measured in turn are met to the last bit or so.
            if off <= CLOSE || in_turn {
                return result;
            }
            if off <= aim {
                (used, aim) = (met, off * WORTH_IT);
            } else {
                met.truncate(1);
                (used, in_turn) = (self.measure_in_turn(cut, input, met), true);
            }
        }
    }

    /// The moments of all tiles, each normalisation's with the right ones before it. The tiles are made
    /// as far as the one that is measured, so for n of them it takes about n/2 times what all tiles take.
    /// The first ones may be known.
    fn measure_in_turn(&self, cut: &Cut, input: &Field, mut known: Statistics) -> Statistics {
        let mut before = 0;
        for stage in cut.stages.clone() {
            before += self.stages[stage].normalisations();
            while known.len() < before {
                let mut met = Statistics::new();
                for &tile in &cut.tiles {
                    let stages = cut.stages.start..stage + 1;
                    self.run_tile(cut, stages, input, tile, &known, &mut met);
                }
                let Some(next) = met.into_iter().nth(known.len()) else {
                    return known;
                };
                known.push(next);
            }
        }
        debug!(normalisations = known.len(), "measured the moments in turn");
        known
    }

    /// The moments of the sample.
    fn measure(&self, cut: &Cut, input: &Field) -> Statistics {
        let mut statistics = Statistics::new();
        let mut norms = Norms::Measured(&mut statistics);
        let mut fields: Vec<Field> = cut
            .sample
            .iter()
            .map(|&patch| input.part(self.input(cut.stages.clone(), patch).region))
            .collect();
        for stage in &self.stages[cut.stages.clone()] {
            fields = stage.compute(fields, &mut norms);
        }
        statistics
    }

    /// What these stages, the first of the cut, make on the way to this part of its result.
    fn run_tile(
        &self,
        cut: &Cut,
        stages: Range<usize>,
        input: &Field,
        tile: Region,
        used: &Statistics,
        met: &mut Statistics,
    ) -> Vec<Field> {
        let mut part = input.part(self.input(cut.stages.clone(), tile).region);
        let (from, to) = (input.shape.whole, self.shapes[cut.stages.end].whole);
        part.own = Some([0, 1].map(|axis| Span {
            start: tile[axis].start * from[axis] / to[axis],
            end: tile[axis].end * from[axis] / to[axis],
        }));
        let mut norms = Norms::Given { used, met, next: 0 };
        let mut fields = vec![part];
        for stage in &self.stages[stages] {
            fields = stage.compute(fields, &mut norms);
        }
        fields
    }
}
