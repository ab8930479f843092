//! The plugins' own code, compiled for this machine and called without a sandbox.

use std::sync::Arc;

use atelier_plugin::infer;
use atelier_plugin::{Picture, Plugin, Request, Size};
use atelier_plugin_pose::Pose;
use atelier_plugin_pose_from_photo::PoseFromPhoto;
use image::RgbaImage;

use crate::models::{Model, converted};

pub(crate) fn pose(text: &str, (width, height): (u32, u32)) -> Vec<u8> {
    let request = Request::of_document(text, "{}", Size::new(width, height));
    Pose::prepare(request).unwrap().pictures[0].rgba()
}

pub(crate) fn pose_from_photo(photo: &RgbaImage) -> usize {
    let size = Size::new(photo.width(), photo.height());
    let picture = Picture::from_rgba(size, photo.as_raw().clone()).unwrap();
    let outcome = PoseFromPhoto::prepare(Request::of_picture(picture, "{}", size)).unwrap();
    outcome.pictures.len()
}

/// Lets the host's runner answer on this thread.
pub(crate) fn answer_with(model: Arc<Model>) {
    infer::answer_with(move |name, inputs| {
        let made = model.answer(name, converted!(inputs, infer => atelier_onnx));
        Ok(converted!(made, atelier_onnx => atelier_plugin::infer))
    });
}
