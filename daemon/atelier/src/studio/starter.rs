//! The starter model: a small FLUX.2 of our own that lies inside the program, so that it draws before
//! anything is downloaded. `starter/` in the repository holds its recipe and its card.
//!
//! The engine maps weights from files, so the model is unpacked into the cache when it is first asked
//! for, and again whenever the cache was emptied.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::digest::sha256_hex;
use crate::fault::{Fault, Stage};

/// The model's name, which a model of the user's may take over.
pub(crate) const NAME: &str = "starter";

/// What provenance calls it: the architecture is FLUX.2 klein's, the weights are not.
pub(crate) const TITLE: &str = "Atelier starter";

/// `sha256sum` of every other file. Its own digest tells one starter model from the next.
const SUMS: &str = include_str!("../../../../starter/model/SHA256SUMS");

macro_rules! files {
    ($($path:literal)*) => {
        [$(($path, include_bytes!(concat!("../../../../starter/model/", $path)).as_slice())),*]
    };
}

/// The pipeline folder, file by file.
static FILES: [(&str, &[u8]); 15] = files![
    "LICENSE"
    "README.md"
    "SHA256SUMS"
    "model_index.json"
    "scheduler/scheduler_config.json"
    "text_encoder/config.json"
    "text_encoder/generation_config.json"
    "text_encoder/model.safetensors"
    "tokenizer/chat_template.jinja"
    "tokenizer/tokenizer.json"
    "tokenizer/tokenizer_config.json"
    "transformer/config.json"
    "transformer/diffusion_pytorch_model.safetensors"
    "vae/config.json"
    "vae/diffusion_pytorch_model.safetensors"
];

/// The starter model of one cache folder.
pub(super) struct Starter {
    folder: PathBuf,
}

impl Starter {
    pub(super) fn new(cache: &Path) -> Self {
        let version = &sha256_hex(SUMS.as_bytes())[..16];
        Self {
            folder: cache.join("models").join(version).join(NAME),
        }
    }

    /// Where it is once it is unpacked.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a path is a starter's, this one's or that of another version of the program.
    pub(super) fn is_at(path: &Path) -> bool {
        // Told by its end, because the cache may be reached through a link: models/VERSION/starter.
        let is_version =
            |name: &str| name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let mut end = path.iter().rev().map(|name| name.to_str());
        end.next() == Some(Some(NAME))
            && end.next().flatten().is_some_and(is_version)
            && end.next() == Some(Some("models"))
    }

    /// Unpacks the model unless it is there, and returns its folder.
    ///
    /// Other programs may do so at the same time: each writes beside, and the first to rename wins.
    ///
    /// # Errors
    ///
    /// When the cache cannot be written.
    pub(super) fn unpack(&self) -> Result<&Path, Fault> {
        if self.folder.is_dir() {
            return Ok(&self.folder);
        }
        let Some(version) = self.folder.parent() else {
            return Ok(&self.folder);
        };
        let beside = version.join(format!(".{NAME}-{}", std::process::id()));
        let unpacked = fs::create_dir_all(version)
            .and_then(|()| write_all(&beside))
            .and_then(|()| fs::rename(&beside, &self.folder));
        match unpacked {
            Err(_) if self.folder.is_dir() => {
                let _ = fs::remove_dir_all(&beside);
            }
            Err(cause) => {
                let _ = fs::remove_dir_all(&beside);
                let fault = Fault::io(Stage::Check, "starter-unwritable", &self.folder, &cause);
                return Err(fault.hint(
                    "the starter model is unpacked into the cache: make room there and let it be written to, \
                     or name another model",
                ));
            }
            Ok(()) => self.forget_others(),
        }
        Ok(&self.folder)
    }

    /// Removes the starter models of earlier versions of the program.
    fn forget_others(&self) {
        let Some(version) = self.folder.parent() else {
            return;
        };
        let all = version
            .parent()
            .and_then(|models| fs::read_dir(models).ok());
        let others = all
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        for other in others.filter(|other| other != version) {
            let _ = fs::remove_dir_all(other);
        }
    }
}

/// Writes the model, to the disk: a power cut must not leave a folder of empty files behind the rename.
fn write_all(folder: &Path) -> io::Result<()> {
    for (path, bytes) in FILES {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_file_is_the_one_that_the_sums_name() {
        let mut lines: Vec<String> = FILES
            .iter()
            .filter(|(path, _)| *path != "SHA256SUMS")
            .map(|(path, bytes)| format!("{}  {path}", sha256_hex(bytes)))
            .collect();
        lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
        assert_eq!(SUMS.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn it_is_unpacked_once_and_older_ones_go() {
        let cache = tempfile::tempdir().unwrap();
        let old = cache.path().join("models/0123456789abcdef/starter");
        fs::create_dir_all(&old).unwrap();
        let starter = Starter::new(cache.path());
        // A job that waited through an update of the program still means the starter.
        assert!(Starter::is_at(&old) && Starter::is_at(starter.folder()));
        assert!(!Starter::is_at(Path::new("/home/me/models/klein/starter")));
        assert!(!Starter::is_at(Path::new("starter")));
        let index = starter.unpack().unwrap().join("model_index.json");
        assert!(!old.exists());
        let written = fs::metadata(&index).unwrap().modified().unwrap();
        assert_eq!(starter.unpack().unwrap(), starter.folder());
        assert_eq!(fs::metadata(&index).unwrap().modified().unwrap(), written);
        assert_eq!(
            fs::read_dir(starter.folder().parent().unwrap())
                .unwrap()
                .count(),
            1
        );
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_said() {
        let cache = tempfile::tempdir().unwrap();
        fs::write(cache.path().join("models"), "a file").unwrap();
        let fault = Starter::new(cache.path()).unpack().unwrap_err();
        assert_eq!(fault.code, "starter-unwritable");
        assert!(fault.hint.unwrap().contains("cache"));
    }
}
