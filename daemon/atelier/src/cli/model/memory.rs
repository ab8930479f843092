//! What a picture of a certain size would take: the part of `atelier model inspect` that depends on it.

use atelier_flux::{
    LimitBasis, MemoryPlan, ModelInfo, ModelSource, RenderShape, Request, Residency, StageMemory,
    memory_plan,
};
use clap::Args;

use crate::cli::output;
use crate::fault::{Fault, Stage};

/// The side of a reference that is as large as the model sees any: one megapixel.
const REFERENCE_SIDE: u32 = 1024;

/// The picture whose memory is asked for.
#[derive(Debug, Args)]
pub(in crate::cli) struct PictureArgs {
    /// Width of the picture that memory is planned for, in pixels
    #[arg(long, default_value_t = 1024)]
    width: u32,
    /// Its height
    #[arg(long, default_value_t = 1024)]
    height: u32,
    /// How many references it has, of one megapixel each
    #[arg(long, default_value_t = 0)]
    references: usize,
}

impl PictureArgs {
    /// The plan for a picture in the model's usual steps.
    pub(super) fn plan(
        &self,
        source: &ModelSource,
        info: &ModelInfo,
        memory: Option<u64>,
    ) -> Result<MemoryPlan, Fault> {
        let refused = |error| Fault::engine(Stage::Check, &error);
        let request = Request {
            width: self.width,
            height: self.height,
            ..Request::default()
        };
        request.check().map_err(refused)?;
        if self.references > 10 {
            let message = format!("--references: {} are more than 10", self.references);
            return Err(Fault::rejected(Stage::Check, "request-invalid", message));
        }
        let shape = RenderShape {
            width: self.width,
            height: self.height,
            references: vec![(REFERENCE_SIDE, REFERENCE_SIDE); self.references],
            init: false,
            guided: !info.is_distilled && info.default_guidance > 1.0,
            adapted: false,
        };
        memory_plan(source, &shape, info.default_steps, memory).map_err(refused)
    }
}

/// Prints a plan for a person.
pub(super) fn print(plan: &MemoryPlan) {
    output::line(format!(
        "  memory for {}×{} with {} references, {} tokens:",
        plan.width, plan.height, plan.references, plan.tokens
    ));
    let heading = ["  stage", "computing", "weights", "passes", ""];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(plan.stages.iter().map(|stage| {
        vec![
            format!("  {}", stage.name),
            output::bytes(stage.anonymous),
            output::bytes(stage.mapped),
            stage.passes.to_string(),
            how(stage),
        ]
    }));
    output::table(&rows);
    output::line(verdict(plan));
}

fn how(stage: &StageMemory) -> String {
    let weights = match stage.residency {
        Residency::Resident => "weights stay in memory",
        Residency::Streams if stage.passes > 1 => "weights are read from the disk in every pass",
        Residency::Streams => "weights are read from the disk",
    };
    let tiles = if stage.tiled { ", in tiles" } else { "" };
    format!("{weights}{tiles}")
}

fn verdict(plan: &MemoryPlan) -> String {
    let needed = output::bytes(plan.anonymous);
    let Some(limit) = plan.limit else {
        return format!("  computing takes up to {needed}");
    };
    let allowed = output::bytes(limit.bytes);
    let basis = match limit.basis {
        LimitBasis::Settings => "the settings allow",
        LimitBasis::Available => "there are",
    };
    let verdict = if plan.check().is_ok() {
        "it fits"
    } else {
        "it does not fit and would be refused"
    };
    format!("  computing takes up to {needed}, {basis} {allowed}: {verdict}")
}
