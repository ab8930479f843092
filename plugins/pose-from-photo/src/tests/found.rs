//! What comes of the model's answers.

use atelier_plugin::{Canvas, Failure, Outcome, Picture, Plugin, Region, Request, Size};
use atelier_plugin_pose::Pose;
use image::RgbaImage;
use serde_json::json;

use super::{SAME_SIZE, SIZE, answer, figure, joints, note, prepare, recorded, reference};

/// The recorded answer with the scores of some joints replaced.
fn unsure(of: &[usize], score: f32) -> Vec<f32> {
    let mut numbers = recorded();
    for joint in of {
        numbers[joint * 3 + 2] = score;
    }
    numbers
}

fn skeleton() -> Outcome {
    answer(vec![recorded()]);
    prepare(figure(), SAME_SIZE).unwrap()
}

#[test]
fn a_skeleton_is_drawn_as_it_was() {
    let golden = include_bytes!("../../tests/skeleton.png");
    let expected = image::load_from_memory(golden).unwrap().to_rgba8();
    let drawn = RgbaImage::from_raw(SIZE.width, SIZE.height, skeleton().pictures[0].rgba());
    assert!(
        drawn == Some(expected),
        "the skeleton is not the golden one"
    );
}

#[test]
fn plugin_pose_draws_the_same() {
    let scores = recorded();
    let numbers: Vec<f64> = reference()["joints"]
        .as_array()
        .unwrap()
        .iter()
        .zip(scores.chunks(3))
        .flat_map(|(at, c)| {
            [
                at[0].as_f64().unwrap(),
                at[1].as_f64().unwrap(),
                f64::from(c[2]),
            ]
        })
        .collect();
    let document = json!({
        "images": [{ "width": 400, "height": 640 }],
        "annotations": [{ "keypoints": numbers }],
    });
    let request = Request::of_document(document.to_string(), SAME_SIZE, SIZE);
    let theirs = Pose::prepare(request).unwrap();
    let ours = skeleton();
    // The reference is rounded to hundredths of a pixel, so a pixel may be cut differently.
    let (theirs, ours) = (theirs.pictures[0].rgba(), ours.pictures[0].rgba());
    let pairs = theirs.chunks(4).zip(ours.chunks(4));
    let other = pairs.filter(|(theirs, ours)| theirs != ours).count();
    assert!(other <= 400, "{other} pixels differ");
}

#[test]
fn keypoints_say_their_canvas_and_where_everything_is() {
    let outcome = skeleton();
    let document: serde_json::Value =
        serde_json::from_str(outcome.keypoints.as_ref().unwrap()).unwrap();
    assert_eq!(
        (&document["canvas_width"], &document["canvas_height"]),
        (&json!(400), &json!(640))
    );
    let joints = joints(&outcome);
    assert!(joints.iter().all(|joint| joint[2] > 0.3), "{joints:?}");
    let right_wrist = &reference()["joints"][10];
    assert!(
        (joints[4][0] - right_wrist[0].as_f64().unwrap()).abs() < 0.1,
        "{joints:?}"
    );
    assert!(
        (joints[4][1] - right_wrist[1].as_f64().unwrap()).abs() < 0.1,
        "{joints:?}"
    );
    assert_eq!(
        note(&outcome, "model").as_deref(),
        Some("movenet-lightning")
    );
    assert_eq!(note(&outcome, "left-out"), None);
}

#[test]
fn limbs_that_the_model_is_not_sure_of_are_left_out_and_named() {
    answer(vec![unsure(&[9, 16], 0.1)]);
    let outcome = prepare(figure(), SAME_SIZE).unwrap();
    let missing = joints(&outcome);
    // OpenPose's left wrist and right ankle.
    assert_eq!((missing[7], missing[10]), ([0.0; 3], [0.0; 3]));
    assert_eq!(missing.iter().filter(|joint| joint[2] == 0.0).count(), 2);
    assert_eq!(
        note(&outcome, "left-out").as_deref(),
        Some("left wrist, right ankle")
    );

    // In the middle of the forearm there is now nothing.
    let (elbow, wrist) = (joints(&skeleton())[6], joints(&skeleton())[7]);
    let x = ((elbow[0] + wrist[0]) / 2.0) as usize;
    let y = ((elbow[1] + wrist[1]) / 2.0) as usize;
    let at = (y * SIZE.width as usize + x) * 4;
    assert_eq!(outcome.pictures[0].rgba()[at..at + 4], [0, 0, 0, 255]);
    assert_ne!(skeleton().pictures[0].rgba()[at..at + 4], [0, 0, 0, 255]);

    let bold = prepare(figure(), r#"{ "threshold": 0.05 }"#).unwrap();
    assert_eq!(note(&bold, "left-out"), None);
}

#[test]
fn nobody_is_no_skeleton() {
    let everywhere: Vec<usize> = (0..17).collect();
    for (of, score) in [(&everywhere[..], 0.05), (&everywhere[3..], 0.29)] {
        answer(vec![unsure(of, score)]);
        let Err(Failure::Source(said)) = prepare(figure(), "{}") else {
            panic!("somebody was found")
        };
        assert!(
            said.starts_with("no person was found in the picture"),
            "{said}"
        );
        assert!(said.contains("shows one person whole"), "{said}");
        assert!(said.contains("thunder"), "{said}");
    }
}

/// The figure in a large picture, small in its lower right.
fn far_away() -> Picture {
    let size = Size::new(1600, 1280);
    let canvas = Canvas::new(size).unwrap();
    canvas
        .fill(Region::whole(size), [170, 165, 160, 255])
        .unwrap();
    canvas.paste(&figure(), 900, 500);
    canvas.snapshot().unwrap()
}

#[test]
fn who_is_small_is_looked_at_again() {
    // In the first look the person lies where it is; in the second it fills the square.
    let mut small = unsure(&[9], 0.1);
    for joint in small.chunks_mut(3) {
        joint[0] = (joint[0] * 640.0 + 500.0 + 160.0) / 1600.0;
        joint[1] = ((joint[1] - 0.1875) / 0.625 * 400.0 + 900.0) / 1600.0;
    }
    let looks = answer(vec![small.clone(), recorded()]);
    let outcome = prepare(far_away(), "{}").unwrap();
    assert_eq!(looks.borrow().len(), 2);
    assert_eq!(
        note(&outcome, "left-out"),
        None,
        "the second look was surer"
    );

    // A second look that sees less is not believed.
    let looks = answer(vec![small, unsure(&[5, 6, 7, 8, 9, 10, 11], 0.1)]);
    let outcome = prepare(far_away(), "{}").unwrap();
    assert_eq!(looks.borrow().len(), 2);
    assert_eq!(note(&outcome, "left-out").as_deref(), Some("left wrist"));
}

#[test]
fn who_fills_the_picture_is_looked_at_once() {
    let looks = answer(vec![recorded()]);
    prepare(figure(), "{}").unwrap();
    assert_eq!(looks.borrow().len(), 1);
}
