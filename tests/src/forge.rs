//! Plugins that no compiler would make: components of the plugin's world from the body of one
//! function, `prepare`, in WebAssembly text. The canonical ABI is written out by hand, so a test can
//! break any rule of it.

use std::fs;
use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Text of the interface, version 1.
///
/// # Panics
///
/// When it cannot be read.
#[must_use]
pub fn interface() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit/plugin.wit");
    fs::read_to_string(path).unwrap()
}

/// What `plugin.toml` says of a forged plugin: version 1.2.3, asks for nothing.
#[must_use]
pub fn package(name: &str) -> String {
    format!(
        "name = {name:?}\nversion = \"1.2.3\"\nlicense = \"MIT\"\nsummary = \"Forged\"\n\
         world = \"atelier:plugin@1.0.0\"\n"
    )
}

/// Puts a plugin with this `plugin.wasm` into a folder of plugins, and gives its own folder.
///
/// # Panics
///
/// When it cannot be written.
pub fn install(plugins: &Path, name: &str, wasm: &[u8]) -> PathBuf {
    let folder = plugins.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("plugin.wasm"), wasm).unwrap();
    fs::write(folder.join("plugin.toml"), package(name)).unwrap();
    folder
}

/// What a forged plugin is made of. The bodies may use the functions of [`Forge::core`].
#[derive(Debug, Clone, Copy)]
pub struct Forge {
    /// The name that `describe` gives.
    pub name: &'static str,
    /// The parameters that `describe` gives.
    pub schema: &'static str,
    /// Instructions that leave the address of the result; the parameters are `$sources`,
    /// `$count`, `$parameters`, `$length`, `$width` and `$height`, and `$i` is a local.
    pub prepare: &'static str,
    /// More items of the module.
    pub items: &'static str,
    /// Instructions that run first in `cabi_realloc`.
    pub realloc: &'static str,
    /// Pages of memory at the start.
    pub pages: u32,
}

impl Forge {
    /// A plugin whose `prepare` has this body.
    #[must_use]
    pub fn new(name: &'static str, prepare: &'static str) -> Self {
        Self {
            name,
            schema: "{}",
            prepare,
            items: "",
            realloc: "",
            pages: 2,
        }
    }

    /// Puts it into a folder of plugins, and gives its own folder.
    ///
    /// # Panics
    ///
    /// As [`component_with`](Self::component_with), or when it cannot be written.
    pub fn install(&self, plugins: &Path) -> PathBuf {
        install(plugins, self.name, &self.component())
    }

    /// The component, for version 1 of the interface.
    #[must_use]
    pub fn component(&self) -> Vec<u8> {
        self.component_for(&interface())
    }

    /// The component, for another text of the interface.
    #[must_use]
    pub fn component_for(&self, wit: &str) -> Vec<u8> {
        self.component_with(wit, "")
    }

    /// The component, for another text of the interface and with more imports.
    ///
    /// # Panics
    ///
    /// When the text is no valid WebAssembly or does not fit the interface.
    #[must_use]
    pub fn component_with(&self, wit: &str, import: &str) -> Vec<u8> {
        let version = wit
            .split("atelier:plugin@")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let text = self.core(import).replace("@1.0.0", &format!("@{version}"));
        let mut module = wat::parse_str(text).unwrap();
        let mut resolve = Resolve::new();
        let package = resolve.push_str("plugin.wit", wit).unwrap();
        let world = resolve
            .select_world(&[package], Some("asking-plugin"))
            .unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .unwrap()
            .encode()
            .unwrap()
    }

