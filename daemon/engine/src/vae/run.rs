//! Running a chain of stages as planned.

use tracing::debug;

use super::field::Field;
use super::plan::{Chain, Cut, Plan};
use super::shape::{Region, Span};
use super::statistics::{Norms, Statistics, distance};

/// The distance of the moments that were used from those that were met at which tiles are taken as good.
/// Measured on random and on published sizes, the picture is then more than 50 dB from the whole one.
const CLOSE: f64 = 0.004;

/// How often tiles are made at most. Each time they use what was met the time before, which is closer by
/// an order of magnitude.
const ATTEMPTS: usize = 3;

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

    fn run_whole(&self, stages: std::ops::Range<usize>, input: Field) -> Field {
        let mut statistics = Statistics::new();
        let mut norms = Norms::Measured(&mut statistics);
        let mut fields = vec![input];
        for stage in &self.stages[stages] {
            fields = stage.compute(fields, &mut norms);
        }
        fields.swap_remove(0)
    }

    fn run_cut(&self, cut: &Cut, input: &Field) -> Field {
        let mut used = self.measure(cut, input);
        let mut result = Field::zeros(self.shapes[cut.stages.end], None);
        for attempt in 1..=ATTEMPTS {
            let mut met = Statistics::new();
            for &tile in &cut.tiles {
                self.run_tile(cut, input, tile, &used, &mut met, &mut result);
            }
            let off = distance(&used, &met);
            debug!(
                tiles = cut.tiles.len(),
                attempt, off, "ran the autoencoder in tiles"
            );
            if off <= CLOSE {
                break;
            }
            used = met;
        }
        result
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

    fn run_tile(
        &self,
        cut: &Cut,
        input: &Field,
        tile: Region,
        used: &Statistics,
        met: &mut Statistics,
        result: &mut Field,
    ) {
        let mut part = input.part(self.input(cut.stages.clone(), tile).region);
        let (from, to) = (input.shape.whole, result.shape.whole);
        part.own = Some([0, 1].map(|axis| Span {
            start: tile[axis].start * from[axis] / to[axis],
            end: tile[axis].end * from[axis] / to[axis],
        }));
        let mut norms = Norms::Given { used, met, next: 0 };
        let mut fields = vec![part];
        for stage in &self.stages[cut.stages.clone()] {
            fields = stage.compute(fields, &mut norms);
        }
        for field in &fields {
            result.paste(field, tile);
        }
    }
}
