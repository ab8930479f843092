//! A body as a tree of limbs: from the middle of the hips to the neck and to each hip, and from
//! these on outwards.

use atelier_keypoints::{JOINTS, Person};

/// The node of the middle of the hips, after those of the joints; the root of the tree.
pub(crate) const MIDDLE: usize = JOINTS;

/// How many nodes the tree has.
pub(crate) const NODES: usize = JOINTS + 1;

/// Where each hip is among the joints.
const HIPS: [usize; 2] = [8, 11];

/// What a user can make longer and shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// From the neck to the nose, the eyes and the ears; and the face.
    Head,
    /// From the hips to the neck, shoulders and hips.
    Torso,
    /// From the shoulders to the wrists; and the hands.
    Arms,
    /// From the hips to the ankles.
    Legs,
}

/// A limb leads from one node to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limb {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) part: Part,
}

/// The limb from the middle of the hips to the neck, by which a body is measured.
pub(crate) const TORSO: usize = 0;

/// The limbs of each arm, right and left.
pub(crate) const ARMS: [[usize; 2]; 2] = [[5, 6], [7, 8]];

/// The limbs between nose, eyes and ears.
pub(crate) const FACE: [usize; 4] = [14, 15, 16, 17];

/// All limbs; each comes after the one that leads to where it begins. Right before left.
pub(crate) const LIMBS: [Limb; NODES - 1] = {
    use Part::{Arms, Head, Legs, Torso};
    [
        limb(MIDDLE, 1, Torso),
        limb(MIDDLE, 8, Torso),
        limb(MIDDLE, 11, Torso),
        limb(1, 2, Torso),
        limb(1, 5, Torso),
        limb(2, 3, Arms),
        limb(3, 4, Arms),
        limb(5, 6, Arms),
        limb(6, 7, Arms),
        limb(8, 9, Legs),
        limb(9, 10, Legs),
        limb(11, 12, Legs),
        limb(12, 13, Legs),
        limb(1, 0, Head),
        limb(0, 14, Head),
        limb(14, 16, Head),
        limb(0, 15, Head),
        limb(15, 17, Head),
    ]
};

const fn limb(from: usize, to: usize, part: Part) -> Limb {
    Limb { from, to, part }
}

/// The limb that leads to a node; none leads to the root.
pub(crate) fn limb_to(node: usize) -> Option<Limb> {
    LIMBS.into_iter().find(|limb| limb.to == node)
}

/// Where the nodes of a body are, as far as they are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Nodes(pub(crate) [Option<[f64; 2]>; NODES]);

impl Nodes {
    /// Of a person whose points are pixels. Where there is only one hip, it is the middle.
    pub(crate) fn of(person: &Person) -> Self {
        let mut nodes = [None; NODES];
        for (node, point) in nodes.iter_mut().zip(person.body) {
            *node = point.map(|point| [point.x, point.y]);
        }
        nodes[MIDDLE] = match HIPS.map(|hip| nodes[hip]) {
            [Some(right), Some(left)] => {
                Some([0, 1].map(|axis| f64::midpoint(right[axis], left[axis])))
            }
            [one, other] => one.or(other),
        };
        Self(nodes)
    }

    /// How far it is along a limb, to the right and down; none where an end is missing.
    pub(crate) fn along(&self, limb: Limb) -> Option<[f64; 2]> {
        let (from, to) = (self.0[limb.from]?, self.0[limb.to]?);
        Some([to[0] - from[0], to[1] - from[1]])
    }

    /// The length of a limb; none where an end is missing, or both are the same.
    pub(crate) fn length(&self, limb: Limb) -> Option<f64> {
        let [across, down] = self.along(limb)?;
        Some(across.hypot(down)).filter(|&length| length > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ARMS, FACE, LIMBS, MIDDLE, NODES, Part, TORSO, limb_to};

    #[test]
    fn every_limb_hangs_on_one_before_it() {
        let mut reached = vec![MIDDLE];
        for limb in LIMBS {
            assert!(reached.contains(&limb.from), "{limb:?}");
            assert!(!reached.contains(&limb.to), "{limb:?}");
            reached.push(limb.to);
        }
        assert_eq!(reached.len(), NODES);
        assert!(limb_to(MIDDLE).is_none());
    }

    #[test]
    fn the_named_limbs_are_what_they_are_called() {
        assert_eq!((LIMBS[TORSO].from, LIMBS[TORSO].to), (MIDDLE, 1));
        for (arm, wrist) in ARMS.into_iter().zip([4, 7]) {
            assert_eq!(LIMBS[arm[1]].to, wrist);
            assert!(arm.iter().all(|&limb| LIMBS[limb].part == Part::Arms));
        }
        assert!(FACE.iter().all(|&limb| LIMBS[limb].part == Part::Head));
        assert_eq!(FACE.map(|limb| LIMBS[limb].to), [14, 16, 15, 17]);
    }
}
