//! Runs the cases of a plugin natively.
//!
//! A case is a folder in a plugin's `cases/` with a `case.toml`: what goes in, and what must come
//! out. `atelier plugin test` runs them on the component, under the host's limits; this crate runs
//! them on the plugin as `cargo test` compiles it, so that a case is checked where no component was
//! built. It must never accept what the other refuses: both know the same keys, and compare alike.

mod case;
mod compare;

use std::path::Path;

use atelier_plugin::Plugin;

use case::Case;

/// Set to anything but `0` or nothing, it makes [`problems`] keep what comes out as what is
/// expected.
const BLESS: &str = "ATELIER_BLESS";

/// What is wrong with the cases of the plugin whose project lies in a folder: a sentence for each,
/// with the case's name. It is a problem, too, where there is none.
///
/// Where the environment has `ATELIER_BLESS=1`, what comes out is written as what is expected.
pub fn problems<P: Plugin>(project: impl AsRef<Path>) -> Vec<String> {
    let bless = std::env::var_os(BLESS).is_some_and(|value| !value.is_empty() && value != "0");
    problems_of::<P>(&project.as_ref().join("cases"), bless)
}

fn problems_of<P: Plugin>(folder: &Path, bless: bool) -> Vec<String> {
    let cases = match case::all(folder) {
        Ok(cases) if cases.is_empty() => {
            return vec![format!("there is no case in {}", folder.display())];
        }
        Ok(cases) => cases,
        Err(problem) => return vec![problem],
    };
    let of_case = |path: &Path| {
        let case = Case::read(path)?;
        let made = P::prepare(case.request()?);
        if bless {
            compare::bless(&case, made)
        } else {
            compare::compare(&case, made)
        }
    };
    let named = |path: &Path, problem| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}: {problem}")
    };
    let wrong = |path: &Path| of_case(path).err().map(|problem| named(path, problem));
    cases.iter().filter_map(|path| wrong(path)).collect()
}

#[cfg(test)]
mod tests;
