//! A case as its `case.toml` says it, and the request that it makes.

use std::fs;
use std::path::{Path, PathBuf};

use atelier_plugin::{Picture, Request, Size, Source, random};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The keys of a `case.toml`, as `atelier plugin test` knows them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    inputs: Vec<PathBuf>,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default = "square")]
    output: (u32, u32),
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    pictures: Vec<PathBuf>,
    #[serde(default)]
    tolerance: u8,
    prompt: Option<String>,
    keypoints: Option<PathBuf>,
    fails: Option<String>,
}

fn square() -> (u32, u32) {
    (1024, 1024)
}

/// A case; its files are paths that can be opened.
#[derive(Debug)]
pub(crate) struct Case {
    inputs: Vec<PathBuf>,
    parameters: Map<String, Value>,
    output: Size,
    seed: u64,
    pub(crate) pictures: Vec<PathBuf>,
    pub(crate) tolerance: u8,
    pub(crate) prompt: Option<String>,
    pub(crate) keypoints: Option<PathBuf>,
    pub(crate) fails: Option<String>,
}

impl Case {
    /// The case in a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(folder.join("case.toml")).map_err(|e| e.to_string())?;
        let stated: Stated = toml::from_str(&text).map_err(|e| e.to_string())?;
        let beside = |names: Vec<PathBuf>| names.iter().map(|name| folder.join(name)).collect();
        Ok(Self {
            inputs: beside(stated.inputs),
            parameters: stated.parameters,
            output: Size::new(stated.output.0, stated.output.1),
            seed: stated.seed,
            pictures: beside(stated.pictures),
            tolerance: stated.tolerance,
            prompt: stated.prompt,
            keypoints: stated.keypoints.map(|name| folder.join(name)),
            fails: stated.fails,
        })
    }

    /// What the plugin is asked. Random numbers follow from the case's seed from now on.
    pub(crate) fn request(&self) -> Result<Request, String> {
        random::seed_with(self.seed);
        let sources: Result<Vec<_>, _> = self.inputs.iter().map(|path| source(path)).collect();
        let parameters = Value::Object(self.parameters.clone()).to_string();
        Ok(Request::new(sources?, parameters, self.output))
    }
}

/// A file as a picture or, where it is none, as a document.
fn source(path: &Path) -> Result<Source, String> {
    let named = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let bytes = fs::read(path).map_err(|e| named(&e))?;
    let (Ok(format), Ok(decoded)) = (image::guess_format(&bytes), image::load_from_memory(&bytes))
    else {
        return String::from_utf8(bytes)
            .map(Source::Document)
            .map_err(|_| named(&"neither a picture that can be read nor text"));
    };
    let pixels = decoded.into_rgba8();
    let size = Size::new(pixels.width(), pixels.height());
    let picture = Picture::from_rgba(size, pixels.into_raw()).map_err(|e| named(&e))?;
    Ok(Source::Picture(picture.with_format(format.to_mime_type())))
}

/// The folders of all cases, by their names.
pub(crate) fn all(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{}: {error}", folder.display())),
    };
    let mut cases = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.join("case.toml").is_file() {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}
