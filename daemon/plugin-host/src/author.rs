//! Who made a plugin, where its author signs: an Ed25519 key over the names and digests of its files.
//! There is no authority: the first key that a plugin's name comes with is the one that its updates
//! must come with too.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::archive;
use crate::error::PluginError;
use crate::hex::{hex, unhex};
use atelier_plugin_package::folder_name;

/// The file that holds a signature, beside `plugin.toml`.
const SIGNATURE_FILE: &str = "signature.toml";
/// What is signed begins with this, so that a signature means nothing elsewhere.
const PURPOSE: &str = "atelier plugin 1\n";
const KIND: &str = "ed25519:";

/// A signature as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// `ed25519:` and the public key, 64 digits of hex.
    author: String,
    /// 128 digits of hex.
    signature: String,
}

/// An author's own key.
pub struct AuthorKey(SigningKey);

impl AuthorKey {
    /// Reads the key in a file; makes it, readable by its owner only, where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or holds no key.
    pub fn open_or_create(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => unhex(text.trim())
                .map(|seed| Self(SigningKey::from_bytes(&seed)))
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it holds no key")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(error),
        }
    }

    fn create(path: &Path) -> io::Result<Self> {
        let mut seed = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut seed)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?
            .write_all(hex(&seed).as_bytes())?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// `ed25519:` and the public key in hex: what users compare.
    pub fn name(&self) -> String {
        format!("{KIND}{}", hex(self.0.verifying_key().as_bytes()))
    }

    /// Signs the plugin in a folder: writes its `signature.toml`.
    ///
    /// # Errors
    ///
    /// [`PluginError::Archive`] when the folder cannot be read or written.
    pub fn sign(&self, folder: &Path) -> Result<(), PluginError> {
        let signature = self.0.sign(statement(folder)?.as_bytes());
        let written = Written {
            author: self.name(),
            signature: hex(&signature.to_bytes()),
        };
        let refuse = |problem: String| PluginError::Archive {
            plugin: folder_name(folder),
            problem: format!("{SIGNATURE_FILE}: {problem}"),
        };
        let text = toml::to_string(&written).map_err(|cause| refuse(cause.to_string()))?;
        fs::write(folder.join(SIGNATURE_FILE), text).map_err(|cause| refuse(cause.to_string()))
    }
}

/// Who signed the plugin in a folder; none where nobody did.
///
/// # Errors
///
/// [`PluginError::Signature`] when it is signed and the signature does not hold: a file was changed,
/// added or taken away.
pub fn author(folder: &Path) -> Result<Option<String>, PluginError> {
    let refuse = |problem: &str| PluginError::Signature {
        plugin: folder_name(folder),
        problem: problem.to_owned(),
    };
    let text = match fs::read_to_string(folder.join(SIGNATURE_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(&format!("{SIGNATURE_FILE} cannot be read: {error}"))),
    };
    let written: Written = toml::from_str(&text)
        .map_err(|error| refuse(&format!("{SIGNATURE_FILE}: {}", error.message())))?;
    let key = written
        .author
        .strip_prefix(KIND)
        .and_then(unhex)
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .ok_or_else(|| refuse("its author is no ed25519 key"))?;
    let signature = unhex(&written.signature)
        .ok_or_else(|| refuse("its signature is not 128 digits of hex"))?;
    key.verify_strict(
        statement(folder)?.as_bytes(),
        &Signature::from_bytes(&signature),
    )
    .map_err(|_| {
        refuse("its signature does not hold: its files are not the ones that were signed")
    })?;
    Ok(Some(written.author))
}

/// What is signed: a line for each file, as `sha256sum` prints it, sorted by name.
fn statement(folder: &Path) -> Result<String, PluginError> {
    let mut text = PURPOSE.to_owned();
    for (name, path) in archive::files(folder)? {
        if name == SIGNATURE_FILE {
            continue;
        }
        let bytes = fs::read(&path).map_err(|cause| PluginError::Archive {
            plugin: folder_name(folder),
            problem: format!("{name}: {cause}"),
        })?;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {name}", hex(&Sha256::digest(bytes)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_signature_holds_until_a_file_changes_comes_or_goes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("author.key");
        let key = AuthorKey::open_or_create(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let folder = home.path().join("plugin");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("plugin.toml"), "a").unwrap();
        fs::write(folder.join("plugin.wasm"), "b").unwrap();
        assert_eq!(author(&folder).unwrap(), None);
        key.sign(&folder).unwrap();
        let again = AuthorKey::open_or_create(&path).unwrap();
        assert_eq!(author(&folder).unwrap(), Some(again.name()));

        fs::write(folder.join("more"), "c").unwrap();
        assert_eq!(author(&folder).unwrap_err().code(), "plugin-signature");
        fs::remove_file(folder.join("more")).unwrap();
        fs::write(folder.join("plugin.wasm"), "B").unwrap();
        assert_eq!(author(&folder).unwrap_err().code(), "plugin-signature");
        fs::write(folder.join("plugin.wasm"), "b").unwrap();
        assert!(author(&folder).unwrap().is_some());
        fs::write(folder.join(SIGNATURE_FILE), "author = 1").unwrap();
        assert_eq!(author(&folder).unwrap_err().code(), "plugin-signature");
    }

    #[test]
    fn a_file_that_holds_no_key_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("author.key");
        fs::write(&path, "my diary").unwrap();
        assert!(AuthorKey::open_or_create(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "my diary");
    }
}
