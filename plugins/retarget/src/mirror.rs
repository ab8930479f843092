//! The other way round: what the left hand did, the right hand does.

use std::mem;

use atelier_keypoints::{Person, Point};

/// Joints of the right side, each with that of the left.
const SIDES: [(usize, usize); 8] = [
    (2, 5),
    (3, 6),
    (4, 7),
    (8, 11),
    (9, 12),
    (10, 13),
    (14, 15),
    (16, 17),
];

/// Points of a face's right side as the 68 of iBUG and OpenPose's 70 have them, each with that of
/// the left: jaw, brows, nostrils, eyes, lips outside and inside, pupils.
const FACE_SIDES: [(usize, usize); 30] = [
    (0, 16),
    (1, 15),
    (2, 14),
    (3, 13),
    (4, 12),
    (5, 11),
    (6, 10),
    (7, 9),
    (17, 26),
    (18, 25),
    (19, 24),
    (20, 23),
    (21, 22),
    (31, 35),
    (32, 34),
    (36, 45),
    (37, 44),
    (38, 43),
    (39, 42),
    (40, 47),
    (41, 46),
    (48, 54),
    (49, 53),
    (50, 52),
    (55, 59),
    (56, 58),
    (60, 64),
    (61, 63),
    (65, 67),
    (68, 69),
];

/// Sizes of faces whose points are known; others are turned without knowing which is which.
const KNOWN_FACES: [usize; 2] = [68, 70];

/// Turns a person about the vertical through `x`. Twice is as it was.
pub(crate) fn mirror(person: &mut Person, x: f64) {
    for (right, left) in SIDES {
        person.body.swap(right, left);
    }
    let [left, right] = &mut person.hands;
    mem::swap(left, right);
    if KNOWN_FACES.contains(&person.face.len()) {
        for (right, left) in FACE_SIDES {
            swap(&mut person.face, right, left);
        }
    }
    person.place(|point| [2.0 * x - point[0], point[1]]);
}

fn swap(face: &mut [Option<Point>], one: usize, other: usize) {
    if one.max(other) < face.len() {
        face.swap(one, other);
    }
}

#[cfg(test)]
mod tests {
    use super::{FACE_SIDES, SIDES};

    #[test]
    fn no_point_has_two_opposites() {
        for pairs in [&SIDES[..], &FACE_SIDES] {
            let mut points: Vec<usize> = pairs.iter().flat_map(|&(a, b)| [a, b]).collect();
            points.sort_unstable();
            let all = points.len();
            points.dedup();
            assert_eq!(points.len(), all);
        }
    }
}
