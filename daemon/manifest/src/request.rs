//! A job from command line flags, by the same rules as a manifest.
//!
//! What a flag says is range-checked by `limits`, put in a [`Manifest`], and checked like any
//! other; only the keys of problems are the flags' names (`--width`), and there are no places.

use std::path::PathBuf;

use crate::check;
use crate::format::Format;
use crate::job::{Job, Preparation};
use crate::limits::{self, MAX_ALSO, MAX_LORAS, MAX_PREPARATIONS, MAX_REFERENCES};
use crate::manifest::{InitWishes, Lora, Manifest, Reference};
use crate::problem::{Code, Fault, Problem, Problems, quoted};
use crate::seeds::Seeds;
use crate::world::World;

mod written;

/// What a command line asks for: the values as they were typed, none of them judged yet.
///
/// ```
/// # use atelier_manifest::{Request, World};
/// # fn job(world: &dyn World) -> Result<atelier_manifest::Job, atelier_manifest::Problems> {
/// let mut request = Request::new("a lighthouse in fog", "lighthouse.png");
/// request.width = Some(1280);
/// request.check(world)
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// `--prompt`.
    pub prompt: Option<String>,
    /// `--negative`.
    pub negative: Option<String>,
    /// `--model`.
    pub model: Option<String>,
    /// `--template`.
    pub template: Option<String>,
    /// `--width`.
    pub width: Option<i64>,
    /// `--height`.
    pub height: Option<i64>,
    /// `--steps`.
    pub steps: Option<i64>,
    /// `--guidance`.
    pub guidance: Option<f64>,
    /// `--seed`.
    pub seed: Option<i64>,
    /// `--reference`, each with its `--prepare`s.
    pub references: Vec<RequestReference>,
    /// `--init`: a picture to begin from.
    pub init: Option<PathBuf>,
    /// `--mask`: where it is painted anew.
    pub mask: Option<PathBuf>,
    /// `--strength`: how much of it may change.
    pub strength: Option<f64>,
    /// `--extend left=128,right=128`: how far it grows.
    pub extend: Option<String>,
    /// `--lora FILE[:scale]`, each.
    pub loras: Vec<String>,
    /// `--output`; its extension says the format.
    pub output: PathBuf,
    /// `--quality`.
    pub quality: Option<i64>,
    /// `--include-prompt`.
    pub include_prompt: bool,
    /// `--title`.
    pub title: Option<String>,
}

/// One `--reference` and what is done to it first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestReference {
    /// The file.
    pub path: PathBuf,
    /// `--also FILE`, each.
    pub also: Vec<PathBuf>,
    /// `--prepare PLUGIN[:key=value,…]`, each.
    pub prepare: Vec<String>,
}

impl Request {
    /// A request for one picture, everything else left out.
    #[must_use]
    pub fn new(prompt: impl Into<String>, output: impl Into<PathBuf>) -> Self {
        Self {
            prompt: Some(prompt.into()),
            output: output.into(),
            ..Self::default()
        }
    }

    /// Makes it a job of one picture; the program names the file, so the job has no stem.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, keyed by flag.
    pub fn check(&self, world: &dyn World) -> Result<Job, Problems> {
        let mut faults = Faults(Vec::new());
        let manifest = self.manifest(&mut faults);
        check::examine(&manifest, world, faults.0).map_err(|problems| problems.rekeyed(flag))
    }

    fn manifest(&self, faults: &mut Faults) -> Manifest {
        let mut manifest = Manifest {
            prompt: faults.text("prompt", &self.prompt, limits::prompt),
            negative: faults.text("negative", &self.negative, limits::negative),
            model: faults.text("model", &self.model, limits::naming),
            template: faults.text("template", &self.template, limits::stem),
            width: faults.number("width", self.width, limits::side),
            height: faults.number("height", self.height, limits::side),
            steps: faults.number("steps", self.steps, limits::steps),
            guidance: faults.number("guidance", self.guidance, limits::guidance),
            seeds: (faults.number("seed", self.seed, limits::seed))
                .map(|seed| Seeds::Fixed(vec![seed])),
            references: self.references(faults),
            init: self.init(faults),
            loras: self.loras(faults),
            ..Manifest::default()
        };
        manifest.output.format = faults.keep("output.format", self.format());
        manifest.output.quality = faults.number("output.quality", self.quality, limits::quality);
        manifest.provenance.include_prompt = self.include_prompt.then_some(true);
        manifest.provenance.title = faults.text("provenance.title", &self.title, limits::title);
        manifest
    }

    fn format(&self) -> Result<Format, Fault> {
        let extension = self.output.extension().and_then(|it| it.to_str());
        extension.and_then(Format::from_extension).ok_or_else(|| {
            let said = quoted(&self.output.to_string_lossy());
            let says = format!("is {said}, whose ending is that of no picture format");
            Fault::of_key(Code::FormatUnknown, says).hint("for instance: --output picture.png")
        })
    }

