//! With the model itself, on the runner that the host uses.

use std::collections::BTreeMap;
use std::path::Path;

use atelier_onnx::{Limits, Models};
use atelier_plugin::infer::{self, Numbers, Tensor, Trouble};

use super::{SAME_SIZE, figure, joints, prepare, reference};
use crate::PoseFromPhoto;

/// Lets Lightning itself answer.
fn answer_by_model() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("model/movenet-lightning.onnx");
    let sources = BTreeMap::from([("movenet-lightning".to_owned(), file)]);
    let models = Models::new(
        sources,
        Limits {
            seconds: 300.0,
            ..Limits::default()
        },
    );
    infer::answer_with(move |model, inputs| {
        let inputs = inputs.into_iter().map(|tensor| atelier_onnx::Tensor {
            name: tensor.name,
            shape: tensor.shape,
            numbers: match tensor.numbers {
                Numbers::Floats(numbers) => atelier_onnx::Numbers::Floats(numbers),
                Numbers::Integers(numbers) => atelier_onnx::Numbers::Integers(numbers),
                Numbers::Bytes(numbers) => atelier_onnx::Numbers::Bytes(numbers),
            },
        });
        let made = models
            .run(model, inputs.collect(), &|| false)
            .map_err(|trouble| Trouble::Failed(trouble.to_string()))?;
        let given = made.into_iter().map(|tensor| Tensor {
            name: tensor.name,
            shape: tensor.shape,
            numbers: match tensor.numbers {
                atelier_onnx::Numbers::Floats(numbers) => Numbers::Floats(numbers),
                atelier_onnx::Numbers::Integers(numbers) => Numbers::Integers(numbers),
                atelier_onnx::Numbers::Bytes(numbers) => Numbers::Bytes(numbers),
            },
        });
        Ok(given.collect())
    });
}

/// COCO's joints among OpenPose's 18, in COCO's order.
const OF_OPENPOSE: [usize; 17] = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10];

#[test]
fn the_cases_hold() {
    answer_by_model();
    let problems = atelier_cases::problems::<PoseFromPhoto>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn all_joints_are_where_onnxruntime_has_them() {
    answer_by_model();
    let outcome = prepare(figure(), SAME_SIZE).unwrap();
    let found = joints(&outcome);
    let expected: Vec<[f64; 2]> = serde_json::from_value(reference()["joints"].clone()).unwrap();
    let heights = expected.iter().map(|joint| joint[1]);
    let body = heights.clone().fold(0.0, f64::max) - heights.fold(f64::INFINITY, f64::min);
    let mut furthest: f64 = 0.0;
    for (index, at) in expected.iter().enumerate() {
        let joint = found[OF_OPENPOSE[index]];
        assert!(joint[2] > 0.3, "joint {index} was not found");
        furthest = furthest.max((joint[0] - at[0]).hypot(joint[1] - at[1]) / body);
    }
    println!(
        "the furthest joint is {:.3} % of the body's height away",
        furthest * 100.0
    );
    assert!(furthest < 0.03, "{furthest} of the body's height");
}

#[test]
fn the_runner_gives_what_onnxruntime_gives() {
    // The same bytes in as the reference had would need its resampling; ours differs by rounding,
    // so scores are compared loosely.
    answer_by_model();
    let outcome = prepare(figure(), SAME_SIZE).unwrap();
    let found = joints(&outcome);
    let scores: Vec<f64> = serde_json::from_value(reference()["output"].clone()).unwrap();
    for (index, joint) in OF_OPENPOSE.iter().enumerate() {
        let (ours, theirs) = (found[*joint][2], scores[index * 3 + 2]);
        assert!(
            (ours - theirs).abs() < 0.1,
            "joint {index}: {ours} and {theirs}"
        );
    }
}
