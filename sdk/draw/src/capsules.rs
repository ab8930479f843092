//! Lines: each is the set of points that lie within a radius of a segment, a capsule, and a
//! polyline is the union of its capsules.
//!
//! A pixel's coverage follows from the distance of its middle to the nearest segment, as if the
//! line passed straight by: the share of the pixel's breadth that is inside. In each row the
//! pixels deep inside a capsule are one stretch, which is noted by its ends; distances are taken
//! only along the rim. So what a segment costs is its rim inside the surface, however thick it is.

use crate::blend::WHOLE;
use crate::{Colour, Point, Surface};

/// Half a pixel: how far the rim reaches from the line's edge to both sides.
const HALF: f64 = 0.5;

/// Draws lines of this half thickness, above 0; the points are finite.
pub(crate) fn draw(surface: &mut Surface<'_>, through: &[Point], radius: f64, colour: Colour) {
    let mut segments: Vec<Segment> = match through {
        [] => return,
        [dot] => vec![Segment::between(*dot, *dot)],
        points => points
            .windows(2)
            .map(|pair| Segment::between(pair[0], pair[1]))
            .collect(),
    };
    let reach = radius + HALF;
    let (width, height) = (surface.width(), surface.height());
    segments.retain(|segment| segment.comes_near(reach, width as f64, height as f64));
    segments.sort_by(|a, b| a.top().total_cmp(&b.top()));
    let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut top, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY);
    for Segment { a, b, .. } in &segments {
        left = left.min(a[0].min(b[0]) - reach);
        right = right.max(a[0].max(b[0]) + reach);
        top = top.min(a[1].min(b[1]) - reach);
        bottom = bottom.max(a[1].max(b[1]) + reach);
    }
    let mut row = Row::new(Surface::touched(width, left, right));
    let mut waiting = segments.into_iter().peekable();
    let mut near: Vec<Segment> = Vec::new();
    for y in Surface::touched(height, top, bottom) {
        let middle = y as f64 + HALF;
        while let Some(segment) = waiting.next_if(|next| next.top() - reach < middle) {
            near.push(segment);
        }
        near.retain(|segment| segment.bottom() + reach > middle);
        row.clear();
        for segment in &near {
            row.add(segment, radius, middle);
            if row.is_full {
                break;
            }
        }
        surface.cover(y, row.first, row.coverages(), colour);
    }
}

/// Two points, in pixels. What it is multiplied with later is small, and the products of two
/// 32-bit floats are exact in 64 bits, so that ends far away take little precision.
#[derive(Clone, Copy, Debug)]
struct Segment {
    a: [f64; 2],
    b: [f64; 2],
    /// From a to b.
    way: [f64; 2],
    length: f64,
    /// a × b.
    cross: f64,
}

impl Segment {
    fn between(a: Point, b: Point) -> Self {
        let a = [f64::from(a.x), f64::from(a.y)];
        let b = [f64::from(b.x), f64::from(b.y)];
        let way = [b[0] - a[0], b[1] - a[1]];
        Self {
            a,
            b,
            way,
            length: (way[0] * way[0] + way[1] * way[1]).sqrt(),
            cross: a[0] * b[1] - a[1] * b[0],
        }
    }

    fn top(&self) -> f64 {
        self.a[1].min(self.b[1])
    }

    fn bottom(&self) -> f64 {
        self.a[1].max(self.b[1])
    }

    /// Whether its box, widened by the reach, has a part of the surface.
    fn comes_near(&self, reach: f64, width: f64, height: f64) -> bool {
        let crosses = |axis: usize, side: f64| {
            let (a, b) = (self.a[axis], self.b[axis]);
            a.min(b) - reach < side && a.max(b) + reach > 0.0
        };
        crosses(0, width) && crosses(1, height)
    }

    /// The distance of a place from it.
    fn distance(&self, x: f64, y: f64) -> f64 {
        let [across, down] = self.way;
        let from = |[ox, oy]: [f64; 2]| [x - ox, y - oy];
        let length = |[dx, dy]: [f64; 2]| (dx * dx + dy * dy).sqrt();
        let (a, b) = (from(self.a), from(self.b));
        if self.length == 0.0 || a[0] * across + a[1] * down <= 0.0 {
            length(a)
        } else if b[0] * across + b[1] * down >= 0.0 {
            length(b)
        } else {
            (across * y - down * x + self.cross).abs() / self.length
        }
    }

