//! Manifest to job: what the machine has against it.

use atelier_manifest::{Format, Output, Provenance, Seeds, check, load, parse};
use serde_json::json;

use crate::world::{Machine, Short, short};

fn refused(machine: &Machine, rest: &str) -> Vec<(String, String, u32, u32)> {
    let text = format!("manifest = 1\nprompt = \"x\"\n{rest}\n");
    let problems = load(&text, machine).expect_err(rest);
    short(&problems)
        .into_iter()
        .map(|(code, key, line, column)| (code.to_owned(), key.to_owned(), line, column))
        .collect()
}

#[test]
fn what_is_left_out_is_filled_in() {
    let machine = Machine::furnished();
    let job = load("manifest = 1\nprompt = \"x\"\n", &machine).unwrap();
    assert_eq!((job.width, job.height), (1024, 768));
    assert_eq!((job.steps, job.guidance), (4, 1.0));
    assert_eq!(job.model.name, "klein-4b");
    assert_eq!(job.seeds, Seeds::Drawn { count: 1 });
    assert_eq!((job.negative.as_str(), job.priority), ("", 0));
    assert_eq!(job.stem, None);
    assert_eq!(job.output, Output::default());
    assert_eq!(job.output.quality, 95);
    assert_eq!(job.provenance, Provenance::default());
    assert!(!job.provenance.include_prompt);
    assert!(job.references.is_empty() && job.loras.is_empty());
}

#[test]
fn the_whole_manifest_becomes_a_job() {
    let machine = Machine::furnished();
    machine.file("inbox/b.safetensors", b"x");
    let manifest = parse(crate::parsing::WHOLE).unwrap();
    let job = check(&manifest, &machine).unwrap();
    assert_eq!(job.references.len(), 2);
    assert_eq!(job.references[0].path, machine.path("inbox/woman.jpg"));
    assert!(job.references[0].prepare.is_empty());
    let pose = &job.references[1].prepare[0];
    assert_eq!(pose.plugin, "pose");
    assert_eq!(pose.parameters["width"], json!(512));
    assert_eq!(job.loras[0].path, machine.path("inbox/style.safetensors"));
    assert_eq!(job.output.format, Format::Jpeg);
    assert_eq!(job.stem.as_deref(), Some("poster"));
    assert_eq!(load(crate::parsing::WHOLE, &machine).unwrap(), job);
}

#[test]
fn a_template_lies_under_the_manifest() {
    let machine = Machine::furnished();
    let text = "manifest = 1\ntemplate = \"portrait\"\nheight = 512\n[output]\nformat = \"webp\"\n";
    let job = load(text, &machine).unwrap();
    assert_eq!(job.prompt, "a portrait");
    assert_eq!((job.width, job.height), (768, 512));
    assert_eq!(job.seeds, Seeds::Fixed(vec![7]));
    assert_eq!((job.output.format, job.output.quality), (Format::Webp, 80));

    let text = "manifest = 1\ntemplate = \"portrait\"\nprompt = \"mine\"\nseed = { count = 2 }\n";
    let job = load(text, &machine).unwrap();
    assert_eq!(job.prompt, "mine");
    assert_eq!(job.seeds, Seeds::Drawn { count: 2 });
}

#[test]
fn a_template_names_no_files() {
    let mut machine = Machine::furnished();
    for text in [
        "template = \"portrait\"\n",
        "name = \"x\"\n",
        "lora = []\n",
        "[[reference]]\npath = \"woman.jpg\"\n",
        "prompt = \"\n",
        "manifest = 2\n",
    ] {
        machine.add_template("odd", Ok(text));
        let found = refused(&machine, "template = \"odd\"");
        assert_eq!(
            found,
            [("template-invalid".to_owned(), "template".to_owned(), 3, 12)],
            "{text}"
        );
    }
}

