//! Another body's proportions.

use serde_json::json;

use super::{
    CROWD, DANCER, WHOLE, assert_same, between, dancer, distance, document, joints, people, points,
    retarget,
};

/// Limbs from joint to joint, without those that begin in the middle of the hips.
const LIMBS: [(usize, usize); 15] = [
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (8, 9),
    (9, 10),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
];

/// A standing body of other proportions than the dancer's, in a picture of another size.
fn giant() -> String {
    let joints = [
        (500, 200),
        (500, 330),
        (400, 335),
        (350, 520),
        (340, 690),
        (600, 335),
        (660, 500),
        (690, 700),
        (440, 700),
        (430, 1000),
        (435, 1300),
        (560, 700),
        (570, 980),
        (565, 1310),
        (480, 180),
        (522, 178),
        (450, 190),
        (550, 192),
    ];
    let flat: Vec<i32> = joints.iter().flat_map(|&(x, y)| [x, y, 1]).collect();
    json!({ "people": [{ "pose_keypoints_2d": flat }], "canvas_width": 1000, "canvas_height": 1500 })
        .to_string()
}

fn torso(joints: &[[f64; 3]]) -> f64 {
    distance(joints[1], between(joints[8], joints[11]))
}

#[test]
fn ones_own_body_changes_nothing() {
    for text in [DANCER, WHOLE, CROWD] {
        let before = document(text)["people"].clone();
        for documents in [&[text][..], &[text, text]] {
            let after = people(documents, &json!({}));
            for (before, after) in before
                .as_array()
                .unwrap()
                .iter()
                .zip(after.as_array().unwrap())
            {
                assert_same(before, after);
            }
        }
    }
}

#[test]
fn one_own_body_of_another_size_changes_nothing() {
    let twice = dancer(|_, [x, y, c]| [x * 2.0, y * 2.0, c]);
    let mut twice = document(&twice);
    (twice["canvas_width"], twice["canvas_height"]) = (json!(1000), json!(1000));
    let after = people(&[DANCER, &twice.to_string()], &json!({}));
    assert_same(&after[0], &document(DANCER)["people"][0]);
}

#[test]
fn limbs_are_as_long_as_the_other_bodys_and_point_where_they_did() {
    let giant = giant();
    let before = joints(&document(DANCER)["people"]);
    let other = joints(&document(&giant)["people"]);
    let after = joints(&people(&[DANCER, &giant], &json!({})));
    assert!(
        (torso(&after) - torso(&before)).abs() < 0.01,
        "the torso stays"
    );
    let unit = torso(&before) / torso(&other);
    for (from, to) in LIMBS {
        let (is, should) = (
            distance(after[from], after[to]),
            distance(other[from], other[to]) * unit,
        );
        assert!(
            (is - should).abs() < 0.01,
            "{from}-{to}: {is}, not {should}"
        );
        let angle = |joints: &[[f64; 3]]| {
            (joints[to][1] - joints[from][1]).atan2(joints[to][0] - joints[from][0])
        };
        assert!((angle(&after) - angle(&before)).abs() < 1e-3, "{from}-{to}");
    }
    let hips = |joints: &[[f64; 3]]| distance(joints[8], joints[11]);
    assert!((hips(&after) - hips(&other) * unit).abs() < 0.01);
    let middle = distance(between(after[8], after[11]), between(before[8], before[11]));
    assert!(middle < 0.01, "the hips are where they were");
}

#[test]
fn factors_make_parts_longer() {
    let before = joints(&document(DANCER)["people"]);
    for (part, limbs) in [
        ("head", &[(1, 0), (0, 14), (14, 16), (0, 15), (15, 17)][..]),
        ("torso", &[(1, 2), (1, 5)]),
        ("arms", &[(2, 3), (3, 4), (5, 6), (6, 7)]),
        ("legs", &[(8, 9), (9, 10), (11, 12), (12, 13)]),
    ] {
        let after = joints(&people(&[DANCER], &json!({ part: 125 })));
        for (from, to) in LIMBS {
            let factor = if limbs.contains(&(from, to)) {
                1.25
            } else {
                1.0
            };
            let (is, was) = (
                distance(after[from], after[to]),
                distance(before[from], before[to]),
            );
            assert!(
                (is - was * factor).abs() < 0.01,
                "{part} {from}-{to}: {is} after {was}"
            );
        }
        let factor = if part == "torso" { 1.25 } else { 1.0 };
        assert!(
            (torso(&after) - torso(&before) * factor).abs() < 0.01,
            "{part}"
        );
    }
}

