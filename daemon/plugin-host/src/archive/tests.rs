#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Cursor;

use super::*;

fn plugin(folder: &Path) {
    fs::create_dir_all(folder.join("cases/one")).unwrap();
    fs::write(folder.join("plugin.toml"), "name = \"x\"").unwrap();
    fs::write(folder.join("plugin.wasm"), vec![7; 100_000]).unwrap();
    fs::write(folder.join("cases/one/case.toml"), "").unwrap();
    fs::write(folder.join(".hidden"), "secret").unwrap();
}

fn packed(folder: &Path) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    pack(folder, &mut out).unwrap();
    out.into_inner()
}

/// An archive with these entries, whatever their names.
fn forged(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut writer = ZipWriter::new(&mut out);
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    out.into_inner()
}

fn unpacked(bytes: &[u8]) -> (tempfile::TempDir, Result<(), PluginError>) {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("x.atelier-plugin");
    fs::write(&archive, bytes).unwrap();
    let into = folder.path().join("into");
    fs::create_dir(&into).unwrap();
    let result = unpack(&archive, &into);
    (folder, result)
}

#[test]
fn a_folder_comes_out_as_it_went_in_and_packs_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    plugin(folder.path());
    let bytes = packed(folder.path());
    assert!(bytes.len() < 10_000, "it is compressed");
    let (out, result) = unpacked(&bytes);
    result.unwrap();
    let into = out.path().join("into");
    let names = |at: &Path| -> Vec<String> { files(at).unwrap().into_iter().map(|it| it.0).collect() };
    assert_eq!(names(&into), ["cases/one/case.toml", "plugin.toml", "plugin.wasm"]);
    assert_eq!(fs::read(into.join("plugin.wasm")).unwrap(), vec![7; 100_000]);
    assert!(!into.join(".hidden").exists());
    assert_eq!(packed(&into), bytes);
}

#[test]
fn what_would_leave_the_folder_is_refused() {
    for name in ["../x", "/x", "a/../../x", "a\\..\\x", ".ssh/x", "a/.b"] {
        let (out, result) = unpacked(&forged(&[("plugin.toml", b""), (name, b"x")]));
        let error = result.unwrap_err();
        assert_eq!(error.code(), "plugin-archive", "{name}");
        assert!(!out.path().join("x").exists(), "{name}");
    }
}

#[test]
fn what_is_no_plugin_is_refused_with_the_reason() {
    let many: Vec<String> = (0..=MOST_FILES).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    for (bytes, expected) in [
        (Vec::new(), "no zip archive"),
        (vec![1; 1000], "no zip archive"),
        (forged(&[("a", b"")]), "no plugin.toml"),
        (forged(&many), "files"),
    ] {
        let error = unpacked(&bytes).1.unwrap_err();
        assert!(error.to_string().contains(expected), "{error} lacks {expected}");
    }
}

#[test]
fn an_archive_cut_or_damaged_anywhere_is_an_error_or_whole() {
    let folder = tempfile::tempdir().unwrap();
    plugin(folder.path());
    let bytes = packed(folder.path());
    for length in 0..bytes.len() {
        assert!(unpacked(&bytes[..length]).1.is_err(), "{length}");
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let zeros = vec![0; (MOST_BYTES + 1) as usize];
    let mut out = Cursor::new(Vec::new());
    let mut writer = ZipWriter::new(&mut out);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("plugin.toml", options).unwrap();
    writer.write_all(&zeros).unwrap();
    writer.finish().unwrap();
    let bytes = out.into_inner();
    assert!(bytes.len() < 1 << 20);
    let error = unpacked(&bytes).1.unwrap_err();
    assert!(error.to_string().contains("MiB"), "{error}");
}
