//! What a plugin gave back, and whether it can be used. The types here belong to no version of the
//! interface; each version's adapter fills them in. Prompt fragments reach the model and notes are
//! signed and public, so both are bounded and plain.

use std::time::Duration;

use image::RgbaImage;
use serde_json::{Map, Value};

use atelier_plugin_package::Package;

/// The longest prompt fragment, in characters: the model reads 512 tokens in all.
const LONGEST_PROMPT: usize = 2000;
const MOST_NOTES: usize = 32;
/// In characters, as the next.
const LONGEST_KEY: usize = 64;
const LONGEST_VALUE: usize = 1000;
/// Bytes of keypoints as JSON: some thousand people with hands and faces.
const LONGEST_KEYPOINTS: usize = 4 << 20;

/// The kinds of things that a reference can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A decoded picture.
    Picture,
    /// The text of a document.
    Document,
}

/// What a plugin says of itself when it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// As in its `plugin.toml`.
    pub name: String,
    /// As in its `plugin.toml`.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// A JSON Schema of the parameters that it takes.
    pub parameters: Map<String, Value>,
    /// What it can start from.
    pub takes: Vec<SourceKind>,
}

/// What a plugin made of a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Pictures, to be used as references in this order, none of them empty. There are none only
    /// where there are keypoints.
    pub pictures: Vec<RgbaImage>,
    /// Words to add to the prompt: at most 2000 characters, no control characters but line ends
    /// and tabs, not blank.
    pub prompt: Option<String>,
    /// Keypoints as OpenPose JSON: valid JSON, an object or an array, at most 4 MiB.
    pub keypoints: Option<String>,
    /// For the provenance record: at most 32, each key once, of 1 to 64 of `a`–`z`, `0`–`9`,
    /// `_`, `-` and `.`; values of one line of at most 1000 characters.
    pub notes: Vec<(String, String)>,
    /// Lines of log that the plugin wrote over its limit.
    pub dropped_log_lines: u64,
    /// Bytes of linear memory and tables that the call took.
    pub memory: usize,
    /// Of the call's time, that which it took to make an instance of the component.
    pub instantiation: Duration,
}

/// A description as it came, with the parameters still text.
pub(crate) struct RawDescription {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) parameters: String,
    pub(crate) takes: Vec<SourceKind>,
}

impl RawDescription {
    /// Checks it; the error completes "plugin `x`: …".
    pub(crate) fn checked(self, package: &Package) -> Result<Description, String> {
        for (what, says, written) in [
            ("name", &self.name, &package.name),
            ("version", &self.version, &package.version),
        ] {
            if says != written {
                return Err(format!(
                    "its component calls its {what} {says:?}, its plugin.toml {written:?}"
                ));
            }
        }
        let parameters = match serde_json::from_str(&self.parameters) {
            Ok(Value::Object(schema)) => schema,
            Ok(_) => {
                return Err("its parameters are described by JSON that is no object".to_owned());
            }
            Err(error) => return Err(format!("its parameters are not described by JSON: {error}")),
        };
        let Self {
            name,
            version,
            summary,
            takes,
            ..
        } = self;
        Ok(Description {
            name,
            version,
            summary: crate::speech::plain(&summary),
            parameters,
            takes,
        })
    }
}

impl Prepared {
    /// Checks what came back; the error completes "plugin `x`: …". `pixels` is what all pictures
    /// together may have.
    pub(crate) fn checked(self, pixels: u64) -> Result<Self, String> {
        self.check_pictures(pixels)?;
        self.check_prompt()?;
        self.check_keypoints()?;
        self.check_notes()?;
        Ok(self)
    }

    fn check_pictures(&self, pixels: u64) -> Result<(), String> {
        if self.pictures.is_empty() && self.keypoints.is_none() {
            return Err("it returned no picture and no keypoints".to_owned());
        }
        let mut total = 0_u64;
        for picture in &self.pictures {
            let (width, height) = picture.dimensions();
            if width == 0 || height == 0 {
                return Err(format!(
                    "it returned an empty picture of {width} x {height} pixels"
                ));
            }
            total = total.saturating_add(u64::from(width) * u64::from(height));
        }
        if total > pixels {
            return Err(format!("it returned {total} pixels; {pixels} are allowed"));
        }
        Ok(())
    }

    fn check_prompt(&self) -> Result<(), String> {
        let Some(prompt) = &self.prompt else {
            return Ok(());
        };
        let length = prompt.chars().count();
        if length > LONGEST_PROMPT {
            return Err(format!(
                "its prompt fragment has {length} characters; {LONGEST_PROMPT} are allowed"
            ));
        }
        if prompt.trim().is_empty() {
            return Err("its prompt fragment is blank; it should return none".to_owned());
        }
        if prompt
            .chars()
            .any(|one| one.is_control() && !matches!(one, '\n' | '\t'))
        {
            return Err("its prompt fragment holds control characters".to_owned());
        }
        Ok(())
    }

