//! What is printed.

use std::fmt::Write;

use atelier_flux::{MemoryPlan, ModelInfo, Precision, RenderShape, Work};
use serde_json::{Value, json};

use crate::stages::STAGES;

pub(crate) struct Report<'a> {
    pub(crate) info: &'a ModelInfo,
    pub(crate) shape: &'a RenderShape,
    pub(crate) precision: Precision,
    pub(crate) steps: u32,
    pub(crate) work: Work,
    pub(crate) plan: MemoryPlan,
    /// Operations in a second of a plain product.
    pub(crate) rate: f64,
    /// Of each stage that ran.
    pub(crate) seconds: Vec<Option<f64>>,
    /// Anonymous bytes at most.
    pub(crate) peaks: Vec<u64>,
}

/// A stage that ran.
struct Row {
    name: &'static str,
    seconds: f64,
    flop: f64,
    peak: u64,
    planned: Option<u64>,
}

impl Report<'_> {
    fn rows(&self) -> Vec<Row> {
        let work = &self.work;
        let reference = work.references.first().copied().unwrap_or(0.0);
        let flop = [work.text, reference, work.step, work.decode];
        let measured = self.seconds.iter().zip(&self.peaks);
        let stages = STAGES.iter().zip(flop).zip(measured);
        stages
            .filter_map(|((&name, flop), (&seconds, &peak))| {
                let planned = self.plan.stages.iter().find(|stage| stage.name == name);
                Some(Row {
                    name,
                    seconds: seconds?,
                    flop,
                    peak,
                    planned: planned.map(|stage| stage.anonymous),
                })
            })
            .collect()
    }

    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{}, {}×{}, {} references, {} tokens, {}, {} threads; a plain product in f32: {:.1} GFLOP/s\n",
            self.info.name,
            self.shape.width,
            self.shape.height,
            self.shape.references.len(),
            self.shape.tokens(),
            self.precision,
            threads(),
            self.rate / 1e9
        );
        let _ = writeln!(
            text,
            "{:14}{:>10}{:>10}{:>10}{:>8}{:>12}{:>12}",
            "stage", "s", "TFLOP", "GFLOP/s", "share", "peak MiB", "plan MiB"
        );
        for row in self.rows() {
            let rate = row.flop / row.seconds;
            let _ = writeln!(
                text,
                "{:14}{:10.3}{:10.3}{:10.1}{:7.0}%{:12}{:12}",
                row.name,
                row.seconds,
                row.flop / 1e12,
                rate / 1e9,
                100.0 * rate / self.rate,
                row.peak >> 20,
                row.planned.unwrap_or(0) >> 20
            );
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let stage = |row: Row| {
            let rate = row.flop / row.seconds;
            json!({
                "name": row.name,
                "seconds": row.seconds,
                "flop": row.flop,
                "gflop_per_second": rate / 1e9,
                "share_of_gemm": rate / self.rate,
                "anonymous_peak": row.peak,
                "anonymous_planned": row.planned,
            })
        };
        json!({
            "model": self.info.name,
            "width": self.shape.width,
            "height": self.shape.height,
            "references": self.shape.references.len(),
            "steps": self.steps,
            "tokens": self.shape.tokens(),
            "precision": self.precision.to_string(),
            "threads": threads(),
            "gemm_gflop_per_second": self.rate / 1e9,
            "stages": self.rows().into_iter().map(stage).collect::<Vec<_>>(),
        })
    }
}

fn threads() -> usize {
    rayon::current_num_threads()
}
