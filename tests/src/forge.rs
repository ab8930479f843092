//! Plugins that no compiler would make: WebAssembly text, with the canonical ABI written out by
//! hand, so that a test can break any promise of the interface.

use std::fs;
use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Installs a plugin called `name` into `plugins`, whose `prepare` consists of `body`:
/// instructions that leave the address of the result, or never end. Version 0.0.1, asks for
/// nothing, takes pictures and documents.
///
/// # Panics
///
/// When the body is no valid WebAssembly, or nothing can be written.
pub fn forge(plugins: &Path, name: &str, body: &str) {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit/plugin.wit");
    let wit = fs::read_to_string(wit).expect("the interface lies in sdk/wit");
    let mut resolve = Resolve::new();
    let package = resolve
        .push_str("plugin.wit", &wit)
        .expect("the interface is valid");
    let world = resolve
        .select_world(&[package], Some("plugin"))
        .expect("the world is called plugin");
    let mut module = wat::parse_str(core(name, body)).expect("the text is valid");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the module fits the world");
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .expect("the module becomes a component");

    let folder = plugins.join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("plugin.wasm"), component).expect("a component can be written");
    let package = format!(
        "name = \"{name}\"\nversion = \"0.0.1\"\nlicense = \"MIT\"\nsummary = \"A test\"\n\
         world = \"atelier:plugin@1.0.0\"\nasks = []\n"
    );
    fs::write(folder.join("plugin.toml"), package).expect("a description can be written");
}

/// A module with an allocator that only takes, a `describe` that tells the truth, and `prepare`.
fn core(name: &str, body: &str) -> String {
    let length = name.len();
    format!(
        r#"(module
  (import "atelier:plugin/pictures@1.0.0" "[static]canvas.create"
    (func $canvas_create (param i32 i32 i32)))
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 16)))))
    (local.get $at))

  (data (i32.const 1024) "{name}")
  (data (i32.const 1100) "0.0.1A test{{}}\00\01")
  ;; name, version, summary, parameters, takes: an address and a length each
  (func (export "atelier:plugin/preparer@1.0.0#describe") (result i32)
    (i32.store (i32.const 960) (i32.const 1024))
    (i32.store (i32.const 964) (i32.const {length}))
    (i32.store (i32.const 968) (i32.const 1100))
    (i32.store (i32.const 972) (i32.const 5))
    (i32.store (i32.const 976) (i32.const 1105))
    (i32.store (i32.const 980) (i32.const 6))
    (i32.store (i32.const 984) (i32.const 1111))
    (i32.store (i32.const 988) (i32.const 2))
    (i32.store (i32.const 992) (i32.const 1113))
    (i32.store (i32.const 996) (i32.const 2))
    (i32.const 960))

  ;; the sources, the parameters as JSON, and the size of the job's picture
  (func (export "atelier:plugin/preparer@1.0.0#prepare")
    (param $sources i32) (param $count i32) (param $parameters i32) (param $length i32)
    (param $width i32) (param $height i32) (result i32)
    {body}))"#
    )
}
