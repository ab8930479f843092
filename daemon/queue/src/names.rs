//! File names that the daemon makes in users' folders: safe on any filesystem, numbered when taken.
//!
//! Pure. A name made here never starts with a dot, never holds a separator or a control character, and
//! leaves room for the longest suffix that the daemon adds.

/// The longest stem in bytes: 255, the usual limit of a name, less the number and `.result.toml`.
const LONGEST_STEM: usize = 200;

/// A stem made safe: separators and control characters become `_`, a leading dot too, and what is too
/// long is cut at a character. An empty stem becomes `untitled`.
pub(crate) fn safe_stem(stem: &str) -> String {
    let mut safe: String = stem
        .chars()
        .map(|c| if c == '/' || c.is_control() { '_' } else { c })
        .collect();
    if safe.starts_with('.') {
        safe.replace_range(..1, "_");
    }
    let mut end = safe.len().min(LONGEST_STEM);
    while !safe.is_char_boundary(end) {
        end -= 1;
    }
    safe.truncate(end);
    if safe.is_empty() {
        "untitled".to_owned()
    } else {
        safe
    }
}

/// The stem of a manifest's file name: without `.toml`, made safe.
pub(crate) fn manifest_stem(file_name: &str) -> String {
    safe_stem(file_name.strip_suffix(".toml").unwrap_or(file_name))
}

/// `stem` for n ≤ 1, else `stem-n`.
pub(crate) fn numbered(stem: &str, n: u32) -> String {
    if n <= 1 {
        stem.to_owned()
    } else {
        format!("{stem}-{n}")
    }
}

/// An extension made safe: ASCII letters and digits, at most 16, in lower case; `bin` if none is left.
pub(crate) fn safe_extension(extension: &str) -> String {
    let safe: String = extension
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if safe.is_empty() {
        "bin".to_owned()
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_stem_is_always_one_visible_name(stem in any::<String>(), n in 0u32..100_000) {
            let name = format!("{}.result.toml", numbered(&safe_stem(&stem), n));
            prop_assert!(name.len() <= 255);
            prop_assert!(!name.starts_with('.'));
            prop_assert!(!name.contains('/') && !name.chars().any(char::is_control));
        }
    }

    #[test]
    fn ordinary_names_are_left_alone() {
        assert_eq!(manifest_stem("Plakat für Zoë 2.toml"), "Plakat für Zoë 2");
        assert_eq!(safe_stem("../x"), "_._x");
        assert_eq!(safe_stem(""), "untitled");
        assert_eq!(safe_extension("JPEG"), "jpeg");
        assert_eq!(safe_extension("/../"), "bin");
        assert_eq!(numbered("a", 1), "a");
        assert_eq!(numbered("a", 2), "a-2");
    }
}
