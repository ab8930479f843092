//! First-party plugin `pose`: reads the keypoints of people from a document and draws them as the
//! coloured skeleton that ControlNet made usual, which an image model follows as a reference.
//!
//! Data flows through the modules in this order: a document is [parsed](parse) into
//! [people](keypoints), they are [placed](place) in the picture, the [skeleton] is drawn on a
//! [raster], and the placed keypoints are [written](mod@write) as OpenPose JSON.
//!
//! It finds no poses in photographs, and it never trusts a number of the document: missing,
//! negative, huge and nonsensical coordinates cost a joint, not the job.

mod coco;
mod colours;
mod keypoints;
mod openpose;
mod parameters;
mod parse;
mod place;
mod raster;
mod shapes;
mod skeleton;
mod write;

use atelier_plugin::{
    Canvas, Description, Failure, Outcome, Plugin, Request, SourceKind, info, log,
};

use parameters::Parameters;
use place::Placement;

/// The plugin.
#[derive(Debug)]
pub struct Pose;

impl Plugin for Pose {
    fn describe() -> Description {
        Description::new(
            "pose",
            env!("CARGO_PKG_VERSION"),
            "Draws OpenPose or COCO keypoints as the usual coloured skeleton.",
        )
        .takes([SourceKind::Document])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let parameters: Parameters = request.parameters()?;
        let stated_canvas = parameters.canvas()?;
        let size = parameters.size(request.output);
        let text = only_document(&request)?;

        let mut found = parse::document(text, parameters.frame.get())?;
        found.canvas = stated_canvas.or(found.canvas);
        if !parameters.hands {
            found.forget_hands();
        }
        if !parameters.face {
            found.forget_faces();
        }
        found.forget_below(parameters.threshold.get());
        let people = found.people.len();
        if people == 0 {
            return Err(Failure::source(format!(
                "no person has a joint with a confidence of {} or more",
                parameters.threshold.get()
            )));
        }
        info!("{people} people, {}", found.format.name());
        log::progress(0.3);

        let placed = Placement::of(&found, size).place(found.people);
        let picture = skeleton::draw(&placed, size, i64::from(parameters.stick_width.get()));
        log::progress(0.8);

        let outcome = Outcome::picture(Canvas::of_pixels(size, picture.rgba())?)
            .keypoints(write::openpose(&placed, size))
            .note("people", people.to_string())
            .note("format", found.format.name());
        Ok(if parameters.prompt {
            outcome.prompt(words(people))
        } else {
            outcome
        })
    }
}

atelier_plugin::export!(Pose);

fn only_document(request: &Request) -> Result<&str, Failure> {
    request.only_document().map_err(|failure| {
        let kinds: Vec<_> = request.sources.iter().map(|source| source.kind()).collect();
        if kinds.contains(&SourceKind::Picture) {
            Failure::source(
                "pose reads keypoints from a JSON document (OpenPose or COCO), and the reference \
                 is a picture; it does not find poses in pictures",
            )
        } else {
            failure
        }
    })
}

fn words(people: usize) -> &'static str {
    if people == 1 {
        "in exactly the pose of the stick figure"
    } else {
        "in exactly the poses of the stick figures"
    }
}

#[cfg(test)]
mod tests;
