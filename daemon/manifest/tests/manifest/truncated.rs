//! A manifest that is still being copied.
//!
//! A truncated manifest can be valid TOML (`seed = 4` of `seed = 42`), so a reader cannot notice
//! every truncation: hence the rule to write a manifest under another name and rename it in. What
//! is not whole TOML must be noticed, and nothing may panic.

use atelier_manifest::{load, parse};

use crate::parsing::WHOLE;
use crate::world::Machine;

#[test]
fn every_beginning_of_a_manifest_is_refused_or_whole() {
    let machine = Machine::furnished();
    let (mut refused, mut whole) = (0, 0);
    for end in (0..WHOLE.len()).filter(|end| WHOLE.is_char_boundary(*end)) {
        let text = &WHOLE[..end];
        let toml = text.parse::<toml::Table>();
        let read = parse(text);
        assert_eq!(
            load(text, &machine).is_err_and(|problems| problems.code() == "manifest-syntax"),
            toml.is_err(),
            "{text}"
        );
        match (toml, read) {
            (Err(_), Ok(_)) => panic!("taken for whole:\n{text}"),
            (Ok(_), Ok(manifest)) => {
                whole += 1;
                // It means no more than it says.
                assert_eq!(manifest.prompt.is_some(), text.contains("prompt = \""));
                assert!(manifest.references.len() <= text.matches("[[reference]]").count());
            }
            (_, Err(problems)) => {
                refused += 1;
                let last = text.lines().count().max(1) as u32;
                for problem in problems.iter() {
                    let line = problem.line().unwrap();
                    assert!((1..=last + 1).contains(&line), "{problem}\n{text}");
                }
            }
        }
    }
    assert!(refused > WHOLE.len() / 2, "{refused}");
    assert!(whole > 0);
}

#[test]
fn a_text_that_ends_in_the_middle_is_told_so() {
    for text in [
        "manifest = 1\nprompt = \"the wom",
        "manifest = 1\nprompt = \"\"\"the\nwoman\n",
        "manifest = 1\nprompt = ",
        "manifest = 1\nseed = [1, 2",
        "manifest = 1\nlora = [{ path = \"a\"",
        "manifest = 1\n[outp",
        "manifest = 1\npro",
    ] {
        let problems = parse(text).unwrap_err();
        let hint = problems.iter().filter_map(|problem| problem.hint()).next();
        assert!(
            hint.is_some_and(|hint| hint.starts_with("the text ends in the middle")),
            "{text}\n{problems}"
        );
    }
}
