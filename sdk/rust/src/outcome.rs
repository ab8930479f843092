//! What a plugin hands back: pictures with words, or the reason why there are none.

use crate::{Canvas, Refused};

/// What came out of [`Plugin::prepare`](crate::Plugin::prepare).
#[derive(Debug, Default)]
pub struct Outcome {
    /// The pictures that the model sees as references, in this order, or that the job's next plugin
    /// gets. There may be none where there are keypoints for a next plugin.
    pub pictures: Vec<Canvas>,
    /// Words to add to the prompt. `{image}` in them becomes the number of the first picture. Most
    /// plugins add none unless asked to: the user's own prompt names the references.
    pub prompt: Option<String>,
    /// Keypoints found or used, as OpenPose JSON. The job's next plugin gets them as a document
    /// after the pictures, if it takes documents.
    pub keypoints: Option<String>,
    /// What the picture's provenance records of this step.
    pub notes: Vec<Note>,
}

impl Outcome {
    /// One picture and nothing else.
    pub fn picture(canvas: Canvas) -> Self {
        Self::pictures([canvas])
    }

    /// Several pictures and nothing else.
    pub fn pictures(canvases: impl IntoIterator<Item = Canvas>) -> Self {
        Self {
            pictures: canvases.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Keypoints for the job's next plugin, as OpenPose JSON, and no picture.
    ///
    /// ```
    /// use atelier_plugin::Outcome;
    ///
    /// let outcome = Outcome::of_keypoints(r#"{ "people": [] }"#).note("people", "0");
    /// assert!(outcome.pictures.is_empty());
    /// ```
    pub fn of_keypoints(json: impl Into<String>) -> Self {
        Self::default().keypoints(json)
    }

    /// Adds words to the prompt. `{image}` in them becomes the number of the first of these
    /// pictures among the job's references, which the plugin cannot know.
    ///
    /// ```
    /// # use atelier_plugin::Outcome;
    /// let outcome = Outcome::default().prompt("in the pose of image {image}");
    /// # assert_eq!(outcome.prompt.as_deref(), Some("in the pose of image {image}"));
    /// ```
    #[must_use]
    pub fn prompt(mut self, words: impl Into<String>) -> Self {
        self.prompt = Some(words.into());
        self
    }

    /// Adds keypoints, as OpenPose JSON.
    #[must_use]
    pub fn keypoints(mut self, json: impl Into<String>) -> Self {
        self.keypoints = Some(json.into());
        self
    }

    /// Adds a fact for the provenance record. It is signed and public: nothing private belongs
    /// here. The host takes up to 32, each key once: 1 to 64 of `a`–`z`, `0`–`9`, `_`, `-` and
    /// `.`, with a value of one line and at most 1000 characters.
    #[must_use]
    pub fn note(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.notes.push(Note {
            key: key.into(),
            value: value.into(),
        });
        self
    }
}

/// A fact that the picture's provenance records beside the plugin's name and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub key: String,
    /// What is the case.
    pub value: String,
}

/// Why nothing came out. The user reads the message as it is, after the plugin's name.
///
/// ```
/// use atelier_plugin::Failure;
///
/// let failure = Failure::parameter("width", "must be at least 16");
/// assert_eq!(failure.to_string(), "parameter \"width\": must be at least 16");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A parameter is missing or out of range.
    Parameter {
        /// Its name; empty where the fault is not in one parameter.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// The reference cannot be used: what is wrong with it.
    Source(String),
    /// Anything else.
    Other(String),
}

impl Failure {
    /// A parameter that is missing or out of range.
    pub fn parameter(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Parameter {
            name: name.into(),
            message: message.into(),
        }
    }

    /// A reference that cannot be used.
    pub fn source(message: impl Into<String>) -> Self {
        Self::Source(message.into())
    }

    /// Anything else.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Parameter { name, message } if name.is_empty() => {
                write!(formatter, "parameters: {message}")
            }
            Self::Parameter { name, message } => {
                write!(formatter, "parameter \"{name}\": {message}")
            }
            Self::Source(message) | Self::Other(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Other(refused.to_string())
    }
}
