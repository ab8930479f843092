//! First-party plugin `fit`: crops, pads or scales each picture of a reference to a size.
//!
//! No pixel passes through the plugin. The host resamples and pastes; what is computed here is
//! where to. Where a crop is put around people, a document beside the picture says where they are.

mod parameters;
mod placing;
mod window;

use atelier_keypoints::{Extent, Placement, parameters::THRESHOLD, read};
use atelier_plugin::{
    Canvas, Description, Failure, Frame, Outcome, Picture, Plugin, Region, Request, Size,
    SourceKind, log,
};

use parameters::{Around, Parameters};
use placing::Placing;
use window::Window;

/// The plugin.
#[derive(Debug)]
pub struct Fit;

impl Plugin for Fit {
    fn describe() -> Description {
        Description::new(
            "fit",
            env!("CARGO_PKG_VERSION"),
            "Crops, pads or scales a picture to a size.",
        )
        .takes([SourceKind::Picture, SourceKind::Document])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let parameters: Parameters = request.parameters()?;
        parameters.check()?;
        let frame = parameters.frame(request.output);
        let pictures: Vec<&Picture> = request.pictures().collect();
        if pictures.is_empty() {
            return Err(Failure::source(
                "fit takes pictures, and the reference is a document",
            ));
        }
        let documents = match parameters.around {
            // What the plugin before it in a chain passes on is no business of this crop.
            Around::Picture => Vec::new(),
            Around::Keypoints => documents(&request, pictures.len())?,
        };
        let mut canvases = Vec::with_capacity(pictures.len());
        for (done, picture) in pictures.iter().enumerate() {
            log::progress(done as f32 / pictures.len() as f32);
            let from = picture.size();
            let placing = match documents.get(done) {
                None => Placing::of(from, frame, parameters.mode, parameters.anchor),
                Some(text) => around_people(text, from, frame, &parameters)?,
            };
            canvases.push(fitted(picture, placing, frame, &parameters)?);
        }
        Ok(Outcome::pictures(canvases)
            .note("mode", parameters.mode.name())
            .note("size", format!("{}x{}", frame.width, frame.height)))
    }
}

atelier_plugin::export!(Fit);

/// The document of each picture: its own, or the one of all.
fn documents(request: &Request, pictures: usize) -> Result<Vec<&str>, Failure> {
    let documents: Vec<&str> = request.documents().collect();
    match documents.len() {
        0 => Err(Failure::source(
            "\"around\" asks for keypoints, and the reference has no document beside its picture: name \
             it in \"also\"",
        )),
        1 => Ok(documents.repeat(pictures)),
        count if count == pictures => Ok(documents),
        count => Err(Failure::source(format!(
            "{count} documents of keypoints are neither one nor as many as the {pictures} pictures"
        ))),
    }
}

/// The placing of the window around the people of a document. Its canvas is the picture, even where it
/// does not say how large that is.
fn around_people(
    text: &str,
    from: Size,
    frame: Size,
    parameters: &Parameters,
) -> Result<Placing, Failure> {
    let mut found = read::document(text, 1)?;
    found.keep_sure(THRESHOLD.get())?;
    let whole = Extent::new(from.width.into(), from.height.into());
    found.canvas = found.canvas.or(whole);
    let people = Placement::of(&found, from).place(found.people);
    let window = Window::around(&people, from, frame, parameters.margin(), parameters.anchor);
    let window = window
        .ok_or_else(|| Failure::source("nobody that the keypoints know is in the picture"))?;
    Ok(Placing::of_window(window, from, frame))
}

fn fitted(
    picture: &Picture,
    placing: Placing,
    frame: Size,
    parameters: &Parameters,
) -> Result<Canvas, Failure> {
    let canvas = Canvas::new(placing.canvas)?;
    if parameters.flatten || placing.leaves_room() {
        canvas.fill(Region::whole(placing.canvas), parameters.background.0)?;
    }
    let part = part(picture, placing.part)?;
    let picture = part.as_ref().unwrap_or(picture);
    let scaled = scaled(picture, placing.scaled, frame)?;
    let picture = scaled.as_ref().unwrap_or(picture);
    if parameters.flatten {
        let Size { width, height } = placing.scaled;
        let (x, y) = (placing.x, placing.y);
        let whole = Region::whole(placing.scaled);
        canvas.blit(
            picture,
            whole,
            Frame {
                x,
                y,
                width,
                height,
            },
        )?;
    } else {
        canvas.paste(picture, placing.x, placing.y);
    }
    Ok(canvas)
}

/// A part of a picture by itself, so that the rest of it is not scaled for nothing; none for all of it.
fn part(picture: &Picture, part: Region) -> Result<Option<Picture>, Failure> {
    if part == Region::whole(picture.size()) {
        return Ok(None);
    }
    let canvas = Canvas::new(part.size())?;
    let back = |at: u32| i32::try_from(at).map_or(i32::MIN, |at| -at);
    canvas.paste(picture, back(part.x), back(part.y));
    Ok(Some(canvas.snapshot()?))
}

/// A picture in another size; none for that which it has.
fn scaled(picture: &Picture, to: Size, frame: Size) -> Result<Option<Picture>, Failure> {
    let from = picture.size();
    if from == to {
        return Ok(None);
    }
    // Only a thread of a picture, to be cropped to a square, say, needs more than is allowed.
    let scaled = picture.resized(to).map_err(|refused| {
        Failure::source(format!(
            "scaling {from} to {to} on the way to {frame}: {refused}"
        ))
    })?;
    Ok(Some(scaled))
}

#[cfg(test)]
mod tests;
