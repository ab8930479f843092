//! The description, the parameters, and what the host's models may answer.

use atelier_plugin::Failure;
use atelier_plugin::infer::{self, Tensor, Trouble};

use super::{SAME_SIZE, answer, figure, prepare, recorded};
use crate::PoseFromPhoto;

#[test]
fn what_it_says_of_itself_is_what_it_does() {
    let package = include_str!("../../plugin.toml");
    let found = atelier_cases::contradictions::<PoseFromPhoto, crate::Parameters>(package);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn it_asks_for_each_model_that_it_runs() {
    let stated: toml::Table = include_str!("../../plugin.toml").parse().unwrap();
    let asked: Vec<_> = stated["asks"].as_array().unwrap().iter().collect();
    for model in ["lightning", "thunder"] {
        let looks = answer(vec![recorded()]);
        prepare(figure(), &format!(r#"{{ "model": "{model}" }}"#)).unwrap();
        let permission = format!("model:{}", looks.borrow()[0].0);
        let known = asked
            .iter()
            .any(|ask| ask["permission"].as_str() == Some(&permission));
        assert!(known, "{permission} is not asked for");
    }
}

#[test]
fn a_wrong_parameter_is_refused() {
    answer(vec![recorded()]);
    for wrong in [
        r#"{ "mode": "thunder" }"#,
        r#"{ "model": "lite" }"#,
        r#"{ "threshold": 2 }"#,
    ] {
        let refused = prepare(figure(), wrong).unwrap_err();
        assert!(
            matches!(refused, Failure::Parameter { .. }),
            "{wrong}: {refused}"
        );
    }
}

#[test]
fn words_are_added_on_demand() {
    answer(vec![recorded()]);
    assert_eq!(prepare(figure(), "{}").unwrap().prompt, None);
    let asked = prepare(figure(), r#"{ "prompt": true }"#).unwrap();
    assert_eq!(
        asked.prompt.as_deref(),
        Some("in the pose of image {image}")
    );
}

#[test]
fn the_model_sees_bytes_of_its_size() {
    let looks = answer(vec![recorded()]);
    prepare(figure(), r#"{ "model": "thunder" }"#).unwrap();
    let looks = looks.borrow();
    let (model, inputs) = &looks[0];
    assert_eq!(model, "movenet-thunder");
    assert_eq!(inputs[0].name, "input");
    assert_eq!(inputs[0].shape, [1, 256, 256, 3]);
    let infer::Numbers::Bytes(bytes) = &inputs[0].numbers else {
        panic!("no bytes")
    };
    // The picture is 160 wide in 256: black on both sides, the light wall between.
    let at = |x: usize| bytes[(10 * 256 + x) * 3];
    assert_eq!((at(0), at(47), at(208), at(255)), (0, 0, 0, 0));
    assert!(at(60) > 150 && at(200) > 150, "{} {}", at(60), at(200));
}

#[test]
fn a_refusal_of_the_host_is_told() {
    infer::answer_with(|model, _| Err(Trouble::Denied(format!("nobody granted {model}"))));
    let said = prepare(figure(), "{}").unwrap_err();
    assert_eq!(said, Failure::other("nobody granted movenet-lightning"));
    infer::answer_with(|_, _| Err(Trouble::Missing("there is no such model".to_owned())));
    let said = prepare(figure(), r#"{ "model": "thunder" }"#).unwrap_err();
    assert!(said.to_string().contains("how to make it"), "{said}");
}

#[test]
fn what_is_no_movenet_is_told() {
    for wrong in [vec![], vec![0.5; 50], vec![0.5; 1000]] {
        infer::answer_with(move |_, _| {
            let numbers = wrong.clone();
            Ok(vec![Tensor::floats([numbers.len() as u32], numbers)])
        });
        let said = prepare(figure(), "{}").unwrap_err().to_string();
        assert!(said.contains("is no MoveNet"), "{said}");
    }
    // Nonsense costs the joints that it is in.
    let mut broken = recorded();
    broken[0] = f32::NAN;
    broken[9 * 3 + 2] = f32::INFINITY;
    answer(vec![broken]);
    let joints = super::joints(&prepare(figure(), SAME_SIZE).unwrap());
    assert_eq!((joints[0], joints[7]), ([0.0; 3], [0.0; 3]));
}
