//! Modules that become components, and modules that must not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use atelier_componentize::{Error, Interfaces, component_of};
use wit_component::{DecodedWasm, StringEncoding, embed_component_metadata};

/// A core module for a world that imports `demo:plugin/log` and exports a function `run`.
fn module(wat: &str) -> Vec<u8> {
    let world = wat::parse_str(
        r#"(component
            (import "demo:plugin/log@1.0.0" (instance $log
                (export "write" (func (param "level" u32)))))
            (core module $m (func (export "run")))
            (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run"))))"#,
    )
    .unwrap();
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&world).unwrap() else {
        panic!("a component decodes to a component");
    };
    let mut module = wat::parse_str(wat).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

const GOOD: &str = r#"(module
    (import "demo:plugin/log@1.0.0" "write" (func $write (param i32)))
    (func (export "run") (call $write (i32.const 1))))"#;

#[test]
fn a_module_becomes_a_component_with_its_interfaces() {
    let component = component_of(&module(GOOD)).unwrap();
    let interfaces = Interfaces::of(&component).unwrap();
    assert_eq!(interfaces.imports, ["demo:plugin/log@1.0.0"]);
    assert_eq!(interfaces.exports, ["run"]);
}

#[test]
fn a_module_that_wants_wasi_is_refused_by_name() {
    let wants = module(
        r#"(module
            (import "wasi_snapshot_preview1" "random_get"
                (func $random (param i32 i32) (result i32)))
            (func (export "run") (drop (call $random (i32.const 0) (i32.const 1)))))"#,
    );
    let error = component_of(&wants).unwrap_err();
    assert_eq!(error.code(), "module-needs-wasi");
    assert!(
        error.to_string().contains("wasi_snapshot_preview1"),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn a_module_that_lacks_its_export_is_unfit() {
    let error = component_of(&module("(module)")).unwrap_err();
    assert_eq!(error.code(), "module-unfit");
    assert!(error.to_string().contains("run"), "{error}");
}

#[test]
fn a_module_without_bindings_is_told_to_use_the_sdk() {
    let error = component_of(&wat::parse_str("(module)").unwrap()).unwrap_err();
    assert_eq!(error.code(), "module-without-world");
    assert!(error.hint().is_some_and(|hint| hint.contains("export!")));
}

#[test]
fn what_is_no_core_module_is_refused() {
    let component = component_of(&module(GOOD)).unwrap();
    let again = component_of(&component).unwrap_err();
    assert!(matches!(again, Error::AlreadyComponent), "{again}");

    let whole = module(GOOD);
    for bytes in [
        &b""[..],
        b"MZ\x90\0",
        &whole[..6],
        &whole[..whole.len() - 3],
    ] {
        let error = component_of(bytes).unwrap_err();
        assert_eq!(error.code(), "module-not-wasm", "{error}");
    }
}
