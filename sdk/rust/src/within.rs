//! Parameters that know their bounds.

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

    /// A number for a constant, a default say: out of bounds, the plugin does not compile.
    ///
    /// ```
    /// use atelier_plugin::Within;
    ///
    /// const RADIUS: Within<1, 64> = Within::constant(3);
    /// assert_eq!(RADIUS.get(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// Out of bounds, where it is called for anything but a constant; there [`Within::new`] is meant.
    pub const fn constant(number: u32) -> Self {
        match Self::new(number) {
            Some(within) => within,
            None => panic!("the constant is out of bounds"),
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

/// A number from `LOW` to `HIGH` thousandths, both included: `Decimal<0, 1000>` is 0 to 1. Use it
/// like [`Within`], for numbers that need not be whole.
///
/// ```
/// use atelier_plugin::{Decimal, Failure, Request, Size};
///
/// #[derive(serde::Deserialize)]
/// struct Move {
///     right: Decimal<-500, 500>,
/// }
///
/// let request = |json| Request::of_document("", json, Size::new(64, 64));
/// let a_quarter: Move = request(r#"{ "right": 0.25 }"#).parameters()?;
/// assert_eq!(a_quarter.right.get(), 0.25);
/// let refused = request(r#"{ "right": 2 }"#).parameters::<Move>().err();
/// assert_eq!(refused, Some(Failure::parameter("right", "must be -0.5 to 0.5, not 2")));
/// # Ok::<(), Failure>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decimal<const LOW: i32, const HIGH: i32>(f64);

impl<const LOW: i32, const HIGH: i32> Decimal<LOW, HIGH> {
    /// A number of thousandths, or none where it is out of bounds.
    pub const fn of_thousandths(number: i32) -> Option<Self> {
        if LOW <= number && number <= HIGH {
            Some(Self(number as f64 / 1000.0))
        } else {
            None
        }
    }

    /// A number of thousandths for a constant, a default say: out of bounds, the plugin does not
    /// compile.
    ///
    /// # Panics
    ///
    /// Out of bounds, where it is called for anything but a constant; there
    /// [`Decimal::of_thousandths`] is meant.
    pub const fn constant(thousandths: i32) -> Self {
        match Self::of_thousandths(thousandths) {
            Some(decimal) => decimal,
            None => panic!("the constant is out of bounds"),
        }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de, const LOW: i32, const HIGH: i32> Deserialize<'de> for Decimal<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let (low, high) = (f64::from(LOW) / 1000.0, f64::from(HIGH) / 1000.0);
        if (low..=high).contains(&number) {
            Ok(Self(number))
        } else {
            let message = format!("must be {low} to {high}, not {number}");
            Err(de::Error::custom(message))
        }
    }
}
