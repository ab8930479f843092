//! First-party plugin `edges`: draws the edges of each picture as thin lines, which an image model
//! follows as a reference.
//!
//! The picture is brought to its size by the host and goes through the modules row by row:
//! [brightness](grey), [blur], [slopes], [ridges]. What is of a line is kept as two bits for each
//! pixel, the [marks], and drawn at the end; so even a picture of 8192 pixels in a row takes little
//! memory.
//!
//! In whole numbers, and after the same rules as OpenCV's `Canny`, so that the same picture gives the
//! same lines everywhere, and thresholds that people know.

mod blur;
mod grey;
mod marks;
mod parameters;
mod ridges;
mod slopes;

use atelier_plugin::{
    Canvas, Description, Failure, Outcome, Picture, Plugin, Region, Request, Size, Source,
    SourceKind, log, warn,
};

use blur::Blurred;
use grey::Grey;
use marks::Marks;
use parameters::{Parameters, Thresholds};

/// How many pixels are given to the host at once, at most, unless one row has more: 1 MiB.
const AT_ONCE: u32 = 1 << 18;

const WHITE: [u8; 4] = [255; 4];
const BLACK: [u8; 4] = [0, 0, 0, 255];

/// The plugin.
#[derive(Debug)]
pub struct Edges;

impl Plugin for Edges {
    fn describe() -> Description {
        Description::new(
            "edges",
            env!("CARGO_PKG_VERSION"),
            "Draws the edges of a picture as thin lines.",
        )
        .takes([SourceKind::Picture])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let parameters: Parameters = request.parameters()?;
        let thresholds = parameters.thresholds()?;
        let mut canvases = Vec::with_capacity(request.sources.len());
        for (index, source) in request.sources.iter().enumerate() {
            let Source::Picture(picture) = source else {
                return Err(Failure::source(
                    "edges takes pictures, and the reference is a document",
                ));
            };
            let size = parameters.size(picture.size(), request.output);
            let marks = lines(picture, size, parameters.blur(), thresholds)?;
            if !marks.any() {
                let number = index + 1;
                warn!("picture {number} has no edge: a lower \"high\" and \"low\" find more");
            }
            canvases.push(drawn(&marks, parameters.invert)?);
        }
        Ok(Outcome::pictures(canvases)
            .note(
                "thresholds",
                format!("{} and {}", thresholds.low, thresholds.high),
            )
            .note("blur", parameters.blur().to_string()))
    }
}

atelier_plugin::export!(Edges);

/// What is of a line in a picture that is brought to a size. The resized copy is let go before
/// anything is drawn: the host counts its pixels.
fn lines(
    picture: &Picture,
    size: Size,
    blur: f64,
    thresholds: Thresholds,
) -> Result<Marks, Failure> {
    let resized;
    let picture = if picture.size() == size {
        picture
    } else {
        resized = picture.resized(size)?;
        &resized
    };
    let mut marks = ridges::find(Blurred::new(Grey::of(picture), blur), thresholds)?;
    marks.follow();
    log::progress(0.95);
    Ok(marks)
}

fn drawn(marks: &Marks, invert: bool) -> Result<Canvas, Failure> {
    let size = marks.size();
    let (line, ground) = if invert {
        (BLACK, WHITE)
    } else {
        (WHITE, BLACK)
    };
    let canvas = Canvas::new(size)?;
    let at_once = (AT_ONCE / size.width).max(1);
    let mut pixels = Vec::new();
    for y in (0..size.height).step_by(at_once as usize) {
        let rows = Region::rows(size, y, at_once.min(size.height - y));
        pixels.clear();
        for y in y..y + rows.height {
            let colour = |x| if marks.is_sure(x, y) { line } else { ground };
            pixels.extend((0..size.width).flat_map(colour));
        }
        canvas.write(rows, &pixels)?;
    }
    Ok(canvas)
}

#[cfg(test)]
mod tests;
