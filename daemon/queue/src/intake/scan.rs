//! The truth about a folder: which manifests lie in it now.
//!
//! Not recursive: a user's subfolders are the user's. A folder named like a manifest is left alone. Any
//! other thing named like one (a link, a pipe, a device) is reported, so that it ends in `failed/` with
//! a sentence instead of being ignored in silence or, worse, opened.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::SystemTime;

use super::settle::{Sample, Signature};

/// What lies under a manifest's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain file: the only kind that can be claimed as work.
    Plain,
    /// Something else, named for the user. It may be refused, and must never be opened.
    Special(&'static str),
}

/// One look at one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) sample: Sample,
    pub(crate) kind: Kind,
}

/// Whether a name can be a manifest's: it ends in `.toml`, and is neither hidden, nor some program's
/// unfinished file, nor one of the daemon's own result or error files.
///
/// With the suffix rule, `x.toml.part`, `x.toml~` and their like are ignored without a list; the
/// prefixes are those of editors' and synchronisers' unfinished files that keep the suffix.
pub(crate) fn is_manifest_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let unfinished = [b".".as_slice(), b"~", b"#"];
    let own = [b".error.toml".as_slice(), b".result.toml"];
    name.len() > b".toml".len()
        && name.ends_with(b".toml")
        && !unfinished.iter().any(|prefix| name.starts_with(prefix))
        && !own.iter().any(|suffix| name.ends_with(suffix))
}

/// All manifests in `root`. A file that vanishes while the folder is read is left out.
pub(crate) fn list(root: &Path) -> io::Result<HashMap<OsString, Look>> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        if let Some(look) = look(root, &name) {
            found.insert(name, look);
        }
    }
    Ok(found)
}

/// One manifest in `root`; `None` if the name cannot be one's, or nothing readable is there.
pub(crate) fn look(root: &Path, name: &OsStr) -> Option<Look> {
    if !is_manifest_name(name) {
        return None;
    }
    let meta = fs::symlink_metadata(root.join(name)).ok()?;
    let kind = kind_of(&meta)?;
    let age = meta
        .modified()
        .ok()
        .and_then(|at| SystemTime::now().duration_since(at).ok());
    Some(Look {
        sample: Sample {
            signature: Signature::from(&meta),
            age,
        },
        kind,
    })
}

/// `None` for a folder.
fn kind_of(meta: &Metadata) -> Option<Kind> {
    let kind = meta.file_type();
    if kind.is_file() {
        Some(Kind::Plain)
    } else if kind.is_dir() {
        None
    } else if kind.is_symlink() {
        Some(Kind::Special("a symbolic link"))
    } else if kind.is_fifo() {
        Some(Kind::Special("a pipe"))
    } else if kind.is_socket() {
        Some(Kind::Special("a socket"))
    } else {
        Some(Kind::Special("a device"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use rustix::fs::{CWD, Mode};

    use super::*;

    #[test]
    fn names_of_unfinished_files_are_not_manifests() {
        for name in ["x.toml", "Zoë 2.toml", "a.b.toml", "error.toml"] {
            assert!(is_manifest_name(OsStr::new(name)), "{name}");
        }
        for name in [
            ".x.toml",
            ".toml",
            "x.toml~",
            "x.toml.tmp",
            "x.toml.part",
            "x.toml.partial",
            "x.toml.crdownload",
            "x.toml.filepart",
            "~syncthing~x.toml.tmp",
            "~$x.toml",
            "#x.toml#",
            "#x.toml",
            ".stfolder",
            ".stversions",
            "@eaDir",
            ".DS_Store",
            "Thumbs.db",
            "__MACOSX",
            "x.TOML.bak",
            "x.error.toml",
            "x.result.toml",
        ] {
            assert!(!is_manifest_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn what_is_no_plain_file_is_reported_and_folders_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::write(root.join("plain.toml"), "x").unwrap();
        fs::create_dir(root.join("folder.toml")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("link.toml")).unwrap();
        rustix::fs::mkfifoat(CWD, root.join("pipe.toml"), Mode::from_raw_mode(0o600)).unwrap();
        let mut found: Vec<_> = list(root)
            .unwrap()
            .into_iter()
            .map(|(name, look)| (name.into_string().unwrap(), look.kind))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(
            found,
            [
                ("link.toml".into(), Kind::Special("a symbolic link")),
                ("pipe.toml".into(), Kind::Special("a pipe")),
                ("plain.toml".into(), Kind::Plain),
            ]
        );
        assert!(list(&root.join("none")).is_err());
    }
}