    /// From where to where the points of the height y are within `radius`, none where nowhere.
    /// A capsule is two discs and the rectangle between them, and convex.
    fn stretch(&self, radius: f64, y: f64) -> Option<(f64, f64)> {
        let ends = [self.a, self.b].into_iter().filter_map(|[x, end_y]| {
            let inside = radius * radius - (y - end_y) * (y - end_y);
            (inside >= 0.0).then(|| (x - inside.sqrt(), x + inside.sqrt()))
        });
        let parts = ends.chain(self.stretch_between(radius, y));
        parts.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The same of the rectangle alone: of points that project between the ends.
    fn stretch_between(&self, radius: f64, y: f64) -> Option<(f64, f64)> {
        if self.length == 0.0 {
            return None;
        }
        let [across, down] = self.way;
        let wide = radius * self.length;
        let level = across * y + self.cross;
        let beside = within(down, level - wide, level + wide)?;
        let along_a = within(
            across,
            across * self.a[0] + down * (self.a[1] - y),
            f64::INFINITY,
        )?;
        let along_b = within(
            across,
            f64::NEG_INFINITY,
            across * self.b[0] + down * (self.b[1] - y),
        )?;
        let low = beside.0.max(along_a.0).max(along_b.0);
        let high = beside.1.min(along_a.1).min(along_b.1);
        (low <= high).then_some((low, high))
    }
}

/// The x for which low ≤ factor · x ≤ high; none where there are none.
fn within(factor: f64, low: f64, high: f64) -> Option<(f64, f64)> {
    if factor == 0.0 {
        return (low <= 0.0 && high >= 0.0).then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let (a, b) = (low / factor, high / factor);
    Some((a.min(b), a.max(b)))
}

/// One row's coverages, from the pixel `first` on.
#[derive(Debug)]
struct Row {
    first: usize,
    /// Pixels along the rims.
    rim: Vec<u32>,
    /// Where stretches of whole pixels begin (+1) and are over (−1); one more than pixels.
    whole: Vec<i32>,
    /// Whether one stretch is the whole row.
    is_full: bool,
}

impl Row {
    fn new(columns: std::ops::Range<usize>) -> Self {
        Self {
            first: columns.start,
            rim: vec![0; columns.len()],
            whole: vec![0; columns.len() + 1],
            is_full: false,
        }
    }

    fn clear(&mut self) {
        self.rim.fill(0);
        self.whole.fill(0);
        self.is_full = false;
    }

    /// Adds what a segment's capsule covers at the height y.
    fn add(&mut self, segment: &Segment, radius: f64, y: f64) {
        let Some(outer) = segment.stretch(radius + HALF, y) else {
            return;
        };
        let outer = self.middles(outer);
        // A line thinner than a pixel has no inside.
        let inner = (radius > HALF)
            .then(|| segment.stretch(radius - HALF, y))
            .flatten()
            .map(|inner| self.middles(inner))
            .filter(|inner| !inner.is_empty())
            .unwrap_or(outer.end..outer.end);
        self.whole[inner.start] += 1;
        self.whole[inner.end] -= 1;
        self.is_full = inner.len() == self.rim.len();
        for pixel in (outer.start..inner.start).chain(inner.end..outer.end) {
            let x = (self.first + pixel) as f64 + HALF;
            let coverage = coverage(segment.distance(x, y), radius);
            self.rim[pixel] = self.rim[pixel].max(coverage);
        }
    }

    /// The pixels whose middles are in a stretch.
    fn middles(&self, (low, high): (f64, f64)) -> std::ops::Range<usize> {
        let first = self.first as f64 + HALF;
        let bounded = |index: f64| (index.max(0.0) as usize).min(self.rim.len());
        let start = bounded((low - first).ceil());
        start..bounded((high - first).floor() + 1.0).max(start)
    }

    fn coverages(&self) -> impl Iterator<Item = u32> {
        let mut depth = 0;
        self.rim.iter().zip(&self.whole).map(move |(rim, step)| {
            depth += step;
            if depth > 0 { WHOLE } else { *rim }
        })
    }
}

/// The share of a pixel's breadth, at this distance from the middle of a line, that is inside.
fn coverage(distance: f64, radius: f64) -> u32 {
    let inside = (distance + HALF).min(radius) - (distance - HALF).max(-radius);
    (inside.clamp(0.0, 1.0) * f64::from(WHOLE) + HALF) as u32
}

#[cfg(test)]
mod tests {
    use super::{Segment, WHOLE, coverage};
    use crate::Point;

    #[test]
    fn a_stretch_ends_where_the_distance_is_the_radius() {
        let segment = Segment::between(Point { x: 3.0, y: 4.0 }, Point { x: 17.0, y: -2.0 });
        for tenth in -60..90 {
            let y = f64::from(tenth) / 10.0;
            let Some((left, right)) = segment.stretch(4.0, y) else {
                assert!(!(-5.9..=7.9).contains(&y), "{y}");
                continue;
            };
            for x in [left, right] {
                assert!((segment.distance(x, y) - 4.0).abs() < 1e-9, "{x}, {y}");
            }
        }
    }

    #[test]
    fn thin_lines_keep_their_weight() {
        // The coverages across a line sum up to its width wherever the pixels lie.
        for radius in [0.05, 0.25, 0.5, 0.8, 3.0] {
            for shift in [0.0, 0.2, 0.5, 0.9] {
                let across =
                    (-10..10).map(|pixel| coverage((f64::from(pixel) + shift).abs(), radius));
                let sum = f64::from(across.sum::<u32>()) / f64::from(WHOLE);
                assert!((sum - 2.0 * radius).abs() < 0.002, "{radius}: {sum}");
            }
        }
    }
}
