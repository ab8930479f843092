//! The text that is made for the compiler.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use super::{literal, sources_in};

#[test]
fn a_literal_survives_quotes_lines_and_other_alphabets() {
    assert_eq!(literal("plain"), "\"plain\"");
    assert_eq!(literal("a\"b\\c"), r#""a\"b\\c""#);
    assert_eq!(literal("é1\n"), r#""\303\2511\012""#);
    // No trigraph.
    assert_eq!(literal("??="), r#""\?\?=""#);
}

#[test]
fn sources_come_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["z.c", "a.c", "plugin.h", "c"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    std::fs::create_dir(folder.path().join("folder.c")).unwrap();
    let found = sources_in(folder.path()).unwrap();
    assert_eq!(
        found,
        [folder.path().join("a.c"), folder.path().join("z.c")]
    );
}
