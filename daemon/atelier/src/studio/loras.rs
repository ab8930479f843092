//! LoRA files: what the engine is asked to apply, and what is recorded of each. They are read where they
//! lie, like models: a copy for each job would be hundreds of megabytes.

use std::path::PathBuf;

use atelier_flux::Lora;
use atelier_manifest::Job;
use atelier_provenance::LoraFacts;
use serde::Serialize;

use super::Models;
use crate::fault::Fault;

/// A LoRA file that a picture was made with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UsedLora {
    /// Where it was read.
    pub(crate) path: PathBuf,
    /// SHA-256 of the file.
    pub(crate) sha256: String,
    /// How strongly it was applied.
    pub(crate) scale: f64,
}

/// The LoRAs of a job as the engine takes them.
pub(super) fn requested(job: &Job) -> Vec<Lora> {
    let loras = job.loras.iter().map(|lora| Lora {
        path: lora.path.clone(),
        scale: lora.scale,
    });
    loras.collect()
}

/// What is told of the LoRAs of a job.
pub(super) fn used(job: &Job, models: &Models) -> Result<Vec<UsedLora>, Fault> {
    let loras = job.loras.iter().map(|lora| {
        Ok(UsedLora {
            path: lora.path.clone(),
            sha256: models.lora_digest(&lora.path)?,
            // The number that is written like this f32: 0.8, not 0.800000011920929.
            scale: lora.scale.to_string().parse().unwrap_or_default(),
        })
    });
    loras.collect()
}

/// What is signed of them.
pub(super) fn facts(job: &Job, used: &[UsedLora]) -> Vec<LoraFacts> {
    let pairs = job.loras.iter().zip(used);
    let facts = pairs.map(|(lora, used)| LoraFacts {
        sha256: used.sha256.clone(),
        scale: lora.scale,
    });
    facts.collect()
}
