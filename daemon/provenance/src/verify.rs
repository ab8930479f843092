//! Says what a picture's provenance claims, and whether the claim holds.
//!
//! Integrity and trust are told apart: a picture can be exactly as it was signed, by somebody
//! whom the reader has no reason to believe. Nothing is fetched: a manifest that lies elsewhere
//! is named and left there.

mod explain;
mod manifest;

use std::io::Cursor;

use c2pa::{Error, Reader, ValidationState};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Format, ProvenanceError, offline};

/// Whom the caller trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Root certificates, PEM; each text may hold several. With none, no picture is
    /// [`State::Trusted`].
    pub roots_pem: Vec<String>,
}

/// How a picture stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Unchanged since it was signed, by a signer under a trusted root.
    Trusted,
    /// Unchanged since it was signed, by a signer nobody vouches for.
    Valid,
    /// It has a manifest that does not hold. What the report says besides is not to be believed.
    Invalid,
    /// It has no manifest. That says nothing about how it was made.
    Unsigned,
}

/// What is known about the provenance of one picture.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whether the claim holds.
    pub state: State,
    /// The format of the file.
    pub format: Format,
    /// The title that the picture was signed with.
    pub title: Option<String>,
    /// Who signed it: the name in the certificate.
    pub signer: Option<String>,
    /// Who vouches for the signer: the name of the certificate's issuer.
    pub issuer: Option<String>,
    /// When it was signed, RFC 3339: by a time-stamp authority if [`Self::time_stamped`], else
    /// as the signer says.
    pub signed_at: Option<String>,
    /// Whether a time-stamp authority confirmed the time.
    pub time_stamped: bool,
    /// The program that made the claim, "Atelier 0.1.0".
    pub claim_generator: Option<String>,
    /// The label of the manifest.
    pub manifest_label: Option<String>,
    /// What it says about artificial intelligence.
    pub ai: AiClaim,
    /// What it was made from, the model left out.
    pub ingredients: Vec<IngredientClaim>,
    /// The plugin steps that prepared its references.
    pub steps: Vec<StepClaim>,
    /// What is wrong, or not certain.
    pub problems: Vec<Problem>,
}

/// What a manifest says about artificial intelligence.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct AiClaim {
    /// Whether all or part of the picture came from a model.
    pub generated: bool,
    /// The IPTC digital source type, without its address: `trainedAlgorithmicMedia` for a whole
    /// picture, `compositeWithTrainedAlgorithmicMedia` for part of one.
    pub digital_source_type: Option<String>,
    /// The model.
    pub model: Option<ModelClaim>,
    /// The `c2pa.ai-disclosure` assertion as it is written.
    pub disclosure: Option<Value>,
    /// The prompt, if the maker had it signed.
    pub prompt: Option<String>,
}

/// The model that a manifest names.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ModelClaim {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// SHA-256 of its weights, hexadecimal.
    pub sha256: Option<String>,
    /// Where it is published.
    pub identifier: Option<String>,
}

/// Something the picture was made from.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct IngredientClaim {
    /// Its title.
    pub title: Option<String>,
    /// Its part in the making: `inputTo`, `parentOf`, `componentOf`.
    pub relationship: Option<String>,
    /// SHA-256 of the file, hexadecimal, where the manifest binds it.
    pub sha256: Option<String>,
    /// How strongly it was applied, if it is a LoRA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// Its MIME type.
    pub format: Option<String>,
    /// Whether it carried a manifest, which is kept in this picture.
    pub has_manifest: bool,
    /// How that manifest stood when it was kept.
    pub state: State,
}

/// One plugin step.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StepClaim {
    /// The plugin's name.
    pub plugin: Option<String>,
    /// The plugin's version.
    pub version: Option<String>,
    /// SHA-256 of the module that ran, hexadecimal.
    pub module_sha256: Option<String>,
    /// What the plugin noted of its work, as keys and texts.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub notes: Map<String, Value>,
}

