//! How many times as long each limb becomes.
//!
//! Bodies are of different sizes in their pictures, so another body's limb counts by its share of
//! that body's torso, and the pose's own torso stays as long as it is.

use atelier_plugin::Failure;

use crate::limbs::{ARMS, FACE, LIMBS, Limb, Nodes, Part, TORSO};

/// No limb becomes more than so many times longer or shorter for the sake of another body: one that
/// points at the viewer is short in the picture, and its true length is not known.
const MOST: f64 = 5.0;

/// For each limb, how many times as long it becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Proportions {
    ratios: [f64; LIMBS.len()],
    hands: [f64; 2],
    face: f64,
}

impl Proportions {
    /// The way from a body's own proportions to another's, and then by a factor for each part. A
    /// limb that the other body lacks keeps its length.
    ///
    /// # Errors
    ///
    /// [`Failure::Source`] where the two have no limb in common to be measured by.
    pub(crate) fn of(
        own: &Nodes,
        other: Option<&Nodes>,
        factor: impl Fn(Part) -> f64,
    ) -> Result<Self, Failure> {
        let mut ratios = LIMBS.map(|limb| factor(limb.part));
        if let Some(other) = other {
            let unit = unit(own, other)?;
            for (ratio, limb) in ratios.iter_mut().zip(LIMBS) {
                if let (Some(own), Some(other)) = (own.length(limb), other.length(limb)) {
                    *ratio *= (other * unit / own).clamp(1.0 / MOST, MOST);
                }
            }
        }
        let together =
            |limbs: &[usize], part| mean(own, &ratios, limbs).unwrap_or_else(|| factor(part));
        // The hands of a person are left, right; the limbs of the arms are right, left.
        let [right, left] = ARMS.map(|arm| together(&arm, Part::Arms));
        Ok(Self {
            ratios,
            hands: [left, right],
            face: together(&FACE, Part::Head),
        })
    }

    /// All limbs, each with its ratio.
    pub(crate) fn limbs(&self) -> impl Iterator<Item = (Limb, f64)> {
        LIMBS.into_iter().zip(self.ratios)
    }

    /// How many times as large the hands become, left and right: as their arms become longer.
    pub(crate) fn hands(&self) -> [f64; 2] {
        self.hands
    }

    /// How many times as large the face becomes: as the way from nose to ears becomes longer.
    pub(crate) fn face(&self) -> f64 {
        self.face
    }
}

/// What a pixel of the other body is of one's own: by their torsos or, where one has none, by all
/// limbs that both have.
fn unit(own: &Nodes, other: &Nodes) -> Result<f64, Failure> {
    let both = |limb: Limb| Some((own.length(limb)?, other.length(limb)?));
    if let Some((own, other)) = both(LIMBS[TORSO]) {
        return Ok(own / other);
    }
    let pairs = LIMBS.into_iter().filter_map(both);
    let (own, other) = pairs.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    if other > 0.0 {
        return Ok(own / other);
    }
    Err(Failure::source(
        "the body to take the proportions of has no limb that the posed one has too",
    ))
}

/// How many times as long some limbs become together.
fn mean(own: &Nodes, ratios: &[f64; LIMBS.len()], limbs: &[usize]) -> Option<f64> {
    let known = limbs
        .iter()
        .filter_map(|&limb| Some((own.length(LIMBS[limb])?, ratios[limb])));
    let (before, after) = known.fold((0.0, 0.0), |(before, after), (length, ratio)| {
        (before + length, after + length * ratio)
    });
    (before > 0.0).then(|| after / before)
}
