//! First-party plugin `pose-from-photo`: finds the joints of a person in a photograph and draws
//! them as the coloured skeleton that plugin `pose` draws of keypoints.
//!
//! A photograph is [looked at](look) by MoveNet, a model of the host's: first as a whole, then,
//! where the person does not fill it, in the [square] around them, which puts more of the
//! model's few pixels on the person. What it found are COCO's 17 [joints]; the rest is what all
//! plugins of keypoints share.
//!
//! A joint that the model is not sure of is left out and named, never guessed.

mod joints;
mod look;
mod parameters;
mod square;

use atelier_keypoints::{Placement, drawn, read};
use atelier_plugin::{
    Description, Failure, Outcome, Picture, Plugin, Request, SourceKind, info, log, warn,
};

use joints::Joints;
use parameters::{Model, Parameters};
use square::Square;

/// The plugin.
#[derive(Debug)]
pub struct PoseFromPhoto;

impl Plugin for PoseFromPhoto {
    fn describe() -> Description {
        Description::new(
            "pose-from-photo",
            env!("CARGO_PKG_VERSION"),
            "Finds a person's joints in a photograph and draws them as the usual coloured skeleton.",
        )
        .takes([SourceKind::Picture])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let parameters: Parameters = request.parameters()?;
        let photo = request.only_picture()?;
        let threshold = parameters.threshold.get();

        let joints = find(photo, parameters.model)?;
        if joints.surer_than(threshold) < joints::FEWEST {
            return Err(Failure::source(nobody(&joints, parameters.model)));
        }
        let unsure = joints.unsure(threshold);
        let confidence = format!("{:.2}", joints.confidence());
        info!("found a person, {confidence} sure on average");
        if !unsure.is_empty() {
            warn!("not sure enough of: {unsure}; left out, with the limbs that end there");
        }
        log::progress(0.8);

        let size = parameters.size(request.output);
        let mut found = read::document(&joints.coco(photo.size()), 1)?;
        found.forget_below(threshold);
        let placed = Placement::of(&found, size).place(found.people);
        let mut outcome = drawn::outcome(&placed, size, parameters.stick_width)?
            .note("model", parameters.model.name())
            .note("confidence", confidence);
        if !unsure.is_empty() {
            outcome = outcome.note("left-out", unsure);
        }
        Ok(if parameters.prompt {
            outcome.prompt(drawn::words(1))
        } else {
            outcome
        })
    }
}

atelier_plugin::export!(PoseFromPhoto);

/// The joints of the whole picture, or of the square around the person if the model is then surer
/// of them.
fn find(photo: &Picture, model: Model) -> Result<Joints, Failure> {
    let size = photo.size();
    let whole = look::at(photo, Square::around(size), model)?;
    log::progress(0.4);
    let Some(square) = Square::of_person(&whole, size) else {
        return Ok(whole);
    };
    let closer = look::at(photo, square, model)?;
    Ok(if closer.confidence() > whole.confidence() {
        closer
    } else {
        whole
    })
}

fn nobody(joints: &Joints, model: Model) -> String {
    let other = match model {
        Model::Lightning => ", or the model \"thunder\", which is more exact",
        Model::Thunder => "",
    };
    format!(
        "no person was found in the picture (the model is {:.2} sure of its joints on average); \
         try a picture that shows one person whole, large and uncovered, a lower \"threshold\"\
         {other}",
        joints.confidence()
    )
}

#[cfg(test)]
mod tests;
