//! The library crates' errors as faults: what each code means for an exit status and a retry.

use atelier_flux::{EngineError, LoraError, QuantizeError, WriteError};
use atelier_manifest::Problems;
use atelier_plugin_host::PluginError;
use atelier_provenance::ProvenanceError;
use atelier_queue::{ErrorFile, Problem, QueueError};

use super::{Class, Fault, Place, Stage};

impl Fault {
    fn converted(
        class: Class,
        stage: Stage,
        code: &str,
        message: String,
        hint: Option<String>,
    ) -> Self {
        Self {
            hint,
            ..Self::new(class, stage, code, message)
        }
    }

    /// An error of the engine.
    pub(crate) fn engine(stage: Stage, error: &EngineError) -> Self {
        let class = match error {
            EngineError::ModelMissing { .. } | EngineError::Lora(LoraError::Missing { .. }) => {
                Class::Missing
            }
            EngineError::Cancelled => Class::Cancelled,
            EngineError::Unreadable { .. }
            | EngineError::NotFinite { .. }
            | EngineError::Compute { .. } => Class::Fatal,
            _ => Class::Rejected,
        };
        Self::converted(class, stage, error.code(), error.to_string(), error.hint())
    }

    /// An error of quantising.
    pub(crate) fn quantize(error: &QuantizeError) -> Self {
        let class = match error {
            QuantizeError::Missing { .. } => Class::Missing,
            QuantizeError::Cancelled => Class::Cancelled,
            QuantizeError::Write(WriteError::Busy { .. }) => Class::Transient,
            QuantizeError::Write(error) if error.code() == "disk-full" => Class::Transient,
            QuantizeError::Write(WriteError::Unwritable { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Class::Missing
            }
            QuantizeError::Write(WriteError::Exists { .. }) => Class::Rejected,
            QuantizeError::Write(_) => Class::Fatal,
            _ => Class::Rejected,
        };
        let (message, hint) = (error.to_string(), error.hint());
        Self::converted(class, Stage::Encode, error.code(), message, hint)
    }

    /// An error of the plugin host; its message names the plugin.
    pub(crate) fn plugin(stage: Stage, error: &PluginError) -> Self {
        let class = match error {
            PluginError::NotFound { .. } => Class::Missing,
            PluginError::Cancelled { .. } => Class::Cancelled,
            PluginError::Refused { .. }
            | PluginError::Request { .. }
            | PluginError::Archive { .. }
            | PluginError::Signature { .. } => Class::Rejected,
            _ => Class::Fatal,
        };
        Self::converted(class, stage, error.code(), error.to_string(), error.hint())
    }

    /// An error of the provenance crate.
    pub(crate) fn provenance(stage: Stage, error: &ProvenanceError) -> Self {
        let class = match error {
            ProvenanceError::IdentityMissing(_) => Class::Missing,
            ProvenanceError::IdentityExists(_)
            | ProvenanceError::FormatUnknown
            | ProvenanceError::FormatUnsupported(_)
            | ProvenanceError::TrustRoots(_) => Class::Rejected,
            ProvenanceError::Unreadable(_) => Class::Unproven,
            _ => Class::Fatal,
        };
        Self::converted(class, stage, error.code(), error.to_string(), error.hint())
    }

    /// An error of the queue.
    pub(crate) fn queue(stage: Stage, error: &QueueError) -> Self {
        let class = match error {
            QueueError::UnknownJob(_) | QueueError::BadJobId(_) | QueueError::LedgerMissing(_) => {
                Class::Missing
            }
            QueueError::CancelRequested(_) => Class::Cancelled,
            QueueError::IllegalTransition { .. }
            | QueueError::NotRetryable { .. }
            | QueueError::PriorityOutOfRange(_)
            | QueueError::FoldersOverlap { .. }
            | QueueError::AcrossFilesystems { .. }
            | QueueError::PathNotUtf8(_)
            | QueueError::ManifestUnusable { .. }
            | QueueError::InputUnusable { .. } => Class::Rejected,
            error if error.is_transient() => Class::Transient,
            _ => Class::Fatal,
        };
        Self::converted(class, stage, error.code(), error.to_string(), error.hint())
    }

    /// A manifest's problems, or a command line's; the first one speaks for all.
    pub(crate) fn from_problems(problems: &Problems) -> Self {
        let places: Vec<Place> = problems
            .iter()
            .map(|problem| Place {
                code: problem.code().as_str().to_owned(),
                key: problem.key().map(str::to_owned),
                line: problem.line(),
                column: problem.column(),
                message: problem.message(),
                hint: problem.hint().map(str::to_owned),
            })
            .collect();
        // A file or model that is not there has an exit status of its own, if that is all.
        let class = if problems.iter().all(|problem| problem.code().is_not_found()) {
            Class::Missing
        } else {
            Class::Rejected
        };
        let mut fault = match places.first() {
            Some(first) => Self::converted(
                class,
                Stage::Check,
                &first.code,
                first.message.clone(),
                first.hint.clone(),
            ),
            None => Self::rejected(
                Stage::Check,
                "manifest-invalid",
                "the manifest is not valid",
            ),
        };
        fault.problems = places;
        fault
    }

    /// The same as the error file that lies beside a failed manifest.
    pub(crate) fn to_error_file(&self) -> ErrorFile {
        let first = self.problems.first();
        ErrorFile {
            hint: self.hint.clone(),
            key: first.and_then(|place| place.key.clone()),
            line: first.and_then(|place| place.line),
            column: first.and_then(|place| place.column),
            retryable: self.is_transient(),
            problems: self
                .problems
                .iter()
                .map(|place| Problem {
                    code: place.code.clone(),
                    message: place.message.clone(),
                    hint: place.hint.clone(),
                    line: place.line,
                    column: place.column,
                    key: place.key.clone(),
                })
                .collect(),
            ..ErrorFile::new(&self.code, self.stage.name(), self.message.clone())
        }
    }
}
