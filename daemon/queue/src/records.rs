//! The files that a user reads when a job has ended: `NAME.result.toml` and `NAME.error.toml`.
//!
//! They are also stored in the ledger, as JSON, so that a crash between the end of a job and the
//! writing of its file loses nothing. A field may be added; none may be renamed or removed.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{JobId, QueueError};

/// Why a job did not become a picture. Written as `NAME.error.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorFile {
    /// The job, unless its manifest was refused before it became one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// Stable, in kebab case.
    pub code: String,
    /// The stage that failed, such as `validate`, `prepare`, `infer`, `sign`, `deliver`.
    pub stage: String,
    /// What happened, one sentence or more.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Line in the manifest, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in the manifest, from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The key in the manifest, dotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many attempts were begun; 0 for a refused manifest. Filled in by the queue.
    pub attempts: u32,
    /// Whether the same manifest may succeed another time.
    pub retryable: bool,
    /// When it ended, RFC 3339 in UTC. Filled in by the queue.
    pub at: String,
    /// All problems of a refused manifest, the first of which is told above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl ErrorFile {
    /// An error with its three required parts; the rest is empty and may be set.
    #[must_use]
    pub fn new(code: &str, stage: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            stage: stage.to_owned(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The queue's own failure as a job's.
    #[must_use]
    pub fn from_queue(error: &QueueError, stage: &str) -> Self {
        Self {
            hint: error.hint(),
            retryable: error.is_transient(),
            ..Self::new(error.code(), stage, error.to_string())
        }
    }

    /// The file's text.
    ///
    /// # Errors
    /// [`QueueError::RecordUnreadable`] if a value cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, QueueError> {
        to_toml(self, "error file")
    }
}

/// One of several problems of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// Stable, in kebab case.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Line in the manifest, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in the manifest, from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The key in the manifest, dotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What the program knows about a finished job before its pictures are delivered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResultNotes {
    /// The model's name.
    pub model: String,
    /// The seeds, in the order of the outputs: 0 … 2^63−1.
    pub seeds: Vec<i64>,
    /// What the user should know though the pictures were made, a sentence each.
    pub warnings: Vec<String>,
    /// Seconds by stage.
    pub timings: BTreeMap<String, f64>,
    /// Anything else worth telling, such as the device or the precision.
    pub notes: BTreeMap<String, String>,
    /// The LoRA files, in order.
    pub lora: Vec<LoraEntry>,
}

/// A LoRA file that the pictures were made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraEntry {
    /// Where it was read, absolute.
    pub path: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// How strongly it was applied.
    pub scale: f64,
}

/// How a job ended well. Written as `NAME.result.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultFile {
    /// The job.
    pub job: JobId,
    /// The model's name.
    pub model: String,
    /// The seeds, in the order of the outputs.
    pub seeds: Vec<i64>,
    /// How many attempts were begun.
    pub attempts: u32,
    /// When the job was accepted, RFC 3339 in UTC.
    pub accepted: String,
    /// When it was done, RFC 3339 in UTC.
    pub finished: String,
    /// What the user should know though the pictures were made, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Seconds by stage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timings: BTreeMap<String, f64>,
    /// Anything else worth telling.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
    /// The LoRA files, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lora: Vec<LoraEntry>,
    /// The pictures, as they lie in the outbox.
    pub outputs: Vec<OutputEntry>,
}

/// One delivered picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputEntry {
    /// File name in the outbox.
    pub name: String,
    /// Where it was delivered, absolute.
    pub path: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: i64,
    /// The seed it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Width in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

impl ResultFile {
    /// The file's text.
    ///
    /// # Errors
    /// [`QueueError::RecordUnreadable`] if a value cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, QueueError> {
        to_toml(self, "result file")
    }
}

pub(crate) fn to_toml(value: &impl Serialize, what: &str) -> Result<String, QueueError> {
    toml::to_string(value).map_err(|e| unreadable(what, &e))
}

pub(crate) fn from_toml<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, QueueError> {
    toml::from_str(text).map_err(|e| unreadable(what, &e))
}

pub(crate) fn to_json(value: &impl Serialize, what: &str) -> Result<String, QueueError> {
    serde_json::to_string(value).map_err(|e| unreadable(what, &e))
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, QueueError> {
    serde_json::from_str(text).map_err(|e| unreadable(what, &e))
}

fn unreadable(what: &str, detail: &dyn std::error::Error) -> QueueError {
    QueueError::RecordUnreadable {
        what: what.to_owned(),
        detail: detail.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    #[test]
    fn an_error_file_says_only_what_applies() {
        let error = ErrorFile {
            line: Some(3),
            problems: vec![Problem {
                code: "unknown-key".into(),
                ..Problem::default()
            }],
            ..ErrorFile::new("unknown-key", "validate", "there is no key \"promt\"")
        };
        let text = error.to_toml().unwrap();
        assert_eq!(
            text,
            "code = \"unknown-key\"\nstage = \"validate\"\n\
             message = 'there is no key \"promt\"'\nline = 3\nattempts = 0\nretryable = false\n\
             at = \"\"\n\n[[problems]]\ncode = \"unknown-key\"\nmessage = \"\"\n"
        );
        assert_eq!(from_toml::<ErrorFile>(&text, "error file").unwrap(), error);
    }
}
