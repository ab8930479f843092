//! What is not even loaded.

use std::fs;
use std::time::Duration;

use atelier_plugin_host::Limits;

use crate::bench::{Bench, only_file, prepare};
use atelier_tests::forge::{Forge, crowded, good, interface};

#[test]
fn wasi_is_refused_by_name() {
    let wasm = wat::parse_str(
        r#"(component
             (import "wasi:cli/environment@0.2.6" (instance
               (export "get-arguments" (func (result (list string)))))))"#,
    )
    .unwrap();
    let error = Bench::new().refused("wasi", &wasm);
    assert_eq!(error.code(), "plugin-import-refused");
    assert!(
        error.to_string().contains("`wasi:cli/environment@0.2.6`"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("no WASI"), "{error:?}");
}

#[test]
fn another_version_of_the_interface_is_refused_by_name() {
    let newer = interface().replace("atelier:plugin@1.0.0", "atelier:plugin@1.1.0");
    let error = Bench::new().refused("newer", &good().component_for(&newer));
    assert_eq!(error.code(), "plugin-import-refused");
    assert!(error.to_string().contains("@1.1.0"), "{error}");
}

#[test]
fn an_unknown_function_of_a_known_interface_is_refused_by_name() {
    let more = interface().replace("interface log {", "interface log {\n    shout: func();");
    let import = r#"(import "atelier:plugin/log@1.0.0" "shout" (func $shout))"#;
    let wasm = Forge::new("shout", "(call $shout) (unreachable)").component_with(&more, import);
    let error = Bench::new().refused("shout", &wasm);
    assert_eq!(error.code(), "plugin-import-refused");
    assert!(
        error.to_string().contains("`atelier:plugin/log@1.0.0`"),
        "{error}"
    );
    assert!(error.to_string().contains("shout"), "{error}");
}

#[test]
fn a_component_of_another_world_is_refused() {
    let error = Bench::new().refused("empty", &wat::parse_str("(component)").unwrap());
    assert_eq!(error.code(), "plugin-component");
    let text = error.to_string();
    assert!(
        text.contains("does not export `atelier:plugin/preparer@1.0.0`"),
        "{text}"
    );
}

#[test]
fn what_is_no_component_is_refused() {
    let bench = Bench::new();
    let mut seed = 1_u64;
    let noise: Vec<u8> = (0..5000).map(|_| next(&mut seed) as u8).collect();
    let noise_in_a_component = [b"\0asm\x0d\0\x01\0".as_slice(), &noise].concat();
    for (wasm, expected) in [
        (b"".to_vec(), "is not WebAssembly"),
        (noise, "is not WebAssembly"),
        (noise_in_a_component, "is not a valid component"),
        (wat::parse_str("(module)").unwrap(), "is a core module"),
        (b"\0asm\x09\0\x07\0".to_vec(), "not known here"),
    ] {
        let error = bench.refused("noise", &wasm);
        assert_eq!(error.code(), "plugin-component");
        assert!(
            error.to_string().contains(expected),
            "{error} lacks {expected}"
        );
    }
}

#[test]
fn a_truncated_component_is_refused() {
    let bench = Bench::new();
    let whole = good().component();
    for part in 1..8 {
        let error = bench.refused("cut", &whole[..whole.len() * part / 8]);
        assert_eq!(error.code(), "plugin-component");
    }
}

#[test]
fn a_crowd_of_instances_is_refused_or_runs_into_the_limit() {
    let bench = Bench::new();
    let error = bench.refused("crowd", &crowded(&good().component(), 10_000));
    assert_eq!(error.code(), "plugin-component");
    // As many as WebAssembly lets a component have are still more than a call may.
    let plugin = Forge::new("crowd", good().prepare);
    let wasm = crowded(&plugin.component(), 900);
    let plugin = bench.host.load(&bench.install("crowd", &wasm)).unwrap();
    let error = prepare(&plugin).unwrap_err();
    bench.is_fine_after("crowd", &error);
    assert_eq!(error.code(), "plugin-limit");
    assert!(error.to_string().contains("200 instances"), "{error}");
}

#[test]
fn machine_code_is_refused_even_our_own() {
    let bench = Bench::new();
    bench.load(&good());
    let entry = fs::read(only_file(&bench.cache())).unwrap();
    let error = bench.refused("cwasm", &entry[32..]);
    assert_eq!(error.code(), "plugin-component");
    assert!(error.to_string().contains("machine code"), "{error}");
    let error = bench.refused("cwasm", &entry);
    assert_eq!(error.code(), "plugin-component");
}

#[test]
fn a_missing_plugin_is_not_found() {
    let bench = Bench::new();
    let error = bench
        .host
        .load(&bench.plugins().join("nobody"))
        .unwrap_err();
    assert_eq!(error.code(), "plugin-not-found");
    bench.is_fine_after("nobody", &error);
    let folder = bench.install("half", b"");
    fs::remove_file(folder.join("plugin.wasm")).unwrap();
    let error = bench.host.load(&folder).unwrap_err();
    assert_eq!(error.code(), "plugin-component");
    assert!(
        error.to_string().contains("plugin.wasm is missing"),
        "{error}"
    );
}

/// Components with a few bytes changed either load or are refused; those that load run or fail.
/// Nothing else may happen.
#[test]
fn damaged_components_never_harm_the_host() {
    let bench = Bench::with(Limits {
        time: Duration::from_millis(200),
        ..Limits::default()
    });
    let whole = good().component();
    let mut seed = 7_u64;
    let (mut refused, mut ran) = (0, 0);
    for _ in 0..150 {
        let mut wasm = whole.clone();
        for _ in 0..=next(&mut seed) % 3 {
            let at = next(&mut seed) as usize % wasm.len();
            wasm[at] = next(&mut seed) as u8;
        }
        match bench.host.load(&bench.install("good", &wasm)) {
            Ok(plugin) => {
                ran += 1;
                let _ = plugin.describe();
                let _ = prepare(&plugin);
            }
            Err(error) => {
                refused += 1;
                assert!(error.code().starts_with("plugin-"), "{error:?}");
            }
        }
    }
    assert!(
        refused > 10 && ran > 10,
        "{refused} refused, {ran} ran: the test tests nothing"
    );
    assert!(prepare(&bench.load(&good())).is_ok());
}

/// Marsaglia's xorshift: the same damage on every run.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed >> 16
}
