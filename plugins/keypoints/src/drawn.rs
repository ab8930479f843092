//! What a plugin that draws people gives: the picture of their skeletons, their keypoints for a
//! next plugin, and words for the prompt where the job wants them.

use atelier_plugin::{Canvas, Failure, Outcome, Size};

use crate::parameters::StickWidth;
use crate::{Person, skeleton, write};

/// The skeletons of people whose points are pixels of a picture of this size, and these points as
/// OpenPose JSON.
///
/// # Errors
///
/// [`Failure::Other`] where the host allows no picture of this size.
pub fn outcome(people: &[Person], size: Size, stick: StickWidth) -> Result<Outcome, Failure> {
    let picture = skeleton::draw(people, size, i64::from(stick.get()));
    let canvas = Canvas::of_pixels(size, picture.rgba())?;
    Ok(Outcome::picture(canvas).keypoints(write::openpose(people, size)))
}

/// Words that ask for the pose; the host knows which image of the job the skeleton is.
pub fn words(people: usize) -> &'static str {
    if people == 1 {
        "in the pose of image {image}"
    } else {
        "in the poses of the people of image {image}"
    }
}
