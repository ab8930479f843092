//! The colours that models learned to read as joints and limbs.

/// Red, green and blue.
pub(crate) type Colour = [u8; 3];

/// One for each joint, and, dimmed, for each limb: the hue wheel in steps of 20°.
pub(crate) const BODY: [Colour; 18] = [
    [255, 0, 0],
    [255, 85, 0],
    [255, 170, 0],
    [255, 255, 0],
    [170, 255, 0],
    [85, 255, 0],
    [0, 255, 0],
    [0, 255, 85],
    [0, 255, 170],
    [0, 255, 255],
    [0, 170, 255],
    [0, 85, 255],
    [0, 0, 255],
    [85, 0, 255],
    [170, 0, 255],
    [255, 0, 255],
    [255, 0, 170],
    [255, 0, 85],
];

/// One for each bone of a hand: the hue wheel in steps of 18°, with the rounding of the program
/// that the models' training pictures came from.
pub(crate) const HAND: [Colour; 20] = [
    [255, 0, 0],
    [255, 77, 0],
    [255, 153, 0],
    [255, 229, 0],
    [204, 255, 0],
    [128, 255, 0],
    [51, 255, 0],
    [0, 255, 25],
    [0, 255, 102],
    [0, 255, 179],
    [0, 255, 255],
    [0, 178, 255],
    [0, 102, 255],
    [0, 25, 255],
    [51, 0, 255],
    [128, 0, 255],
    [204, 0, 255],
    [255, 0, 230],
    [255, 0, 153],
    [255, 0, 77],
];

/// Every joint of a hand.
pub(crate) const HAND_JOINT: Colour = [0, 0, 255];

/// Every point of a face.
pub(crate) const FACE: Colour = [255, 255, 255];

/// A colour at 0.6 of its brightness, rounded down.
pub(crate) fn dimmed(colour: Colour) -> Colour {
    colour.map(|channel| (u16::from(channel) * 3 / 5) as u8)
}
