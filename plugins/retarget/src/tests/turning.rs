//! Mirroring, scaling and moving.

use serde_json::{Value, json};

use super::{
    CROWD, DANCER, WHOLE, assert_same, distance, document, joints, people, points, retarget,
};

fn middle(joints: &[[f64; 3]]) -> [f64; 2] {
    [0, 1].map(|axis| {
        let seen = joints
            .iter()
            .filter(|joint| joint[2] > 0.0)
            .map(|joint| joint[axis]);
        let low = seen.clone().fold(f64::INFINITY, f64::min);
        f64::midpoint(low, seen.fold(f64::NEG_INFINITY, f64::max))
    })
}

#[test]
fn mirrored_twice_is_as_it_was() {
    for text in [DANCER, WHOLE, CROWD] {
        let once = retarget(&[text], &json!({ "mirror": true })).unwrap();
        let twice = people(
            &[once.keypoints.as_deref().unwrap()],
            &json!({ "mirror": true }),
        );
        let before = document(text)["people"].clone();
        for (before, twice) in before
            .as_array()
            .unwrap()
            .iter()
            .zip(twice.as_array().unwrap())
        {
            assert_same(before, twice);
        }
    }
}

#[test]
fn a_mirror_makes_left_right() {
    let before = joints(&document(DANCER)["people"]);
    let after = joints(&people(&[DANCER], &json!({ "mirror": true })));
    let [x, _] = middle(&before);
    for (right, left) in [(4, 7), (7, 4), (10, 13), (14, 15), (17, 16), (0, 0), (1, 1)] {
        let expected = [2.0 * x - before[right][0], before[right][1], 1.0];
        assert!(distance(after[left], expected) < 0.002, "{right}, {left}");
    }
    // Hands change sides, and of a face the left corner of the mouth becomes the right one.
    let before = document(WHOLE)["people"][0].clone();
    let after = people(&[WHOLE], &json!({ "mirror": true }))[0].clone();
    let part = |person: &Value, part: &str| points(person, part);
    let (left, right) = ("hand_left_keypoints_2d", "hand_right_keypoints_2d");
    assert_eq!(part(&before, left)[8][1], part(&after, right)[8][1]);
    assert_eq!(part(&before, right)[8][1], part(&after, left)[8][1]);
    let face = "face_keypoints_2d";
    assert_eq!(part(&before, face)[48][1], part(&after, face)[54][1]);
    assert_eq!(part(&before, face)[68][1], part(&after, face)[69][1]);
}

#[test]
fn everybody_is_scaled_about_their_own_middle() {
    let before = document(CROWD)["people"].clone();
    let after = people(&[CROWD], &json!({ "scale": 50 }));
    for (before, after) in before
        .as_array()
        .unwrap()
        .iter()
        .zip(after.as_array().unwrap())
    {
        let of = |person: &Value| points(person, "pose_keypoints_2d");
        let (was, is) = (of(before), of(after));
        if points(before, "face_keypoints_2d").is_empty() {
            let (was, is) = (middle(&was), middle(&is));
            assert!(
                (was[0] - is[0]).hypot(was[1] - is[1]) < 0.01,
                "{was:?} {is:?}"
            );
        }
        let seen = |joint: usize| was[joint][2] > 0.3;
        for (a, b) in (0..18).zip(1..18).filter(|&(a, b)| seen(a) && seen(b)) {
            assert!((distance(was[a], was[b]) / 2.0 - distance(is[a], is[b])).abs() < 0.01);
        }
    }
}

#[test]
fn everybody_moves_by_shares_of_the_picture() {
    let before = joints(&document(DANCER)["people"]);
    let after = joints(&people(&[DANCER], &json!({ "dx": 12.5, "dy": -25 })));
    for (before, after) in before.iter().zip(after) {
        assert!((after[0] - before[0] - 32.0).abs() < 0.01, "{after:?}");
        assert!((after[1] - before[1] + 96.0).abs() < 0.01, "{after:?}");
    }
}

#[test]
fn the_picture_is_what_pose_draws_of_the_keypoints() {
    let moved = retarget(&[WHOLE], &json!({ "arms": 133, "scale": 87, "dx": 3.3 })).unwrap();
    let again = retarget(&[moved.keypoints.as_deref().unwrap()], &json!({})).unwrap();
    assert_eq!(moved.pictures[0].rgba(), again.pictures[0].rgba());
    assert_eq!(moved.keypoints, again.keypoints);
}
