//! From the canvas that the keypoints were found in to the picture that is drawn.
//!
//! The aspect is kept: the canvas is scaled to fit the picture and lies in its middle, so that a
//! person never grows fat or thin.

use atelier_plugin::Size;

use crate::{Extent, Found, Person};

/// The room around people whose canvas is unknown, as a share of the larger side of their box.
const MARGIN: f64 = 0.1;

/// How coordinates become pixels of the picture: first scaled, then moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    scale: [f64; 2],
    offset: [f64; 2],
}

impl Placement {
    /// The placement of what was found in a picture of size `into`.
    ///
    /// Shares of an unknown canvas are taken to be of a canvas of the picture's aspect; pixels of
    /// an unknown canvas are fitted by the box around all people.
    pub fn of(found: &Found, into: Size) -> Self {
        let picture = Extent {
            width: into.width.into(),
            height: into.height.into(),
        };
        match (found.is_normalised(), found.canvas) {
            (true, canvas) => {
                let canvas = canvas.unwrap_or(picture);
                let fit = Self::fitting([0.0, 0.0], canvas, picture);
                Self {
                    scale: [fit.scale[0] * canvas.width, fit.scale[1] * canvas.height],
                    ..fit
                }
            }
            (false, Some(canvas)) => Self::fitting([0.0, 0.0], canvas, picture),
            (false, None) => {
                let (corner, extent) = box_around(found);
                Self::fitting(corner, extent, picture)
            }
        }
    }

    /// People with their points in pixels of the picture.
    pub fn place(self, mut people: Vec<Person>) -> Vec<Person> {
        for person in &mut people {
            person.place(|point| self.point(point));
        }
        people
    }

    fn fitting(corner: [f64; 2], canvas: Extent, picture: Extent) -> Self {
        let scale = f64::min(picture.width / canvas.width, picture.height / canvas.height);
        let centred = |corner: f64, canvas: f64, picture: f64| {
            (picture - canvas * scale) / 2.0 - corner * scale
        };
        Self {
            scale: [scale; 2],
            offset: [
                centred(corner[0], canvas.width, picture.width),
                centred(corner[1], canvas.height, picture.height),
            ],
        }
    }

    fn point(self, point: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|axis| point[axis] * self.scale[axis] + self.offset[axis])
    }
}

/// The corner and the extent of a box with all points and a margin; at least a pixel large.
fn box_around(found: &Found) -> ([f64; 2], Extent) {
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in found.people.iter().flat_map(Person::points) {
        low = [low[0].min(point.x), low[1].min(point.y)];
        high = [high[0].max(point.x), high[1].max(point.y)];
    }
    let sides = [(high[0] - low[0]).max(1.0), (high[1] - low[1]).max(1.0)];
    let margin = sides[0].max(sides[1]) * MARGIN;
    let extent = Extent {
        width: sides[0] + 2.0 * margin,
        height: sides[1] + 2.0 * margin,
    };
    ([low[0] - margin, low[1] - margin], extent)
}
