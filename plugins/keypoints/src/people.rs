//! People as points, in the order of OpenPose's 18 joints: 0 nose, 1 neck, 2-4 right arm, 5-7
//! left arm, 8-10 right leg, 11-13 left leg, 14 right eye, 15 left eye, 16 right ear, 17 left
//! ear. Hands have 21 points, wrist first.

use atelier_plugin::Failure;

/// How many joints a body has here.
pub const JOINTS: usize = 18;

/// How many points a hand has.
pub const HAND: usize = 21;

/// A point further out than this is no point of a picture, in pixels. With it every sum and
/// product below stays small.
const FURTHEST: f64 = 1e6;

/// Placed points further from the picture's corner than this, in pixels, are dropped: they are not
/// seen, and what leads to them could be long.
const FURTHEST_PLACED: f64 = 65_536.0;

/// A point and how sure its finder was, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left edge, in pixels or in shares of the width.
    pub x: f64,
    /// From the top edge, in pixels or in shares of the height.
    pub y: f64,
    /// How sure its finder was.
    pub confidence: f64,
}

impl Point {
    /// A point, or none where the document means that there is none: a confidence of 0, or a
    /// coordinate that no picture has. COCO's flag 2, visible, counts as 1.
    pub fn new(x: f64, y: f64, confidence: f64) -> Option<Self> {
        let somewhere = x.abs() <= FURTHEST && y.abs() <= FURTHEST;
        (somewhere && confidence > 0.0).then_some(Self {
            x,
            y,
            confidence: confidence.min(1.0),
        })
    }
}

/// One person. A body without points can still have hands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// The joints, in the order of OpenPose's 18.
    pub body: [Option<Point>; JOINTS],
    /// Left, then right; each is empty or has [`HAND`] points.
    pub hands: [Vec<Option<Point>>; 2],
    /// Any number of points.
    pub face: Vec<Option<Point>>,
}

impl Person {
    /// All points that there are.
    pub fn points(&self) -> impl Iterator<Item = &Point> {
        let hands = self.hands.iter().flatten();
        self.body.iter().chain(hands).chain(&self.face).flatten()
    }

    /// Brings each point to where `to` says, given its x and y. One that comes too far away to be of
    /// any picture is lost, as is one that comes to no number.
    pub fn place(&mut self, to: impl Fn([f64; 2]) -> [f64; 2]) {
        for place in self.places_mut() {
            *place = place.and_then(|point| {
                let [x, y] = to([point.x, point.y]);
                let near = x.abs() <= FURTHEST_PLACED && y.abs() <= FURTHEST_PLACED;
                near.then_some(Point { x, y, ..point })
            });
        }
    }

    /// All places where a point is or could be.
    pub fn places_mut(&mut self) -> impl Iterator<Item = &mut Option<Point>> {
        let hands = self.hands.iter_mut().flatten();
        self.body.iter_mut().chain(hands).chain(&mut self.face)
    }
}

/// A width and a height in pixels, both at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Pixels from left to right.
    pub width: f64,
    /// Pixels from top to bottom.
    pub height: f64,
}

impl Extent {
    /// An extent, or none where a side is not one of a picture.
    pub fn new(width: f64, height: f64) -> Option<Self> {
        let sound = |side: f64| (1.0..=FURTHEST).contains(&side);
        (sound(width) && sound(height)).then_some(Self { width, height })
    }
}

/// How the bodies of a document were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// MoveNet, YOLO, ViTPose.
    Coco17,
    /// COCO-WholeBody and DWPose: body, feet, face and hands in one list.
    Coco133,
    /// OpenPose's COCO model, and ControlNet.
    OpenPose18,
    /// OpenPose's BODY_25.
    OpenPose25,
}

impl Format {
    /// As provenance records it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coco17 => "coco-17",
            Self::Coco133 => "coco-wholebody-133",
            Self::OpenPose18 => "openpose-18",
            Self::OpenPose25 => "openpose-25",
        }
    }
}

/// What a document holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// At least one person, perhaps without points.
    pub people: Vec<Person>,
    /// What they were written as.
    pub format: Format,
    /// The size of the picture that the points were found in, where the document says.
    pub canvas: Option<Extent>,
}

impl Found {
    /// Forgets points of a lower confidence, and people without any.
    pub fn forget_below(&mut self, threshold: f64) {
        for place in self.people.iter_mut().flat_map(Person::places_mut) {
            *place = place.filter(|point| point.confidence >= threshold);
        }
        self.people
            .retain(|person| person.points().next().is_some());
    }

    /// The same, where somebody must be left.
    ///
    /// # Errors
    ///
    /// [`Failure::Source`] where nobody is.
    pub fn keep_sure(&mut self, threshold: f64) -> Result<(), Failure> {
        self.forget_below(threshold);
        if self.people.is_empty() {
            return Err(Failure::source(format!(
                "no person has a joint with a confidence of {threshold} or more"
            )));
        }
        Ok(())
    }

    /// Forgets all hands.
    pub fn forget_hands(&mut self) {
        self.people
            .iter_mut()
            .for_each(|person| person.hands = Default::default());
    }

    /// Forgets all faces.
    pub fn forget_faces(&mut self) {
        self.people
            .iter_mut()
            .for_each(|person| person.face.clear());
    }

    /// Whether coordinates are shares of the canvas and not pixels: all lie within −1 … 1.
    pub fn is_normalised(&self) -> bool {
        let mut points = self.people.iter().flat_map(Person::points);
        points.all(|point| point.x.abs() <= 1.0 && point.y.abs() <= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, Point};

    #[test]
    fn what_is_nowhere_is_no_point() {
        assert_eq!(Point::new(0.0, 0.0, 0.0), None);
        assert_eq!(Point::new(5.0, 5.0, -1.0), None);
        assert_eq!(Point::new(f64::NAN, 5.0, 1.0), None);
        assert_eq!(Point::new(5.0, f64::INFINITY, 1.0), None);
        assert_eq!(Point::new(5.0, -1e300, 1.0), None);
        assert_eq!(Point::new(5.0, 5.0, f64::NAN), None);
        assert_eq!(Point::new(-5.0, 5.0, 2.0).map(|p| p.confidence), Some(1.0));
    }

    #[test]
    fn a_canvas_has_sides() {
        assert_eq!(Extent::new(0.0, 100.0), None);
        assert_eq!(Extent::new(100.0, f64::NAN), None);
        assert!(Extent::new(1.0, 1e6).is_some());
    }
}
