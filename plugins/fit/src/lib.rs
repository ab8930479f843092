//! First-party plugin `fit`: crops, pads or scales each picture of a reference to a size.
//!
//! No pixel passes through the plugin. The host resamples and pastes; what is computed here is
//! where to.

mod parameters;
mod placing;

use atelier_plugin::{
    Canvas, Description, Failure, Outcome, Picture, Plugin, Region, Request, Size, Source,
    SourceKind, log,
};

use parameters::Parameters;
use placing::Placing;

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
        .takes([SourceKind::Picture])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let parameters: Parameters = request.parameters()?;
        let frame = parameters.frame(request.output);
        let mut canvases = Vec::with_capacity(request.sources.len());
        for (done, source) in request.sources.iter().enumerate() {
            log::progress(done as f32 / request.sources.len() as f32);
            let Source::Picture(picture) = source else {
                return Err(Failure::source(
                    "fit takes pictures, and the reference is a document",
                ));
            };
            canvases.push(fitted(picture, frame, &parameters)?);
        }
        Ok(Outcome::pictures(canvases)
            .note("mode", parameters.mode.name())
            .note("size", format!("{}x{}", frame.width, frame.height)))
    }
}

atelier_plugin::export!(Fit);

fn fitted(picture: &Picture, frame: Size, parameters: &Parameters) -> Result<Canvas, Failure> {
    let from = picture.size();
    let placing = Placing::of(from, frame, parameters.mode, parameters.anchor);
    let canvas = Canvas::new(placing.canvas)?;
    if placing.leaves_room() {
        canvas.fill(Region::whole(placing.canvas), parameters.background.0)?;
    }
    if placing.scaled == from {
        canvas.paste(picture, placing.x, placing.y);
    } else {
        // Only a thread of a picture, to be cropped to a square, say, needs more than is allowed.
        let scaled = picture.resized(placing.scaled).map_err(|refused| {
            let to = placing.scaled;
            Failure::source(format!(
                "scaling {from} to {to} on the way to {frame}: {refused}"
            ))
        })?;
        canvas.paste(&scaled, placing.x, placing.y);
    }
    Ok(canvas)
}

#[cfg(test)]
mod tests;
