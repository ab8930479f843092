//! What values are possible: the one place where ranges are written down.
//!
//! Each rule takes what was said and gives the typed value or the fault; the manifest, a template
//! and the command line all go through the same ones. Rules about several values at once (the
//! area of a picture) are in `check`.

use crate::problem::{Code, Fault, quoted};

/// Bytes of a manifest's text: 1 MiB.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;
/// Width and height in pixels are a multiple of this: the VAE's 8 times the 2 × 2 patches.
pub const SIDE_STEP: u32 = 16;
/// The least width and height in pixels (the model's published minimum).
pub const MIN_SIDE: u32 = 64;
/// The greatest width and height in pixels: what [`MAX_PIXELS`] and [`MAX_ASPECT`] leave possible.
pub const MAX_SIDE: u32 = 5792;
/// The greatest area in pixels: the model's published maximum of 4 MP, 2048 × 2048.
pub const MAX_PIXELS: u32 = 2048 * 2048;
/// The longer side may be this many times the shorter one.
pub const MAX_ASPECT: u32 = 8;
/// Denoising steps, at least 1.
pub const MAX_STEPS: u32 = 200;
/// Guidance scale, at least 0.
pub const MAX_GUIDANCE: f32 = 30.0;
/// The greatest seed, 2^63 − 1; the least is 0.
pub const MAX_SEED: u64 = i64::MAX as u64;
/// Pictures that one manifest may ask for.
pub const MAX_RENDERS: usize = 1000;
/// Priority runs from minus this to this.
pub const MAX_PRIORITY: i8 = 10;
/// References of one job.
pub const MAX_REFERENCES: usize = 10;
/// Files that one reference takes besides its own, for plugins that join several.
pub const MAX_ALSO: usize = 15;
/// Preparation steps of one reference.
pub const MAX_PREPARATIONS: usize = 8;
/// LoRA files of one job.
pub const MAX_LORAS: usize = 8;
/// A LoRA's scale runs from minus this to this.
pub const MAX_LORA_SCALE: f32 = 10.0;
/// Bytes of a prompt, far more than the 512 tokens that a model reads.
pub const MAX_PROMPT_BYTES: usize = 32 * 1024;
/// Characters of an output's name.
pub const MAX_NAME_CHARS: usize = 100;
/// Bytes of an output's name: file systems allow 255, and a number, an extension and the queue's
/// own endings still have to fit.
pub const MAX_NAME_BYTES: usize = 200;
/// Characters of a title.
pub const MAX_TITLE_CHARS: usize = 200;

/// The most bytes of a name or path of a model, plugin, template or file (Linux's `PATH_MAX`).
const MAX_PATH_BYTES: usize = 4096;

type Checked<T> = Result<T, Fault>;

fn range(value: i64, least: i64, most: i64) -> Checked<i64> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Fault::must(
            Code::OutOfRange,
            value,
            format_args!("be {least} to {most}"),
        ))
    }
}

fn number(value: f64, least: f32, most: f32) -> Checked<f32> {
    let narrow = value as f32;
    // Not a number is in no range.
    if (least..=most).contains(&narrow) {
        Ok(narrow)
    } else {
        Err(Fault::must(
            Code::OutOfRange,
            value,
            format_args!("be {least} to {most}"),
        ))
    }
}

/// Width or height in pixels.
pub(crate) fn side(value: i64) -> Checked<u32> {
    let side = range(value, MIN_SIDE.into(), MAX_SIDE.into())? as u32;
    if side.is_multiple_of(SIDE_STEP) {
        return Ok(side);
    }
    // Both neighbours are in range: the bounds are multiples themselves.
    let below = side / SIDE_STEP * SIDE_STEP;
    let above = below + SIDE_STEP;
    Err(Fault::must(
        Code::OutOfRange,
        side,
        format_args!("be a multiple of {SIDE_STEP}"),
    )
    .hint(format!("the nearest are {below} and {above}")))
}

pub(crate) fn steps(value: i64) -> Checked<u32> {
    range(value, 1, MAX_STEPS.into()).map(|steps| steps as u32)
}

