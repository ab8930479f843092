//! Polygons.
//!
//! Each pixel is 16 lines of 8 samples, held as the bits of one number. An edge flips, on each
//! line that it crosses, all samples to its right; the flips are summed up from left to right, and
//! what was flipped an odd number of times is inside (the even-odd rule). Nothing is sorted along
//! a line, so ten thousand edges cost no more than their crossings.

use crate::blend::WHOLE;
use crate::{Colour, Point, Surface};

/// Lines in a row of pixels.
const LINES: u32 = 16;

/// Samples of a line in a pixel.
const SAMPLES: u32 = 8;

/// What one sample adds to a pixel's coverage.
const SAMPLE: u32 = WHOLE / (LINES * SAMPLES);

/// An edge from its upper to its lower end, in pixels.
#[derive(Clone, Copy, Debug)]
struct Edge {
    top: f64,
    bottom: f64,
    /// Where it crosses the height 0 of the surface, and how far it goes right per pixel down.
    x: f64,
    slope: f64,
    /// The end that is nearer to the surface's height 0: crossings are counted from there, so
    /// that an end far away takes no precision.
    y: f64,
}

/// Draws a polygon; the corners are finite.
pub(crate) fn draw(surface: &mut Surface<'_>, corners: &[Point], colour: Colour) {
    let mut edges = edges_of(corners, surface.height() as f64);
    edges.sort_by(|a, b| a.top.total_cmp(&b.top));
    let across = |limit: fn(f64, f64) -> f64, start: f64| {
        let xs = corners.iter().map(|corner| f64::from(corner.x));
        xs.fold(start, limit)
    };
    let columns = Surface::touched(
        surface.width(),
        across(f64::min, f64::INFINITY),
        across(f64::max, f64::NEG_INFINITY),
    );
    let (Some(first), false) = (edges.first(), columns.is_empty()) else {
        return;
    };
    let bottom = edges.iter().map(|edge| edge.bottom).fold(0.0, f64::max);
    let rows = Surface::touched(surface.height(), first.top, bottom);

    let mut flips = vec![0_u128; columns.len() + 1];
    let mut waiting = edges.into_iter().peekable();
    let mut crossed: Vec<Edge> = Vec::new();
    for row in rows {
        let (upper, lower) = (row as f64, row as f64 + 1.0);
        while let Some(edge) = waiting.next_if(|edge| edge.top < lower) {
            crossed.push(edge);
        }
        crossed.retain(|edge| edge.bottom > upper);
        flips.fill(0);
        for edge in &crossed {
            cross(edge, row, columns.start, &mut flips);
        }
        let mut inside = 0_u128;
        let coverages = flips.iter().map(|flip| {
            inside ^= flip;
            inside.count_ones() * SAMPLE
        });
        surface.cover(row, columns.start, coverages.take(columns.len()), colour);
    }
}

/// The edges that cross any height of the surface.
fn edges_of(corners: &[Point], height: f64) -> Vec<Edge> {
    let next = corners.iter().cycle().skip(1);
    let pairs = corners.iter().zip(next);
    let edges = pairs.filter_map(|(&from, &to)| {
        let (upper, lower) = if from.y <= to.y {
            (from, to)
        } else {
            (to, from)
        };
        let (top, bottom) = (f64::from(upper.y), f64::from(lower.y));
        let near = if top.abs() < bottom.abs() {
            upper
        } else {
            lower
        };
        let visible = top < bottom && bottom > 0.0 && top < height;
        visible.then(|| Edge {
            top,
            bottom,
            x: f64::from(near.x),
            slope: (f64::from(lower.x) - f64::from(upper.x)) / (bottom - top),
            y: f64::from(near.y),
        })
    });
    edges.collect()
}

/// Flips the samples to the right of an edge on the lines of one row; `flips` begins with the
/// pixel `first` and has a last one for what is right of everything.
fn cross(edge: &Edge, row: usize, first: usize, flips: &mut [u128]) {
    let last = (flips.len() - 1) as u64 * u64::from(SAMPLES);
    for line in 0..LINES {
        let y = row as f64 + (f64::from(line) + 0.5) / f64::from(LINES);
        if y < edge.top || y >= edge.bottom {
            continue;
        }
        let x = edge.x + (y - edge.y) * edge.slope - first as f64;
        // A sample in the middle of its share is right of x from this one on.
        let sample = (x * f64::from(SAMPLES) + 0.5).floor();
        let sample = (sample.max(0.0) as u64).min(last);
        let (pixel, part) = (
            (sample / u64::from(SAMPLES)) as usize,
            (sample % u64::from(SAMPLES)) as u32,
        );
        let before = (1_u128 << part) - 1;
        let all = (1_u128 << SAMPLES) - 1;
        flips[pixel] ^= (all ^ before) << (line * SAMPLES);
        if let Some(next) = flips.get_mut(pixel + 1) {
            *next ^= before << (line * SAMPLES);
        }
    }
}
