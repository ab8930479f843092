//! Parameters, the description, and what else comes out.

use atelier_plugin::{Picture, Plugin, Request};
use serde_json::json;

use super::{CROWD, DANCER, SIZE, retarget};
use crate::Retarget;
use crate::parameters::Parameters;

#[test]
fn provenance_learns_how_many_people_and_bodies() {
    let notes = |documents: &[&str]| -> Vec<(String, String)> {
        let outcome = retarget(documents, &json!({})).unwrap();
        outcome
            .notes
            .into_iter()
            .map(|note| (note.key, note.value))
            .collect()
    };
    let note = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let own = [note("people", "1"), note("format", "openpose-18")];
    assert_eq!(notes(&[DANCER]), own);
    let lent = [
        note("people", "4"),
        note("format", "openpose-18"),
        note("bodies", "1"),
    ];
    assert_eq!(notes(&[CROWD, DANCER]), lent);
    assert_eq!(notes(&[CROWD, CROWD])[2], note("bodies", "4"));
}

#[test]
fn words_come_only_when_asked_for() {
    assert_eq!(retarget(&[DANCER], &json!({})).unwrap().prompt, None);
    let asked = retarget(&[DANCER], &json!({ "prompt": true })).unwrap();
    assert_eq!(
        asked.prompt.as_deref(),
        Some("in the pose of image {image}")
    );
}

#[test]
fn what_is_no_pose_is_refused() {
    let picture = Picture::from_rgba(SIZE, vec![0; SIZE.bytes().unwrap()]).unwrap();
    let refused = Retarget::prepare(Request::of_picture(picture, "{}", SIZE)).unwrap_err();
    assert!(refused.to_string().contains("pose-from-photo"), "{refused}");
    let refused = retarget(&[DANCER; 3], &json!({})).unwrap_err();
    assert!(refused.to_string().contains("has 3"), "{refused}");
}

#[test]
fn a_frame_is_of_the_pose() {
    let frames = format!("[{CROWD}, {DANCER}]");
    let outcome = retarget(&[&frames, &frames], &json!({ "frame": 2 })).unwrap();
    assert_eq!(outcome.notes[0].value, "1");
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    for (parameters, name, message) in [
        (json!({ "neck": 3 }), "neck", "there is no such parameter"),
        (json!({ "head": 24 }), "head", "must be 25 to 400, not 24"),
        (json!({ "legs": 401 }), "legs", "must be 25 to 400, not 401"),
        (json!({ "scale": 9 }), "scale", "must be 10 to 1000, not 9"),
        (json!({ "dx": 101 }), "dx", "must be -100 to 100, not 101"),
        (json!({ "mirror": 1 }), "mirror", "expected a boolean"),
        (
            json!({ "canvas_width": 64 }),
            "canvas_height",
            "is required with canvas_width",
        ),
    ] {
        let wrong = atelier_cases::not_refused(&retarget(&[DANCER], &parameters), name, message);
        assert_eq!(wrong, None, "{parameters}");
    }
}

#[test]
fn what_it_says_of_itself_is_what_it_does() {
    let package = include_str!("../../plugin.toml");
    let found = atelier_cases::contradictions::<Retarget, Parameters>(package);
    assert_eq!(found, Vec::<String>::new());
}