pub(crate) fn guidance(value: f64) -> Checked<f32> {
    number(value, 0.0, MAX_GUIDANCE)
}

/// How much of a picture that is begun from may change; at 0 there would be nothing to do. It stays
/// an f64: which step is the first turns on its last bit.
pub(crate) fn strength(value: f64) -> Checked<f64> {
    if value > 0.0 && value <= 1.0 {
        Ok(value)
    } else {
        Err(Fault::must(
            Code::OutOfRange,
            value,
            "be more than 0 and at most 1",
        ))
    }
}

/// How far a picture grows on one side, in pixels.
pub(crate) fn extension(value: i64) -> Checked<u32> {
    range(value, 0, MAX_SIDE.into()).map(|side| side as u32)
}

pub(crate) fn lora_scale(value: f64) -> Checked<f32> {
    number(value, -MAX_LORA_SCALE, MAX_LORA_SCALE)
}

pub(crate) fn seed(value: i64) -> Checked<u64> {
    u64::try_from(value).map_err(|_| Fault::must(Code::OutOfRange, value, "be 0 to 2^63 - 1"))
}

/// How many pictures to make.
pub(crate) fn count(value: i64) -> Checked<usize> {
    range(value, 1, MAX_RENDERS as i64).map(|count| count as usize)
}

pub(crate) fn priority(value: i64) -> Checked<i8> {
    range(value, (-MAX_PRIORITY).into(), MAX_PRIORITY.into()).map(|priority| priority as i8)
}

pub(crate) fn quality(value: i64) -> Checked<u8> {
    range(value, 1, 100).map(|quality| quality as u8)
}

/// What the picture shows; whitespace and line breaks belong to it and stay as they are.
pub(crate) fn prompt(text: &str) -> Checked<String> {
    if text.is_empty() {
        return Err(Fault::of_key(Code::InvalidValue, "is empty")
            .hint("say in words what the picture shows"));
    }
    negative(text)
}

/// As a prompt, but may be empty.
pub(crate) fn negative(text: &str) -> Checked<String> {
    if text.len() > MAX_PROMPT_BYTES {
        return Err(Fault::of_key(
            Code::InvalidValue,
            format!(
                "has {} bytes; at most {MAX_PROMPT_BYTES} are possible",
                text.len()
            ),
        )
        .hint("a model reads the first 512 tokens, some 2000 letters"));
    }
    if text.contains('\0') {
        return Err(Fault::of_key(Code::InvalidValue, "holds a NUL character"));
    }
    Ok(text.to_owned())
}

/// The name of an output without its extension, and of a template: one part of a path, safe in
/// any file manager.
pub(crate) fn stem(name: &str) -> Checked<String> {
    let wrong = if name.is_empty() {
        "not be empty".to_owned()
    } else if name.chars().count() > MAX_NAME_CHARS || name.len() > MAX_NAME_BYTES {
        format!("have at most {MAX_NAME_CHARS} characters and {MAX_NAME_BYTES} bytes")
    } else if name.contains(['/', '\\']) {
        "be a name, not a path".to_owned()
    } else if name.starts_with('.') {
        "not begin with a dot".to_owned()
    } else if name.trim() != name {
        "not begin or end with a space".to_owned()
    } else if name.chars().any(unprintable) {
        "hold no control characters".to_owned()
    } else {
        return Ok(name.to_owned());
    };
    Err(Fault::must(Code::InvalidValue, quoted(name), wrong))
}

