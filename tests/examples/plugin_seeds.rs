//! Writes what `make fuzz` starts from where it looks for plugins that harm the host:
//!
//!     cargo run --release --example plugin_seeds -- fuzz/seeds/plugin
//!
//! Small components that load: one that gives a picture, one that reads and writes, one that grows, logs and draws.

#![allow(
    clippy::expect_used,
    reason = "it is run by hand, and stops where it cannot write"
)]

use std::fs;
use std::path::PathBuf;

use atelier_tests::forge::{Forge, good, interface};

const NAME: &str = "fuzzed";

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder to write to"));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let gives = Forge::new(NAME, good().prepare).component();
    let refuses = Forge::new(NAME, "(call $other (i32.const 1110) (i32.const 15))").component();
    let speaks = Forge {
        items: "(table $t 1 funcref)",
        ..Forge::new(
            NAME,
            "(call $log (i32.const 1) (i32.const 1110) (i32.const 15))
             (call $progress (f32.const 0.5))
             (drop (memory.grow (i32.const 3)))
             (drop (table.grow $t (ref.null func) (i32.const 9)))
             (local.set $i (call $canvas (i32.const 8) (i32.const 8)))
             (call $canvas_fill (local.get $i) (i32.const 1) (i32.const 1) (i32.const 2) (i32.const 2)
               (i32.const 9) (i32.const 8) (i32.const 7) (i32.const 255) (i32.const 620))
             (call $canvas_write (local.get $i) (i32.const 0) (i32.const 0) (i32.const 2)
               (i32.const 2) (i32.const 1200) (i32.const 16) (i32.const 620))
             (call $one (local.get $i))",
        )
    }
    .component();
    let draws = Forge::new(
        NAME,
        "(local.set $i (call $canvas (i32.const 8) (i32.const 8)))
         (call $disc (local.get $i) (f32.const 4) (f32.const 3) (f32.const 2) (i32.const 255)
           (i32.const 0) (i32.const 0) (i32.const 255) (i32.const 620))
         (call $one (local.get $i))",
    )
    .component_with(
        &interface(),
        r#"(import "atelier:plugin/draw@1.0.0" "disc"
            (func $disc (param i32 f32 f32 f32 i32 i32 i32 i32 i32)))"#,
    );
    for (name, wasm) in [
        ("gives", gives),
        ("refuses", refuses),
        ("speaks", speaks),
        ("draws", draws),
    ] {
        fs::write(folder.join(name), wasm).expect("a seed can be written");
    }
}
