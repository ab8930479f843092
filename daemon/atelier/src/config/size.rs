//! A picture's size as settings write it: `"1024x768"`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureSize {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl FromStr for PictureSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once('x');
        let sides =
            sides.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        match sides {
            Some((width, height)) => Ok(Self { width, height }),
            None => Err(format!("{text:?} is no size such as \"1024x768\"")),
        }
    }
}

impl fmt::Display for PictureSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.width, self.height)
    }
}

impl<'de> Deserialize<'de> for PictureSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers() {
        let size = PictureSize {
            width: 1024,
            height: 768,
        };
        assert_eq!("1024x768".parse(), Ok(size));
        assert_eq!(size.to_string(), "1024x768");
        for wrong in [
            "",
            "1024",
            "1024x",
            "x768",
            "1024x768x3",
            "-1x4",
            "1024 x 768",
        ] {
            assert!(wrong.parse::<PictureSize>().is_err(), "{wrong}");
        }
    }
}
