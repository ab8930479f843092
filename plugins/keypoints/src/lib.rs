//! People as keypoints, for the plugins that need them: read from whatever a writer calls
//! keypoints, placed in a picture, drawn as the coloured skeleton that ControlNet made usual, and
//! written as OpenPose JSON.
//!
//! Data flows through the modules in this order: a document is [read](mod@read) into
//! [people](Person), they are [placed](Placement) in a picture, the [skeleton] is drawn, and the
//! placed keypoints are [written](mod@write); both are what is [drawn]. What a job may say of it all
//! are the [parameters].
//!
//! No number of a document is trusted: missing, negative, huge and nonsensical coordinates cost a
//! joint, not the job.
//!
//! ```
//! use atelier_keypoints::{Placement, read, skeleton, write};
//! use atelier_plugin::Size;
//!
//! let mut body = vec![0.0; 18 * 3];
//! body[..6].copy_from_slice(&[50.0, 20.0, 1.0, 50.0, 40.0, 1.0]);
//! let document = serde_json::json!({
//!     "canvas_width": 100, "canvas_height": 100, "people": [{ "pose_keypoints_2d": body }],
//! });
//! let found = read::document(&document.to_string(), 1)?;
//! let size = Size::new(200, 200);
//! let people = Placement::of(&found, size).place(found.people);
//! assert_eq!(people[0].body[1].map(|neck| (neck.x, neck.y)), Some((100.0, 80.0)));
//! let picture = skeleton::draw(&people, size, 4);
//! assert_eq!(picture.rgba()[(80 * 200 + 100) * 4..][..4], [255, 85, 0, 255]);
//! assert!(write::openpose(&people, size).contains("pose_keypoints_2d"));
//! # Ok::<(), atelier_plugin::Failure>(())
//! ```

pub mod drawn;
pub mod parameters;
mod people;
mod place;
pub mod read;
pub mod skeleton;
pub mod write;

pub use people::{Extent, Format, Found, HAND, JOINTS, Person, Point};
pub use place::Placement;
