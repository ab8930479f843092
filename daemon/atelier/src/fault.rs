//! What went wrong, in one shape: every crate's error becomes a [`Fault`], and a fault becomes an
//! error file, a D-Bus error, a line on the terminal and an exit status.

use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

mod convert;

/// Who or what is to blame, which decides whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    /// The input is wrong: nothing was done, and the same input is wrong again.
    Rejected,
    /// What was named is not there.
    Missing,
    /// May pass by itself: a full disk, a busy device.
    Transient,
    /// Failed, and would fail again.
    Fatal,
    /// The user took it back.
    Cancelled,
    /// The daemon did not answer.
    Unreachable,
    /// A picture's provenance does not hold.
    Unproven,
}

/// The stage that failed, in the order that a job passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Before any job: settings, folders, keys.
    Start,
    /// Reading and checking the manifest.
    Check,
    /// Taking the job and its inputs.
    Claim,
    /// References and plugins.
    Prepare,
    /// The model.
    Infer,
    /// Pixels to a file.
    Encode,
    /// Provenance.
    Sign,
    /// Into the outbox.
    Deliver,
    /// Talking to the daemon.
    Bus,
}

impl Stage {
    /// The name used in error files and on the bus.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Check => "check",
            Self::Claim => "claim",
            Self::Prepare => "prepare",
            Self::Infer => "infer",
            Self::Encode => "encode",
            Self::Sign => "sign",
            Self::Deliver => "deliver",
            Self::Bus => "bus",
        }
    }
}

/// One thing that went wrong, with what to do about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// Stable, in kebab case.
    pub(crate) code: String,
    /// Where it happened.
    pub(crate) stage: Stage,
    /// Whether to try again.
    pub(crate) class: Class,
    /// What is wrong, as a sentence for a person.
    pub(crate) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Everything wrong with a manifest; empty for other faults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Place>,
}

/// One problem of a manifest or a command line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Stable, in kebab case.
    pub(crate) code: String,
    /// The key's path, as `reference[2].path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// Counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u32>,
    /// Counted from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<u32>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl Fault {
    fn new(class: Class, stage: Stage, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            stage,
            class,
            message: message.into(),
            hint: None,
            problems: Vec::new(),
        }
    }

    /// Wrong input; nothing was done.
    pub(crate) fn rejected(stage: Stage, code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Rejected, stage, code, message)
    }

    /// Something named is not there.
    pub(crate) fn missing(stage: Stage, code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Missing, stage, code, message)
    }

    /// Not worth another try.
    pub(crate) fn fatal(stage: Stage, code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Fatal, stage, code, message)
    }

    /// Taken back by the user.
    pub(crate) fn cancelled(stage: Stage) -> Self {
        Self::new(
            Class::Cancelled,
            stage,
            "cancelled",
            "cancelled by the user",
        )
    }

    /// Nobody answered.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(
            Class::Unreachable,
            Stage::Bus,
            "daemon-unreachable",
            message,
        )
        .hint("start it with `atelier daemon`")
    }

    /// Pictures whose provenance does not hold.
    pub(crate) fn unproven(message: impl Into<String>) -> Self {
        Self::new(Class::Unproven, Stage::Check, "provenance-invalid", message)
    }

    /// An error of the operating system about one path.
    pub(crate) fn io(stage: Stage, code: &str, path: &Path, cause: &io::Error) -> Self {
        let class = match cause.kind() {
            io::ErrorKind::NotFound => Class::Missing,
            io::ErrorKind::StorageFull | io::ErrorKind::Interrupted => Class::Transient,
            _ => Class::Fatal,
        };
        Self::new(class, stage, code, format!("{}: {cause}", path.display()))
    }

    /// The same fault with advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The contract's exit status.
    pub(crate) fn exit_status(&self) -> u8 {
        match self.class {
            Class::Transient | Class::Fatal => 1,
            Class::Rejected => 2,
            Class::Missing => 3,
            Class::Cancelled => 4,
            Class::Unproven => 5,
            Class::Unreachable => 6,
        }
    }

    /// Whether another try may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        self.class == Class::Transient
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problems.len() < 2 {
            let place = self.problems.first();
            write!(f, "error[{}]: ", self.code)?;
            if let Some(place) = place {
                place.locate(f)?;
            }
            write!(f, "{}", self.message)?;
            if let Some(hint) = &self.hint {
                write!(f, "\n  hint: {hint}")?;
            }
            return Ok(());
        }
        for (index, place) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "error[{}]: ", place.code)?;
            place.locate(f)?;
            write!(f, "{}", place.message)?;
            if let Some(hint) = &place.hint {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl Place {
    fn locate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        // Most messages name their key themselves.
        if let Some(key) = self
            .key
            .as_ref()
            .filter(|key| !self.message.contains(key.as_str()))
        {
            write!(f, "{key}: ")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
