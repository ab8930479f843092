//! The job manifest: from the text a user dropped in a folder to a [`Job`] that can be run.
//!
//! Three steps, each a type that the next one requires:
//!
//! ```text
//! open file ──read──▶ text ──parse──▶ Manifest ──check(world)──▶ Job
//!                                     flags ──Request::check──▶ Job
//! ```
//!
//! [`load`] does the last two at once and so reports every problem of a manifest together, each
//! with its key, line and column. What is true of the text alone is found by [`parse`]; what
//! depends on this machine (models, plugins, files) is asked of a [`World`] by [`check()`].
//!
//! This crate never runs, claims, moves or writes anything, and keeps no state. Only `read` and
//! `paths` touch the file system, and they only read.

// In the order in which data flows.
mod limits;
mod place;
mod problem;
mod suggest;

mod read;

mod document;
mod parameters;
mod seeds;

mod manifest;

pub mod paths;
mod sniff;
mod template;
mod world;

mod check;
mod format;
mod job;
mod request;

pub use check::{check, load};
pub use format::Format;
pub use job::{
    Extend, JOB_VERSION, Job, JobError, JobInit, JobLora, JobModel, JobReference, Output,
    Preparation, Provenance, ReferenceCap,
};
pub use limits::{
    MAX_ASPECT, MAX_GUIDANCE, MAX_LORA_SCALE, MAX_LORAS, MAX_MANIFEST_BYTES, MAX_NAME_BYTES,
    MAX_ALSO, MAX_NAME_CHARS, MAX_PIXELS, MAX_PREPARATIONS, MAX_PRIORITY, MAX_PROMPT_BYTES, MAX_REFERENCES,
    MAX_RENDERS, MAX_SEED, MAX_SIDE, MAX_STEPS, MAX_TITLE_CHARS, MIN_SIDE, SIDE_STEP,
};
pub use manifest::{
    InitWishes, Lora, MANIFEST_VERSION, Manifest, OutputWishes, PreparationStep, ProvenanceWishes,
    Reference, parse,
};
pub use place::Place;
pub use problem::{Code, Problem, Problems};
pub use read::{decode, read};
pub use request::{Request, RequestReference, preparation};
pub use seeds::Seeds;
pub use world::{ModelChoice, ModelProblem, World};
