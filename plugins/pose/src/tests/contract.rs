//! Parameters, the description, and what else comes out.

use super::{SIZE, dancer, pose};
use crate::Pose;
use crate::parameters::Parameters;
use atelier_plugin::{Failure, Picture, Plugin, Request, Source};
use serde_json::{Value, json};

#[test]
fn a_picture_is_refused_with_what_is_wanted() {
    let picture = Picture::from_rgba(SIZE, vec![0; SIZE.bytes().unwrap()]).unwrap();
    let refused = Pose::prepare(Request::of_picture(picture, "{}", SIZE)).unwrap_err();
    let message = refused.to_string();
    assert!(
        message.contains("does not find poses in pictures"),
        "{message}"
    );
}

#[test]
fn a_picture_beside_the_document_changes_nothing() {
    let picture = Picture::from_rgba(SIZE, vec![7; SIZE.bytes().unwrap()]).unwrap();
    let sources = vec![
        Source::Picture(picture),
        Source::Document(dancer().to_string()),
    ];
    let beside = Pose::prepare(Request::new(sources, "{}", SIZE)).unwrap();
    let alone = pose(&dancer().to_string(), "{}", SIZE).unwrap();
    assert_eq!(beside.pictures[0].rgba(), alone.pictures[0].rgba());
    assert_eq!(beside.keypoints, alone.keypoints);
}

#[test]
fn two_documents_are_one_too_many() {
    let document = || Source::Document(dancer().to_string());
    let request = Request::new(vec![document(), document()], "{}", SIZE);
    let refused = Pose::prepare(request).unwrap_err();
    assert!(matches!(refused, Failure::Source(_)), "{refused}");
}

#[test]
fn provenance_learns_how_many_people_and_from_what() {
    let outcome = pose(&dancer().to_string(), "{}", SIZE).unwrap();
    let notes: Vec<_> = outcome
        .notes
        .iter()
        .map(|n| (n.key.as_str(), n.value.as_str()))
        .collect();
    assert_eq!(notes, [("people", "1"), ("format", "openpose-18")]);
    assert_eq!(outcome.prompt, None);
}

#[test]
fn words_come_only_when_asked_for() {
    let outcome = pose(&dancer().to_string(), r#"{ "prompt": true }"#, SIZE).unwrap();
    assert_eq!(
        outcome.prompt.as_deref(),
        Some("in the pose of image {image}")
    );
    let crowd = include_str!("../../tests/golden/crowd.json");
    let outcome = pose(crowd, r#"{ "prompt": true }"#, SIZE).unwrap();
    assert_eq!(
        outcome.prompt.as_deref(),
        Some("in the poses of the people of image {image}")
    );
}

#[test]
fn hands_and_face_can_be_left_out() {
    let all = include_str!("../../tests/golden/hands-and-face.json");
    let keypoints = |parameters: &str| -> Value {
        let outcome = pose(all, parameters, SIZE).unwrap();
        serde_json::from_str(&outcome.keypoints.unwrap()).unwrap()
    };
    let person = &keypoints("{}")["people"][0];
    assert_eq!(
        person["hand_left_keypoints_2d"].as_array().map(Vec::len),
        Some(63)
    );
    assert_eq!(
        person["face_keypoints_2d"].as_array().map(Vec::len),
        Some(210)
    );
    let bare = &keypoints(r#"{ "hands": false, "face": false }"#)["people"][0];
    let keys: Vec<_> = bare.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["pose_keypoints_2d"]);
}

#[test]
fn what_comes_out_goes_in_again() {
    let crowd = include_str!("../../tests/golden/crowd.json");
    let first = pose(crowd, "{}", SIZE).unwrap();
    let again = pose(first.keypoints.as_deref().unwrap(), "{}", SIZE).unwrap();
    assert_eq!(again.keypoints, first.keypoints);
    assert_eq!(again.notes[0].value, "4");
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    for (parameters, name, message) in [
        (
            r#"{ "tallness": 64 }"#,
            "tallness",
            "there is no such parameter",
        ),
        (r#"{ "width": 63 }"#, "width", "must be 64 to 4096, not 63"),
        (
            r#"{ "stick_width": 0 }"#,
            "stick_width",
            "must be 1 to 64, not 0",
        ),
        (
            r#"{ "threshold": 1.5 }"#,
            "threshold",
            "must be 0 to 1, not 1.5",
        ),
        (r#"{ "hands": "yes" }"#, "hands", "expected a boolean"),
        (r#"{ "frame": 0 }"#, "frame", "must be 1 to 1000000, not 0"),
        (
            r#"{ "canvas_width": 64 }"#,
            "canvas_height",
            "is required with canvas_width",
        ),
        (
            r#"{ "canvas_height": 64 }"#,
            "canvas_width",
            "is required with canvas_height",
        ),
    ] {
        match pose(&dancer().to_string(), parameters, SIZE) {
            Err(Failure::Parameter {
                name: named,
                message: said,
            }) => {
                assert_eq!(named, name);
                assert!(said.contains(message), "{said}");
            }
            other => panic!("{parameters} gave {other:?}"),
        }
    }
}

#[test]
fn the_schema_and_the_parameters_agree() {
    let schema: Value = serde_json::from_str(&Pose::describe().parameters).unwrap();
    let mut defaults = serde_json::Map::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(
            property["title"].is_string() && property["description"].is_string(),
            "{name}"
        );
        if let Some(default) = property.get("default") {
            defaults.insert(name.clone(), default.clone());
        }
        for bound in ["minimum", "maximum"] {
            if let Some(value) = property.get(bound) {
                serde_json::from_value::<Parameters>(json!({ name: value })).unwrap();
            }
        }
        if property["type"] == "integer" {
            let over = property["maximum"].as_u64().unwrap() + 1;
            let refused = serde_json::from_value::<Parameters>(json!({ name: over }));
            assert!(refused.is_err(), "{name} takes more than its maximum");
        }
    }
    let defaults: Parameters = serde_json::from_value(defaults.into()).unwrap();
    assert_eq!(defaults, Parameters::default());
}

#[test]
fn the_description_is_what_plugin_toml_says() {
    let manifest: toml::Table = include_str!("../../plugin.toml").parse().unwrap();
    let description = Pose::describe();
    assert_eq!(manifest["name"].as_str(), Some(description.name.as_str()));
    assert_eq!(
        manifest["version"].as_str(),
        Some(description.version.as_str())
    );
    assert_eq!(
        manifest["summary"].as_str(),
        Some(description.summary.as_str())
    );
}
