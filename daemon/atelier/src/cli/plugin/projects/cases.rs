//! `atelier plugin test`: a project's cases through the component that was built, under the limits of
//! a job. A case is a folder in `cases/` with `case.toml`: what goes in, and what must come out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use atelier_plugin_host::{PluginError, PrepareRequest, Prepared};
use clap::Args;
use image::RgbaImage;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::studio::{Plugins, source_of};

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

/// A `case.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Files beside it, in order.
    inputs: Vec<PathBuf>,
    #[serde(default)]
    parameters: Map<String, Value>,
    /// Width and height of the job's picture.
    #[serde(default = "square")]
    output: (u32, u32),
    #[serde(default)]
    seed: u64,
    /// Expected pictures, PNG files beside it.
    #[serde(default)]
    pictures: Vec<PathBuf>,
    /// How far each channel of each pixel may be from the expected one.
    #[serde(default)]
    tolerance: u8,
    /// The expected words for the prompt.
    prompt: Option<String>,
    /// The expected keypoints, a JSON file beside it.
    keypoints: Option<PathBuf>,
    /// Words of the message that it must fail with.
    fails: Option<String>,
}

/// How far a number of the keypoints may be from the expected one.
const NEAR: f64 = 0.01;

fn square() -> (u32, u32) {
    (1024, 1024)
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
    let cases = cases(&args.project.join("cases"))?;
    if cases.is_empty() {
        return Err(Fault::missing(
            Stage::Check,
            "plugin-cases-missing",
            format!("there is no case in {}", args.project.join("cases").display()),
        )
        .hint("write cases/NAME/case.toml: inputs = [\"photo.png\"], pictures = [\"expected.png\"]"));
    }
    let mut rows = Vec::with_capacity(cases.len());
    let mut failed = 0;
    for path in cases {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let case = read(&path)?;
        let mut request = PrepareRequest::new(
            case.inputs
                .iter()
                .map(|input| source_of(&path.join(input)))
                .collect::<Result<_, _>>()?,
            case.parameters.clone(),
            case.output,
        );
        request.powers = ready.powers(case.seed);
        let start = Instant::now();
        let made = ready.plugin.prepare(&request, &mut |_| {});
        let seconds = start.elapsed().as_secs_f64();
        let problem = match args.bless {
            true => bless(&path, &case, made),
            false => compare(&path, &case, made),
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

fn cases(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut cases: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("case.toml").is_file())
        .collect();
    cases.sort();
    Ok(cases)
}

fn read(path: &Path) -> Result<Case, Fault> {
    let file = path.join("case.toml");
    let text = fs::read_to_string(&file)
        .map_err(|cause| Fault::io(Stage::Check, "plugin-case-unreadable", &file, &cause))?;
    toml::from_str(&text).map_err(|cause| {
        Fault::rejected(
            Stage::Check,
            "plugin-case-invalid",
            format!("{}: {}", file.display(), cause.message()),
        )
    })
}

/// Whether what came out is what the case wants; the error says what is not.
fn compare(
    path: &Path,
    case: &Case,
    made: Result<Prepared, PluginError>,
) -> Result<(), String> {
    let made = match (made, &case.fails) {
        (Err(error), Some(words)) if error.to_string().contains(words) => return Ok(()),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(_), Some(words)) => return Err(format!("it did not fail with {words:?}")),
        (Ok(made), None) => made,
    };
    if made.pictures.len() != case.pictures.len() {
        return Err(format!(
            "it made {} pictures, not {}",
            made.pictures.len(),
            case.pictures.len()
        ));
    }
    for (picture, expected) in made.pictures.iter().zip(&case.pictures) {
        let file = path.join(expected);
        let wanted = image::open(&file).map_err(|cause| format!("{}: {cause}", file.display()))?;
        near(picture, &wanted.into_rgba8(), case.tolerance)
            .map_err(|problem| format!("{}: {problem}", expected.display()))?;
    }
    if made.prompt != case.prompt {
        return Err(format!("its words are {:?}, not {:?}", made.prompt, case.prompt));
    }
    match (&made.keypoints, &case.keypoints) {
        (_, None) => Ok(()),
        (None, Some(_)) => Err("it gave no keypoints".to_owned()),
        (Some(made), Some(expected)) => {
            let file = path.join(expected);
            let text =
                fs::read_to_string(&file).map_err(|cause| format!("{}: {cause}", file.display()))?;
            let parse = |text: &str| -> Result<Value, String> {
                serde_json::from_str(text).map_err(|cause| cause.to_string())
            };
            match alike(&parse(made)?, &parse(&text)?) {
                true => Ok(()),
                false => Err(format!("its keypoints are not those of {}", expected.display())),
            }
        }
    }
}

/// Writes what came out where the case expects it.
fn bless(path: &Path, case: &Case, made: Result<Prepared, PluginError>) -> Result<(), String> {
    if case.fails.is_some() {
        return compare(path, case, made);
    }
    let made = made.map_err(|error| error.to_string())?;
    if made.pictures.len() != case.pictures.len() {
        return Err(format!("it made {} pictures; name as many in case.toml", made.pictures.len()));
    }
    for (picture, expected) in made.pictures.iter().zip(&case.pictures) {
        picture
            .save_with_format(path.join(expected), image::ImageFormat::Png)
            .map_err(|cause| cause.to_string())?;
    }
    if let (Some(keypoints), Some(expected)) = (&made.keypoints, &case.keypoints) {
        fs::write(path.join(expected), keypoints).map_err(|cause| cause.to_string())?;
    }
    match made.prompt == case.prompt {
        true => Ok(()),
        false => Err(format!("its words are {:?}; write them into case.toml", made.prompt)),
    }
}

fn near(made: &RgbaImage, wanted: &RgbaImage, tolerance: u8) -> Result<(), String> {
    if made.dimensions() != wanted.dimensions() {
        return Err(format!(
            "it is {:?} pixels, not {:?}",
            made.dimensions(),
            wanted.dimensions()
        ));
    }
    let far = made
        .enumerate_pixels()
        .zip(wanted.pixels())
        .filter(|((_, _, one), other)| {
            one.0.iter().zip(other.0).any(|(one, other)| one.abs_diff(other) > tolerance)
        });
    let mut far = far.map(|((x, y, _), _)| (x, y));
    match far.next() {
        None => Ok(()),
        Some((x, y)) => Err(format!(
            "{} pixels differ, the first at ({x}, {y})",
            far.count() + 1
        )),
    }
}

/// The same JSON, but for what numbers lose in computing.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= NEAR,
            _ => false,
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| alike(value, other)))
        }
        _ => one == other,
    }
}
