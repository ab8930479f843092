//! What a plugin may do beyond its pictures: only what it asks for and the user granted, and a no is a
//! sentence that it can pass on.

use std::fs;
use std::sync::{Arc, Mutex};

use atelier_plugin_host::{
    Grants, Inference, Numbers, Permission, Plugin, PluginError, Powers, PrepareRequest, Prepared,
    Tensor, Trouble,
};
use serde_json::{Map, json};

use crate::bench::{Bench, request};
use atelier_tests::forge::{Forge, good, interface, package};

const RANDOM: &str = r#"(import "atelier:plugin/random@1.0.0" "bytes"
    (func $random (param i32 i32)))"#;
/// Fills a canvas of the output's size, 8 × 6, with random bytes.
const DICE: &str = r#"
    (call $random (i32.const 192) (i32.const 760))
    (if (i32.load8_u (i32.const 760))
      (then (return (call $other (i32.load (i32.const 764)) (i32.load (i32.const 768))))))
    (local.set $i (call $canvas (local.get $width) (local.get $height)))
    (call $canvas_write (local.get $i) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 6)
      (i32.load (i32.const 764)) (i32.load (i32.const 768)) (i32.const 780))
    (if (i32.load8_u (i32.const 780)) (then (unreachable)))
    (call $one (local.get $i))"#;

const SETTINGS: &str = r#"(import "atelier:plugin/settings@1.0.0" "get"
    (func $setting (param i32 i32 i32)))"#;
/// Fails with the setting `studio`, or with why it does not get it.
const READER: &str = r#"
    (call $setting (i32.const 700) (i32.const 6) (i32.const 760))
    (if (i32.load8_u (i32.const 760))
      (then (return (call $other (i32.load (i32.const 764)) (i32.load (i32.const 768))))))
    (call $other (i32.load (i32.const 768)) (i32.load (i32.const 772)))"#;

const INFER: &str = r#"(import "atelier:plugin/infer@1.0.0" "run"
    (func $infer (param i32 i32 i32 i32 i32)))"#;
/// Runs `joints` on two bytes, of shape [2] or what the test says; fails with the trouble, or with
/// the name of the first output.
const ASKER: &str = r#"
    (i32.store (i32.const 708) (i32.const 0))
    (i32.store (i32.const 712) (i32.const 740))
    (i32.store (i32.const 716) (i32.const 1))
    (i32.store8 (i32.const 720) (i32.const 2))
    (i32.store (i32.const 724) (i32.const 700))
    (i32.store (i32.const 728) (i32.const 2))
    (i32.store (i32.const 740) (i32.const 2))
    (call $infer (i32.const 700) (i32.const 6) (i32.const 704) (i32.const 1) (i32.const 760))
    (if (i32.load8_u (i32.const 760))
      (then (return (call $other (i32.load (i32.const 768)) (i32.load (i32.const 772))))))
    (local.set $i (i32.load (i32.const 764)))
    (call $other (i32.load (local.get $i)) (i32.load offset=4 (local.get $i)))"#;

/// A plugin with an import that its `plugin.toml` asks for.
fn asking(bench: &Bench, forge: &Forge, import: &str, permission: &str) -> Plugin {
    let folder = bench.install(forge.name, &forge.component_with(&interface(), import));
    let asks = format!("asks = [{{ permission = {permission:?}, reason = \"A test\" }}]\n");
    fs::write(folder.join("plugin.toml"), package(forge.name) + &asks).unwrap();
    bench.host.load(&folder).unwrap()
}

fn powers(permission: &str) -> Powers {
    Powers {
        granted: Grants::from([permission.parse::<Permission>().unwrap()]),
        ..Powers::default()
    }
}

fn with(plugin: &Plugin, powers: Powers) -> Result<Prepared, PluginError> {
    let request = PrepareRequest {
        powers,
        ..request()
    };
    plugin.prepare(&request, &mut |_| {})
}

