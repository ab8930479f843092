//! The window that is put around people: as small as they and their margin allow, of the frame's
//! aspect, and inside the picture as long as that shows them whole.

use atelier_keypoints::{Person, Point};
use atelier_plugin::Size;

use crate::parameters::Anchor;

/// Nose and eyes, by which a head is looked at.
const FACE: [usize; 3] = [0, 14, 15];

/// A part of a picture in its pixels, over whose edges it may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Window {
    /// Around people whose points are pixels of a picture of size `from`, with the aspect of `frame`.
    /// The margin is a share of the longer side of the box around them. None where no point is in the
    /// picture.
    pub(crate) fn around(
        people: &[Person],
        from: Size,
        frame: Size,
        margin: f64,
        anchor: Anchor,
    ) -> Option<Self> {
        let sides = [from.width, from.height].map(f64::from);
        let within = |point: &&Point| {
            (0.0..=sides[0]).contains(&point.x) && (0.0..=sides[1]).contains(&point.y)
        };
        let points = people.iter().flat_map(Person::points).filter(within);
        let body = Span::each(points)?;
        let room = margin * f64::max(body[0].length(), body[1].length());
        let wanted = body.map(|span| span.wider(room));
        let focus = match anchor {
            Anchor::Thirds => Focus::on_thirds(people, body, sides),
            _ => Focus::on_box(wanted, anchor),
        };

        // Lengths across and down as widths, so that they can be compared.
        let aspect = f64::from(frame.width) / f64::from(frame.height);
        let width = |[across, down]: [f64; 2]| f64::max(across, down * aspect);
        let inside = f64::min(sides[0], sides[1] * aspect);
        // At least a pixel, to each side.
        let whole = width(body.map(Span::length)).max(1.0).max(aspect);
        let across = width([0, 1].map(|axis| focus.needs(wanted[axis], axis)));
        let across = across.max(whole).min(inside.max(whole));
        let lengths = [across, across / aspect];
        let [x, y] = [0, 1].map(|axis| {
            let length = lengths[axis];
            let at = focus.at[axis] - focus.share[axis] * length;
            // Everybody whole, and then inside the picture or, where that is smaller, around it.
            let at = at.min(body[axis].start).max(body[axis].end - length);
            let over = sides[axis] - length;
            if over < 0.0 {
                over / 2.0
            } else {
                at.clamp(0.0, over)
            }
        });
        let [width, height] = lengths;
        Some(Self {
            x,
            y,
            width,
            height,
        })
    }
}

/// Which place of the picture lies where in the window.
#[derive(Clone, Copy, Debug)]
struct Focus {
    at: [f64; 2],
    /// As a share of the window's side.
    share: [f64; 2],
}

impl Focus {
    /// The box lies in the window as a padded picture lies in its frame.
    fn on_box(wanted: [Span; 2], anchor: Anchor) -> Self {
        let (across, down) = anchor.sixths();
        let share = [across, down].map(|sixths| sixths as f64 / 6.0);
        Self {
            at: [0, 1].map(|axis| wanted[axis].start + share[axis] * wanted[axis].length()),
            share,
        }
    }

    /// The faces lie on the upper third line and on the left or the right one, whichever is nearer to
    /// where they are in the picture. Where no face is known, what is at the top of the box counts.
    fn on_thirds(people: &[Person], body: [Span; 2], sides: [f64; 2]) -> Self {
        let faces: Vec<[f64; 2]> = people.iter().filter_map(face).collect();
        let at = match faces.len() {
            0 => [f64::midpoint(body[0].start, body[0].end), body[1].start],
            count => [0, 1].map(|axis| {
                let mean = faces.iter().map(|face| face[axis]).sum::<f64>() / count as f64;
                mean.clamp(body[axis].start, body[axis].end)
            }),
        };
        let left = at[0] < sides[0] / 2.0;
        let share = [if left { 1.0 / 3.0 } else { 2.0 / 3.0 }, 1.0 / 3.0];
        Self { at, share }
    }

    /// How long a window's side must be to show a span.
    fn needs(&self, wanted: Span, axis: usize) -> f64 {
        let (at, share) = (self.at[axis], self.share[axis]);
        let before = if share > 0.0 {
            (at - wanted.start) / share
        } else {
            0.0
        };
        let after = if share < 1.0 {
            (wanted.end - at) / (1.0 - share)
        } else {
            0.0
        };
        before.max(after)
    }
}

/// The middle of what is known of a face.
fn face(person: &Person) -> Option<[f64; 2]> {
    let [across, down] = Span::each(FACE.iter().filter_map(|&joint| person.body[joint].as_ref()))?;
    Some([across, down].map(|span| f64::midpoint(span.start, span.end)))
}

/// From where to where something reaches along one side of a picture.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: f64,
    end: f64,
}

impl Span {
    /// The box around points; none where there is none.
    fn each<'a>(points: impl Iterator<Item = &'a Point>) -> Option<[Self; 2]> {
        let spans = points.map(|point| [point.x, point.y].map(|at| Self { start: at, end: at }));
        spans.reduce(|one, other| {
            [0, 1].map(|axis| Self {
                start: one[axis].start.min(other[axis].start),
                end: one[axis].end.max(other[axis].end),
            })
        })
    }

    fn length(self) -> f64 {
        self.end - self.start
    }

    fn wider(self, room: f64) -> Self {
        Self {
            start: self.start - room,
            end: self.end + room,
        }
    }
}

#[cfg(test)]
mod tests;
