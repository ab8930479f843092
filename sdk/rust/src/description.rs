//! What a plugin says of itself before it is asked to do anything.

/// A plugin's answer to [`Plugin::describe`](crate::Plugin::describe).
///
/// ```
/// use atelier_plugin::{Description, SourceKind};
///
/// let description = Description::new("mirror", env!("CARGO_PKG_VERSION"), "Mirrors a picture.")
///     .takes([SourceKind::Picture]);
/// assert_eq!(description.name, "mirror");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The name in the plugin's `plugin.toml`.
    pub name: String,
    /// The version in the plugin's `plugin.toml`.
    pub version: String,
    /// One sentence for a list of plugins.
    pub summary: String,
    /// A JSON Schema, of type object, of the parameters. User interfaces make a form of it, so
    /// each property deserves a title, a description, bounds and its default.
    pub parameters: String,
    /// What [`Plugin::prepare`](crate::Plugin::prepare) can start from.
    pub takes: Vec<SourceKind>,
}

impl Description {
    /// A plugin that takes no parameters and, until [`Description::takes`] says so, no source.
    pub fn new(
        name: impl Into<String>,
        version: impl Into<String>,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            parameters: r#"{"type":"object","properties":{},"additionalProperties":false}"#.into(),
            takes: Vec::new(),
        }
    }

    /// Sets what the plugin can start from.
    #[must_use]
    pub fn takes(mut self, kinds: impl IntoIterator<Item = SourceKind>) -> Self {
        self.takes = kinds.into_iter().collect();
        self
    }

    /// Sets the JSON Schema of the parameters.
    #[must_use]
    pub fn parameters(mut self, schema: impl Into<String>) -> Self {
        self.parameters = schema.into();
        self
    }
}

/// The kinds of things that a reference can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A decoded picture.
    Picture,
    /// The text of a document: keypoints as JSON, say.
    Document,
}

impl std::fmt::Display for SourceKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Picture => "picture",
            Self::Document => "document",
        })
    }
}
