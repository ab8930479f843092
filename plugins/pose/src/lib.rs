//! First-party plugin `pose`: reads the keypoints of people from a document and draws them as the
//! coloured skeleton that ControlNet made usual, which an image model follows as a reference.
//!
//! The work is `atelier_keypoints`'s, which other plugins share; this crate is what a job says to
//! it. It finds no poses in photographs.

mod parameters;

use atelier_keypoints::{Placement, drawn, read};
use atelier_plugin::{Description, Failure, Outcome, Plugin, Request, SourceKind, info, log};

use parameters::Parameters;

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
        .takes([SourceKind::Document, SourceKind::Picture])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let parameters: Parameters = request.parameters()?;
        let stated_canvas = parameters.canvas()?;
        let size = parameters.size(request.output);
        let text = only_document(&request)?;

        let mut found = read::document(text, parameters.frame.get())?;
        found.canvas = stated_canvas.or(found.canvas);
        if !parameters.hands {
            found.forget_hands();
        }
        if !parameters.face {
            found.forget_faces();
        }
        found.keep_sure(parameters.threshold.get())?;
        let people = found.people.len();
        info!("{people} people, {}", found.format.name());
        log::progress(0.3);

        let placed = Placement::of(&found, size).place(found.people);
        let outcome = drawn::outcome(&placed, size, parameters.stick_width)?
            .note("people", people.to_string())
            .note("format", found.format.name());
        Ok(if parameters.prompt {
            outcome.prompt(drawn::words(people))
        } else {
            outcome
        })
    }
}

atelier_plugin::export!(Pose);

/// The keypoints. Pictures beside them, which the plugin before in a chain may pass on, are not
/// looked at.
fn only_document(request: &Request) -> Result<&str, Failure> {
    let documents: Vec<&str> = request.documents().collect();
    match documents[..] {
        [document] => Ok(document),
        [] => Err(Failure::source(
            "pose reads keypoints from a JSON document (OpenPose or COCO), and the reference is a \
             picture; it does not find poses in pictures: let pose-from-photo do that before it",
        )),
        _ => Err(Failure::source(format!(
            "pose draws one document, and the reference has {}",
            documents.len()
        ))),
    }
}

#[cfg(test)]
mod tests;
