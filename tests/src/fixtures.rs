//! What lies in `fixtures/`: a small random model with the pictures that the reference
//! implementation makes of it, and poses.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The files that the repository holds for its tests.
#[derive(Debug, Clone, Copy)]
pub struct Fixtures;

impl Fixtures {
    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
    }

    /// The pipeline folder of the small model.
    #[must_use]
    pub fn model() -> PathBuf {
        Self::folder().join("klein/model")
    }

    /// A dancer's keypoints, as OpenPose writes them.
    #[must_use]
    pub fn dancer() -> PathBuf {
        Self::folder().join("keypoints/dancer.json")
    }

    /// A picture of a format and size that a user might have, for use as a reference.
    #[must_use]
    pub fn picture() -> PathBuf {
        Self::folder().join("klein/cases/one-reference/reference-1.png")
    }

    /// A LoRA file for the small model, without `.safetensors`; beside it lies the picture that the
    /// reference implementation makes with it, as `.png`.
    #[must_use]
    pub fn lora(name: &str) -> PathBuf {
        Self::folder()
            .join("lora")
            .join(name)
            .with_extension("safetensors")
    }

    /// A file of the cases that begin from a picture: `picture.png`, `mask.png`, `reference.png` and what
    /// the reference implementation made of them; `cases.json` says how.
    #[must_use]
    pub fn init(name: &str) -> PathBuf {
        Self::folder().join("klein/init").join(name)
    }

    /// One request with the picture that the reference implementation made of it.
    ///
    /// # Panics
    ///
    /// When there is no such case.
    #[must_use]
    pub fn case(name: &str) -> Case {
        Self::case_in("klein/cases", name)
    }

    /// One request to the starter model, with the picture that the reference implementation made of it.
    ///
    /// # Panics
    ///
    /// When there is no such case.
    #[must_use]
    pub fn starter_case(name: &str) -> Case {
        Self::case_in("starter", name)
    }

    fn case_in(cases: &str, name: &str) -> Case {
        let folder = Self::folder().join(cases).join(name);
        let text = std::fs::read_to_string(folder.join("request.json"))
            .unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
        let request: Request = serde_json::from_str(&text).expect("a case's request is valid");
        Case {
            references: request
                .references
                .iter()
                .map(|name| folder.join(name))
                .collect(),
            expected: folder.join("expected.png"),
            request,
        }
    }
}

/// A request, and what must come of it.
#[derive(Debug, Clone)]
pub struct Case {
    request: Request,
    /// The references, in order.
    pub references: Vec<PathBuf>,
    /// The picture that the reference implementation made, 8 bits RGB.
    pub expected: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
struct Request {
    prompt: String,
    seed: u64,
    width: u32,
    height: u32,
    steps: u32,
    guidance: f64,
    references: Vec<String>,
}

impl Case {
    /// The case as arguments of `atelier generate`, without the model and the output.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let request = &self.request;
        let mut arguments = vec!["--prompt".to_owned(), request.prompt.clone()];
        for (flag, value) in [
            ("--seed", request.seed.to_string()),
            ("--width", request.width.to_string()),
            ("--height", request.height.to_string()),
            ("--steps", request.steps.to_string()),
            ("--guidance", request.guidance.to_string()),
        ] {
            arguments.extend([flag.to_owned(), value]);
        }
        for reference in &self.references {
            arguments.extend(["--reference".to_owned(), reference.display().to_string()]);
        }
        arguments
    }

    /// The case as a manifest whose references lie beside it.
    #[must_use]
    pub fn manifest(&self) -> String {
        let request = &self.request;
        let mut text = format!(
            "manifest = 1\nprompt = {:?}\nseed = {}\nwidth = {}\nheight = {}\nsteps = {}\nguidance = {:?}\n",
            request.prompt,
            request.seed,
            request.width,
            request.height,
            request.steps,
            request.guidance
        );
        for name in &request.references {
            text.push_str(&format!("\n[[reference]]\npath = {name:?}\n"));
        }
        text
    }
}
