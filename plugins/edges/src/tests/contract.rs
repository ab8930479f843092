//! Parameters, the description, and what else comes out.

use atelier_plugin::{Failure, Plugin, Request, Size, Source};
use serde_json::json;

use super::{edges, picture, step};
use crate::Edges;
use crate::parameters::Parameters;

#[test]
fn a_drawing_keeps_its_aspect_inside_the_size() {
    for (parameters, expected) in [
        (json!({}), Size::new(96, 64)),
        (json!({ "width": 60 }), Size::new(60, 40)),
        (json!({ "width": 60, "height": 20 }), Size::new(30, 20)),
        (json!({ "height": 200 }), Size::new(300, 200)),
    ] {
        let request = Request::of_picture(step(), parameters.to_string(), Size::new(96, 64));
        let outcome = Edges::prepare(request).unwrap();
        assert_eq!(outcome.pictures[0].size(), expected, "{parameters}");
    }
}

#[test]
fn every_picture_is_drawn() {
    let tall = picture(Size::new(20, 90), |_, y| {
        if y < 45 { [0, 0, 0, 255] } else { [255; 4] }
    });
    let sources = vec![Source::Picture(step()), Source::Picture(tall)];
    let outcome = Edges::prepare(Request::new(sources, "{}", Size::new(64, 64))).unwrap();
    let sizes: Vec<Size> = outcome
        .pictures
        .iter()
        .map(|canvas| canvas.size())
        .collect();
    assert_eq!(sizes, [Size::new(64, 43), Size::new(14, 64)]);
    let notes: Vec<_> = outcome
        .notes
        .iter()
        .map(|note| (&*note.key, &*note.value))
        .collect();
    assert_eq!(notes, [("thresholds", "100 and 200"), ("blur", "0")]);
}

#[test]
fn a_document_is_refused() {
    let refused = Edges::prepare(Request::of_document("{}", "{}", Size::new(64, 64))).unwrap_err();
    assert!(matches!(refused, Failure::Source(_)), "{refused}");
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    for (parameters, name, message) in [
        (json!({ "sigma": 1 }), "sigma", "there is no such parameter"),
        (json!({ "low": 2001 }), "low", "must be 0 to 2000, not 2001"),
        (
            json!({ "low": 150, "high": 149 }),
            "low",
            "is 150, and \"high\" is only 149",
        ),
        (
            json!({ "low": 201 }),
            "low",
            "is 201, and \"high\" is only 200",
        ),
        (json!({ "blur": 10.5 }), "blur", "must be 0 to 10, not 10.5"),
        (json!({ "blur": -1 }), "blur", "must be 0 to 10, not -1"),
        (
            json!({ "width": 8193 }),
            "width",
            "must be 16 to 8192, not 8193",
        ),
        (json!({ "invert": "yes" }), "invert", "expected a boolean"),
    ] {
        let wrong = atelier_cases::not_refused(&edges(step(), &parameters), name, message);
        assert_eq!(wrong, None, "{parameters}");
    }
}

#[test]
fn what_it_says_of_itself_is_what_it_does() {
    let package = include_str!("../../plugin.toml");
    let found = atelier_cases::contradictions::<Edges, Parameters>(package);
    assert_eq!(found, Vec::<String>::new());
}
