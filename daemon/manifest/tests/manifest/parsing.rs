//! Text to manifest: each kind of fault, with its exact key and place.

use atelier_manifest::{Format, Place, Seeds, parse};
use serde_json::json;

use crate::world::{Short, short};

/// The contract's own example, save what the engine has yet to learn.
pub(crate) const WHOLE: &str = r#"manifest = 1
prompt = "the woman of image 1 in the pose of image 2"
negative = "blurry"
model = "klein-4b"
template = "portrait"
width = 1024
height = 0x300
steps = 4
guidance = 1.0
seed = 42
name = "poster"
priority = -3
lora = [{ path = "style.safetensors", scale = 0.8 }, { path = "b.safetensors" }]

[[reference]]
path = "woman.jpg"

[[reference]]
path = "dancer.json"
prepare = [{ plugin = "pose", width = 512, deep = { list = [1, 2.5, "x", true] } }]

[output]
format = "jpeg"
quality = 90

[provenance]
include_prompt = true
title = "Poster, spring campaign"
"#;

#[test]
fn every_key_is_read() {
    let manifest = parse(WHOLE).unwrap();
    assert_eq!(
        manifest.prompt.as_deref(),
        Some("the woman of image 1 in the pose of image 2")
    );
    assert_eq!(manifest.negative.as_deref(), Some("blurry"));
    assert_eq!(manifest.model.as_deref(), Some("klein-4b"));
    assert_eq!(manifest.template.as_deref(), Some("portrait"));
    assert_eq!((manifest.width, manifest.height), (Some(1024), Some(768)));
    assert_eq!((manifest.steps, manifest.guidance), (Some(4), Some(1.0)));
    assert_eq!(manifest.seeds, Some(Seeds::Fixed(vec![42])));
    assert_eq!(manifest.name.as_deref(), Some("poster"));
    assert_eq!(manifest.priority, Some(-3));
    let loras: Vec<_> = manifest.loras.iter().map(|lora| lora.scale).collect();
    assert_eq!(loras, [0.8, 1.0]);
    assert_eq!(manifest.references.len(), 2);
    let second = &manifest.references[1];
    assert_eq!(
        (second.number, second.path.to_str()),
        (2, Some("dancer.json"))
    );
    assert_eq!(second.prepare[0].plugin, "pose");
    assert_eq!(
        serde_json::Value::Object(second.prepare[0].parameters.clone()),
        json!({ "width": 512, "deep": { "list": [1, 2.5, "x", true] } })
    );
    assert_eq!(manifest.output.format, Some(Format::Jpeg));
    assert_eq!(manifest.output.quality, Some(90));
    assert_eq!(manifest.provenance.include_prompt, Some(true));
    assert_eq!(
        manifest.provenance.title.as_deref(),
        Some("Poster, spring campaign")
    );
}

#[test]
fn every_key_has_a_place() {
    let manifest = parse(WHOLE).unwrap();
    for (key, line, column) in [
        ("manifest", 1, 12),
        ("lora[1].scale", 13, 47),
        ("reference[2]", 18, 1),
        ("reference[2].prepare[1].width", 20, 39),
        ("reference[2].prepare[1].deep.list", 20, 60),
        // Left out: the place of what is around it.
        ("reference[2].prepare[1].height", 20, 12),
        ("reference[1].prepare", 15, 1),
        ("output.colour", 22, 1),
        ("nothing", 1, 1),
    ] {
        assert_eq!(manifest.place(key), Some(Place { line, column }), "{key}");
    }
}

#[test]
fn spellings_of_the_same() {
    let dotted = "manifest = 1\nprompt = \"x\"\noutput.format = \"webp\"\noutput.quality = 5\n";
    let inline = "manifest = 1\nprompt = \"x\"\noutput = { format = \"webp\", quality = 5 }\n";
    assert_eq!(parse(dotted).unwrap().output, parse(inline).unwrap().output);

    let inline = "reference = [{ path = \"a\" }, { path = \"b\" }]\nmanifest = 1\n";
    assert_eq!(parse(inline).unwrap().references.len(), 2);

    let marked = "\u{feff}manifest = 1\r\nwidth = 65\r\n";
    assert_eq!(
        short(&parse(marked).unwrap_err()),
        [("out-of-range", "width", 2, 9)]
    );
    assert_eq!(
        short(&parse("\u{feff}manifest = 2").unwrap_err()),
        [("manifest-version", "manifest", 1, 12)]
    );
}

