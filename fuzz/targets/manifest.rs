//! The reader of job manifests, up to the job.
#![no_main]

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use atelier_fuzz::assert_explained;
use atelier_manifest::{DEFAULT_SIZE, Format, Job, ModelChoice, ModelProblem, World, decode, load};
use libfuzzer_sys::fuzz_target;

/// A machine with one model, one plugin and one template, and no files.
struct Invented;

impl World for Invented {
    fn model(&self, name: Option<&str>) -> Result<ModelChoice, ModelProblem> {
        match name {
            None | Some("klein-4b") => Ok(ModelChoice {
                name: "klein-4b".into(),
                path: "/models/klein-4b".into(),
                default_steps: 4,
                default_guidance: 1.0,
                default_size: DEFAULT_SIZE,
            }),
            Some(_) => Err(ModelProblem::Unknown {
                known: vec!["klein-4b".into()],
            }),
        }
    }

    fn plugins(&self) -> Vec<String> {
        vec!["pose".into()]
    }

    fn formats(&self) -> &[Format] {
        &[Format::Png, Format::Jpeg, Format::Webp]
    }

    fn template(&self, name: &str) -> Option<Result<String, String>> {
        (name == "portrait").then(|| Ok("prompt = \"a portrait\"\nsteps = 8\n".into()))
    }

    fn folder(&self) -> &Path {
        Path::new("/nonexistent")
    }

    fn allowed_folders(&self) -> &[PathBuf] {
        &[]
    }

    fn picture_size(&self, _: &mut File) -> Result<(u32, u32), String> {
        Ok((640, 480))
    }

    fn lora(&self, _: &Path) -> Result<(), String> {
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    let job = decode(input.to_vec()).and_then(|text| {
        let job = load(&text, &Invented);
        if let Err(problems) = &job {
            let lines = text.split('\n').count();
            for problem in problems.iter() {
                let line = problem.line().unwrap_or(1) as usize;
                assert!((1..=lines).contains(&line), "line {line} of {lines}");
            }
        }
        job
    });
    match job {
        Ok(job) => {
            let json = job.to_json().expect("a checked job can be written");
            assert_eq!(Job::from_json(&json).expect("and read"), job);
            let outputs = job.outputs("job");
            let distinct: BTreeSet<&String> = outputs.iter().collect();
            assert_eq!(distinct.len(), outputs.len(), "{outputs:?}");
            assert_eq!(outputs.len(), job.renders());
        }
        Err(problems) => {
            for problem in problems.iter() {
                assert_explained(problem.code().as_str(), problem.message());
            }
        }
    }
});
