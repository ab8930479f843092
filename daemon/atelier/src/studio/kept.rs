//! Prepared references, kept between jobs: the same plugin with the same parameters and the same
//! files gives the same pictures, so it runs once. Like all of the cache's folder it may be deleted
//! at any time; an entry that is damaged, cut or of another form is not there.
//!
//! An entry is one file named by its key: the SHA-256 of what follows, the length of a JSON head, the
//! head, and the pixels of every picture, RGBA, one after the other.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use atelier_plugin_host::Prepared;
use image::RgbaImage;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const DIGEST: usize = 32;
const LENGTH: usize = 4;

/// The kept results of one home.
pub(super) struct Kept {
    folder: PathBuf,
    /// Bytes of all entries together; 0 keeps none.
    most: u64,
}

#[derive(Serialize, Deserialize)]
struct Head {
    pictures: Vec<(u32, u32)>,
    prompt: Option<String>,
    keypoints: Option<String>,
    notes: Vec<(String, String)>,
}

impl Kept {
    /// In a folder, which is made when something is first kept.
    pub(super) fn new(folder: PathBuf, most: u64) -> Self {
        Self { folder, most }
    }

    /// What was kept under a key: 64 digits of hex.
    pub(super) fn find(&self, key: &str) -> Option<Prepared> {
        let mut file = File::open(self.folder.join(key)).ok()?;
        let mut entry = Vec::new();
        file.read_to_end(&mut entry).ok()?;
        let prepared = read(&entry)?;
        // What is used stays longest; a clock that cannot be set only changes what goes first.
        let _ = file.set_modified(SystemTime::now());
        Some(prepared)
    }

    /// Keeps a result, and lets go of what was not used longest where that is too much.
    pub(super) fn keep(&self, key: &str, prepared: &Prepared) {
        if self.most == 0 {
            return;
        }
        if let Err(cause) = self.write(key, prepared).and_then(|()| self.trim()) {
            tracing::warn!(folder = %self.folder.display(), %cause, "a prepared reference could not be kept");
        }
    }

    fn write(&self, key: &str, prepared: &Prepared) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        let head = Head {
            pictures: prepared
                .pictures
                .iter()
                .map(RgbaImage::dimensions)
                .collect(),
            prompt: prepared.prompt.clone(),
            keypoints: prepared.keypoints.clone(),
            notes: prepared.notes.clone(),
        };
        let head = serde_json::to_vec(&head)?;
        let length = u32::try_from(head.len()).map_err(io::Error::other)?;
        let mut body = length.to_le_bytes().to_vec();
        body.extend_from_slice(&head);
        for picture in &prepared.pictures {
            body.extend_from_slice(picture.as_raw());
        }
        let draft = self
            .folder
            .join(format!("{key}.{}.part", std::process::id()));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| {
                file.write_all(Sha256::digest(&body).as_slice())?;
                file.write_all(&body)
            })
            .and_then(|()| fs::rename(&draft, self.folder.join(key)));
        if written.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&draft);
        }
        written
    }

    fn trim(&self) -> io::Result<()> {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let facts = entry.metadata()?;
            entries.push((facts.modified()?, facts.len(), entry.path()));
        }
        let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        entries.sort();
        for (_, bytes, path) in entries {
            if total <= self.most {
                break;
            }
            fs::remove_file(path)?;
            total -= bytes;
        }
        Ok(())
    }
}

fn read(entry: &[u8]) -> Option<Prepared> {
    let (digest, body) = entry.split_at_checked(DIGEST)?;
    if Sha256::digest(body).as_slice() != digest {
        return None;
    }
    let (length, body) = body.split_at_checked(LENGTH)?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    let (head, mut pixels) = body.split_at_checked(usize::try_from(length).ok()?)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    let mut pictures = Vec::with_capacity(head.pictures.len());
    for (width, height) in head.pictures {
        let bytes = usize::try_from(u64::from(width) * u64::from(height) * 4).ok()?;
        let (picture, rest) = pixels.split_at_checked(bytes)?;
        pictures.push(RgbaImage::from_raw(width, height, picture.to_vec())?);
        pixels = rest;
    }
    pixels.is_empty().then_some(Prepared {
        pictures,
        prompt: head.prompt,
        keypoints: head.keypoints,
        notes: head.notes,
        dropped_log_lines: 0,
        memory: 0,
        instantiation: Duration::ZERO,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use image::Rgba;

    use super::*;

    fn prepared(side: u32) -> Prepared {
        Prepared {
            pictures: vec![
                RgbaImage::from_fn(side, 2, |x, y| Rgba([x as u8, y as u8, 7, 255])),
                RgbaImage::new(1, 1),
            ],
            prompt: Some("in the pose of image {image}".to_owned()),
            keypoints: Some("{}".to_owned()),
            notes: vec![("people".to_owned(), "2".to_owned())],
            dropped_log_lines: 0,
            memory: 0,
            instantiation: Duration::ZERO,
        }
    }

    #[test]
    fn what_is_kept_is_found_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().join("kept"), 1 << 20);
        assert!(kept.find("a").is_none());
        kept.keep("a", &prepared(9));
        assert_eq!(kept.find("a").unwrap(), prepared(9));
        assert!(kept.find("b").is_none());
    }

    #[test]
    fn a_damaged_or_cut_entry_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().to_owned(), 1 << 20);
        kept.keep("a", &prepared(9));
        let whole = fs::read(folder.path().join("a")).unwrap();
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_none(), "{length}");
            let mut damaged = whole.clone();
            damaged[length] ^= 1;
            assert!(read(&damaged).is_none(), "{length}");
        }
    }

    #[test]
    fn what_was_not_used_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().to_owned(), 1100);
        let age = |key: &str, seconds| {
            let file = File::open(folder.path().join(key)).unwrap();
            let then = SystemTime::now() - Duration::from_secs(seconds);
            file.set_modified(then).unwrap();
        };
        for (key, seconds) in [("a", 30), ("b", 20)] {
            kept.keep(key, &prepared(32));
            age(key, seconds);
        }
        assert!(kept.find("a").is_some(), "used now");
        kept.keep("c", &prepared(32));
        assert!(kept.find("b").is_none());
        assert!(kept.find("a").is_some() && kept.find("c").is_some());
    }

    #[test]
    fn nothing_is_kept_where_nothing_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().join("kept"), 0);
        kept.keep("a", &prepared(1));
        assert!(!folder.path().join("kept").exists());
    }
}
