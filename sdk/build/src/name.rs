//! The rule for plugins' names, the same as the host's.

const LONGEST: usize = 64;

/// Whether a plugin may be called that: 1 to 64 of `a`–`z`, `0`–`9` and `-`, the first a letter.
pub(crate) fn is_good(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::is_good;

    #[test]
    fn names_keep_the_rule() {
        for good in ["a", "pose-from-photo", "z9", &"a".repeat(64)] {
            assert!(is_good(good), "{good}");
        }
        for bad in [
            "",
            "9z",
            "-a",
            "Pose",
            "a_b",
            "../a",
            "a/b",
            "ä",
            "a b",
            "{{name}}",
            &"a".repeat(65),
        ] {
            assert!(!is_good(bad), "{bad}");
        }
    }
}