pub(crate) fn title(text: &str) -> Checked<String> {
    let characters = text.chars().count();
    let wrong = if text.trim().is_empty() {
        "is empty".to_owned()
    } else if characters > MAX_TITLE_CHARS {
        format!("has {characters} characters; at most {MAX_TITLE_CHARS} are possible")
    } else if text.chars().any(unprintable) {
        "holds control characters".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(Fault::of_key(Code::InvalidValue, wrong))
}

/// The name or path of a model, plugin or file: not empty, no NUL, not absurdly long. Whether it
/// exists, and may be named at all, is another question.
pub(crate) fn naming(text: &str) -> Checked<String> {
    let wrong = if text.is_empty() {
        "is empty".to_owned()
    } else if text.len() > MAX_PATH_BYTES {
        format!(
            "has {} bytes; at most {MAX_PATH_BYTES} are possible",
            text.len()
        )
    } else if text.contains('\0') {
        "holds a NUL character".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(Fault::of_key(Code::InvalidValue, wrong))
}

/// Control characters, and those that make a name read in another order than it is written.
fn unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_greatest_side_follows_from_area_and_aspect() {
        let longest = (f64::from(MAX_PIXELS) * f64::from(MAX_ASPECT)).sqrt() as u32;
        assert_eq!(longest / SIDE_STEP * SIDE_STEP, MAX_SIDE);
        assert!(MIN_SIDE.is_multiple_of(SIDE_STEP));
    }

    #[test]
    fn sides() {
        for good in [64, 80, 1024, 5792] {
            assert_eq!(side(good).unwrap(), good as u32);
        }
        for bad in [i64::MIN, -16, 0, 16, 48, 63, 65, 1000, 5808, i64::MAX] {
            assert_eq!(side(bad).unwrap_err().code, Code::OutOfRange, "{bad}");
        }
        let hint = side(1000).unwrap_err().hint;
        assert_eq!(hint.as_deref(), Some("the nearest are 992 and 1008"));
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(steps(200).unwrap(), 200);
        assert!(steps(0).is_err() && steps(201).is_err());
        assert_eq!(seed(0).unwrap(), 0);
        assert_eq!(seed(i64::MAX).unwrap(), MAX_SEED);
        assert!(seed(-1).is_err());
        assert_eq!(priority(-10).unwrap(), -10);
        assert!(priority(-11).is_err() && priority(11).is_err());
        assert_eq!(quality(100).unwrap(), 100);
        assert!(quality(0).is_err() && quality(101).is_err());
        assert_eq!(count(1000).unwrap(), MAX_RENDERS);
        assert!(count(0).is_err() && count(1001).is_err());
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(guidance(0.0).unwrap(), 0.0);
        assert_eq!(guidance(30.0).unwrap(), 30.0);
        for bad in [
            -0.1,
            30.1,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e300,
        ] {
            assert_eq!(guidance(bad).unwrap_err().code, Code::OutOfRange, "{bad}");
        }
        assert_eq!(lora_scale(-10.0).unwrap(), -10.0);
        assert!(lora_scale(10.5).is_err());
        assert_eq!(strength(0.7).unwrap(), 0.7);
        assert_eq!(strength(1.0).unwrap(), 1.0);
        for bad in [0.0, -0.5, 1.000_000_1, f64::NAN] {
            assert_eq!(strength(bad).unwrap_err().code, Code::OutOfRange, "{bad}");
        }
    }

    #[test]
    fn stems() {
        for good in [
            "poster",
            "poster 2.final",
            "海报",
            "a-b_c",
            &"x".repeat(100),
        ] {
            assert_eq!(stem(good).unwrap(), *good);
        }
        for bad in [
            "",
            ".hidden",
            "..",
            "a/b",
            "a\\b",
            "a\nb",
            "a\0b",
            " a",
            "a ",
            "a\u{202e}gnp",
            &"x".repeat(101),
            &"字".repeat(67),
        ] {
            assert_eq!(stem(bad).unwrap_err().code, Code::InvalidValue, "{bad:?}");
        }
    }

    #[test]
    fn texts() {
        assert!(prompt("").is_err());
        assert_eq!(prompt("  \n\tx ").unwrap(), "  \n\tx ");
        assert!(prompt(&"x".repeat(MAX_PROMPT_BYTES)).is_ok());
        assert!(prompt(&"x".repeat(MAX_PROMPT_BYTES + 1)).is_err());
        assert!(prompt("a\0b").is_err());
        assert_eq!(negative("").unwrap(), "");
        assert!(title("").is_err() && title("a\nb").is_err());
        assert!(title(&"ß".repeat(200)).is_ok());
        assert!(title(&"ß".repeat(201)).is_err());
        assert!(naming("").is_err() && naming("a\0").is_err());
        assert!(naming(&"x".repeat(4097)).is_err());
    }
}
