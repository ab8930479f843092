//! Discs, ellipses and thick lines, pixel by pixel as OpenCV's drawing functions without
//! anti-aliasing make them.
//!
//! The models learned from pictures that were drawn with these functions, so the same pixels are
//! the safest choice. A shape is traced into [`Spans`]: it reaches the pixels of its outline and
//! those where a row's middle crosses an edge. Coordinates are whole pixels, or, where a name says
//! `fixed`, in 1/65536 of one; they stay far below 2^31 pixels. Only at the picture's border does
//! OpenCV differ by single pixels, because it cuts lines there before it traces them.

use super::colours::Colour;
use super::raster::{Raster, Spans};

/// A point in pixels, or in 1/65536 of one.
type At = (i64, i64);

const ONE: i64 = 1 << 16;
const HALF: i64 = ONE / 2;

/// Fills the disc of points at most `radius` from the centre.
pub(crate) fn disc(raster: &mut Raster, (x, y): At, radius: i64, colour: Colour) {
    for down in -radius..=radius {
        let across = (radius * radius - down * down).isqrt();
        raster.row(y + down, x - across, x + across, colour);
    }
}

/// Fills an ellipse, turned by whole degrees, with half axes of whole pixels.
pub(crate) fn ellipse(
    raster: &mut Raster,
    centre: At,
    half_axes: At,
    degrees: i64,
    colour: Colour,
) {
    let corners = ellipse_corners(centre, half_axes, degrees);
    let mut spans = spans_of(raster, corners.iter().map(|corner| corner.1));
    for (from, to) in edges(&corners) {
        reach_line(&mut spans, from, to);
        reach_crossings(&mut spans, fixed(from), fixed(to));
    }
    raster.fill(&spans, colour);
}

/// Draws a line; from a thickness of 2 on it has round ends.
pub(crate) fn line(raster: &mut Raster, from: At, to: At, thickness: i64, colour: Colour) {
    if thickness <= 1 {
        let mut spans = spans_of(raster, [from.1, to.1].into_iter());
        reach_line(&mut spans, from, to);
        raster.fill(&spans, colour);
        return;
    }
    let (across, down) = ((to.0 - from.0) as f64, (to.1 - from.1) as f64);
    let length = (across * across + down * down).sqrt();
    if length > 0.0 {
        let half = (thickness * ONE + (thickness & 1) * ONE) as f64 / 2.0 / length;
        let side = (
            (down * half).round_ties_even() as i64,
            (-across * half).round_ties_even() as i64,
        );
        let (from, to) = (fixed(from), fixed(to));
        let corners = [
            (from.0 + side.0, from.1 + side.1),
            (from.0 - side.0, from.1 - side.1),
            (to.0 - side.0, to.1 - side.1),
            (to.0 + side.0, to.1 + side.1),
        ];
        let mut spans = spans_of(raster, corners.iter().map(|corner| nearest(corner.1)));
        for (from, to) in edges(&corners) {
            reach_fixed_line(&mut spans, from, to);
            reach_crossings(&mut spans, from, to);
        }
        raster.fill(&spans, colour);
    }
    disc(raster, from, (thickness + 1) / 2, colour);
    disc(raster, to, (thickness + 1) / 2, colour);
}

/// The ellipse as a polygon with a corner for each degree, rounded to whole pixels.
fn ellipse_corners(centre: At, half_axes: At, degrees: i64) -> Vec<At> {
    let (cosine, sine) = (sine_of(degrees + 90), sine_of(degrees));
    let mut corners: Vec<At> = (0..=360)
        .map(|angle| {
            let along = half_axes.0 as f64 * sine_of(angle + 90);
            let beside = half_axes.1 as f64 * sine_of(angle);
            let x = centre.0 as f64 + along * cosine - beside * sine;
            let y = centre.1 as f64 + along * sine + beside * cosine;
            (x.round_ties_even() as i64, y.round_ties_even() as i64)
        })
        .collect();
    corners.dedup();
    corners
}

/// The sine of whole degrees with the seven digits that OpenCV's table has. They decide where a
/// corner falls that is half way between two pixels.
fn sine_of(degrees: i64) -> f64 {
    let sine = (degrees.rem_euclid(360) as f64).to_radians().sin();
    f64::from(((sine * 1e7).round() / 1e7) as f32)
}

/// Each corner with the next one, the last with the first.
fn edges(corners: &[At]) -> impl Iterator<Item = (At, At)> {
    let next = corners.iter().cycle().skip(1);
    corners.iter().copied().zip(next.copied())
}

fn spans_of(raster: &Raster, ys: impl Iterator<Item = i64> + Clone) -> Spans {
    let top = ys.clone().min().unwrap_or(0);
    raster.spans(top, ys.max().unwrap_or(-1))
}

/// Reaches the pixels of a line between whole pixels. It goes by single steps along the longer
/// side and rounds halves towards the left end.
fn reach_line(spans: &mut Spans, from: At, to: At) {
    let (left, right) = if from.0 > to.0 {
        (to, from)
    } else {
        (from, to)
    };
    let (across, down) = (right.0 - left.0, right.1 - left.1);
    let (sign, down) = (down.signum(), down.abs());
    let share =
        |step: i64, part: i64, whole: i64| (2 * part * step + whole - 1) / (2 * whole).max(1);
    if across >= down {
        for step in 0..=across {
            spans.reach(left.0 + step, left.1 + sign * share(step, down, across));
        }
    } else {
        for step in 0..=down {
            spans.reach(left.0 + share(step, across, down), left.1 + sign * step);
        }
    }
}

/// Reaches the pixels of a line between fixed points, in steps of one pixel along its longer
/// side from the end with the smaller coordinate.
fn reach_fixed_line(spans: &mut Spans, from: At, to: At) {
    let swap = |(x, y): At| (y, x);
    let lies = (to.0 - from.0).abs() > (to.1 - from.1).abs();
    let (a, b) = if lies {
        (from, to)
    } else {
        (swap(from), swap(to))
    };
    let (a, b) = if a.0 > b.0 { (b, a) } else { (a, b) };
    let slope = ((b.1 - a.1) << 16) / ((b.0 - a.0) | 1);
    let steps = (b.0 - a.0) >> 16;
    let mut reach = |along: i64, beside: i64| {
        let (x, y) = if lies {
            (along, beside)
        } else {
            (beside, along)
        };
        spans.reach(x, y);
    };
    for step in 0..=steps {
        reach(nearest(a.0) + step, nearest(a.1 + slope * step));
    }
    reach(nearest(b.0), nearest(b.1));
}

/// Reaches the pixel where an edge between fixed points crosses each of its rows but the last.
fn reach_crossings(spans: &mut Spans, from: At, to: At) {
    let (upper, lower) = if from.1 > to.1 {
        (to, from)
    } else {
        (from, to)
    };
    let top = nearest(upper.1);
    let rows = nearest(lower.1) - top;
    if rows > 0 {
        let slope = ((lower.0 - upper.0) * 2 + rows) / (2 * rows);
        for row in 0..rows {
            spans.reach(nearest(upper.0 + slope * row), top + row);
        }
    }
}

fn fixed((x, y): At) -> At {
    (x * ONE, y * ONE)
}

fn nearest(fixed: i64) -> i64 {
    (fixed + HALF) >> 16
}