    fn check_keypoints(&self) -> Result<(), String> {
        let Some(keypoints) = &self.keypoints else {
            return Ok(());
        };
        if keypoints.len() > LONGEST_KEYPOINTS {
            return Err(format!(
                "its keypoints are {} bytes; {LONGEST_KEYPOINTS} are allowed",
                keypoints.len()
            ));
        }
        match serde_json::from_str::<Value>(keypoints) {
            Ok(Value::Object(_) | Value::Array(_)) => Ok(()),
            Ok(_) => Err("its keypoints are JSON, but neither an object nor an array".to_owned()),
            Err(error) => Err(format!("its keypoints are not JSON: {error}")),
        }
    }

    fn check_notes(&self) -> Result<(), String> {
        if self.notes.len() > MOST_NOTES {
            return Err(format!(
                "it returned {} notes; {MOST_NOTES} are allowed",
                self.notes.len()
            ));
        }
        for (index, (key, value)) in self.notes.iter().enumerate() {
            let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
            if !(1..=LONGEST_KEY).contains(&key.len()) || !key.bytes().all(allowed) {
                let key: String = key.chars().take(LONGEST_KEY).collect();
                return Err(format!(
                    "the key {key:?} of a note is not 1 to {LONGEST_KEY} of a-z, 0-9, _, - and ."
                ));
            }
            if self.notes[..index]
                .iter()
                .any(|(earlier, _)| earlier == key)
            {
                return Err(format!("it returned two notes called {key:?}"));
            }
            if value.chars().count() > LONGEST_VALUE || value.chars().any(char::is_control) {
                return Err(format!(
                    "its note {key:?} is not one line of at most {LONGEST_VALUE} characters"
                ));
            }
        }
        Ok(())
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
    use atelier_plugin_package::World;

    fn good() -> Prepared {
        Prepared {
            pictures: vec![RgbaImage::new(2, 2)],
            prompt: Some("in the pose of image 2".to_owned()),
            keypoints: Some(r#"{"people":[]}"#.to_owned()),
            notes: vec![("people".to_owned(), "1".to_owned())],
            dropped_log_lines: 0,
            memory: 0,
            instantiation: Duration::ZERO,
        }
    }

    #[test]
    fn what_is_whole_passes() {
        assert_eq!(good().checked(4).unwrap(), good());
    }

    #[test]
    fn each_fault_is_named() {
        let note = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        type Spoil = fn(&mut Prepared);
        let cases: [(&str, Spoil); 9] = [
            ("no picture", |it| {
                it.pictures.clear();
                it.keypoints = None;
            }),
            ("empty picture of 0 x 7", |it| {
                it.pictures.push(RgbaImage::new(0, 7))
            }),
            ("5 pixels; 4 are allowed", |it| {
                it.pictures.push(RgbaImage::new(1, 1))
            }),
            ("3000 characters", |it| it.prompt = Some("é".repeat(3000))),
            ("blank", |it| it.prompt = Some(" \n".to_owned())),
            ("control characters", |it| {
                it.prompt = Some("a\u{0}b".to_owned())
            }),
            ("not JSON", |it| it.keypoints = Some("{".to_owned())),
            ("neither an object", |it| {
                it.keypoints = Some("3".to_owned())
            }),
            ("33 notes", |it| {
                it.notes = vec![("a".to_owned(), String::new()); 33]
            }),
        ];
        for (expected, spoil) in cases {
            let mut prepared = good();
            spoil(&mut prepared);
            let problem = prepared.checked(4).unwrap_err();
            assert!(problem.contains(expected), "{problem} lacks {expected}");
        }
        for (expected, notes) in [
            ("\"A\"", vec![note("A", "")]),
            ("\"\"", vec![note("", "")]),
            ("two notes", vec![note("a", "1"), note("a", "2")]),
            ("one line", vec![note("a", "1\n2")]),
            ("one line", vec![note("a", &"x".repeat(1001))]),
        ] {
            let problem = Prepared { notes, ..good() }.checked(4).unwrap_err();
            assert!(problem.contains(expected), "{problem} lacks {expected}");
        }
    }

    #[test]
    fn a_description_agrees_with_the_package() {
        let package = Package {
            name: "pose".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "s".to_owned(),
            license: "MIT".to_owned(),
            world: World::V1,
            asks: Vec::new(),
        };
        let raw = |name: &str, parameters: &str| RawDescription {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Draws".to_owned(),
            parameters: parameters.to_owned(),
            takes: vec![SourceKind::Document],
        };
        assert!(raw("pose", "{}").checked(&package).is_ok());
        for (name, parameters, expected) in [
            ("fit", "{}", "its plugin.toml \"pose\""),
            ("pose", "[]", "no object"),
            ("pose", "", "not described by JSON"),
        ] {
            let problem = raw(name, parameters).checked(&package).unwrap_err();
            assert!(problem.contains(expected), "{problem} lacks {expected}");
        }
    }
}
