//! One look of the model at a square of a picture.

use atelier_plugin::infer::{self, Tensor, Trouble};
use atelier_plugin::{Canvas, Failure, Frame, Picture, Region, Size};

use crate::joints::{JOINTS, Joint, Joints};
use crate::parameters::Model;
use crate::square::Square;

/// Where the visible part of a square lies in what the model sees.
#[derive(Clone, Copy, Debug)]
struct View {
    part: Region,
    frame: Frame,
    side: u32,
}

impl View {
    /// Scales the square to the model's; whole pixels at its edges.
    fn of(square: Square, size: Size, side: u32) -> Option<Self> {
        let part = square.visible(size)?;
        let scale = f64::from(side) / square.side as f64;
        let place = |at: u32, start: i64| ((i64::from(at) - start) as f64 * scale).round() as i32;
        let length = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
        let frame = Frame {
            x: place(part.x, square.x),
            y: place(part.y, square.y),
            width: length(part.width),
            height: length(part.height),
        };
        Some(Self { part, frame, side })
    }

    /// A place as a share of what the model sees, in pixels of the picture. It is measured by the
    /// frame that was drawn, so that rounding that moves no joint.
    fn back(self, x: f32, y: f32) -> (f64, f64) {
        let along = |share: f32, (start, length): (i32, u32), (from, of): (u32, u32)| {
            let inside = f64::from(share) * f64::from(self.side) - f64::from(start);
            inside / f64::from(length) * f64::from(of) + f64::from(from)
        };
        let (frame, part) = (self.frame, self.part);
        (
            along(x, (frame.x, frame.width), (part.x, part.width)),
            along(y, (frame.y, frame.height), (part.y, part.height)),
        )
    }
}

/// The joints that the model sees in a square; around the picture it sees black.
///
/// # Errors
///
/// [`Failure`], where the host refuses something or the model is another than MoveNet.
pub(crate) fn at(photo: &Picture, square: Square, model: Model) -> Result<Joints, Failure> {
    let side = model.side();
    let view = View::of(square, photo.size(), side)
        .ok_or_else(|| Failure::other("the square to look at lies outside the picture"))?;
    let canvas = Canvas::new(Size::new(side, side))?;
    let whole = Region::whole(canvas.size());
    canvas.fill(whole, [0, 0, 0, 255])?;
    canvas.blit(photo, view.part, view.frame)?;
    let seen = canvas.snapshot()?.read(whole)?;
    let (pixels, _) = seen.as_chunks::<4>();
    let colours = pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();

    let input = Tensor::bytes([1, side, side, 3], colours).named("input");
    let answer =
        infer::run(model.name(), vec![input]).map_err(|trouble| refused(trouble, model))?;
    let numbers = match &answer[..] {
        [output] => output.as_floats(),
        _ => None,
    };
    let numbers = numbers.unwrap_or_default();
    if numbers.len() != 3 * JOINTS {
        return Err(Failure::other(format!(
            "the host's model \"{}\" is no MoveNet: it does not answer with 17 joints",
            model.name()
        )));
    }
    let mut joints = [Joint::default(); JOINTS];
    for (joint, numbers) in joints.iter_mut().zip(numbers.chunks_exact(3)) {
        if let [y, x, score] = *numbers
            && numbers.iter().all(|number| number.is_finite())
        {
            let (x, y) = view.back(x, y);
            let score = f64::from(score.clamp(0.0, 1.0));
            *joint = Joint { x, y, score };
        }
    }
    Ok(Joints(joints))
}

fn refused(trouble: Trouble, model: Model) -> Failure {
    match (&trouble, model) {
        (Trouble::Missing(sentence), Model::Thunder) => Failure::other(format!(
            "{sentence}; thunder does not come with Atelier: the plugin's README says how to make \
             it, or use \"lightning\""
        )),
        _ => trouble.into(),
    }
}

#[cfg(test)]
mod tests {
    use atelier_plugin::Size;

    use super::View;
    use crate::square::Square;

    #[test]
    fn a_place_comes_back_to_where_it_was() {
        for (square, size) in [
            (
                Square {
                    x: -120,
                    y: 0,
                    side: 640,
                },
                Size::new(400, 640),
            ),
            (
                Square {
                    x: 611,
                    y: -37,
                    side: 333,
                },
                Size::new(800, 601),
            ),
            (
                Square {
                    x: 0,
                    y: 0,
                    side: 1,
                },
                Size::new(9, 9),
            ),
        ] {
            let view = View::of(square, size, 192);
            let Some(view) = view else {
                panic!("{square:?} is not seen")
            };
            let share = |start: i32, length: u32| (start as f32 + length as f32 / 4.0) / 192.0;
            let (x, y) = view.back(
                share(view.frame.x, view.frame.width),
                share(view.frame.y, view.frame.height),
            );
            let (part_x, part_y) = (f64::from(view.part.x), f64::from(view.part.y));
            assert!(
                (x - part_x - f64::from(view.part.width) / 4.0).abs() < 1e-3,
                "{square:?}: {x}"
            );
            assert!(
                (y - part_y - f64::from(view.part.height) / 4.0).abs() < 1e-3,
                "{square:?}: {y}"
            );
        }
    }
}
