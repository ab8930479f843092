//! From a manifest to a job: everything that depends on the machine, asked of a [`World`].
//!
//! Nothing stops at the first problem, and nothing is done: no file is changed, no seed drawn.
//! The same manifest in the same world always gives the same answer.

mod files;

use crate::job::{JOB_VERSION, Job, JobModel, Output, Provenance};
use crate::limits::{MAX_ASPECT, MAX_PIXELS};
use crate::manifest::{self, Grammar, Manifest};
use crate::problem::{Code, Fault, Problem, Problems};
use crate::template;
use crate::world::{ModelChoice, World};

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
        let size = self.size(&wishes, model.as_ref());
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

    /// Width and height together; each alone is in range already.
    fn size(&mut self, wishes: &Manifest, model: Option<&ModelChoice>) -> Option<(u32, u32)> {
        if self.blamed("width") || self.blamed("height") {
            return None;
        }
        let default = model.map(|model| model.default_size);
        let width = wishes.width.or(default.map(|(width, _)| width))?;
        let height = wishes.height.or(default.map(|(_, height)| height))?;
        // The one that was given, or the greater of the two, is the one to change.
        let given = |key: &str| self.manifest.places.contains(key);
        let key = match (given("width"), given("height")) {
            (true, false) => "width",
            (false, true) => "height",
            _ if width >= height => "width",
            _ => "height",
        };
        let (short, long) = (width.min(height), width.max(height));
        // In 64 bits: a template's or model's sides are as wide as they please.
        let pixels = u64::from(width) * u64::from(height);
        if pixels > u64::from(MAX_PIXELS) {
            let says = format!(
                "makes the picture {width} × {height} = {pixels} pixels; at most {MAX_PIXELS} \
                 are possible"
            );
            self.report(key, Fault::of_key(Code::OutOfRange, says));
            return None;
        }
        if u64::from(long) > u64::from(short) * u64::from(MAX_ASPECT) {
            let says = format!(
                "makes the picture {width} × {height}; one side may be at most {MAX_ASPECT} \
                 times the other"
            );
            self.report(key, Fault::of_key(Code::OutOfRange, says));
            return None;
        }
        Some((width, height))
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
