//! Texts that nobody writes in earnest: whatever they hold, an answer, and soon.

use std::time::{Duration, Instant};

use atelier_manifest::{MAX_MANIFEST_BYTES, load, parse};
use proptest::prelude::*;

use crate::parsing::WHOLE;
use crate::world::Machine;

/// Parses, and checks what every answer must keep to.
fn judge(text: &str) {
    let Err(problems) = parse(text) else { return };
    let lines = text.split('\n').count() as u32;
    let mut last = None;
    for problem in problems.iter() {
        let place = problem.place();
        assert!(place >= last, "out of order: {problems}");
        last = place;
        if let Some(place) = place {
            assert!((1..=lines).contains(&place.line) && place.column >= 1);
        }
        let report = problem.to_string();
        let control = |letter: char| letter.is_control() && letter != '\n';
        assert!(!report.contains(control), "{report:?}");
    }
    assert!(!problems.to_string().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_answered(text in "\\PC*") {
        judge(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        judge(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn anything_made_of_toml_is_answered(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "manifest", "prompt", "reference", "seed", "output", "path", "plugin", "prepare",
                "=", "=", ".", ",", "[", "]", "[[", "]]", "{", "}", "\"", "'", "\"\"\"", "\n",
                "\n", " ", "#", "1", "-1", "1.5", "inf", "true", "1979-05-27", "\"x\"", "ä", "\r",
                "\\", "\u{feff}", "0x",
            ]),
            0..60,
        ),
    ) {
        judge(&parts.concat());
    }

    #[test]
    fn any_change_of_a_manifest_is_answered(
        at in 0..WHOLE.len(),
        take in 0usize..20,
        put in "[ -~\n\u{e4}]{0,6}",
    ) {
        let end = (at + take).min(WHOLE.len());
        prop_assume!(WHOLE.is_char_boundary(at) && WHOLE.is_char_boundary(end));
        judge(&format!("{}{put}{}", &WHOLE[..at], &WHOLE[end..]));
    }
}

#[test]
fn the_largest_texts_are_answered_soon() {
    let fill = |part: &str| part.repeat(MAX_MANIFEST_BYTES / part.len());
    let numbered = |line: fn(usize) -> String| -> String {
        let mut text = String::new();
        for number in 0.. {
            let line = line(number);
            if text.len() + line.len() > MAX_MANIFEST_BYTES - 64 {
                break;
            }
            text.push_str(&line);
        }
        text
    };
    let texts = [
        fill("["),
        fill("{"),
        fill("a="),
        fill("a=1\n"),
        fill("\""),
        fill("x y\n"),
        fill("[[reference]]\n"),
        fill("[[a.b]]\n"),
        fill("a."),
        format!("seed = [{}", fill("1,")),
        format!("a = {}", "[".repeat(70) + &"]".repeat(70)),
        numbered(|number| format!("k{number} = 1\n")),
        format!(
            "output = {{ {} z = 1 }}",
            numbered(|number| format!("k{number}=1,"))
        ),
        numbered(|_| "a=1 b\n".to_owned()),
        format!("output = {{ {} z = 1 }}", numbered(|_| "a=1,".to_owned())),
        numbered(|number| format!("[t{number}]\n")),
    ];
    let machine = Machine::new();
    for text in texts {
        let beginning = text.chars().take(20).collect::<String>();
        let began = Instant::now();
        let problems = load(&text, &machine).unwrap_err();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(20), "{beginning}… took {took:?}");
        assert!(problems.iter().count() <= 100);
    }
}

#[test]
fn nesting_is_bounded() {
    // The deepest that the parser accepts, in a parameter, and of dotted keys besides.
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let text = format!(
        "manifest = 1\nreference = [{{ path = \"a\", prepare = [{{ plugin = \"p\", x = {deep} }}] }}]\n"
    );
    let problems = parse(&text).unwrap_err();
    assert_eq!(problems.code(), "invalid-value", "{problems}");
    let dots = vec!["a"; 78].join(".");
    let tables = format!("{dots} = {{ ").repeat(70) + "b = 1" + &" }".repeat(70);
    judge(&format!("manifest = 1\n[{dots}]\n{tables}\n"));
    judge(&format!(
        "manifest = 1\n[[reference]]\npath = \"a\"\nprepare = [{{ plugin = \"p\", {tables} }}]\n"
    ));
}

#[test]
fn the_count_of_what_is_left_unsaid() {
    let text: String = (0..250).map(|number| format!("k{number} = 1\n")).collect();
    let problems = parse(&format!("manifest = 1\n{text}")).unwrap_err();
    assert_eq!(problems.iter().count(), 100);
    assert_eq!(problems.omitted(), 150);
    assert!(problems.to_string().ends_with("\nand 150 more"));
}

#[test]
fn over_the_limit_is_refused_before_it_is_parsed() {
    let text = "#".repeat(MAX_MANIFEST_BYTES + 1);
    assert_eq!(parse(&text).unwrap_err().code(), "manifest-too-large");
}
