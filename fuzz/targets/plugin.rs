//! Components of plugins, as anybody may put them into a folder: what loads is described and run under
//! tight limits, what does not is refused with a code and a message that names it.
//!
//! An input is the component itself. The seeds are small ones that load.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use atelier_plugin_host::{Limits, PluginError, PluginHost, PrepareRequest, Source};
use libfuzzer_sys::fuzz_target;

const PACKAGE: &str = "name = \"fuzzed\"\nversion = \"1.2.3\"\nlicense = \"MIT\"\nsummary = \"Any\"\n\
    world = \"atelier:plugin@1.0.0\"\n";

/// One host for all inputs, and the folder that each is put into. Compiled ones are not kept.
static BENCH: LazyLock<(PluginHost, PathBuf)> = LazyLock::new(|| {
    let root = std::env::temp_dir().join(format!("atelier-fuzz-{}", std::process::id()));
    let folder = root.join("fuzzed");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("plugin.toml"), PACKAGE).unwrap();
    let limits = Limits {
        time: Duration::from_millis(100),
        memory: 16 << 20,
        output_pixels: 1 << 20,
        hostcall_bytes: 4 << 20,
        ..Limits::default()
    };
    (PluginHost::new(&root.join("cache"), limits).unwrap(), folder)
});

fn told(error: &PluginError) {
    assert!(error.code().starts_with("plugin-"));
    assert!(error.to_string().contains("fuzzed"), "{error}");
}

fuzz_target!(|component: &[u8]| {
    let (host, folder) = &*BENCH;
    fs::write(folder.join("plugin.wasm"), component).unwrap();
    let plugin = match host.load(folder) {
        Ok(plugin) => plugin,
        Err(error) => return told(&error),
    };
    if let Err(error) = plugin.describe() {
        told(&error);
    }
    let source = Source::Document("{}".to_owned());
    let request = PrepareRequest::new(vec![source], Default::default(), (8, 8));
    match plugin.prepare(&request, &mut |_| {}) {
        Ok(prepared) => assert!(!prepared.pictures.is_empty() || prepared.keypoints.is_some()),
        Err(error) => told(&error),
    }
    // What was compiled of an input is of no use to the next one.
    for entry in fs::read_dir(folder.with_file_name("cache")).unwrap().flatten() {
        fs::remove_file(entry.path()).unwrap();
    }
});
