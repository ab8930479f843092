//! Plugins that keep to the rules.

use std::fs;

use atelier_plugin_host::{
    Level, LogLine, PluginError, PluginHost, PrepareRequest, Refusal, Said, Source, SourceKind,
    World,
};
use image::{Rgba, RgbaImage};
use serde_json::{Map, json};

use crate::bench::{Bench, heard, picture, prepare, request};
use atelier_tests::forge::{Forge, good, package};

#[test]
fn a_plugin_says_what_it_is() {
    let bench = Bench::new();
    let schema = r#"{"type":"object","properties":{"width":{"type":"integer"}}}"#;
    let plugin = bench.load(&Forge { schema, ..good() });
    assert_eq!(plugin.package().name, "good");
    assert_eq!(plugin.package().world, World::V1);
    assert_eq!(plugin.sha256().len(), 64);
    let description = plugin.describe().unwrap();
    assert_eq!(description.version, "1.2.3");
    assert_eq!(description.summary, "A forged plugin");
    assert_eq!(
        description.takes,
        [SourceKind::Picture, SourceKind::Document]
    );
    assert_eq!(
        description.parameters["properties"]["width"]["type"],
        "integer"
    );
}

#[test]
fn a_description_that_is_not_true_is_refused() {
    let bench = Bench::new();
    let no_object = bench.load(&Forge {
        schema: "[1]",
        ..good()
    });
    assert_eq!(no_object.describe().unwrap_err().code(), "plugin-output");
    let folder = bench.install("other", &good().component());
    let error = bench.host.load(&folder).unwrap().describe().unwrap_err();
    assert_eq!(error.code(), "plugin-output");
    assert!(
        error.to_string().contains(r#"calls its name "good""#),
        "{error}"
    );
}

/// Reads the picture whole and writes it to a canvas of its size; the prompt is the parameters.
const COPY: &str = r#"
    (local.set $i (i32.load offset=4 (local.get $sources)))
    (call $picture_size (local.get $i) (i32.const 700))
    (call $picture_read (local.get $i) (i32.const 0) (i32.const 0)
      (i32.load (i32.const 700)) (i32.load (i32.const 704)) (i32.const 720))
    (i32.store (i32.const 640)
      (call $canvas (i32.load (i32.const 700)) (i32.load (i32.const 704))))
    (call $canvas_write (i32.load (i32.const 640)) (i32.const 0) (i32.const 0)
      (i32.load (i32.const 700)) (i32.load (i32.const 704))
      (i32.load (i32.const 724)) (i32.load (i32.const 728)) (i32.const 740))
    (if (i32.load8_u (i32.const 740)) (then (unreachable)))
    (drop (call $done (i32.const 640) (i32.const 1)))
    (i32.store8 (i32.const 524) (i32.const 1))
    (i32.store (i32.const 528) (local.get $parameters))
    (i32.store (i32.const 532) (local.get $length))
    (i32.const 512)"#;

#[test]
fn pixels_and_parameters_go_in_and_come_out() {
    let plugin = Bench::new().load(&Forge::new("copy", COPY));
    let mut request = request();
    request.parameters.insert("scale".to_owned(), json!(1.5));
    let prepared = plugin.prepare(&request, &mut |_| {}).unwrap();
    assert_eq!(prepared.pictures, [picture()]);
    assert_eq!(prepared.prompt.as_deref(), Some(r#"{"scale":1.5}"#));
    assert_eq!(prepared.keypoints, None);
    assert_eq!(prepared.dropped_log_lines, 0);
}

/// A blue canvas with the picture, at half its size, in the corner; and pasted outside.
const DRAW: &str = r#"
    (local.set $i (call $canvas (local.get $width) (local.get $height)))
    (call $canvas_fill (local.get $i) (i32.const 0) (i32.const 0)
      (local.get $width) (local.get $height)
      (i32.const 0) (i32.const 0) (i32.const 255) (i32.const 255) (i32.const 740))
    (call $picture_resized (i32.load offset=4 (local.get $sources))
      (i32.const 3) (i32.const 2) (i32.const 760))
    (if (i32.load8_u (i32.const 760)) (then (unreachable)))
    (call $canvas_paste (local.get $i) (i32.load (i32.const 764)) (i32.const -1) (i32.const -1))
    (call $canvas_paste (local.get $i) (i32.load (i32.const 764))
      (i32.const 0x80000000) (i32.const 0x7fffffff))
    (call $progress (f32.const 0.5))
    (call $progress (f32.const nan))
    (call $progress (f32.const 2))
    (call $one (local.get $i))"#;

#[test]
fn the_host_draws_for_a_plugin() {
    let plugin = Bench::new().load(&Forge::new("draw", DRAW));
    let red = RgbaImage::from_pixel(40, 30, Rgba([255, 0, 0, 255]));
    let request = PrepareRequest::new(vec![Source::picture(red)], Map::new(), (8, 6));
    let mut seen = Vec::new();
    let prepared = plugin
        .prepare(&request, &mut |said| {
            if let Said::Progress(fraction) = said {
                seen.push(fraction);
            }
        })
        .unwrap();
    let expected = RgbaImage::from_fn(8, 6, |x, y| match (x, y) {
        (0..2, 0) => Rgba([255, 0, 0, 255]),
        _ => Rgba([0, 0, 255, 255]),
    });
    assert_eq!(prepared.pictures, [expected]);
    assert_eq!(seen, [0.5, 1.0]);
}

/// Gives the document back as keypoints, and one note.
const DOCUMENT: &str = r#"
    (drop (call $one (call $canvas (i32.const 1) (i32.const 1))))
    (i32.store8 (i32.const 536) (i32.const 1))
    (i32.store (i32.const 540) (i32.load offset=4 (local.get $sources)))
    (i32.store (i32.const 544) (i32.load offset=8 (local.get $sources)))
    (i32.store (i32.const 548) (i32.const 800))
    (i32.store (i32.const 552) (i32.const 1))
    (i32.store (i32.const 800) (i32.const 1110))
    (i32.store (i32.const 804) (i32.const 0))
    (i32.store (i32.const 808) (i32.const 1100))
    (i32.store (i32.const 812) (i32.const 5))
    (i32.store (i32.const 800) (i32.const 1112))
    (i32.store (i32.const 804) (i32.const 6))
    (i32.const 512)"#;

#[test]
fn a_document_comes_back_as_keypoints_with_notes() {
    let plugin = Bench::new().load(&Forge::new("document", DOCUMENT));
    let people = r#"{"people":[]}"#.to_owned();
    let request = PrepareRequest::new(vec![Source::Document(people.clone())], Map::new(), (8, 6));
    let prepared = plugin.prepare(&request, &mut |_| {}).unwrap();
    assert_eq!(prepared.keypoints, Some(people));
    assert_eq!(prepared.notes, [("forged".to_owned(), "1.2.3".to_owned())]);
    let not_json = PrepareRequest::new(vec![Source::Document("{".into())], Map::new(), (8, 6));
    let error = plugin.prepare(&not_json, &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "plugin-output");
}

#[test]
fn lines_are_heard_and_a_refusal_keeps_its_parameter() {
    let forge = Forge {
        items: r#"(data (i32.const 860) "width") (data (i32.const 870) "is\07 odd")"#,
        ..Forge::new(
            "fussy",
            "(call $log (i32.const 1) (i32.const 870) (i32.const 7))
             (i32.store8 (i32.const 512) (i32.const 1))
             (i32.store8 (i32.const 516) (i32.const 0))
             (i32.store (i32.const 520) (i32.const 860))
             (i32.store (i32.const 524) (i32.const 5))
             (i32.store (i32.const 528) (i32.const 870))
             (i32.store (i32.const 532) (i32.const 7))
             (i32.const 512)",
        )
    };
    let bench = Bench::new();
    let (result, lines) = heard(&bench.load(&forge), &request());
    assert_eq!(
        lines,
        [LogLine {
            level: Level::Info,
            text: "is  odd".to_owned()
        }]
    );
    let error = result.unwrap_err();
    bench.is_fine_after("fussy", &error);
    assert_eq!(error.code(), "plugin-refused");
    assert_eq!(
        error.to_string(),
        r#"plugin "fussy": parameter "width": is  odd"#
    );
    let PluginError::Refused { refusal, .. } = error else {
        panic!("{error:?}")
    };
    let (name, message) = ("width".to_owned(), "is  odd".to_owned());
    assert_eq!(refusal, Refusal::Parameter { name, message });
}

#[test]
fn clones_run_at_the_same_time() {
    let plugin = Bench::new().load(&good());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let plugin = plugin.clone();
            scope.spawn(move || {
                for _ in 0..20 {
                    prepare(&plugin).unwrap();
                }
            });
        }
    });
}

