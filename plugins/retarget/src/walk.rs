//! From the root of a body along its limbs: each keeps its direction and gets its new length.

use atelier_keypoints::{Person, Point};

use crate::limbs::{LIMBS, MIDDLE, NODES, Nodes, limb_to};
use crate::proportions::Proportions;

/// The wrists, left and right, and the nose: what hands and face move with.
const WRISTS: [usize; 2] = [7, 4];
const NOSE: usize = 0;

/// A person of these proportions in the same pose, hips where they were. What is missing stays
/// missing; a joint whose limb begins nowhere moves with the nearest joint before it, and where there
/// is none, it stays.
pub(crate) fn walked(person: &Person, proportions: &Proportions) -> Person {
    let own = Nodes::of(person);
    let mut new = Nodes([None; NODES]);
    new.0[MIDDLE] = own.0[MIDDLE];
    for (limb, ratio) in proportions.limbs() {
        let Some(here) = own.0[limb.to] else { continue };
        new.0[limb.to] = Some(match (new.0[limb.from], own.along(limb)) {
            (Some(from), Some(along)) => [0, 1].map(|axis| from[axis] + along[axis] * ratio),
            _ => plus(here, moved(&own, &new, limb.from)),
        });
    }

    let mut walked = person.clone();
    for (joint, place) in walked.body.iter_mut().zip(new.0) {
        if let (Some(joint), Some([x, y])) = (joint, place) {
            *joint = Point { x, y, ..*joint };
        }
    }
    for (side, hand) in walked.hands.iter_mut().enumerate() {
        carry(hand, &own, &new, WRISTS[side], proportions.hands()[side]);
    }
    carry(&mut walked.face, &own, &new, NOSE, proportions.face());
    walked
}

/// Brings points along with a joint, and to another size about it. Where that is missing, they move
/// with the nearest joint before it, and their size is about their own middle.
fn carry(points: &mut [Option<Point>], own: &Nodes, new: &Nodes, joint: usize, size: f64) {
    let Some(about) = own.0[joint].or_else(|| middle(points.iter().flatten())) else {
        return;
    };
    let to = plus(about, moved(own, new, joint));
    for point in points.iter_mut().flatten() {
        point.x = to[0] + (point.x - about[0]) * size;
        point.y = to[1] + (point.y - about[1]) * size;
    }
}

/// The middle of the box around points; none where there is none.
pub(crate) fn middle<'a>(points: impl Iterator<Item = &'a Point>) -> Option<[f64; 2]> {
    let mut points = points.map(|point| [point.x, point.y]);
    let first = points.next()?;
    let (mut low, mut high) = (first, first);
    for point in points {
        for axis in [0, 1] {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    Some([0, 1].map(|axis| f64::midpoint(low[axis], high[axis])))
}

/// How far a node was moved or, where it is missing, the nearest before it that is there.
fn moved(own: &Nodes, new: &Nodes, mut node: usize) -> [f64; 2] {
    for _ in 0..=LIMBS.len() {
        if let (Some(own), Some(new)) = (own.0[node], new.0[node]) {
            return [new[0] - own[0], new[1] - own[1]];
        }
        match limb_to(node) {
            Some(limb) => node = limb.from,
            None => break,
        }
    }
    [0.0; 2]
}

fn plus(one: [f64; 2], other: [f64; 2]) -> [f64; 2] {
    [one[0] + other[0], one[1] + other[1]]
}
