//! The job: its stored form and the names of its pictures.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use atelier_manifest::{
    Extend, Format, JOB_VERSION, Job, JobInit, JobLora, JobModel, JobReference, Output,
    Preparation, Provenance, ReferenceCap, Seeds,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn job(seeds: Seeds) -> Job {
    Job {
        version: JOB_VERSION,
        prompt: "x".to_owned(),
        negative: String::new(),
        model: JobModel {
            name: "klein-4b".to_owned(),
            path: "/models/klein-4b".into(),
        },
        width: 1024,
        height: 768,
        steps: 4,
        guidance: 1.0,
        seeds,
        stem: None,
        priority: 0,
        references: Vec::new(),
        reference_cap: ReferenceCap::default(),
        init: None,
        loras: Vec::new(),
        output: Output::default(),
        provenance: Provenance::default(),
    }
}

#[test]
fn pictures_are_named_by_number() {
    let names = |count| job(Seeds::Drawn { count }).outputs("poster");
    assert_eq!(names(1), ["poster.png"]);
    assert_eq!(names(3), ["poster-1.png", "poster-2.png", "poster-3.png"]);
    let ten = names(10);
    assert_eq!(
        (ten[0].as_str(), ten[9].as_str()),
        ("poster-01.png", "poster-10.png")
    );
    let thousand = names(1000);
    assert_eq!(thousand[998], "poster-0999.png");
    assert!(thousand.is_sorted());

    let mut one = job(Seeds::Fixed(vec![7]));
    for format in Format::ALL {
        one.output.format = format;
        assert_eq!(one.outputs("a.b"), [format!("a.b.{}", format.name())]);
    }
    assert_eq!(one.renders(), 1);
}

#[test]
fn the_stored_form_is_known() {
    let stored: Value =
        serde_json::from_str(&job(Seeds::Fixed(vec![1])).to_json().unwrap()).unwrap();
    assert_eq!(stored["version"], json!(3));
    assert_eq!(stored["reference_cap"], json!("1MP"));
    assert_eq!(stored["seeds"], json!({ "fixed": [1] }));
    assert_eq!(stored["output"], json!({ "format": "png", "quality": 95 }));
    assert_eq!(stored["model"]["path"], json!("/models/klein-4b"));
}

#[test]
fn the_files_of_a_job_are_references_then_the_picture_then_its_mask() {
    let mut job = job(Seeds::Fixed(vec![1]));
    job.references = vec![JobReference {
        also: Vec::new(),
        number: 1,
        path: "/a.png".into(),
        prepare: Vec::new(),
    }];
    assert_eq!(job.inputs(), [PathBuf::from("/a.png")]);
    job.init = Some(JobInit {
        path: "/b.png".into(),
        mask: Some("/c.png".into()),
        strength: Some(0.7),
        extend: Extend {
            left: 16,
            ..Extend::default()
        },
    });
    let files = ["/a.png", "/b.png", "/c.png"].map(PathBuf::from);
    assert_eq!(job.inputs(), files);
    // What a reference takes besides comes after all references.
    job.references[0].also = vec!["/d.png".into()];
    let files = ["/a.png", "/d.png", "/b.png", "/c.png"].map(PathBuf::from);
    assert_eq!(job.inputs(), files);
    let stored = job.to_json().unwrap();
    assert_eq!(Job::from_json(&stored).unwrap(), job);
    // What was left out of a stored job has its default.
    let init = json!({ "path": "/b.png" });
    let init: JobInit = serde_json::from_value(init).unwrap();
    assert_eq!(
        (init.mask, init.strength, init.extend),
        (None, None, Extend::default())
    );
}

#[test]
fn old_jobs_can_be_read_and_newer_ones_are_refused() {
    // What an old program left out; and a field that a newer one added without need.
    let old = json!({
        "version": 1, "prompt": "x", "model": { "name": "m", "path": "/m" },
        "width": 64, "height": 64, "steps": 1, "guidance": 0.0,
        "seeds": { "drawn": { "count": 2 } },
        "output": { "format": "png", "quality": 1 }, "provenance": {}, "weather": "fair",
    });
    let read = Job::from_json(&old.to_string()).unwrap();
    assert_eq!(read.seeds, Seeds::Drawn { count: 2 });
    assert_eq!(
        (read.init, read.reference_cap),
        (None, ReferenceCap::Megapixel)
    );

    let mut newer = old.clone();
    newer["version"] = json!(JOB_VERSION + 1);
    assert_eq!(
        Job::from_json(&newer.to_string()).unwrap_err().code(),
        "job-newer"
    );
    for text in ["", "{}", "[]", "{\"version\": 1}"] {
        assert_eq!(Job::from_json(text).unwrap_err().code(), "job-malformed");
    }
}

fn path() -> impl Strategy<Value = PathBuf> {
    prop_oneof![
        "/[a-zß/. ]{0,20}".prop_map(PathBuf::from),
        prop::collection::vec(1u8.., 1..20).prop_map(|bytes| OsString::from_vec(bytes).into()),
    ]
}

fn parameter() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn seeds() -> impl Strategy<Value = Seeds> {
    prop_oneof![
        prop::collection::vec(0..=i64::MAX as u64, 1..9).prop_map(Seeds::Fixed),
        (1usize..=1000).prop_map(|count| Seeds::Drawn { count }),
    ]
}

proptest! {
    #[test]
    fn a_stored_job_is_the_same_job(
        prompt in any::<String>(),
        guidance in 0f32..=30.0,
        seeds in seeds(),
        stem in prop::option::of(any::<String>()),
        priority in -10i8..=10,
        paths in prop::collection::vec(path(), 0..4),
        model in path(),
        value in parameter(),
        scale in -10f32..=10.0,
    ) {
        let mut job = job(seeds);
        job.prompt = prompt;
        job.guidance = guidance;
        job.stem = stem;
        job.priority = priority;
        job.model.path = model;
        job.loras = paths.iter().map(|path| JobLora { path: path.clone(), scale }).collect();
        job.references = (1..)
            .zip(paths)
            .map(|(number, path)| JobReference {
 also: Vec::new(),
                number,
                path,
                prepare: vec![Preparation {
                    plugin: "pose".to_owned(),
                    parameters: [("value".to_owned(), value.clone())].into_iter().collect(),
                }],
            })
            .collect();
        let stored = job.to_json().unwrap();
        prop_assert_eq!(Job::from_json(&stored).unwrap(), job);
    }
}