#[test]
fn an_impossible_request_is_the_callers_fault() {
    let plugin = Bench::new().load(&good());
    let empty = Source::picture(RgbaImage::new(0, 3));
    for request in [
        PrepareRequest::new(vec![], Map::new(), (8, 6)),
        PrepareRequest::new(vec![empty], Map::new(), (8, 6)),
        PrepareRequest {
            output: (0, 6),
            ..request()
        },
    ] {
        let error = plugin.prepare(&request, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "plugin-request");
    }
}

#[test]
fn plugins_are_found_without_running_them() {
    let bench = Bench::new();
    bench.install("b", b"not even WebAssembly");
    bench.install("a", b"");
    let broken = bench.install("c", b"");
    fs::write(broken.join("plugin.toml"), package("c") + "speed = 11\n").unwrap();
    fs::create_dir(bench.plugins().join("empty")).unwrap();
    let folders = [bench.plugins(), bench.plugins().join("missing")];
    let found = PluginHost::discover(&folders);
    let names: Vec<String> = found
        .iter()
        .map(|(path, package)| match package {
            Ok(package) => package.name.clone(),
            Err(error) => format!("{}: {error}", path.file_name().unwrap().display()),
        })
        .collect();
    let unknown = "line 6, column 1: unknown field `speed`";
    assert_eq!(names[..2], ["a", "b"]);
    assert!(names[2].starts_with("c: plugin \"c\": plugin.toml") && names[2].contains(unknown));
    assert_eq!(names.len(), 3);
}