#[test]
fn seeds_in_all_forms() {
    let seeds = |text: &str| {
        let manifest = parse(&format!("manifest = 1\nseed = {text}\n"));
        manifest.map(|manifest| manifest.seeds.unwrap())
    };
    let cases = [
        ("0", Seeds::Fixed(vec![0])),
        ("0x7fff_ffff_ffff_ffff", Seeds::Fixed(vec![i64::MAX as u64])),
        ("[3, 1, 2]", Seeds::Fixed(vec![3, 1, 2])),
        ("{ start = 5, count = 3 }", Seeds::Fixed(vec![5, 6, 7])),
        (
            "{ start = 9223372036854775806, count = 2 }",
            Seeds::Fixed(vec![i64::MAX as u64 - 1, i64::MAX as u64]),
        ),
        ("{ count = 8 }", Seeds::Drawn { count: 8 }),
    ];
    for (text, expected) in cases {
        assert_eq!(seeds(text).unwrap(), expected, "{text}");
    }
    let thousand = seeds("{ start = 0, count = 1000 }").unwrap();
    assert_eq!(thousand.count(), 1000);
    assert_eq!(parse("manifest = 1").unwrap().seeds, None);
    assert_eq!(Seeds::default(), Seeds::Drawn { count: 1 });
}

/// One faulty line each, after a good first line; so every place is on line 2.
#[test]
fn one_fault_on_one_line() {
    #[rustfmt::skip]
    let cases: &[(&str, &[Short<'_>])] = &[
        // Values out of range.
        ("width = 1000", &[("out-of-range", "width", 2, 9)]),
        ("width = 48", &[("out-of-range", "width", 2, 9)]),
        ("height = 99999999999", &[("out-of-range", "height", 2, 10)]),
        ("height = 99999999999999999999", &[("out-of-range", "height", 2, 10)]),
        ("steps = 0", &[("out-of-range", "steps", 2, 9)]),
        ("guidance = inf", &[("out-of-range", "guidance", 2, 12)]),
        ("guidance = nan", &[("out-of-range", "guidance", 2, 12)]),
        ("guidance = -1", &[("out-of-range", "guidance", 2, 12)]),
        ("priority = 11", &[("out-of-range", "priority", 2, 12)]),
        ("seed = -1", &[("out-of-range", "seed", 2, 8)]),
        ("seed = 9223372036854775808", &[("out-of-range", "seed", 2, 8)]),
        ("seed = [1, -2]", &[("out-of-range", "seed[2]", 2, 12)]),
        ("seed = { start = 1, count = 0 }", &[("out-of-range", "seed.count", 2, 29)]),
        ("seed = { start = 9223372036854775807, count = 2 }", &[("out-of-range", "seed", 2, 8)]),
        ("output.quality = 101", &[("out-of-range", "output.quality", 2, 18)]),
        ("lora = [{ path = \"a\", scale = 11 }]", &[("out-of-range", "lora[1].scale", 2, 31)]),
        ("reference = [{ path = \"a\", prepare = [{ plugin = \"p\", x = nan }] }]",
            &[("out-of-range", "reference[1].prepare[1].x", 2, 59)]),
        // Values of the wrong type.
        ("prompt = 5", &[("wrong-type", "prompt", 2, 10)]),
        ("width = \"1024\"", &[("wrong-type", "width", 2, 9)]),
        ("width = 64.0", &[("wrong-type", "width", 2, 9)]),
        ("guidance = \"1\"", &[("wrong-type", "guidance", 2, 12)]),
        ("seed = \"1\"", &[("wrong-type", "seed", 2, 8)]),
        ("seed = 1.5", &[("wrong-type", "seed", 2, 8)]),
        ("seed = [1, \"2\"]", &[("wrong-type", "seed[2]", 2, 12)]),
        ("lora = \"a\"", &[("wrong-type", "lora", 2, 8)]),
        ("lora = [\"a\"]", &[("wrong-type", "lora[1]", 2, 9)]),
        ("reference = { path = \"a\" }", &[("wrong-type", "reference", 2, 13)]),
        ("reference = [{ path = \"a\", prepare = \"pose\" }]",
            &[("wrong-type", "reference[1].prepare", 2, 38)]),
        ("reference = [{ path = \"a\", prepare = [\"pose\"] }]",
            &[("wrong-type", "reference[1].prepare[1]", 2, 39)]),
        ("reference = [{ path = \"a\", prepare = [{ plugin = \"p\", x = [1979-05-27] }] }]",
            &[("wrong-type", "reference[1].prepare[1].x[1]", 2, 60)]),
        ("output = \"png\"", &[("wrong-type", "output", 2, 10)]),
        ("provenance.include_prompt = \"true\"", &[("wrong-type", "provenance.include_prompt", 2, 29)]),
        ("model = [\"klein\"]", &[("wrong-type", "model", 2, 9)]),
        // What the parser lets through, but no number.
        ("width = 0x", &[("manifest-syntax", "width", 2, 9)]),
        // Values that mean nothing.
        ("prompt = \"\"", &[("invalid-value", "prompt", 2, 10)]),
        ("name = \"a/b\"", &[("invalid-value", "name", 2, 8)]),
        ("name = \".a\"", &[("invalid-value", "name", 2, 8)]),
        ("template = \"../config\"", &[("invalid-value", "template", 2, 12)]),
        ("model = \"\"", &[("invalid-value", "model", 2, 9)]),
        ("seed = []", &[("invalid-value", "seed", 2, 8)]),
        ("seed = [1, 2, 1]", &[("invalid-value", "seed[3]", 2, 15)]),
        ("provenance.title = \"\"", &[("invalid-value", "provenance.title", 2, 20)]),
        ("reference = [{ path = \"a\\u0000b\" }]", &[("invalid-value", "reference[1].path", 2, 23)]),
        ("output.format = \"jpg\"", &[("format-unknown", "output.format", 2, 17)]),
        // Keys.
        ("promptx = \"x\"", &[("unknown-key", "promptx", 2, 1)]),
        ("\"größe\" = 5", &[("unknown-key", "\"größe\"", 2, 1)]),
        ("output.colour = 1", &[("unknown-key", "output.colour", 2, 8)]),
        ("lora = [{ path = \"a\", weight = 1 }]", &[("unknown-key", "lora[1].weight", 2, 23)]),
        ("seed = { count = 1, end = 3 }", &[("unknown-key", "seed.end", 2, 21)]),
        ("seed = { start = 1 }", &[("missing-key", "seed.count", 2, 8)]),
        ("lora = [{ scale = 1 }]", &[("missing-key", "lora[1].path", 2, 9)]),
        ("reference = [{ path = \"a\", prepare = [{ x = 1 }] }]",
            &[("missing-key", "reference[1].prepare[1].plugin", 2, 39)]),
        ("manifest = 1", &[("duplicate-key", "manifest", 2, 1)]),
        ("output = { format = \"png\", format = \"png\" }", &[("duplicate-key", "output.format", 2, 28)]),
        // Columns count characters.
        ("model = \"größe\"; width = 1", &[("manifest-syntax", "model", 2, 16)]),
        ("reference = [{ path = \"日本\", file = 1 }]", &[("unknown-key", "reference[1].file", 2, 29)]),
    ];
    for (line, expected) in cases {
        let text = format!("manifest = 1\n{line}\n");
        let problems = parse(&text).expect_err(line);
        assert_eq!(short(&problems), *expected, "{line}\n{problems}");
    }
}

#[test]
fn too_many_of_a_kind() {
    let references = "[[reference]]\npath = \"a.png\"\n".repeat(11);
    let text = format!("manifest = 1\n{references}");
    assert_eq!(
        short(&parse(&text).unwrap_err()),
        [("too-many", "reference", 2, 1)]
    );
    let seeds: Vec<_> = (0..1001).map(|seed| seed.to_string()).collect();
    let text = format!("manifest = 1\nseed = [{}]\n", seeds.join(","));
    assert_eq!(
        short(&parse(&text).unwrap_err()),
        [("too-many", "seed", 2, 8)]
    );
    let steps = "{ plugin = \"fit\" },".repeat(9);
    let text = format!("manifest = 1\nreference = [{{ path = \"a\", prepare = [{steps}] }}]\n");
    assert_eq!(
        short(&parse(&text).unwrap_err()),
        [("too-many", "reference[1].prepare", 2, 38)]
    );
    let text = format!("manifest = 1\nlora = [{}]\n", "{ path = \"a\" },".repeat(9));
    assert_eq!(
        short(&parse(&text).unwrap_err()),
        [("too-many", "lora", 2, 8)]
    );
}

#[test]
fn another_version_is_not_judged_by_this_one() {
    let text = "manifest = 2\nprompt = 5\nmovie = true\n";
    let problems = parse(text).unwrap_err();
    assert_eq!(short(&problems), [("manifest-version", "manifest", 1, 12)]);
    assert_eq!(
        short(&parse("prompt = \"x\"\n").unwrap_err()),
        [("missing-key", "manifest", 1, 1)]
    );
    assert_eq!(
        short(&parse("manifest = \"1\"\n").unwrap_err()),
        [("wrong-type", "manifest", 1, 12)]
    );
}

#[test]
fn duplicates_are_named_by_their_whole_path() {
    #[rustfmt::skip]
    let cases: &[(&str, Short<'_>)] = &[
        ("[output]\nformat = \"png\"\nformat = \"png\"", ("duplicate-key", "output.format", 4, 1)),
        ("[output]\nquality = 1\n[output]\nformat = \"png\"", ("duplicate-key", "output", 4, 2)),
        ("output.quality = 1\noutput.quality = 2", ("duplicate-key", "output.quality", 3, 8)),
        ("[[reference]]\npath = \"a\"\n[[reference]]\npath = \"b\"\npath = \"c\"",
            ("duplicate-key", "reference[2].path", 6, 1)),
        ("reference = [{ path = \"a\" }, { path = \"b\", path = \"c\" }]",
            ("duplicate-key", "reference[2].path", 2, 44)),
    ];
    for (rest, expected) in cases {
        let text = format!("manifest = 1\n{rest}\n");
        let problems = parse(&text).expect_err(rest);
        assert_eq!(short(&problems), [*expected], "{rest}");
    }
    let single = parse("manifest = 1\n[reference]\npath = \"a\"\n[reference]\npath = \"b\"\n");
    let problems = single.unwrap_err();
    let found = short(&problems);
    assert!(
        found.contains(&("duplicate-key", "reference", 4, 2)),
        "{found:?}"
    );
}

#[test]
fn what_stands_before_a_broken_line_is_still_judged() {
    let text = "manifest = 1\nwidth = 1000\nprompt = \"no end\nheight = 1\nsteps = \n";
    let problems = parse(text).unwrap_err();
    assert_eq!(
        short(&problems),
        [
            ("out-of-range", "width", 2, 9),
            ("manifest-syntax", "prompt", 3, 17),
            ("manifest-syntax", "steps", 5, 9),
        ]
    );
}

#[test]
fn all_problems_come_together_in_order_of_place() {
    let text = r#"
[output]
quality = 0
colour = "srgb"
[[reference]]
prepare = [{ width = 1 }]
steps = 4
"#;
    assert_eq!(
        short(&parse(text).unwrap_err()),
        [
            ("missing-key", "manifest", 1, 1),
            ("out-of-range", "output.quality", 3, 11),
            ("unknown-key", "output.colour", 4, 1),
            ("missing-key", "reference[1].path", 5, 1),
            ("missing-key", "reference[1].prepare[1].plugin", 6, 12),
            ("unknown-key", "reference[1].steps", 7, 1),
        ]
    );
}
