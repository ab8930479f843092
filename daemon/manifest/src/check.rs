//! From a manifest to a job: everything that depends on the machine, asked of a [`World`].
//!
//! Nothing stops at the first problem, and nothing is done: no file is changed, no seed drawn.
//! The same manifest in the same world always gives the same answer.

mod files;
mod init;

use crate::job::{JOB_VERSION, Job, JobModel, Output, Provenance};
use crate::limits::{MAX_ASPECT, MAX_PIXELS, MAX_SIDE, MIN_SIDE};
use crate::manifest::{self, Grammar, Manifest};
use crate::problem::{Code, Fault, Problem, Problems};
use crate::template;
use crate::world::{ModelChoice, World};
use init::Size;

/// Makes a manifest a job.
///
/// # Errors
///
/// Everything that this world has against it, ordered by place.
pub fn check(manifest: &Manifest, world: &dyn World) -> Result<Job, Problems> {
    examine(manifest, world, Vec::new())
}

/// Makes a manifest's text a job: [`crate::parse`] and [`check`] at once, so that problems of both
/// kinds are reported together.
///
/// # Errors
///
/// Everything that is wrong, ordered by place. Where the text itself is broken (or of another
/// version), the world is not asked.
pub fn load(text: &str, world: &dyn World) -> Result<Job, Problems> {
    let (manifest, problems) = manifest::read(text, Grammar::Manifest);
    let broken = |problem: &Problem| {
        matches!(
            problem.code(),
            Code::ManifestSyntax | Code::ManifestVersion | Code::ManifestTooLarge
        )
    };
    if problems.iter().any(broken)
        && let Some(problems) = Problems::gather(problems.clone())
    {
        return Err(problems);
    }
    examine(&manifest, world, problems)
}

/// Goes on from the problems that are known already.
pub(crate) fn examine(
    manifest: &Manifest,
    world: &dyn World,
    known: Vec<Problem>,
) -> Result<Job, Problems> {
    let mut examination = Examination {
        manifest,
        world,
        problems: known,
    };
    let job = examination.job();
    match (Problems::gather(examination.problems), job) {
        (Some(problems), _) => Err(problems),
        (None, Some(job)) => Ok(job),
        // Whatever is left out of a job has a problem; this says so should one be forgotten.
        (None, None) => {
            let fault = Fault::whole(Code::MissingKey, "the manifest is not complete");
            Err(Problem::new(None, None, fault).into())
        }
    }
}

struct Examination<'a> {
    /// As written, for what was given and where.
    manifest: &'a Manifest,
    world: &'a dyn World,
    problems: Vec<Problem>,
}

