//! `atelier plugin test`: a project's cases through the component that was built, under the limits of
//! a job. A case is a folder in `cases/` with `case.toml`: what goes in, and what must come out.

use std::path::PathBuf;
use std::time::Instant;

use atelier_plugin_cases::{Case, CaseError, Made};
use atelier_plugin_host::{PrepareRequest, Prepared};
use clap::Args;

use super::super::super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::studio::{Plugins, Ready, source_of};

/// What to test.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The project's folder, built
    #[arg(default_value = ".")]
    project: PathBuf,
    /// Keep what comes out as the expected pictures and keypoints, instead of comparing; look at them
    #[arg(long)]
    bless: bool,
}

pub(crate) fn test(
    place: &Place,
    home: &Home,
    plugins: &Plugins,
    args: &TestArgs,
) -> Result<(), Fault> {
    home.create()?;
    let built = args.project.join("build");
    let folder = if built.join("plugin.wasm").is_file() {
        built
    } else {
        args.project.clone()
    };
    let ready = plugins.ready(&folder.to_string_lossy())?;
    let cases = atelier_plugin_cases::all(&args.project).map_err(|e| unusable(&e))?;
    if cases.is_empty() {
        return Err(Fault::missing(
            Stage::Check,
            "plugin-cases-missing",
            format!(
                "there is no case in {}",
                args.project.join("cases").display()
            ),
        )
        .hint(
            "write cases/NAME/case.toml: inputs = [\"photo.png\"], pictures = [\"expected.png\"]",
        ));
    }
    let mut rows = Vec::with_capacity(cases.len());
    let mut failed = 0;
    for path in cases {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let case = Case::read(&path).map_err(|e| unusable(&e))?;
        let request = request(&case, &ready)?;
        let start = Instant::now();
        let made = ready.plugin.prepare(&request, &mut |_| {});
        let seconds = start.elapsed().as_secs_f64();
        let made = made.map(made_of).map_err(|error| error.to_string());
        let problem = match args.bless {
            true => case.bless(made),
            false => case.judge(made),
        }
        .err();
        failed += usize::from(problem.is_some());
        if place.json {
            rows.push(serde_json::json!({ "case": name, "seconds": seconds, "problem": problem }));
        } else {
            let said = problem.as_deref().unwrap_or("ok");
            output::line(format!("{name}: {said} ({:.1} ms)", 1e3 * seconds));
        }
    }
    if place.json {
        output::json(&rows);
    }
    match failed {
        0 => Ok(()),
        _ => Err(Fault::fatal(
            Stage::Check,
            "plugin-cases-failed",
            format!("{failed} of the plugin's cases failed"),
        )),
    }
}

/// The case as a call of the plugin, with what a job of this seed could reach.
fn request(case: &Case, ready: &Ready) -> Result<PrepareRequest, Fault> {
    let sources = case.inputs.iter().map(|input| source_of(input));
    let sources = sources.collect::<Result<_, _>>()?;
    Ok(PrepareRequest {
        powers: ready.powers(case.seed),
        ..PrepareRequest::new(sources, case.parameters.clone(), case.output)
    })
}

fn made_of(prepared: Prepared) -> Made {
    Made {
        pictures: prepared.pictures,
        prompt: prepared.prompt,
        keypoints: prepared.keypoints,
    }
}

fn unusable(error: &CaseError) -> Fault {
    match error {
        CaseError::Unreadable { path, cause } => Fault::io(Stage::Check, error.code(), path, cause),
        CaseError::Invalid { .. } => Fault::rejected(Stage::Check, error.code(), error.to_string()),
    }
}
