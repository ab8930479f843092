//! The parameters, as `parameters.schema.json` describes them.

use atelier_plugin::{Failure, Size, Within};
use serde::Deserialize;

/// A side of the result, in pixels.
pub(crate) type Side = Within<16, 8192>;

/// What a job's `prepare` entry may say.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    pub(crate) mode: Mode,
    pub(crate) width: Option<Side>,
    pub(crate) height: Option<Side>,
    pub(crate) anchor: Anchor,
    pub(crate) around: Around,
    margin: Within<0, 200>,
    pub(crate) background: Colour,
    pub(crate) flatten: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            width: None,
            height: None,
            anchor: Anchor::default(),
            around: Around::default(),
            margin: const { Within::constant(10) },
            background: Colour::default(),
            flatten: false,
        }
    }
}

impl Parameters {
    /// Whether what is asked for goes together.
    ///
    /// # Errors
    ///
    /// [`Failure::Parameter`], where people are to be cropped around in a mode that crops nothing, and
    /// where a picture is to be flattened onto a background that is not opaque itself.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.around == Around::Keypoints && self.mode != Mode::Crop {
            let mode = self.mode.name();
            let message = format!("people are cropped around, and mode \"{mode}\" does not crop");
            return Err(Failure::parameter("around", message));
        }
        if self.flatten && self.background.0[3] != 255 {
            let message = "must be opaque, because \"flatten\" lays the picture onto it";
            return Err(Failure::parameter("background", message));
        }
        Ok(())
    }

    /// The room around people, as a share of the longer side of the box around them.
    pub(crate) fn margin(&self) -> f64 {
        f64::from(self.margin.get()) / 100.0
    }

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

/// What a crop is put around.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Around {
    /// As much of the picture as can be.
    #[default]
    Picture,
    /// The people that a document beside it has.
    Keypoints,
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
    Thirds,
}

impl Anchor {
    /// The sixths of the free room that lie left of the picture and above it: 0 to 6 each.
    ///
    /// With a third of what is over cut off above, and two below, the picture's upper third line lies on
    /// that of the frame.
    pub(crate) fn sixths(self) -> (i64, i64) {
        match self {
            Self::TopLeft => (0, 0),
            Self::Top => (3, 0),
            Self::TopRight => (6, 0),
            Self::Left => (0, 3),
            Self::Center => (3, 3),
            Self::Right => (6, 3),
            Self::BottomLeft => (0, 6),
            Self::Bottom => (3, 6),
            Self::BottomRight => (6, 6),
            Self::Thirds => (3, 2),
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
