//! Makes text from outside fit to be signed: what stands in a manifest can never be taken back.

/// `text` without control, bidirectional-override and invisible characters, with single spaces,
/// cut to `max` characters. May be empty.
pub(crate) fn clean(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    let mut space = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            space = length > 0;
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        if space {
            if length + 2 > max {
                break;
            }
            out.push(' ');
            length += 1;
            space = false;
        }
        if length == max {
            break;
        }
        out.push(character);
        length += 1;
    }
    out
}

/// The last component of what may be a path: a model may be named by the folder it lies in, and
/// the folders above it are nobody's business.
pub(crate) fn base_name(text: &str) -> &str {
    text.trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
}

/// A key for a map of notes: letters, digits, `_` and `-`, at most 64; others become `_`.
pub(crate) fn key(text: &str) -> String {
    text.chars()
        .take(64)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Characters that change how text looks without being seen: directional marks and overrides,
/// zero-width spaces, the byte-order mark, soft hyphen, language tags, and noncharacters. The
/// zero-width joiners stay: Persian and the scripts of India are misspelt without them.
fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0x00AD
            | 0x061C
            | 0x180E
            | 0x200B
            | 0x200E..=0x200F
            | 0x2028..=0x202E
            | 0x2060..=0x206F
            | 0xFEFF
            | 0xFFF9..=0xFFFF
            | 0xE0000..=0xE0FFF
    )
}

#[cfg(test)]
mod tests {
    use super::{base_name, clean, key};

    #[test]
    fn overrides_controls_and_runs_of_space_are_gone() {
        assert_eq!(clean("  a\u{202e}b\tc\r\n\n d\u{0}\u{feff} ", 80), "ab c d");
        assert_eq!(clean("\u{2066}\u{200b}", 80), "");
        assert_eq!(
            clean("Plakat für Ångström 春", 80),
            "Plakat für Ångström 春"
        );
    }

    #[test]
    fn length_is_counted_in_characters_and_ends_without_a_space() {
        assert_eq!(clean(&"春".repeat(1000), 5), "春".repeat(5));
        assert_eq!(clean("abc def", 4), "abc");
        assert_eq!(clean("abc def", 5), "abc d");
    }

    #[test]
    fn a_path_keeps_its_last_component_only() {
        assert_eq!(base_name("/home/alice/models/klein-4b/"), "klein-4b");
        assert_eq!(base_name(r"C:\models\klein"), "klein");
        assert_eq!(base_name("FLUX.2 [klein] 4B"), "FLUX.2 [klein] 4B");
        assert_eq!(base_name("///"), "");
    }

    #[test]
    fn keys_are_plain() {
        assert_eq!(key("crop box/π"), "crop_box__");
    }
}
