//! Templates: defaults for a manifest, kept in the config under a name.
//!
//! A template is the same TOML with fewer keys: it names no files (whose folder would they be
//! relative to?), no output and no other template. What the manifest says wins, key by key, also
//! inside `[output]` and `[provenance]`.

use crate::manifest::{self, Grammar, Manifest, OutputWishes, ProvenanceWishes};
use crate::problem::{Code, Fault, Problems, quoted};
use crate::suggest;
use crate::world::World;

/// The manifest with its template, if it names one, laid under it.
pub(crate) fn under(manifest: &Manifest, world: &dyn World) -> Result<Manifest, Fault> {
    match &manifest.template {
        None => Ok(manifest.clone()),
        Some(name) => fetch(name, world).map(|template| merge(manifest, template)),
    }
}

fn fetch(name: &str, world: &dyn World) -> Result<Manifest, Fault> {
    let invalid = |why: String| {
        let says = format!("is {}, and that template is wrong: {why}", quoted(name));
        Fault::of_key(Code::TemplateInvalid, says).hint("templates are in the config's templates/")
    };
    let text = world.template(name).ok_or_else(|| {
        let says = format!("is {}, and there is no such template", quoted(name));
        Fault::of_key(Code::TemplateUnknown, says)
            .maybe_hint(suggest::advice(name, &world.templates()))
    })?;
    let (template, problems) = manifest::read(&text.map_err(invalid)?, Grammar::Template);
    match Problems::gather(problems) {
        None => Ok(template),
        Some(problems) => {
            let first = problems.first();
            let line = first
                .line()
                .map_or_else(String::new, |line| format!("line {line}: "));
            Err(invalid(format!("{line}{}", first.message())))
        }
    }
}

fn merge(over: &Manifest, under: Manifest) -> Manifest {
    let over = over.clone();
    Manifest {
        prompt: over.prompt.or(under.prompt),
        negative: over.negative.or(under.negative),
        model: over.model.or(under.model),
        width: over.width.or(under.width),
        height: over.height.or(under.height),
        steps: over.steps.or(under.steps),
        guidance: over.guidance.or(under.guidance),
        seeds: over.seeds.or(under.seeds),
        priority: over.priority.or(under.priority),
        output: OutputWishes {
            format: over.output.format.or(under.output.format),
            quality: over.output.quality.or(under.output.quality),
        },
        provenance: ProvenanceWishes {
            include_prompt: (over.provenance.include_prompt).or(under.provenance.include_prompt),
            title: over.provenance.title.or(under.provenance.title),
        },
        // Only the manifest's own.
        template: over.template,
        name: over.name,
        loras: over.loras,
        references: over.references,
        init: over.init,
        places: over.places,
    }
}
