//! People as the coloured skeleton, in the order that decides what covers what: all limbs, all
//! joints, then hands, then faces.

mod colours;
mod raster;
mod shapes;

use atelier_plugin::Size;

use crate::{Person, Point};
use colours::Colour;
pub use raster::Raster;

/// Which joints a limb joins. Limb `i` has the colour of joint `i`.
pub const LIMBS: [(usize, usize); 17] = [
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
];

/// Which points of a hand a bone joins: five fingers of four bones, each from the wrist on.
const BONES: [(usize, usize); 20] = {
    let mut bones = [(0, 0); 20];
    let mut bone = 0;
    while bone < bones.len() {
        bones[bone] = (if bone % 4 == 0 { 0 } else { bone }, bone + 1);
        bone += 1;
    }
    bones
};

/// Draws people whose points are pixels of a picture of this size. `stick` is half the thickness
/// of a limb and the radius of a joint; the usual 4 gives bones 2 thick and dots of radius 3.
pub fn draw(people: &[Person], size: Size, stick: i64) -> Raster {
    let mut raster = Raster::black(size);
    draw_bodies(&mut raster, people, stick);
    for hand in people.iter().flat_map(|person| &person.hands) {
        draw_hand(&mut raster, hand, stick);
    }
    for point in people.iter().flat_map(|person| &person.face).flatten() {
        let radius = (stick * 3 / 4).max(1);
        shapes::disc(&mut raster, pixel(point), radius, colours::FACE);
    }
    raster
}

fn draw_bodies(raster: &mut Raster, people: &[Person], stick: i64) {
    for ((a, b), colour) in LIMBS.into_iter().zip(colours::BODY) {
        for person in people {
            if let (Some(a), Some(b)) = (person.body[a], person.body[b]) {
                draw_limb(raster, a, b, stick, colours::dimmed(colour));
            }
        }
    }
    for (joint, colour) in colours::BODY.into_iter().enumerate() {
        for point in people
            .iter()
            .filter_map(|person| person.body[joint].as_ref())
        {
            shapes::disc(raster, pixel(point), stick, colour);
        }
    }
}

/// An ellipse between two joints; its centre, length and angle are cut to whole numbers.
fn draw_limb(raster: &mut Raster, a: Point, b: Point, stick: i64, colour: Colour) {
    let (across, down) = (a.x - b.x, a.y - b.y);
    let length = (across * across + down * down).sqrt();
    let degrees = down.atan2(across).to_degrees() as i64;
    let centre = (((a.x + b.x) / 2.0) as i64, ((a.y + b.y) / 2.0) as i64);
    shapes::ellipse(
        raster,
        centre,
        ((length / 2.0) as i64, stick),
        degrees,
        colour,
    );
}

fn draw_hand(raster: &mut Raster, hand: &[Option<Point>], stick: i64) {
    let point = |index: usize| hand.get(index).copied().flatten();
    for ((a, b), colour) in BONES.into_iter().zip(colours::HAND) {
        if let (Some(a), Some(b)) = (point(a), point(b)) {
            let thickness = (stick / 2).max(1);
            shapes::line(raster, pixel(&a), pixel(&b), thickness, colour);
        }
    }
    for point in hand.iter().flatten() {
        shapes::disc(raster, pixel(point), stick, colours::HAND_JOINT);
    }
}

/// The pixel that a point is cut to.
fn pixel(point: &Point) -> (i64, i64) {
    (point.x as i64, point.y as i64)
}

#[cfg(test)]
mod tests {
    use super::BONES;

    #[test]
    fn fingers_start_at_the_wrist() {
        assert_eq!(BONES[..5], [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5)]);
        assert_eq!(BONES[16..], [(0, 17), (17, 18), (18, 19), (19, 20)]);
    }
}
