//! FLUX.2 in burn: a prompt, references and a seed go in, a picture comes out.
//!
//! The engine runs FLUX.2 \[klein\], distilled, base or KV, and \[dev\], from a diffusers pipeline folder
//! or from single files of other programs, and gives the picture that the reference implementation
//! gives in f32. It knows nothing of jobs, plugins or signatures, writes no file, and starts no thread
//! of its own but one that looks at a card's memory while [`mod@bench`] times it.
//!
//! ```text
//! prompt ──► prompt ──► text_encoder ──────────────┐ 512 tokens
//!            (ids)      (Qwen3 or Mistral, 3 states) │
//! references ► reference ► vae::encode ► latent ───┤ tokens at t = 10, 20, …
//!              (fit)                               ▼
//! init ────► init ──────► vae::encode ► latent ─┐  │ with a mask also a token
//!            (fit, fill, mask)                  ▼  ▼
//! seed ────► seed::randn ► latent ─► mix ► ┌────────► transformer ──► velocity
//!                                     │    │ x += (σ′−σ)·v, kept where the mask is black
//!                 schedule (σ, t) ──► └──► └────◄───────────┘ ──► preview
//!                                                  ▼
//! picture ◄─ init::composite ◄─ picture ◄─ vae::decode ◄─ vae::restore ◄─ latent
//! ```
//!
//! The map, in the order data flows:
//!
//! - [`Request`]: what is asked; [`OpenOptions`]: where it runs; [`Observer`]: who watches
//! - [`ModelSource`]: which files are the model; [`inspect()`], on `model`, `part`, `fit`, [`Variant`]:
//!   what it is; `layout`, `config`, `weights`: its files, checked before they are read
//! - [`cuda`]: which cards there are, and what they lack to be used; [`trial`]: whether one computes what it should
//! - [`prompt`] and `text_encoder`: words to numbers
//! - [`mod@reference`], [`init`] and `vae`: pictures to latents and back
//! - `encodings`: what of this was made not long ago and is taken again
//! - [`seed`], [`schedule`], `latent`, `rope`: noise, time and place
//! - `transformer`, on `layers`: the network that removes the noise, and what klein KV keeps of
//!   references; `denoise`, its steps; `preview`, a look at them
//! - `step`: the same network as a list of operations, for a card
//! - [`Lora`]: small trained changes to the transformer, applied beside its weights
//! - [`Pipeline`]: all of it, in ten lines
//! - [`mod@bench`]: how fast a device is, without a model; [`published`]: of which sizes models are
//! - [`quantize()`]: half as large a file of the same transformer; [`SafetensorsWriter`] writes it
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use atelier_flux::{Observer, OpenOptions, Pipeline, Progress, Request};
//!
//! struct Quiet;
//! impl Observer for Quiet {
//!     fn progress(&mut self, _: Progress) -> ControlFlow<()> {
//!         ControlFlow::Continue(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pipeline = Pipeline::open("models/klein-4b".as_ref(), &OpenOptions::default())?;
//! let request = Request {
//!     prompt: "a red fox reading a newspaper".into(),
//!     width: 1024,
//!     height: 768,
//!     steps: pipeline.info().default_steps,
//!     guidance: pipeline.info().default_guidance,
//!     seed: 42,
//!     ..Request::default()
//! };
//! pipeline.render(&request, &mut Quiet)?.save("fox.png")?;
//! # Ok(())
//! # }
//! ```

pub mod bench;
mod config;
mod cpu;
pub mod cuda;
mod denoise;
mod device;
mod drawn;
mod encodings;
mod error;
mod family;
mod fit;
mod host;
pub mod init;
mod inspect;
mod latent;
mod layers;
mod layout;
mod lora;
mod model;
mod observer;
mod part;
mod picture;
mod pipeline;
mod plan;
mod preview;
pub mod prompt;
pub mod published;
mod quantize;
pub mod reference;
mod request;
mod rope;
pub mod schedule;
pub mod seed;
mod source;
mod step;
mod text_encoder;
mod transformer;
pub mod trial;
mod vae;
mod variant;
mod weights;
mod work;

pub use device::{DeviceChoice, OpenOptions, Precision};
pub use encodings::EncodingTally;
pub use error::EngineError;
pub use family::Family;
pub use init::{Draft, Extend, Init, InitError};
pub use inspect::{
    Architecture, FileInfo, LoraInfo, ModelInfo, Part, WeightsInfo, inspect, inspect_file,
    inspect_source,
};
pub use lora::{Lora, LoraError, check_lora};
pub use observer::{Notice, Observer, Progress, TensorData};
pub use pipeline::Pipeline;
pub use plan::{
    LimitBasis, MemoryLimit, MemoryPlan, RenderShape, Residency, StageMemory, memory_plan,
};
pub use quantize::{QuantizeError, QuantizeOptions, QuantizeProgress, Quantized, Recipe, quantize};
pub use reference::ReferenceCap;
pub use request::Request;
pub use source::{ModelParts, ModelSource, SharedParts, SourceError};
pub use variant::{Variant, VariantBasis};
pub use weights::{Dtype, SafetensorsWriter, TensorSpec, WeightsError, WriteError};
pub use work::Work;
