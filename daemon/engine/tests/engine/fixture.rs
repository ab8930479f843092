//! The tiny klein model of the repository, its cases, and what a rendering of one leaves behind.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use atelier_flux::{Notice, Observer, OpenOptions, Pipeline, Progress, Request, TensorData};
use image::RgbImage;
use serde::Deserialize;
use serde_json::Value;

/// The folder with `model/` and `cases/`.
pub(crate) fn klein() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/klein")
}

/// The same of dev.
pub(crate) fn dev() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/dev")
}

/// The tiny model, opened once for all tests.
pub(crate) fn pipeline() -> &'static Pipeline {
    static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
    PIPELINE
        .get_or_init(|| Pipeline::open(&klein().join("model"), &OpenOptions::default()).unwrap())
}

/// A small request that renders quickly.
pub(crate) fn request() -> Request {
    Request {
        prompt: "a red fox".into(),
        width: 64,
        height: 64,
        steps: 3,
        seed: 7,
        ..Request::default()
    }
}

/// One case: what was asked, the picture and the tensors that the reference implementation gave.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) expected: RgbImage,
    pub(crate) tensors: BTreeMap<String, Values>,
}

/// A tensor's shape and values.
pub(crate) struct Values {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Data,
}

pub(crate) enum Data {
    F32(Vec<f32>),
    I64(Vec<i64>),
}

/// What cases ask for that need no more than a prompt.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PromptAlone {
    prompt: String,
    width: u32,
    height: u32,
    steps: u32,
    seed: u64,
}

impl From<PromptAlone> for Request {
    fn from(asked: PromptAlone) -> Self {
        Self {
            prompt: asked.prompt,
            width: asked.width,
            height: asked.height,
            steps: asked.steps,
            seed: asked.seed,
            ..Self::default()
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    prompt: String,
    negative: Option<String>,
    width: u32,
    height: u32,
    steps: u32,
    guidance: f32,
    seed: u64,
    references: Vec<String>,
}

impl Case {
    /// All cases of a folder, by name.
    pub(crate) fn all(folder: &Path) -> Vec<Self> {
        let entries = fs::read_dir(folder.join("cases")).unwrap();
        let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("request.json")).unwrap();
        let asked: Asked = serde_json::from_str(&text).unwrap();
        let open = |name: &str| image::open(folder.join(name)).unwrap().into_rgb8();
        let tensors = folder.join("tensors.safetensors");
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            request: Request {
                prompt: asked.prompt,
                negative: asked.negative,
                width: asked.width,
                height: asked.height,
                steps: asked.steps,
                guidance: asked.guidance,
                seed: asked.seed,
                references: asked.references.iter().map(|name| open(name)).collect(),
                ..Request::default()
            },
            expected: open("expected.png"),
            tensors: if tensors.exists() {
                read_tensors(&tensors)
            } else {
                BTreeMap::new()
            },
        }
    }
}

fn read_tensors(path: &Path) -> BTreeMap<String, Values> {
    let bytes = fs::read(path).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).unwrap();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let tensors = header
        .into_iter()
        .filter(|(name, _)| name != "__metadata__");
    let tensors = tensors.map(|(name, entry)| {
        let offsets = &entry["data_offsets"];
        let bytes = &data[number(&offsets[0])..number(&offsets[1])];
        let data = match entry["dtype"].as_str().unwrap() {
            "F32" => Data::F32(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| f32::from_le_bytes(b))
                    .collect(),
            ),
            "I64" => Data::I64(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| i64::from_le_bytes(b))
                    .collect(),
            ),
            other => panic!("{name} is {other}"),
        };
        let shape = entry["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect();
        (name, Values { shape, data })
    });
    tensors.collect()
}

/// Keeps all that a rendering reports; stops it when `stop_at` comes up.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) progress: Vec<Progress>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) tensors: BTreeMap<String, Values>,
    pub(crate) wants_tensors: bool,
    pub(crate) previews: Vec<RgbImage>,
    pub(crate) wants_previews: bool,
    pub(crate) stop_at: Option<Progress>,
}

impl Observer for Recorder {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        self.progress.push(progress);
        if self.stop_at == Some(progress) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.notices.push(notice.clone());
    }

    fn tensor(&mut self, name: &str, shape: &[usize], data: TensorData<'_>) {
        let data = match data {
            TensorData::F32(values) => Data::F32(values.to_vec()),
            TensorData::I64(values) => Data::I64(values.to_vec()),
        };
        self.tensors.insert(
            name.to_owned(),
            Values {
                shape: shape.to_vec(),
                data,
            },
        );
    }

    fn wants_tensors(&self) -> bool {
        self.wants_tensors
    }

    fn preview(&mut self, picture: &RgbImage) {
        self.previews.push(picture.clone());
    }

    fn wants_previews(&self) -> bool {
        self.wants_previews
    }
}

/// What the decoder gave, before anything was put back.
pub(crate) fn painted(recorder: &Recorder, width: u32, height: u32) -> RgbImage {
    let Data::F32(values) = &recorder.tensors["image"].data else {
        panic!("the picture is not of numbers");
    };
    let plane = width as usize * height as usize;
    RgbImage::from_fn(width, height, |x, y| {
        let at = (y * width + x) as usize;
        image::Rgb([0, 1, 2].map(|channel| {
            let value = values[channel * plane + at] / 2.0 + 0.5;
            (value.clamp(0.0, 1.0) * 255.0).round_ties_even() as u8
        }))
    })
}

/// Peak signal-to-noise ratio in dB of two pictures of one size; 99 for equal ones.
pub(crate) fn psnr(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let squares = a
        .iter()
        .zip(b.iter())
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
    let mean = squares.sum::<f64>() / a.len() as f64;
    if mean == 0.0 {
        99.0
    } else {
        10.0 * (255.0_f64.powi(2) / mean).log10()
    }
}

/// The model without the mark that it is distilled, so that guidance counts.
pub(crate) fn base() -> Pipeline {
    let model = copy_of_model();
    let path = model.path().join("model_index.json");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(r#""is_distilled": true"#, r#""is_distilled": false"#);
    fs::write(&path, text).unwrap();
    Pipeline::open(model.path(), &OpenOptions::default()).unwrap()
}

/// A copy of the model in a folder of its own, to damage.
pub(crate) fn copy_of_model() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&klein().join("model"), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