#[test]
fn each_refusal_has_its_code_and_place() {
    let machine = Machine::furnished();
    #[rustfmt::skip]
    let cases: &[(&str, Short<'_>)] = &[
        ("model = \"klein-5b\"", ("model-unknown", "model", 3, 9)),
        ("model = \"half-there\"", ("model-unusable", "model", 3, 9)),
        ("template = \"landscape\"", ("template-unknown", "template", 3, 12)),
        ("template = \"broken\"", ("template-invalid", "template", 3, 12)),
        ("template = \"locked\"", ("template-invalid", "template", 3, 12)),
        ("width = 2048\nheight = 2064", ("out-of-range", "height", 4, 10)),
        ("width = 5792", ("out-of-range", "width", 3, 9)),
        ("height = 64", ("out-of-range", "height", 3, 10)),
        ("output.format = \"avif\"", ("format-unavailable", "output.format", 3, 17)),
        ("lora = [{ path = \"notes.txt\" }]", ("lora-unusable", "lora[1].path", 3, 18)),
        ("lora = [{ path = \"../style.safetensors\" }]", ("path-escapes", "lora[1].path", 3, 18)),
        ("[[reference]]\npath = \"man.jpg\"", ("file-missing", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"woman.jpg/x\"", ("file-missing", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"folder\"", ("not-a-file", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \".\"", ("not-a-file", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"../secret.png\"", ("path-escapes", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"dancer.json\"", ("not-a-picture", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"empty.png\"", ("not-a-picture", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"notes.txt\"", ("not-a-picture", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"anim.gif\"", ("not-a-picture", "reference[1].path", 4, 8)),
        ("[[reference]]\npath = \"dancer.json\"\nprepare = [{ plugin = \"psoe\" }]",
            ("plugin-unknown", "reference[1].prepare[1].plugin", 5, 23)),
        ("[[reference]]\npath = \"empty.png\"\nprepare = [{ plugin = \"pose\" }]",
            ("not-a-picture", "reference[1].path", 4, 8)),
    ];
    for (rest, (code, key, line, column)) in cases {
        let expected = [((*code).to_owned(), (*key).to_owned(), *line, *column)];
        assert_eq!(refused(&machine, rest), expected, "{rest}");
    }
}

#[test]
fn a_default_model_can_be_wanting() {
    let mut machine = Machine::furnished();
    machine.default_model = false;
    let found = refused(&machine, "");
    assert_eq!(
        found,
        [("model-unset".to_owned(), "model".to_owned(), 1, 1)]
    );
    let text = "manifest = 1\nprompt = \"x\"\nmodel = \"dev\"\n";
    assert_eq!(load(text, &machine).unwrap().model.name, "dev");
}

#[test]
fn sizes_at_the_edge_are_possible() {
    let machine = Machine::furnished();
    for (width, height) in [
        (2048, 2048),
        (64, 64),
        (64, 512),
        (512, 64),
        (5776, 722 / 16 * 16),
    ] {
        let text = format!("manifest = 1\nprompt = \"x\"\nwidth = {width}\nheight = {height}\n");
        let possible = u64::max(width, height) <= 8 * u64::min(width, height);
        assert_eq!(load(&text, &machine).is_ok(), possible, "{width}x{height}");
    }
}

#[test]
fn faults_of_text_and_machine_come_together() {
    let machine = Machine::furnished();
    let text = "manifest = 1\nmodel = \"sdxl\"\nwidth = 1000\ncolour = 1\n\
                [[reference]]\npath = \"man.jpg\"\n[[reference]]\n[[reference]]\npath = \"folder\"\n";
    assert_eq!(
        short(&load(text, &machine).unwrap_err()),
        [
            ("missing-key", "prompt", 1, 1),
            ("model-unknown", "model", 2, 9),
            ("out-of-range", "width", 3, 9),
            ("unknown-key", "colour", 4, 1),
            ("file-missing", "reference[1].path", 6, 8),
            ("missing-key", "reference[2].path", 7, 1),
            ("not-a-file", "reference[3].path", 9, 8),
        ]
    );
}

#[test]
fn a_bad_value_is_not_also_missing() {
    let machine = Machine::furnished();
    for line in ["prompt = 5", "prompt = \"\"", "template = \"none\""] {
        let text = format!("manifest = 1\n{line}\n");
        let problems = load(&text, &machine).unwrap_err();
        assert_eq!(problems.iter().count(), 1, "{problems}");
    }
    // A step that cannot be read is still a step: the file is not blamed for being JSON. No step
    // is none, however it is written.
    for (prepare, code) in [
        ("[{}]", "missing-key"),
        ("\"pose\"", "wrong-type"),
        ("[]", "not-a-picture"),
    ] {
        let rest = format!("[[reference]]\npath = \"dancer.json\"\nprepare = {prepare}");
        let found = refused(&machine, &rest);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, code);
    }
}

#[test]
fn not_found_is_told_from_bad_input() {
    let machine = Machine::furnished();
    let not_found = |rest: &str| {
        let text = format!("manifest = 1\nprompt = \"x\"\n{rest}\n");
        load(&text, &machine).unwrap_err().is_not_found()
    };
    assert!(not_found("model = \"none\""));
    assert!(not_found("[[reference]]\npath = \"none.png\""));
    assert!(!not_found("model = \"none\"\nwidth = 1"));
    assert!(!not_found("[[reference]]\npath = \"../none.png\""));
}
