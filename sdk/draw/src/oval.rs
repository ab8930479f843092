//! Discs and ellipses.
//!
//! Each row of pixels is cut into [`LINES`] lines. Where an ellipse crosses a line is known
//! exactly, so the share of each pixel that lies inside is summed in 1/256 of a pixel's width,
//! which is exact to a part in 4096 but for the step between lines.

use crate::blend::WHOLE;
use crate::turn::cosine_and_sine;
use crate::{Colour, Point, Surface};

/// Lines in a row of pixels.
const LINES: u32 = 16;

/// Parts of a pixel's width: a whole line of a pixel counts as much.
const PARTS: i64 = (WHOLE / LINES) as i64;

/// Draws an ellipse; both radii are above 0 and everything is finite.
///
/// With radii a and b, turned by t, the crossings of the line at the height v over the centre are
/// (−B v ± a b √(A − v²)) / A with A = a² sin² t + b² cos² t and B = (b² − a²) sin t cos t: that
/// is where the turned ellipse's equation, quadratic in x, is met. √A is its half height. Squares
/// of 32-bit floats neither overflow nor vanish in 64 bits.
pub(crate) fn draw(
    surface: &mut Surface<'_>,
    centre: Point,
    radii: Point,
    degrees: f64,
    colour: Colour,
) {
    let (cosine, sine) = cosine_and_sine(degrees);
    let (x, y) = (f64::from(centre.x), f64::from(centre.y));
    let (a, b) = (f64::from(radii.x), f64::from(radii.y));
    let height = (a * sine) * (a * sine) + (b * cosine) * (b * cosine);
    let slant = (a - b) * (a + b) * sine * cosine / height;
    let breadth = a * b / height;
    let half_width = ((a * cosine) * (a * cosine) + (b * sine) * (b * sine)).sqrt();

    let columns = Surface::touched(surface.width(), x - half_width, x + half_width);
    let half_height = height.sqrt();
    let rows = Surface::touched(surface.height(), y - half_height, y + half_height);
    if columns.is_empty() {
        return;
    }
    // One more, for the steps at the far end.
    let mut steps = vec![0_i32; columns.len() + 1];
    for row in rows {
        steps.fill(0);
        for line in 0..LINES {
            let v = row as f64 + (f64::from(line) + 0.5) / f64::from(LINES) - y;
            let inside = height - v * v;
            if inside > 0.0 {
                let (middle, half) = (x + slant * v, breadth * inside.sqrt());
                let left = columns.start as f64;
                step(&mut steps, middle - half - left, 1);
                step(&mut steps, middle + half - left, -1);
            }
        }
        let mut sum = 0;
        let coverages = steps.iter().map(|step| {
            sum += step;
            sum as u32
        });
        surface.cover(row, columns.start, coverages.take(columns.len()), colour);
    }
}

/// Notes that everything right of `x`, in pixels from the first one, is inside (1) or outside
/// again (−1) on one line. The sum of all steps up to a pixel is then what is covered of it.
fn step(steps: &mut [i32], x: f64, sign: i32) {
    let last = steps.len() as i64 - 1;
    let parts = ((x * PARTS as f64).round() as i64).clamp(0, last * PARTS);
    let (pixel, part) = ((parts / PARTS) as usize, (parts % PARTS) as i32);
    steps[pixel] += sign * (PARTS as i32 - part);
    if let Some(next) = steps.get_mut(pixel + 1) {
        *next += sign * part;
    }
}
