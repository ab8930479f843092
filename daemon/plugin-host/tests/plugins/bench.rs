//! A host in a folder of its own, and what every test does with it.

use std::fs;
use std::path::{Path, PathBuf};

use atelier_plugin_host::{
    Limits, LogLine, Plugin, PluginError, PluginHost, PrepareRequest, Prepared, Said, Source,
};
use image::{Rgba, RgbaImage};
use serde_json::Map;
use tempfile::TempDir;

use atelier_tests::forge::{self, Forge, good};

pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) host: PluginHost,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let host = PluginHost::new(&folder.path().join("cache"), limits).unwrap();
        Self { folder, host }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub(crate) fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// The folder of a plugin with this `plugin.wasm`.
    pub(crate) fn install(&self, name: &str, wasm: &[u8]) -> PathBuf {
        forge::install(&self.plugins(), name, wasm)
    }

    pub(crate) fn load(&self, forge: &Forge) -> Plugin {
        self.host
            .load(&self.install(forge.name, &forge.component()))
            .unwrap()
    }

    /// Why a plugin with this `plugin.wasm` is not loaded.
    pub(crate) fn refused(&self, name: &str, wasm: &[u8]) -> PluginError {
        let error = self.host.load(&self.install(name, wasm)).unwrap_err();
        self.is_fine_after(name, &error);
        error
    }

    /// Why a plugin's `prepare` fails.
    pub(crate) fn fails(&self, forge: &Forge) -> PluginError {
        let plugin = self.load(forge);
        let error = prepare(&plugin).unwrap_err();
        self.is_fine_after(forge.name, &error);
        error
    }

    /// What must hold after any failure: it names the plugin, and the next job works.
    pub(crate) fn is_fine_after(&self, name: &str, error: &PluginError) {
        assert_eq!(error.plugin(), Some(name));
        assert!(
            error.to_string().contains(name),
            "{error} does not name {name}"
        );
        let prepared = prepare(&self.load(&good())).unwrap();
        assert_eq!(prepared.pictures, [RgbaImage::new(8, 6)]);
    }
}

/// A picture of 5 × 4 pixels, each different.
pub(crate) fn picture() -> RgbaImage {
    RgbaImage::from_fn(5, 4, |x, y| Rgba([x as u8 * 40, y as u8 * 60, 7, 255]))
}

/// Asks for 8 × 6 pixels from one picture.
pub(crate) fn request() -> PrepareRequest {
    PrepareRequest::new(vec![Source::picture(picture())], Map::new(), (8, 6))
}

pub(crate) fn prepare(plugin: &Plugin) -> Result<Prepared, PluginError> {
    plugin.prepare(&request(), &mut |_| {})
}

/// What a call gave, and what it said.
pub(crate) fn heard(
    plugin: &Plugin,
    request: &PrepareRequest,
) -> (Result<Prepared, PluginError>, Vec<LogLine>) {
    let mut lines = Vec::new();
    let result = plugin.prepare(request, &mut |said| {
        if let Said::Line(line) = said {
            lines.push(line);
        }
    });
    (result, lines)
}

/// The one file in a folder.
pub(crate) fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [file] = files.as_slice() else {
        panic!("{files:?} is not one file")
    };
    file.clone()
}
