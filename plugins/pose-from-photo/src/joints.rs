//! COCO's 17 joints, where MoveNet saw them in a picture.

use atelier_plugin::Size;
use serde_json::json;

/// How many joints there are.
pub(crate) const JOINTS: usize = 17;

/// With fewer joints than these, what was seen is no person: MoveNet always gives all of them, and
/// of a picture without anybody it is sure of none.
pub(crate) const FEWEST: usize = 4;

/// In COCO's order; left and right are the person's own.
const NAMES: [&str; JOINTS] = [
    "nose",
    "left eye",
    "right eye",
    "left ear",
    "right ear",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
];

/// The joints that a body is measured by.
pub(crate) const SHOULDERS: [usize; 2] = [5, 6];
/// See [`SHOULDERS`].
pub(crate) const HIPS: [usize; 2] = [11, 12];

/// A joint, in pixels of the picture, and how sure the model is, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Joint {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) score: f64,
}

/// All joints of one person.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Joints(pub(crate) [Joint; JOINTS]);

impl Joints {
    /// How sure the model is on average.
    pub(crate) fn confidence(&self) -> f64 {
        self.0.iter().map(|joint| joint.score).sum::<f64>() / JOINTS as f64
    }

    /// How many joints are at least as sure.
    pub(crate) fn surer_than(&self, threshold: f64) -> usize {
        // A score of 0 is no joint, whatever the threshold.
        let sure = |joint: &&Joint| joint.score >= threshold && joint.score > 0.0;
        self.0.iter().filter(sure).count()
    }

    /// The names of those that are less sure, as a list to read.
    pub(crate) fn unsure(&self, threshold: f64) -> String {
        let named = self.0.iter().zip(NAMES);
        let unsure = named.filter(|(joint, _)| joint.score < threshold || joint.score <= 0.0);
        let names: Vec<_> = unsure.map(|(_, name)| name).collect();
        names.join(", ")
    }

    /// As a COCO file of one image.
    pub(crate) fn coco(&self, size: Size) -> String {
        let numbers = self
            .0
            .iter()
            .flat_map(|joint| [joint.x, joint.y, joint.score]);
        json!({
            "images": [{ "width": size.width, "height": size.height }],
            "annotations": [{ "keypoints": numbers.collect::<Vec<_>>() }],
        })
        .to_string()
    }
}
