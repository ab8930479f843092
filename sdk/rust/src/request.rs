//! What the host asks for.

use serde::de::DeserializeOwned;

use crate::{Failure, Picture, Size, SourceKind, parameters};

/// One thing to start from.
#[derive(Debug)]
pub enum Source {
    /// A decoded picture.
    Picture(Picture),
    /// The text of a document: keypoints as JSON, say.
    Document(String),
}

impl Source {
    /// Which of the two it is.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Picture(_) => SourceKind::Picture,
            Self::Document(_) => SourceKind::Document,
        }
    }
}

/// The argument of [`Plugin::prepare`](crate::Plugin::prepare).
#[derive(Debug)]
pub struct Request {
    /// What the reference names; at least one.
    pub sources: Vec<Source>,
    /// The size of the picture that the job makes.
    pub output: Size,
    parameters: String,
}

impl Request {
    /// A request as the host makes it; `parameters` is a JSON object.
    pub fn new(sources: Vec<Source>, parameters: impl Into<String>, output: Size) -> Self {
        Self {
            sources,
            output,
            parameters: parameters.into(),
        }
    }

    /// A request with one picture, as most tests need it.
    pub fn of_picture(picture: Picture, parameters: impl Into<String>, output: Size) -> Self {
        Self::new(vec![Source::Picture(picture)], parameters, output)
    }

    /// A request with one document, as most tests need it.
    pub fn of_document(
        text: impl Into<String>,
        parameters: impl Into<String>,
        output: Size,
    ) -> Self {
        Self::new(vec![Source::Document(text.into())], parameters, output)
    }

    /// The parameters, read into a struct. Put `#[serde(deny_unknown_fields)]` on it, so that a
    /// misspelt name is refused instead of ignored.
    ///
    /// ```
    /// use atelier_plugin::{Failure, Request, Size};
    ///
    /// #[derive(Debug, serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Blur {
    ///     radius: u32,
    /// }
    ///
    /// let request = Request::of_document("", r#"{ "radios": 3 }"#, Size::new(64, 64));
    /// let refused = request.parameters::<Blur>().unwrap_err();
    /// let message = "there is no such parameter, expected `radius`";
    /// assert_eq!(refused, Failure::parameter("radios", message));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::Parameter`] with the name of the parameter that is missing, unknown, of another
    /// type or out of its type's range.
    pub fn parameters<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        parameters::parse(&self.parameters)
    }

    /// All pictures, in their order.
    pub fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.sources.iter().filter_map(|source| match source {
            Source::Picture(picture) => Some(picture),
            Source::Document(_) => None,
        })
    }

    /// The texts of all documents, in their order. After a plugin that gave keypoints, these are
    /// the last of them.
    ///
    /// ```
    /// use atelier_plugin::{Request, Size};
    ///
    /// let request = Request::of_document("[]", "{}", Size::new(64, 64));
    /// assert_eq!(request.documents().collect::<Vec<_>>(), ["[]"]);
    /// assert_eq!(request.pictures().count(), 0);
    /// ```
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().filter_map(|source| match source {
            Source::Document(text) => Some(text.as_str()),
            Source::Picture(_) => None,
        })
    }

    /// The one picture of the request.
    ///
    /// # Errors
    ///
    /// [`Failure::Source`] where there is a document, or more than one source.
    pub fn only_picture(&self) -> Result<&Picture, Failure> {
        match self.only_source()? {
            Source::Picture(picture) => Ok(picture),
            Source::Document(_) => Err(Failure::source(
                "this plugin takes a picture, and the reference is a document",
            )),
        }
    }

    /// The text of the one document of the request.
    ///
    /// # Errors
    ///
    /// [`Failure::Source`] where there is a picture, or more than one source.
    pub fn only_document(&self) -> Result<&str, Failure> {
        match self.only_source()? {
            Source::Document(text) => Ok(text),
            Source::Picture(_) => Err(Failure::source(
                "this plugin takes a document, and the reference is a picture",
            )),
        }
    }

    fn only_source(&self) -> Result<&Source, Failure> {
        match self.sources.as_slice() {
            [source] => Ok(source),
            sources => Err(Failure::source(format!(
                "this plugin takes one source, and the reference names {}",
                sources.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::{Request, Source};
    use crate::{Failure, Picture, Size};

    const OUTPUT: Size = Size::new(64, 64);

    #[test]
    fn the_wrong_kind_of_source_is_refused() {
        let picture = Picture::from_rgba(Size::new(1, 1), vec![0; 4]).unwrap();
        let pictured = Request::of_picture(picture, "{}", OUTPUT);
        assert!(pictured.only_picture().is_ok());
        assert!(matches!(pictured.only_document(), Err(Failure::Source(_))));
        let written = Request::of_document("[]", "{}", OUTPUT);
        assert_eq!(written.only_document(), Ok("[]"));
        assert!(matches!(written.only_picture(), Err(Failure::Source(_))));
    }

    #[test]
    fn several_sources_are_not_one() {
        let two = vec![
            Source::Document(String::new()),
            Source::Document(String::new()),
        ];
        let refused = Request::new(two, "{}", OUTPUT).only_document().unwrap_err();
        assert!(refused.to_string().ends_with("names 2"), "{refused}");
    }
}