#[test]
fn hands_and_face_come_along_and_grow() {
    let mut whole = document(DANCER);
    let mut parts = document(WHOLE)["people"][0].clone();
    parts["pose_keypoints_2d"] = whole["people"][0]["pose_keypoints_2d"].clone();
    whole["people"][0] = parts;
    let before = whole["people"][0].clone();
    let after = people(&[&whole.to_string()], &json!({ "arms": 150, "head": 50 }))[0].clone();
    let body = |person| points(person, "pose_keypoints_2d");
    for (part, joint, factor) in [
        ("hand_left_keypoints_2d", 7, 1.5),
        ("hand_right_keypoints_2d", 4, 1.5),
        ("face_keypoints_2d", 0, 0.5),
    ] {
        let (was, is) = (points(&before, part), points(&after, part));
        assert!(!was.is_empty(), "{part}");
        for (was, is) in was.into_iter().zip(is).filter(|(was, _)| was[2] > 0.3) {
            for axis in [0, 1] {
                let offset = is[axis] - body(&after)[joint][axis];
                let should = (was[axis] - body(&before)[joint][axis]) * factor;
                assert!(
                    (offset - should).abs() < 0.01,
                    "{part}: {offset}, not {should}"
                );
            }
        }
    }
}

#[test]
fn what_is_missing_stays_missing_and_the_rest_moves_along() {
    let giant = giant();
    let whole = joints(&people(&[DANCER, &giant], &json!({})));
    let without = |missing: &'static [usize]| {
        dancer(move |index, joint| {
            if missing.contains(&index) {
                [0.0; 3]
            } else {
                joint
            }
        })
    };
    // Without an elbow the wrist moves as far as the shoulder does.
    let before = joints(&document(DANCER)["people"]);
    let after = joints(&people(&[&without(&[3]), &giant], &json!({})));
    assert_eq!(after[3], [0.0; 3]);
    for axis in [0, 1] {
        let (shoulder, wrist) = (
            after[2][axis] - before[2][axis],
            after[4][axis] - before[4][axis],
        );
        assert!((shoulder - wrist).abs() < 0.01, "{shoulder} and {wrist}");
    }
    assert!(
        distance(after[13], whole[13]) < 0.01,
        "the legs know nothing of it"
    );

    for missing in [&[1][..], &[8, 11], &[8], &[1, 8, 11], &[0, 1, 2, 5, 8, 11]] {
        let documents = [without(missing), giant.clone()];
        let after = joints(&people(
            &[&documents[0], &documents[1]],
            &json!({ "legs": 80 }),
        ));
        for (index, joint) in after.iter().enumerate() {
            assert_eq!(
                joint[2] == 0.0,
                missing.contains(&index),
                "{missing:?}, {index}"
            );
        }
        let _ = people(&[DANCER, &documents[0]], &json!({}));
    }
}

#[test]
fn a_limb_that_the_other_body_lacks_keeps_its_length() {
    let armless = dancer(|index, [x, y, c]| match index {
        3 | 4 => [0.0; 3],
        9 | 12 => [x, y + 30.0, c],
        _ => [x, y, c],
    });
    let before = joints(&document(DANCER)["people"]);
    let after = joints(&people(&[DANCER, &armless], &json!({})));
    for limb in [2, 3] {
        let (was, is) = (
            distance(before[limb], before[limb + 1]),
            distance(after[limb], after[limb + 1]),
        );
        assert!((was - is).abs() < 0.01);
    }
    assert!(distance(before[8], before[9]) + 5.0 < distance(after[8], after[9]));
}

#[test]
fn nothing_in_common_is_told() {
    let only = |kept: &'static [usize]| {
        dancer(move |index, joint| {
            if kept.contains(&index) {
                joint
            } else {
                [0.0; 3]
            }
        })
    };
    let refused = retarget(&[&only(&[2, 3]), &only(&[11, 12])], &json!({})).unwrap_err();
    assert!(refused.to_string().contains("no limb"), "{refused}");
}

#[test]
fn a_limb_grows_five_times_at_most() {
    let stub = dancer(|index, [x, y, c]| match index {
        3 => [x, y, c],
        4 => [x + 9000.0, y, c],
        _ => [x, y, c],
    });
    let before = joints(&document(DANCER)["people"]);
    let after = joints(&people(&[DANCER, &stub], &json!({})));
    let (was, is) = (distance(before[3], before[4]), distance(after[3], after[4]));
    assert!((is - 5.0 * was).abs() < 0.01, "{is} after {was}");
}

#[test]
fn each_of_several_gets_a_body() {
    let crowd = document(CROWD);
    let first = json!({
        "people": [crowd["people"][0]], "canvas_width": crowd["canvas_width"],
        "canvas_height": crowd["canvas_height"],
    });
    // As many bodies as people: each their own, so nothing changes.
    let same = people(&[CROWD, CROWD], &json!({}));
    assert_same(&same[1], &crowd["people"][1]);
    // One body for all: the first is as before, the others are not.
    let all = people(&[CROWD, &first.to_string()], &json!({}));
    assert_same(&all[0], &crowd["people"][0]);
    assert_ne!(all[1], same[1]);
    assert_eq!(
        all.as_array().map(Vec::len),
        crowd["people"].as_array().map(Vec::len)
    );
}
