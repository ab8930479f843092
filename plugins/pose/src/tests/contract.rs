//! Parameters, the description, and what else comes out.

use super::{SIZE, dancer, pose};
use crate::Pose;
use crate::parameters::Parameters;
use atelier_plugin::{Failure, Picture, Plugin, Request, Source};
use serde_json::Value;

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
        let wrong = atelier_cases::not_refused(
            &pose(&dancer().to_string(), parameters, SIZE),
            name,
            message,
        );
        assert_eq!(wrong, None, "{parameters}");
    }
}

#[test]
fn what_it_says_of_itself_is_what_it_does() {
    let package = include_str!("../../plugin.toml");
    let found = atelier_cases::contradictions::<Pose, Parameters>(package);
    assert_eq!(found, Vec::<String>::new());
}
