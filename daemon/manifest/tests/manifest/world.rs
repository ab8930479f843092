//! An invented machine, with real files in a temporary folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use atelier_manifest::{Format, ModelChoice, ModelProblem, Problems, World};
use tempfile::TempDir;

/// The first bytes of a PNG, which is all that a check looks at.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// The beginning of a PNG of this size, as far as the size is told.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    [PNG, &width.to_be_bytes(), &height.to_be_bytes()].concat()
}

/// A machine with two models, the plugins `pose` and `fit`, and an inbox.
pub(crate) struct Machine {
    root: TempDir,
    inbox: PathBuf,
    pub(crate) allowed: Vec<PathBuf>,
    pub(crate) formats: Vec<Format>,
    pub(crate) templates: BTreeMap<String, Result<String, String>>,
    pub(crate) default_model: bool,
}

impl Machine {
    /// With an empty inbox.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let inbox = root.path().join("inbox");
        fs::create_dir(&inbox).unwrap();
        Self {
            inbox,
            root,
            allowed: Vec::new(),
            formats: vec![Format::Png, Format::Jpeg, Format::Webp, Format::Tiff],
            templates: BTreeMap::new(),
            default_model: true,
        }
    }

    /// With the files that the tests' manifests name.
    pub(crate) fn furnished() -> Self {
        let mut machine = Self::new();
        machine.file("inbox/woman.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF");
        machine.file("inbox/dancer.json", b"{\"people\": []}");
        machine.file("inbox/empty.png", b"");
        machine.file("inbox/notes.txt", b"buy milk");
        machine.file("inbox/anim.gif", b"GIF89a");
        machine.file("inbox/style.safetensors", b"\x02\0\0\0\0\0\0\0{}");
        machine.file("inbox/photo.png", &png(1000, 750));
        machine.file("inbox/mask.png", &png(1000, 750));
        machine.file("inbox/other-mask.png", &png(750, 1000));
        machine.file("inbox/huge.png", &png(6000, 4000));
        machine.file("inbox/cut.png", PNG);
        machine.file("secret.png", PNG);
        fs::create_dir(machine.path("inbox/folder")).unwrap();
        let template = "prompt = \"a portrait\"\nwidth = 768\nseed = 7\n[output]\nquality = 80\n";
        machine.add_template("portrait", Ok(template));
        machine.add_template("broken", Ok("width = 1\n"));
        machine.add_template("locked", Err("permission denied"));
        machine
    }

    /// Writes a file, by its path from the root of this machine.
    pub(crate) fn file(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A path from the root of this machine, which is above the inbox.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    pub(crate) fn add_template(&mut self, name: &str, text: Result<&str, &str>) {
        let text = text.map(str::to_owned).map_err(str::to_owned);
        self.templates.insert(name.to_owned(), text);
    }
}

impl World for Machine {
    fn model(&self, name: Option<&str>) -> Result<ModelChoice, ModelProblem> {
        let known = ["klein-4b", "dev"];
        match name {
            None if !self.default_model => Err(ModelProblem::Unset),
            Some("half-there") => Err(ModelProblem::Unusable("its vae is missing".to_owned())),
            Some(name) if !known.contains(&name) => Err(ModelProblem::Unknown {
                known: known.map(str::to_owned).to_vec(),
            }),
            name => Ok(ModelChoice {
                name: name.unwrap_or("klein-4b").to_owned(),
                path: "/models/klein-4b".into(),
                default_steps: 4,
                default_guidance: 1.0,
                default_size: (1024, 768),
            }),
        }
    }

    fn plugins(&self) -> Vec<String> {
        vec!["pose".to_owned(), "fit".to_owned()]
    }

    fn formats(&self) -> &[Format] {
        &self.formats
    }

    fn template(&self, name: &str) -> Option<Result<String, String>> {
        self.templates.get(name).cloned()
    }

    fn templates(&self) -> Vec<String> {
        self.templates.keys().cloned().collect()
    }

    fn folder(&self) -> &Path {
        &self.inbox
    }

    fn allowed_folders(&self) -> &[PathBuf] {
        &self.allowed
    }

    fn lora(&self, path: &Path) -> Result<(), String> {
        match path.extension() {
            Some(ending) if ending == "safetensors" => Ok(()),
            _ => Err("it is no safetensors file".to_owned()),
        }
    }

    fn picture_size(&self, file: &mut File) -> Result<(u32, u32), String> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let number = |at: usize| {
            let bytes = bytes.get(at..at + 4).ok_or("it is cut short")?;
            Ok::<_, &str>(u32::from_be_bytes(bytes.try_into().unwrap()))
        };
        Ok((number(PNG.len())?, number(PNG.len() + 4)?))
    }
}

/// One problem in short: code, key, line, column (0 where there is none).
pub(crate) type Short<'a> = (&'a str, &'a str, u32, u32);

/// Every problem in short.
pub(crate) fn short(problems: &Problems) -> Vec<Short<'_>> {
    problems
        .iter()
        .map(|problem| {
            (
                problem.code().as_str(),
                problem.key().unwrap_or(""),
                problem.line().unwrap_or(0),
                problem.column().unwrap_or(0),
            )
        })
        .collect()
}