fn said(result: Result<Prepared, PluginError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn an_import_that_is_not_asked_for_is_refused_with_what_to_write() {
    let wasm = Forge::new("dice", DICE).component_with(&interface(), RANDOM);
    let error = Bench::new().refused("dice", &wasm);
    assert_eq!(error.code(), "plugin-import-refused");
    let text = error.to_string();
    assert!(text.contains("`atelier:plugin/random@1.0.0`"), "{text}");
    assert!(text.contains("permission = \"random\""), "{text}");
}

#[test]
fn what_is_not_granted_is_an_error_value_that_says_how_to_grant_it() {
    let bench = Bench::new();
    let dice = asking(&bench, &Forge::new("dice", DICE), RANDOM, "random");
    let text = said(with(&dice, Powers::default()));
    assert!(text.contains("atelier plugin grant dice random"), "{text}");
    let reader = Forge {
        items: r#"(data (i32.const 700) "studio")"#,
        ..Forge::new("reader", READER)
    };
    let reader = asking(&bench, &reader, SETTINGS, "setting:other");
    let text = said(with(&reader, powers("setting:studio")));
    assert!(text.contains("does not ask for setting:studio"), "{text}");
}

#[test]
fn random_numbers_follow_from_the_jobs_seed() {
    let bench = Bench::new();
    let dice = asking(&bench, &Forge::new("dice", DICE), RANDOM, "random");
    let drawn = |seed| {
        let powers = Powers {
            seed,
            ..powers("random")
        };
        with(&dice, powers).unwrap().pictures
    };
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
}

#[test]
fn a_setting_is_read_where_both_agree() {
    let reader = Forge {
        items: r#"(data (i32.const 700) "studio")"#,
        ..Forge::new("reader", READER)
    };
    let reader = asking(&Bench::new(), &reader, SETTINGS, "setting:studio");
    let settings: Map<_, _> = [("studio".to_owned(), json!("North"))]
        .into_iter()
        .collect();
    let text = said(with(
        &reader,
        Powers {
            settings,
            ..powers("setting:studio")
        },
    ));
    assert!(text.ends_with("\"North\""), "{text}");
}

/// Notes what it is asked, and answers with one tensor or not at all.
struct Joints {
    asked: Mutex<Vec<Tensor>>,
    answer: Result<&'static str, Trouble>,
}

impl Inference for Joints {
    fn run(
        &self,
        model: &str,
        inputs: Vec<Tensor>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Tensor>, Trouble> {
        assert_eq!(model, "joints");
        assert!(!stop(), "there is time left");
        self.asked.lock().unwrap().extend(inputs);
        self.answer.clone().map(|name| {
            vec![Tensor {
                name: name.to_owned(),
                shape: vec![1],
                numbers: Numbers::Floats(vec![0.5]),
            }]
        })
    }
}

#[test]
fn a_model_is_run_for_a_plugin_that_may() {
    let bench = Bench::new();
    let asker = Forge {
        items: r#"(data (i32.const 700) "joints")"#,
        ..Forge::new("asker", ASKER)
    };
    let asker = asking(&bench, &asker, INFER, "model:joints");
    let run = |answer, granted: &str| {
        let joints = Arc::new(Joints {
            asked: Mutex::default(),
            answer,
        });
        let powers = Powers {
            models: Some(Arc::clone(&joints) as Arc<dyn Inference>),
            ..powers(granted)
        };
        let text = said(with(&asker, powers));
        let asked = joints.asked.lock().unwrap().clone();
        (text, asked)
    };
    let (text, asked) = run(Ok("heat"), "model:joints");
    assert!(text.ends_with("heat"), "{text}");
    let input = Tensor {
        name: String::new(),
        shape: vec![2],
        numbers: Numbers::Bytes(b"jo".to_vec()),
    };
    assert_eq!(asked, [input]);
    let failed = Err(Trouble::Failed("it is out of breath".to_owned()));
    let (text, _) = run(failed, "model:joints");
    assert!(text.ends_with("it is out of breath"), "{text}");
    let (text, asked) = run(Ok("heat"), "model:others");
    assert!(text.contains("nobody granted model:joints"), "{text}");
    assert!(asked.is_empty());
    let text = said(with(&asker, powers("model:joints")));
    assert!(text.contains("this host runs none"), "{text}");
}

const DISC: &str = r#"(import "atelier:plugin/draw@1.0.0" "disc"
    (func $disc (param i32 f32 f32 f32 i32 i32 i32 i32 i32)))"#;

/// Draws a white disc; fails with the reason where it may not.
fn disc(place: &str) -> String {
    format!(
        r#"(local.set $i (call $canvas (local.get $width) (local.get $height)))
           (call $disc (local.get $i) {place} (i32.const 255) (i32.const 255) (i32.const 255)
             (i32.const 255) (i32.const 760))
           (if (i32.load8_u (i32.const 760))
             (then (return (call $other (i32.load (i32.const 764)) (i32.load (i32.const 768))))))
           (call $one (local.get $i))"#
    )
}

#[test]
fn the_host_draws_what_can_be_drawn_and_says_what_cannot() {
    let bench = Bench::new();
    let drawn = |place: &str| {
        let body = disc(place).leak();
        let wasm = Forge::new("disc", body).component_with(&interface(), DISC);
        let plugin = bench.host.load(&bench.install("disc", &wasm)).unwrap();
        with(&plugin, Powers::default())
    };
    let covers = drawn("(f32.const 4) (f32.const 3) (f32.const 20)").unwrap();
    assert!(covers.pictures[0].pixels().all(|pixel| pixel.0 == [255; 4]));
    for outside in [
        "(f32.const -1e30) (f32.const 3) (f32.const 2)",
        "(f32.const -9) (f32.const -9) (f32.const 2)",
        "(f32.const 3e38) (f32.const 3e38) (f32.const 1)",
    ] {
        let nothing = drawn(outside).unwrap();
        assert!(
            nothing.pictures[0].pixels().all(|pixel| pixel.0 == [0; 4]),
            "{outside}"
        );
    }
    for nonsense in [
        "(f32.const nan) (f32.const 3) (f32.const 2)",
        "(f32.const 1) (f32.const inf) (f32.const 2)",
        "(f32.const 1) (f32.const 1) (f32.const -2)",
    ] {
        let error = drawn(nonsense).unwrap_err();
        assert_eq!(error.code(), "plugin-refused", "{nonsense}");
        bench.is_fine_after("disc", &error);
    }
}

#[test]
fn a_plugin_says_what_it_imports() {
    let plugin = Bench::new().load(&good());
    // The forge's allocator and short cuts name these two; what is not named is not imported.
    let used = ["atelier:plugin/pictures@1.0.0", "atelier:plugin/log@1.0.0"];
    assert_eq!(plugin.imports(), used);
}