    /// The core module: its imports, an allocator that only takes, `describe`, and short cuts.
    fn core(&self, import: &str) -> String {
        let Self {
            name,
            schema,
            prepare,
            items,
            realloc,
            pages,
        } = self;
        let (name_length, schema_length) = (name.len(), schema.len());
        let (name, schema) = (escaped(name), escaped(schema));
        format!(
            r#"(module
  {import}
  (import "atelier:plugin/log@1.0.0" "write" (func $log (param i32 i32 i32)))
  (import "atelier:plugin/log@1.0.0" "progress" (func $progress (param f32)))
  (import "atelier:plugin/pictures@1.0.0" "[method]picture.size"
    (func $picture_size (param i32 i32)))
  (import "atelier:plugin/pictures@1.0.0" "[method]picture.read"
    (func $picture_read (param i32 i32 i32 i32 i32 i32)))
  (import "atelier:plugin/pictures@1.0.0" "[method]picture.resized"
    (func $picture_resized (param i32 i32 i32 i32)))
  (import "atelier:plugin/pictures@1.0.0" "[static]canvas.create"
    (func $canvas_create (param i32 i32 i32)))
  (import "atelier:plugin/pictures@1.0.0" "[method]canvas.write"
    (func $canvas_write (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "atelier:plugin/pictures@1.0.0" "[method]canvas.fill"
    (func $canvas_fill (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "atelier:plugin/pictures@1.0.0" "[method]canvas.paste"
    (func $canvas_paste (param i32 i32 i32 i32)))
  (memory (export "memory") {pages})
  (global $heap (mut i32) (i32.const 65536))

  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    {realloc}
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (block $enough (loop $more
      (br_if $enough (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
      (br $more)))
    (local.get $at))

  ;; name, version, summary, parameters, takes
  (data (i32.const 1024) "{name}")
  (data (i32.const 1100) "1.2.3")
  (data (i32.const 1110) "A forged plugin")
  (data (i32.const 1200) "{schema}")
  (data (i32.const 1130) "\00\01")
  (func (export "atelier:plugin/preparer@1.0.0#describe") (result i32)
    (i32.store (i32.const 960) (i32.const 1024))
    (i32.store (i32.const 964) (i32.const {name_length}))
    (i32.store (i32.const 968) (i32.const 1100))
    (i32.store (i32.const 972) (i32.const 5))
    (i32.store (i32.const 976) (i32.const 1110))
    (i32.store (i32.const 980) (i32.const 15))
    (i32.store (i32.const 984) (i32.const 1200))
    (i32.store (i32.const 988) (i32.const {schema_length}))
    (i32.store (i32.const 992) (i32.const 1130))
    (i32.store (i32.const 996) (i32.const 2))
    (i32.const 960))

  ;; The outcome: a list of canvases at $list, and nothing else.
  (func $done (param $list i32) (param $count i32) (result i32)
    (memory.fill (i32.const 512) (i32.const 0) (i32.const 64))
    (i32.store (i32.const 516) (local.get $list))
    (i32.store (i32.const 520) (local.get $count))
    (i32.const 512))
  ;; The outcome: one canvas.
  (func $one (param $canvas i32) (result i32)
    (i32.store (i32.const 640) (local.get $canvas))
    (call $done (i32.const 640) (i32.const 1)))
  ;; The failure `other`, with a text.
  (func $other (param $text i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store8 (i32.const 516) (i32.const 2))
    (i32.store (i32.const 520) (local.get $text))
    (i32.store (i32.const 524) (local.get $length))
    (i32.const 512))
  ;; A canvas; traps when the host refuses it.
  (func $canvas (param $width i32) (param $height i32) (result i32)
    (call $canvas_create (local.get $width) (local.get $height) (i32.const 600))
    (if (i32.load8_u (i32.const 600)) (then (unreachable)))
    (i32.load (i32.const 604)))
  {items}

  (func (export "atelier:plugin/preparer@1.0.0#prepare")
    (param $sources i32) (param $count i32) (param $parameters i32) (param $length i32)
    (param $width i32) (param $height i32) (result i32)
    (local $i i32)
    {prepare}))"#
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A plugin that returns one canvas of the output's size.
#[must_use]
pub fn good() -> Forge {
    Forge::new(
        "good",
        "(call $one (call $canvas (local.get $width) (local.get $height)))",
    )
}

/// A component with so many core instances of an empty module added: what a component may contain
/// and no compiler writes.
#[must_use]
pub fn crowded(component: &[u8], instances: u32) -> Vec<u8> {
    const CORE_MODULE: u8 = 1;
    const CORE_INSTANCES: u8 = 2;
    const PREAMBLE: usize = 8;
    let mut at = PREAMBLE;
    let mut modules = 0;
    while at < component.len() {
        modules += u32::from(component[at] == CORE_MODULE);
        let (length, bytes) = read_leb(&component[at + 1..]);
        at += 1 + bytes + length;
    }
    let mut all = leb(instances);
    for _ in 0..instances {
        // Instantiate, this module, with nothing.
        all.push(0);
        all.extend(leb(modules));
        all.push(0);
    }
    let mut crowded = component.to_vec();
    for (section, content) in [
        (CORE_MODULE, b"\0asm\x01\0\0\0".to_vec()),
        (CORE_INSTANCES, all),
    ] {
        crowded.push(section);
        crowded.extend(leb(u32::try_from(content.len()).unwrap()));
        crowded.extend(content);
    }
    crowded
}

/// A number in LEB128, as WebAssembly writes lengths.
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A number in LEB128, and the bytes that it takes.
fn read_leb(bytes: &[u8]) -> (usize, usize) {
    let length = bytes.iter().take_while(|&&byte| byte & 0x80 != 0).count() + 1;
    let septets = bytes[..length].iter().rev();
    (
        septets.fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f)),
        length,
    )
}
