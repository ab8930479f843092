//! Says, inside every picture and in a way that anyone can check, how it was made.
//!
//! A picture that leaves Atelier carries a C2PA manifest: which program and which model made it,
//! from which references (bound by their SHA-256), through which plugins. The crate has four jobs,
//! in the order a picture meets them:
//!
//! * [`Identity`]: the local certificate authority and the leaf certificate that signs.
//! * [`Making`]: the facts of one making, as plain data.
//! * [`sign()`]: facts and encoded picture in, signed picture out, already verified.
//! * [`verify()`]: any picture in, a [`Report`] out, in words a person can act on.
//!
//! It must never open a network connection, never write a picture to a file, and never put into a
//! manifest what the user did not ask for: no prompt, no path, no user or host name, no thumbnail
//! or metadata of a reference.
//!
//! ```
//! use atelier_provenance::{Format, Identity, Making, ModelFacts, Trust, sign, verify};
//!
//! # use std::path::Path;
//! # use atelier_provenance::ProvenanceError;
//! # fn example(folder: &Path, png: &[u8]) -> Result<(), ProvenanceError> {
//! let identity = Identity::open_or_create(folder)?;
//! let making = Making {
//!     program_version: "0.1.0".into(),
//!     model: ModelFacts {
//!         name: "FLUX.2 [klein] 4B".into(),
//!         sha256: "ab".repeat(32),
//!         variant: "klein-4b".into(),
//!         ..ModelFacts::default()
//!     },
//!     ..Making::default()
//! };
//! let signed = sign(&identity, Format::Png, png, &making)?;
//!
//! let trust = Trust { roots_pem: vec![identity.root_pem().to_owned()] };
//! let report = verify(&signed.bytes, None, &trust)?;
//! assert!(report.ai.generated);
//! # Ok(())
//! # }
//! ```

mod definition;
mod error;
mod formats;
mod identity;
mod making;
mod offline;
mod references;
mod sign;
mod text;
mod verify;

pub use error::ProvenanceError;
pub use formats::Format;
pub use identity::{Identity, IdentitySummary};
pub use making::{LoraFacts, Making, ModelFacts, Operation, ReferenceFacts, Role, StepFacts};
pub use references::LeftOut;
pub use sign::{Signed, sign};
pub use verify::{
    AiClaim, IngredientClaim, ModelClaim, Problem, Report, State, StepClaim, Trust, verify,
};
