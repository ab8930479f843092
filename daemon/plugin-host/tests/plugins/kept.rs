//! A plugin that was built once for version 1 goes on working, whatever is added to the interface.

use std::path::Path;

use atelier_plugin_host::{PluginHost, PrepareRequest, Source};
use serde_json::{Map, json};

use crate::bench::Bench;

#[test]
fn a_component_built_once_for_version_1_works() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/plugins/v1");
    let bench = Bench::new();
    let host: &PluginHost = &bench.host;
    let plugin = host.load(&folder).unwrap();
    assert_eq!(plugin.describe().unwrap().name, plugin.package().name);
    let open = |name: &str| image::open(folder.join(name)).unwrap().into_rgba8();
    let parameters: Map<_, _> = [("strength".to_owned(), json!(80))].into_iter().collect();
    let sources = vec![Source::picture(open("photo.png"))];
    let request = PrepareRequest::new(sources, parameters, (256, 256));
    let prepared = plugin.prepare(&request, &mut |_| {}).unwrap();
    assert_eq!(prepared.pictures, [open("expected.png")]);
}
