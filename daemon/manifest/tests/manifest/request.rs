//! A job from flags: the same rules, with the flags' names.

use atelier_manifest::{Format, Request, RequestReference, Seeds};
use serde_json::json;

use crate::world::{Machine, short};

fn reference(path: &str, prepare: &[&str]) -> RequestReference {
    RequestReference {
        also: Vec::new(),
        path: path.into(),
        prepare: prepare.iter().map(|step| (*step).to_owned()).collect(),
    }
}

#[test]
fn flags_become_a_job() {
    let machine = Machine::furnished();
    let mut request = Request::new("a lighthouse", "shots/light.house.JPG");
    request.width = Some(512);
    request.guidance = Some(2.5);
    request.seed = Some(9);
    request.title = Some("Light".to_owned());
    request.references = vec![
        reference("woman.jpg", &[]),
        reference("dancer.json", &["pose:width=512"]),
    ];
    let job = request.check(&machine).unwrap();
    assert_eq!(job.prompt, "a lighthouse");
    assert_eq!((job.width, job.height), (512, 768));
    assert_eq!(job.guidance, 2.5);
    assert_eq!(job.seeds, Seeds::Fixed(vec![9]));
    assert_eq!(job.output.format, Format::Jpeg);
    assert_eq!(job.stem, None);
    assert_eq!(job.provenance.title.as_deref(), Some("Light"));
    assert!(!job.provenance.include_prompt);
    assert_eq!(job.references[1].path, machine.path("inbox/dancer.json"));
    assert_eq!(job.references[1].prepare[0].parameters["width"], json!(512));
}

#[test]
fn problems_are_keyed_by_flag() {
    let machine = Machine::furnished();
    let mut request = Request::new("", "picture.xyz");
    request.model = Some("sdxl".to_owned());
    request.width = Some(1000);
    request.steps = Some(0);
    request.seed = Some(-1);
    request.quality = Some(0);
    request.title = Some(String::new());
    request.loras = vec!["style.safetensors:11".to_owned()];
    request.references = vec![
        reference("man.jpg", &[]),
        reference("dancer.json", &["psoe", "pose:oops"]),
    ];
    let problems = request.check(&machine).unwrap_err();
    let mut found = short(&problems);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("file-missing", "--reference", 0, 0),
            ("format-unknown", "--output", 0, 0),
            ("invalid-value", "--prepare", 0, 0),
            ("invalid-value", "--prompt", 0, 0),
            ("invalid-value", "--title", 0, 0),
            ("model-unknown", "--model", 0, 0),
            ("out-of-range", "--lora", 0, 0),
            ("out-of-range", "--quality", 0, 0),
            ("out-of-range", "--seed", 0, 0),
            ("out-of-range", "--steps", 0, 0),
            ("out-of-range", "--width", 0, 0),
            ("plugin-unknown", "--prepare", 0, 0),
        ]
    );
    let report = problems.to_string();
    let width = "--width is 1000; it must be a multiple of 16 [out-of-range]\n  \
                 hint: the nearest are 992 and 1008\n";
    assert!(report.contains(width), "{report}");
}

#[test]
fn what_must_be_given_is_asked_for() {
    let machine = Machine::furnished();
    let problems = Request {
        output: "a.png".into(),
        ..Request::default()
    }
    .check(&machine)
    .unwrap_err();
    assert_eq!(short(&problems), [("missing-key", "--prompt", 0, 0)]);

    let mut request = Request::new("x", "no-ending");
    assert_eq!(
        request.check(&machine).unwrap_err().code(),
        "format-unknown"
    );
    request.output = "a.avif".into();
    let problems = request.check(&machine).unwrap_err();
    assert_eq!(short(&problems), [("format-unavailable", "--output", 0, 0)]);
}

#[test]
fn lists_have_their_limits() {
    let machine = Machine::furnished();
    let mut request = Request::new("x", "a.png");
    request.references = vec![reference("woman.jpg", &[]); 11];
    let problems = request.check(&machine).unwrap_err();
    assert_eq!(short(&problems), [("too-many", "--reference", 0, 0)]);
    request.references = vec![reference("woman.jpg", &["fit"; 9])];
    let problems = request.check(&machine).unwrap_err();
    assert_eq!(short(&problems), [("too-many", "--prepare", 0, 0)]);
}
