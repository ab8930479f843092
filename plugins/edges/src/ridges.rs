//! Which pixels can be of a line: those that are steeper than both neighbours in the direction that
//! the brightness changes in (Canny, "A computational approach to edge detection", 1986).

use atelier_plugin::{Failure, log};

use crate::blur::Blurred;
use crate::marks::Marks;
use crate::parameters::Thresholds;
use crate::slopes::Slopes;

/// tan 22.5° in parts of 32768, as OpenCV has it: up to there a slope points to the right, and beyond
/// tan 67.5°, which is 2 more, down.
const TANGENT: i64 = 13_573;

/// Marks the pixels that are possibly, or surely, of a line.
pub(crate) fn find(mut picture: Blurred<'_>, thresholds: Thresholds) -> Result<Marks, Failure> {
    let size = picture.size();
    let width = size.width as usize;
    let mut marks = Marks::none(size);
    let mut here = picture.row(0)?.to_vec();
    let mut above = here.clone();
    let mut below = Vec::with_capacity(width);
    // Slopes of the row before last, of the last, and of the one at hand.
    let [mut before, mut last, mut slopes] = [(); 3].map(|()| Slopes::flat(width));
    for y in 0..size.height {
        below.clear();
        below.extend_from_slice(if y + 1 < size.height {
            picture.row(y + 1)?
        } else {
            &here
        });
        slopes.measure(&above, &here, &below);
        if y > 0 {
            mark(&mut marks, y - 1, [&before, &last, &slopes], thresholds);
        }
        (before, last, slopes) = (last, slopes, before);
        (above, here, below) = (here, below, above);
        if y % 256 == 0 {
            log::progress(0.9 * y as f32 / size.height as f32);
        }
    }
    let outside = Slopes::flat(width);
    mark(
        &mut marks,
        size.height - 1,
        [&before, &last, &outside],
        thresholds,
    );
    Ok(marks)
}

fn mark(marks: &mut Marks, y: u32, [above, here, below]: [&Slopes; 3], thresholds: Thresholds) {
    let ways = here.right.iter().zip(&here.down);
    for (x, (&right, &down)) in ways.enumerate() {
        // Steepness has a column before the first.
        let steep = here.steep[x + 1];
        if u32::from(steep) > thresholds.low
            && is_ridge(
                right,
                down,
                steep,
                x + 1,
                [&above.steep, &here.steep, &below.steep],
            )
        {
            marks.mark(x as u32, y, u32::from(steep) > thresholds.high);
        }
    }
}

/// Of two neighbours that are as steep, one counts, so that a line is one pixel wide.
fn is_ridge(
    right: i16,
    down: i16,
    steep: u16,
    x: usize,
    [above, here, below]: [&[u16]; 3],
) -> bool {
    let (across, along) = (i64::from(right).abs(), i64::from(down).abs() << 15);
    let tangent = across * TANGENT;
    if along < tangent {
        steep > here[x - 1] && steep >= here[x + 1]
    } else if along > tangent + (across << 16) {
        steep > above[x] && steep >= below[x]
    } else if (right < 0) == (down < 0) {
        steep > above[x - 1] && steep > below[x + 1]
    } else {
        steep > above[x + 1] && steep > below[x - 1]
    }
}
