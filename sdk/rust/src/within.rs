//! An integer parameter that knows its bounds.

use serde::{Deserialize, Deserializer, de};

/// A whole number from `LOW` to `HIGH`, both included. Use it in a struct of parameters: what is
/// out of range is refused with the parameter's name, as the schema's `minimum` and `maximum`
/// promise.
///
/// ```
/// use atelier_plugin::{Failure, Request, Size, Within};
///
/// #[derive(serde::Deserialize)]
/// struct Blur {
///     radius: Within<1, 64>,
/// }
///
/// let request = |json| Request::of_document("", json, Size::new(64, 64));
/// let blur: Blur = request(r#"{ "radius": 3 }"#).parameters()?;
/// assert_eq!(blur.radius.get(), 3);
/// let refused = request(r#"{ "radius": 0 }"#).parameters::<Blur>().err();
/// assert_eq!(refused, Some(Failure::parameter("radius", "must be 1 to 64, not 0")));
/// # Ok::<(), Failure>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<const LOW: u32, const HIGH: u32>(u32);

impl<const LOW: u32, const HIGH: u32> Within<LOW, HIGH> {
    /// The number, or none where it is out of bounds.
    pub const fn new(number: u32) -> Option<Self> {
        if LOW <= number && number <= HIGH {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const LOW: u32, const HIGH: u32> Deserialize<'de> for Within<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        u32::try_from(number)
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| de::Error::custom(format!("must be {LOW} to {HIGH}, not {number}")))
    }
}
