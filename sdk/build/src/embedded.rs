//! The SDK's sources and the templates, as they were when this program was built.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The files under a folder of `sdk/`, such as `templates/c/`: each path below it and its bytes.
pub(crate) fn under(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES
        .iter()
        .filter_map(move |&(name, bytes)| Some((name.strip_prefix(folder)?, bytes)))
}

/// The text of one file.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    let (_, bytes) = FILES.iter().find(|(known, _)| *known == name)?;
    std::str::from_utf8(bytes).ok()
}
