//! SHA-256 of what goes in and out, and of models and LoRA files; these digests are remembered, since
//! a model is gigabytes and rarely changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::fault::{Fault, Stage};

/// Lower-case hexadecimal SHA-256.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub(super) fn hex(digest: &[u8]) -> String {
    digest
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// What tells whether a file is still the one that was digested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    bytes: u64,
    modified_ns: i128,
    inode: u64,
    sha256: String,
}

/// Digests of model and LoRA files, kept in the cache folder.
pub(super) struct Digests {
    path: PathBuf,
}

impl Digests {
    pub(super) fn new(cache: &Path) -> Self {
        Self {
            path: cache.join("model-digests.json"),
        }
    }

    /// The digest of one file.
    pub(super) fn of_file(&self, file: &Path) -> Result<String, Fault> {
        let mut known = self.known();
        let mut learned = false;
        let sha256 = remembered_or_read(&mut known, file, &mut learned)
            .map_err(|cause| Fault::io(Stage::Infer, "lora-unreadable", file, &cause))?;
        if learned {
            self.remember(&known);
        }
        Ok(sha256)
    }

    fn known(&self) -> BTreeMap<PathBuf, Remembered> {
        fs::read(&self.path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// One digest for a whole model: the SHA-256 of the lines `sha256sum` prints for its files,
    /// `HASH  relative/path`, sorted by path; a file outside a pipeline folder is `PART/FILE`. Anyone can
    /// compute it again. `files` are by these names.
    pub(super) fn of_model(&self, files: &BTreeMap<PathBuf, PathBuf>) -> Result<String, Fault> {
        let mut known = self.known();
        let mut lines: Vec<String> = Vec::with_capacity(files.len());
        let mut learned = false;
        for (name, file) in files {
            let sha256 = remembered_or_read(&mut known, file, &mut learned)
                .map_err(|cause| Fault::io(Stage::Infer, "model-unreadable", file, &cause))?;
            lines.push(format!("{sha256}  {}\n", name.display()));
        }
        if learned {
            self.remember(&known);
        }
        lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
        Ok(sha256_hex(lines.concat().as_bytes()))
    }

    /// A cache that cannot be written costs time, not the picture.
    fn remember(&self, known: &BTreeMap<PathBuf, Remembered>) {
        let temporary = self
            .path
            .with_extension(format!("tmp-{}", std::process::id()));
        let written = serde_json::to_vec(known)
            .map_err(io::Error::from)
            .and_then(|text| {
                fs::create_dir_all(self.path.parent().unwrap_or(Path::new("."))).map(|()| text)
            })
            .and_then(|text| fs::write(&temporary, text))
            .and_then(|()| fs::rename(&temporary, &self.path));
        if let Err(cause) = written {
            tracing::warn!(path = %self.path.display(), %cause, "model digests are not remembered");
        }
    }
}

fn remembered_or_read(
    known: &mut BTreeMap<PathBuf, Remembered>,
    path: &Path,
    learned: &mut bool,
) -> io::Result<String> {
    let mut file = File::open(path)?;
    let facts = file.metadata()?;
    let modified_ns = i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec());
    if let Some(seen) = known.get(path)
        && seen.bytes == facts.len()
        && seen.modified_ns == modified_ns
        && seen.inode == facts.ino()
    {
        return Ok(seen.sha256.clone());
    }
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block)? {
            0 => break,
            count => digest.update(&block[..count]),
        }
    }
    let sha256 = hex(&digest.finalize());
    known.insert(
        path.to_path_buf(),
        Remembered {
            bytes: facts.len(),
            modified_ns,
            inode: facts.ino(),
            sha256: sha256.clone(),
        },
    );
    *learned = true;
    Ok(sha256)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_models_digest_is_that_of_sha256sums_lines_and_follows_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("model");
        fs::create_dir_all(root.join("vae")).unwrap();
        fs::write(root.join("vae/b"), "two").unwrap();
        fs::write(root.join("a"), "one").unwrap();
        let digests = Digests::new(&folder.path().join("cache"));
        let files = ["vae/b", "a"].map(|name| (PathBuf::from(name), root.join(name)));
        let files = BTreeMap::from(files);
        let lines = format!("{}  a\n{}  vae/b\n", sha256_hex(b"one"), sha256_hex(b"two"));
        let first = digests.of_model(&files).unwrap();
        assert_eq!(first, sha256_hex(lines.as_bytes()));
        assert_eq!(digests.of_model(&files).unwrap(), first, "from the cache");
        fs::write(root.join("a"), "changed").unwrap();
        assert_ne!(digests.of_model(&files).unwrap(), first);
    }
}