impl Examination<'_> {
    fn report(&mut self, key: &str, fault: Fault) {
        let place = self.manifest.place(key);
        self.problems
            .push(Problem::new(Some(key.to_owned()), place, fault));
    }

    /// Whether something was already said about this key.
    fn blamed(&self, key: &str) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.key() == Some(key))
    }

    /// Whether something was already said about this key or one inside it.
    fn blamed_below(&self, key: &str) -> bool {
        self.problems.iter().filter_map(Problem::key).any(|blamed| {
            blamed
                .strip_prefix(key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Asks everything before anything is given up.
    fn job(&mut self) -> Option<Job> {
        let wishes = template::under(self.manifest, self.world).unwrap_or_else(|fault| {
            self.report("template", fault);
            self.manifest.clone()
        });
        if wishes.prompt.is_none() && !self.blamed("prompt") && !self.blamed("template") {
            let fault = Fault::of_key(Code::MissingKey, "is missing")
                .hint("say in words what the picture shows: prompt = \"…\"");
            self.report("prompt", fault);
        }
        let model = self.model(&wishes);
        let init = self.init(&wishes);
        let size = self.size(&wishes, model.as_ref(), init.as_ref().map(|(_, own)| *own));
        let output = self.output(&wishes);
        let references = self.references(&wishes);
        let loras = self.loras(&wishes);
        let model = model?;
        let (width, height) = size?;
        Some(Job {
            version: JOB_VERSION,
            prompt: wishes.prompt?,
            negative: wishes.negative.unwrap_or_default(),
            width,
            height,
            steps: wishes.steps.unwrap_or(model.default_steps),
            guidance: wishes.guidance.unwrap_or(model.default_guidance),
            model: JobModel {
                name: model.name,
                path: model.path,
            },
            seeds: wishes.seeds.unwrap_or_default(),
            stem: wishes.name,
            priority: wishes.priority.unwrap_or_default(),
            references,
            reference_cap: self.world.reference_cap(),
            init: init.map(|(init, _)| init),
            loras,
            output,
            provenance: Provenance {
                include_prompt: wishes.provenance.include_prompt.unwrap_or(false),
                title: wishes.provenance.title,
            },
        })
    }

    fn model(&mut self, wishes: &Manifest) -> Option<ModelChoice> {
        if self.blamed("model") || (wishes.model.is_none() && self.blamed("template")) {
            return None;
        }
        let named = wishes.model.as_deref();
        self.world
            .model(named)
            .map_err(|problem| self.report("model", problem.into_fault(named)))
            .ok()
    }

    /// Width and height together; each that was written is in range already. `own` is the size of the
    /// picture to begin from.
    fn size(
        &mut self,
        wishes: &Manifest,
        model: Option<&ModelChoice>,
        own: Option<Size>,
    ) -> Option<Size> {
        if self.blamed("width") || self.blamed("height") || self.blamed_below("init") {
            return None;
        }
        let (width, height) = match (&wishes.init, own) {
            (Some(init), Some(own)) => self.size_of_init(wishes, init, own)?,
            _ => {
                let default = model.map(|model| model.default_size);
                let width = wishes.width.or(default.map(|(width, _)| width))?;
                let height = wishes.height.or(default.map(|(_, height)| height))?;
                (width, height)
            }
        };
        // The one that was given, or the greater of the two, is the one to change.
        let given = |key: &str| self.manifest.places.contains(key);
        let key = match (given("width"), given("height"), &wishes.init) {
            (false, false, Some(init)) if init.extend.is_some() => "init.extend",
            (false, false, Some(_)) if wishes.width.or(wishes.height).is_none() => "init.path",
            (true, false, _) => "width",
            (false, true, _) => "height",
            _ if width >= height => "width",
            _ => "height",
        };
        let hint = match key {
            "init.path" => Some("give width and height, and the picture is scaled".to_owned()),
            "init.extend" => Some("extend it less, or a smaller picture".to_owned()),
            _ => None,
        };
        let (short, long) = (width.min(height), width.max(height));
        // In 64 bits: a template's or model's sides are as wide as they please.
        let pixels = u64::from(width) * u64::from(height);
        let wrong = if pixels > u64::from(MAX_PIXELS) {
            format!(" = {pixels} pixels; at most {MAX_PIXELS} are possible")
        } else if u64::from(long) > u64::from(short) * u64::from(MAX_ASPECT) {
            format!("; one side may be at most {MAX_ASPECT} times the other")
        } else if short < MIN_SIDE || long > MAX_SIDE {
            format!("; each side must be {MIN_SIDE} to {MAX_SIDE}")
        } else {
            return Some((width, height));
        };
        let says = format!("makes the picture {width} × {height}{wrong}");
        self.report(key, Fault::of_key(Code::OutOfRange, says).maybe_hint(hint));
        None
    }

    fn output(&mut self, wishes: &Manifest) -> Output {
        let default = Output::default();
        let output = Output {
            format: wishes.output.format.unwrap_or(default.format),
            quality: wishes.output.quality.unwrap_or(default.quality),
        };
        let formats = self.world.formats();
        if !formats.contains(&output.format) && !self.blamed("output.format") {
            let names: Vec<_> = formats.iter().map(ToString::to_string).collect();
            let says = format!("is \"{}\", which this build cannot write", output.format);
            let fault = Fault::of_key(Code::FormatUnavailable, says)
                .hint(format!("it can write {}", names.join(", ")));
            self.report("output.format", fault);
        }
        output
    }
}
