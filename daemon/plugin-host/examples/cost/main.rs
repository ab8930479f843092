//! What a plugin costs on this machine, each against the same work without a sandbox, in turns:
//!
//!     make plugins
//!     cargo run --release --workspace --example cost -- target/plugins 2>/dev/null
//!
//! Prints a table for `docs/plugins.md`. Times are medians of one call each; nothing here is a test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark stops where something is not as it must be"
)]

mod models;
mod native;
mod turns;

use std::path::{Path, PathBuf};

use atelier_plugin_host::{
    Grants, Limits, Plugin, PluginHost, Powers, PrepareRequest, Prepared, Source,
};
use atelier_tests::forge::{Forge, good};
use image::RgbaImage;
use serde_json::Map;
use tempfile::TempDir;

use crate::models::Model;
use crate::turns::{Pair, in_turns, median};

/// 4 megapixels.
const SIDE: u32 = 2048;

/// Takes the picture into its memory as a whole and gives it back from there.
const WHOLE: &str = "
    (call $picture_read (i32.load offset=4 (local.get $sources)) (i32.const 0) (i32.const 0)
      (local.get $width) (local.get $height) (i32.const 600))
    (if (i32.load8_u (i32.const 600)) (then (unreachable)))
    (local.set $parameters (i32.load (i32.const 604)))
    (local.set $length (i32.load (i32.const 608)))
    (local.set $i (call $canvas (local.get $width) (local.get $height)))
    (call $canvas_write (local.get $i) (i32.const 0) (i32.const 0) (local.get $width)
      (local.get $height) (local.get $parameters) (local.get $length) (i32.const 620))
    (if (i32.load8_u (i32.const 620)) (then (unreachable)))
    (call $one (local.get $i))";

fn main() {
    let plugins = PathBuf::from(
        std::env::args()
            .nth(1)
            .expect("the folder of built plugins"),
    );
    let folder = TempDir::new().unwrap();
    let host = PluginHost::new(&folder.path().join("cache"), Limits::default()).unwrap();
    let forged = |forge: &Forge| {
        host.load(&forge.install(&folder.path().join("plugins")))
            .unwrap()
    };
    let built = |name: &str| host.load(&plugins.join(name)).unwrap();

    println!("| what | in the sandbox | without | ratio |\n|---|---|---|---|");
    let empty = forged(&good());
    let made = format!("{:.3} ms", instance(&empty) * 1e3);
    println!("| an instance | {made} | – | – |");
    report("a call that does nothing", &empty_call(&empty));
    report(
        "4 megapixels in and out",
        &whole_picture(&forged(&Forge::new("whole", WHOLE))),
    );
    report("`pose`, one dancer, 512 × 768", &pose(&built("pose")));
    let model = plugins.join("../models/movenet-lightning.onnx");
    report(
        "`pose-from-photo`, Lightning",
        &pose_from_photo(&built("pose-from-photo"), &model),
    );
}

fn report(what: &str, pair: &Pair) {
    let ms = |seconds: f64| format!("{:.3} ms", seconds * 1e3);
    let Pair { inside, outside } = *pair;
    let (within, without) = (ms(inside), ms(outside));
    println!(
        "| {what} | {within} | {without} | {:.2} |",
        inside / outside
    );
}

/// The store's memory, tables and code, ready to be called.
fn instance(plugin: &Plugin) -> f64 {
    let request = PrepareRequest::new(
        vec![Source::picture(RgbaImage::new(1, 1))],
        Map::new(),
        (1, 1),
    );
    let took = (0..2000).map(|_| called(plugin, &request).instantiation.as_secs_f64());
    median(took.collect())
}

/// Thread, store, instance, the call itself, and their end; without, the thread alone.
fn empty_call(plugin: &Plugin) -> Pair {
    let source = Source::picture(RgbaImage::new(1, 1));
    let request = PrepareRequest::new(vec![source], Map::new(), (1, 1));
    let thread =
        || std::thread::scope(|scope| scope.spawn(|| std::hint::black_box(1)).join().unwrap());
    in_turns(2000, || called(plugin, &request), thread)
}

/// Both sides touch fresh memory: what a call gets is never used twice.
fn whole_picture(plugin: &Plugin) -> Pair {
    let picture = RgbaImage::from_fn(SIDE, SIDE, |x, y| image::Rgba([x as u8, y as u8, 7, 255]));
    let pixels = picture.clone().into_raw();
    let request = PrepareRequest::new(vec![Source::picture(picture)], Map::new(), (SIDE, SIDE));
    let same = called(plugin, &request).pictures[0].as_raw() == &pixels;
    assert!(same, "what went in comes out");
    let copied = || {
        let taken = std::hint::black_box(&pixels).clone();
        std::hint::black_box(&taken).clone()
    };
    in_turns(60, || called(plugin, &request), copied)
}

fn pose(plugin: &Plugin) -> Pair {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let text = std::fs::read_to_string(fixtures.join("keypoints/dancer.json")).unwrap();
    let size = (512, 768);
    let request = PrepareRequest::new(vec![Source::Document(text.clone())], Map::new(), size);
    let native = native::pose(&text, size);
    let same = called(plugin, &request).pictures[0].as_raw() == &native;
    assert!(same, "the same pixels on both sides");
    in_turns(
        200,
        || called(plugin, &request),
        || native::pose(&text, size),
    )
}

fn pose_from_photo(plugin: &Plugin, file: &Path) -> Pair {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../plugins/pose-from-photo/tests/figure.png");
    let photo = image::open(photo).unwrap().into_rgba8();
    let size = photo.dimensions();
    let model = Model::at(file);
    let request = PrepareRequest {
        powers: Powers {
            granted: Grants::from(["model:movenet-lightning".parse().unwrap()]),
            models: Some(model.clone()),
            ..Powers::default()
        },
        ..PrepareRequest::new(vec![Source::picture(photo.clone())], Map::new(), size)
    };
    native::answer_with(model);
    let found = called(plugin, &request).keypoints;
    assert!(found.is_some(), "somebody is found");
    in_turns(
        20,
        || called(plugin, &request),
        || native::pose_from_photo(&photo),
    )
}

fn called(plugin: &Plugin, request: &PrepareRequest) -> Prepared {
    plugin.prepare(request, &mut |_| {}).unwrap()
}