/// One thing that is wrong or not certain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The C2PA status code, or one of ours: `manifest.unreadable`.
    pub code: String,
    /// What it means, in plain words.
    pub explanation: String,
}

impl Problem {
    fn new(code: &str, library_says: Option<&str>) -> Self {
        let explanation = explain::code(code)
            .or(library_says)
            .unwrap_or("the C2PA library reports this and says no more");
        Self {
            code: code.into(),
            explanation: explanation.into(),
        }
    }
}

/// Verifies a whole file. Without `format`, the first bytes tell it.
///
/// A picture without a manifest is a report with [`State::Unsigned`], one with a damaged manifest
/// a report with [`State::Invalid`]; neither is an error.
///
/// # Errors
/// Where the bytes are no picture, are cut short, or a trusted root is no certificate.
pub fn verify(
    bytes: &[u8],
    format: Option<Format>,
    trust: &Trust,
) -> Result<Report, ProvenanceError> {
    let format = format
        .or_else(|| Format::sniff(bytes))
        .ok_or(ProvenanceError::FormatUnknown)?;
    let context = offline::context(&trust.roots_pem.join("\n"))
        .map_err(|error| ProvenanceError::TrustRoots(error.to_string()))?;
    match Reader::from_shared_context(&context).with_stream(format.mime(), Cursor::new(bytes)) {
        Ok(reader) => Ok(report(format, &reader)),
        Err(Error::JumbfNotFound | Error::ProvenanceMissing) => {
            Ok(Report::without_manifest(format, State::Unsigned))
        }
        Err(Error::RemoteManifestUrl(_) | Error::RemoteManifestFetch(_)) => {
            let mut report = Report::without_manifest(format, State::Unsigned);
            report
                .problems
                .push(Problem::new("manifest.inaccessible", None));
            Ok(report)
        }
        Err(error) if is_about_the_file(&error) => {
            Err(ProvenanceError::Unreadable(error.to_string()))
        }
        Err(_) => {
            let mut report = Report::without_manifest(format, State::Invalid);
            report
                .problems
                .push(Problem::new("manifest.unreadable", None));
            Ok(report)
        }
    }
}

/// Whether the file itself could not be read, rather than the manifest in it.
fn is_about_the_file(error: &Error) -> bool {
    matches!(
        error,
        Error::IoError(_)
            | Error::InvalidAsset(_)
            | Error::UnsupportedType
            | Error::InsufficientMemory
            | Error::TryFromIntError(_)
            | Error::BmffError(_)
            | Error::GifError(_)
            | Error::JpegError(_)
            | Error::PngError(_)
            | Error::RiffError(_)
            | Error::TiffError(_)
    )
}

fn report(format: Format, reader: &Reader) -> Report {
    let state = match reader.validation_state() {
        ValidationState::Trusted => State::Trusted,
        ValidationState::Valid => State::Valid,
        ValidationState::Invalid => State::Invalid,
    };
    let mut report = Report::without_manifest(format, state);
    if let Ok(store) = reader.to_crjson_value() {
        manifest::read(&store, &mut report);
    }
    report.ai.prompt = manifest::prompt(reader);
    let mut problems: Vec<Problem> = reader
        .validation_status()
        .unwrap_or_default()
        .iter()
        .map(|status| Problem::new(status.code(), status.explanation()))
        .collect();
    problems.dedup();
    if problems.is_empty() && state == State::Invalid {
        problems.push(Problem::new("claimSignature.missing", None));
    }
    report.problems = problems;
    report
}

impl Report {
    fn without_manifest(format: Format, state: State) -> Self {
        Self {
            state,
            format,
            title: None,
            signer: None,
            issuer: None,
            signed_at: None,
            time_stamped: false,
            claim_generator: None,
            manifest_label: None,
            ai: AiClaim::default(),
            ingredients: Vec::new(),
            steps: Vec::new(),
            problems: Vec::new(),
        }
    }
}
