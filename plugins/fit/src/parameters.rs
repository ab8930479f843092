//! The parameters, as `parameters.schema.json` describes them.

use atelier_plugin::{Size, Within};
use serde::Deserialize;

/// A side of the result, in pixels.
pub(crate) type Side = Within<16, 8192>;

/// What a job's `prepare` entry may say.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    pub(crate) mode: Mode,
    pub(crate) width: Option<Side>,
    pub(crate) height: Option<Side>,
    pub(crate) anchor: Anchor,
    pub(crate) background: Colour,
}

impl Parameters {
    /// The size to fit to, given the size of the picture that the job makes.
    pub(crate) fn frame(&self, output: Size) -> Size {
        output.with_sides(self.width.map(Side::get), self.height.map(Side::get))
    }
}

/// How a picture of another aspect comes to the size.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Fill the size; what is over is cut off.
    #[default]
    Crop,
    /// Show all; the background fills the rest.
    Pad,
    /// As large as fits; nothing is added.
    Contain,
    /// Exactly the size.
    Stretch,
}

impl Mode {
    /// As a manifest writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Pad => "pad",
            Self::Contain => "contain",
            Self::Stretch => "stretch",
        }
    }
}

/// The part that stays in view.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Anchor {
    #[default]
    #[serde(alias = "centre")]
    Center,
    Top,
    Bottom,
    Left,
    Right,
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

impl Anchor {
    /// The halves of the free room that lie left of the picture and above it: 0, 1 or 2 each.
    pub(crate) fn halves(self) -> (i64, i64) {
        match self {
            Self::TopLeft => (0, 0),
            Self::Top => (1, 0),
            Self::TopRight => (2, 0),
            Self::Left => (0, 1),
            Self::Center => (1, 1),
            Self::Right => (2, 1),
            Self::BottomLeft => (0, 2),
            Self::Bottom => (1, 2),
            Self::BottomRight => (2, 2),
        }
    }
}

/// R, G, B and A of `#rrggbb` or `#rrggbbaa`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct Colour(pub(crate) [u8; 4]);

impl Default for Colour {
    fn default() -> Self {
        Self([0, 0, 0, 255])
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').unwrap_or("");
        let all_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16);
        match (digits.len(), all_hex, number) {
            (6, true, Ok(rgb)) => Ok(Self((rgb << 8 | 0xff).to_be_bytes())),
            (8, true, Ok(rgba)) => Ok(Self(rgba.to_be_bytes())),
            _ => Err(format!(
                "\"{text}\" is not a colour like #rrggbb or #rrggbbaa"
            )),
        }
    }
}