    fn references(&self, faults: &mut Faults) -> Vec<Reference> {
        if !faults.fits("reference", self.references.len(), MAX_REFERENCES) {
            return Vec::new();
        }
        (1..)
            .zip(&self.references)
            .map(|(number, reference)| {
                let key = format!("reference[{number}].prepare");
                let fits = faults.fits(&key, reference.prepare.len(), MAX_PREPARATIONS);
                let steps = if fits { &*reference.prepare } else { &[] };
                let steps = (1..).zip(steps).filter_map(|(step, written)| {
                    let key = format!("{key}[{step}]");
                    faults.keep(&key, written::preparation(step, written))
                });
                let also_key = format!("reference[{number}].also");
                let also = if faults.fits(&also_key, reference.also.len(), MAX_ALSO) {
                    reference.also.clone()
                } else {
                    Vec::new()
                };
                Reference {
                    number,
                    also,
                    prepare: steps.collect(),
                    path: reference.path.clone(),
                }
            })
            .collect()
    }

    fn init(&self, faults: &mut Faults) -> Option<InitWishes> {
        let strength = faults.number("init.strength", self.strength, limits::strength);
        let extend = faults.text("init.extend", &self.extend, written::extend);
        if let Some(path) = &self.init {
            return Some(InitWishes {
                path: path.clone(),
                mask: self.mask.clone(),
                strength,
                extend,
            });
        }
        for (key, given) in [
            ("init.mask", self.mask.is_some()),
            ("init.strength", self.strength.is_some()),
            ("init.extend", self.extend.is_some()),
        ] {
            let needs = Fault::of_key(
                Code::InvalidValue,
                "is given without a picture to begin from",
            )
            .hint("name it: --init photo.png");
            faults.keep(key, if given { Err(needs) } else { Ok(()) });
        }
        None
    }

    fn loras(&self, faults: &mut Faults) -> Vec<Lora> {
        if !faults.fits("lora", self.loras.len(), MAX_LORAS) {
            return Vec::new();
        }
        (1..)
            .zip(&self.loras)
            .filter_map(|(number, written)| {
                faults.keep(
                    &format!("lora[{number}].scale"),
                    written::lora(number, written),
                )
            })
            .collect()
    }
}

/// A plugin and its parameters as a flag writes them: `PLUGIN[:key=value,…]`. A value is a TOML
/// one (`512`, `0.5`, `true`, `"a, b"`); what is none is taken as a string as it stands.
///
/// # Errors
///
/// What is wrong with the text, under the key `--prepare`.
pub fn preparation(written: &str) -> Result<Preparation, Problems> {
    match written::preparation(1, written) {
        Ok(step) => Ok(Preparation {
            plugin: step.plugin,
            parameters: step.parameters,
        }),
        Err(fault) => Err(Problem::new(Some("--prepare".to_owned()), None, fault).into()),
    }
}

/// The faults so far, under the keys of a manifest.
struct Faults(Vec<Problem>);

impl Faults {
    fn keep<T>(&mut self, key: &str, value: Result<T, Fault>) -> Option<T> {
        value
            .map_err(|fault| self.0.push(Problem::new(Some(key.to_owned()), None, fault)))
            .ok()
    }

    fn text<T>(
        &mut self,
        key: &str,
        value: &Option<String>,
        rule: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        self.keep(key, rule(value.as_deref()?))
    }

    fn number<V, T>(
        &mut self,
        key: &str,
        value: Option<V>,
        rule: impl FnOnce(V) -> Result<T, Fault>,
    ) -> Option<T> {
        self.keep(key, rule(value?))
    }

    fn fits(&mut self, key: &str, count: usize, most: usize) -> bool {
        let says = || format!("is given {count} times; at most {most} are possible");
        let fits = (count <= most)
            .then_some(())
            .ok_or_else(|| Fault::of_key(Code::TooMany, says()));
        self.keep(key, fits).is_some()
    }
}

/// The flag that gives the value of a manifest's key.
fn flag(key: &str) -> String {
    if key.contains(".also") {
        return "--also".to_owned();
    }
    if key.contains(".prepare") {
        return "--prepare".to_owned();
    }
    match key {
        "output.format" => "--output".to_owned(),
        "init.mask" => "--mask".to_owned(),
        "init.strength" => "--strength".to_owned(),
        "init.extend" => "--extend".to_owned(),
        "output.quality" => "--quality".to_owned(),
        "provenance.title" => "--title".to_owned(),
        key => format!("--{}", key.split(['[', '.']).next().unwrap_or(key)),
    }
}
