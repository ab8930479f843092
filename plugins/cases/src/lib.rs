//! What the tests of first-party plugins share: their cases, run natively, and whether what they say
//! of themselves is true.
//!
//! `atelier plugin test` runs them on the component, under the host's limits; this crate runs them on
//! the plugin as `cargo test` compiles it, so that a case is checked where no component was built.
//! What a case says and when it holds is `atelier_plugin_cases`'s, for both.

mod contract;

use std::fs;
use std::path::Path;

use atelier_plugin::{Outcome, Picture, Plugin, Request, Size, Source, random};
use atelier_plugin_cases::{Case, Made, all};
use image::RgbaImage;
use serde_json::Value;

pub use contract::{contradictions, not_refused};

/// Set to anything but `0` or nothing, it makes [`problems`] keep what comes out as what is
/// expected.
const BLESS: &str = "ATELIER_BLESS";

/// What is wrong with the cases of the plugin whose project lies in a folder: a sentence for each,
/// with the case's name. It is a problem, too, where there is none.
///
/// Where the environment has `ATELIER_BLESS=1`, what comes out is written as what is expected.
pub fn problems<P: Plugin>(project: impl AsRef<Path>) -> Vec<String> {
    let bless = std::env::var_os(BLESS).is_some_and(|value| !value.is_empty() && value != "0");
    problems_of::<P>(project.as_ref(), bless)
}

fn problems_of<P: Plugin>(project: &Path, bless: bool) -> Vec<String> {
    let cases = match all(project) {
        Ok(cases) if cases.is_empty() => {
            return vec![format!(
                "there is no case in {}",
                project.join("cases").display()
            )];
        }
        Ok(cases) => cases,
        Err(error) => return vec![error.to_string()],
    };
    let of_case = |path: &Path| {
        let case = Case::read(path).map_err(|error| error.to_string())?;
        let made = P::prepare(request(&case)?);
        let made = match made {
            Ok(outcome) => Ok(made_of(outcome)?),
            Err(failure) => Err(failure.to_string()),
        };
        if bless {
            case.bless(made)
        } else {
            case.judge(made)
        }
    };
    let named = |path: &Path, problem| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}: {problem}")
    };
    let wrong = |path: &Path| of_case(path).err().map(|problem| named(path, problem));
    cases.iter().filter_map(|path| wrong(path)).collect()
}

/// What the plugin is asked. Random numbers follow from the case's seed from now on.
fn request(case: &Case) -> Result<Request, String> {
    random::seed_with(case.seed);
    let sources: Result<Vec<_>, _> = case.inputs.iter().map(|path| source(path)).collect();
    let parameters = Value::Object(case.parameters.clone()).to_string();
    let (width, height) = case.output;
    Ok(Request::new(sources?, parameters, Size::new(width, height)))
}

/// A file as a picture or, where it is none, as a document.
fn source(path: &Path) -> Result<Source, String> {
    let named = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let bytes = fs::read(path).map_err(|e| named(&e))?;
    let (Ok(format), Ok(decoded)) = (image::guess_format(&bytes), image::load_from_memory(&bytes))
    else {
        return String::from_utf8(bytes)
            .map(Source::Document)
            .map_err(|_| named(&"neither a picture that can be read nor text"));
    };
    let pixels = decoded.into_rgba8();
    let size = Size::new(pixels.width(), pixels.height());
    let picture = Picture::from_rgba(size, pixels.into_raw()).map_err(|e| named(&e))?;
    Ok(Source::Picture(picture.with_format(format.to_mime_type())))
}

fn made_of(outcome: Outcome) -> Result<Made, String> {
    let pictures = outcome.pictures.iter().map(|canvas| {
        let size = canvas.size();
        RgbaImage::from_raw(size.width, size.height, canvas.rgba())
            .ok_or_else(|| format!("a canvas of {size} has not the bytes of one"))
    });
    Ok(Made {
        pictures: pictures.collect::<Result<_, _>>()?,
        prompt: outcome.prompt,
        keypoints: outcome.keypoints,
    })
}

#[cfg(test)]
mod tests;
