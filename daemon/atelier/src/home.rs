//! Where everything of one daemon lies. Nothing here reads or writes; folders are made by
//! [`Home::create`] alone.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::fault::{Fault, Stage};

/// The folders and files of one daemon.
///
/// Under one root (`--home`, `ATELIER_HOME`) they lie side by side, as the contract names them;
/// otherwise they follow the XDG folders, with all that must share a file system in the data
/// folder.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
    config: PathBuf,
    cache: PathBuf,
}

impl Home {
    /// Finds the home: `--home`, else `$ATELIER_HOME`, else the XDG folders.
    ///
    /// # Errors
    ///
    /// When none of `HOME`, `XDG_DATA_HOME` and `ATELIER_HOME` says where.
    pub(crate) fn locate(asked: Option<&Path>) -> Result<Self, Fault> {
        let env = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(root) = asked.map(Path::to_path_buf).or_else(|| env("ATELIER_HOME")) {
            let root = std::path::absolute(&root)
                .map_err(|cause| Fault::io(Stage::Start, "home-unusable", &root, &cause))?;
            return Ok(Self {
                config: root.join("config.toml"),
                cache: root.join("cache"),
                root,
            });
        }
        let user = env("HOME");
        let xdg = |name: &str, under: &str| {
            env(name)
                .or_else(|| user.as_ref().map(|home| home.join(under)))
                .map(|base| base.join("atelier"))
        };
        match (
            xdg("XDG_DATA_HOME", ".local/share"),
            xdg("XDG_CONFIG_HOME", ".config"),
            xdg("XDG_CACHE_HOME", ".cache"),
        ) {
            (Some(root), Some(config), Some(cache)) => Ok(Self {
                root,
                config: config.join("config.toml"),
                cache,
            }),
            _ => Err(Fault::rejected(
                Stage::Start,
                "home-unknown",
                "neither --home nor ATELIER_HOME nor HOME says where Atelier's folders are",
            )
            .hint("give --home DIR")),
        }
    }

    /// The folder that holds all the others.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The settings, which may be absent.
    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// What may be deleted at any time: compiled plugins, digests of models.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Where manifests are dropped.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.root.join("inbox")
    }

    /// Where finished pictures appear.
    pub(crate) fn outbox(&self) -> PathBuf {
        self.root.join("outbox")
    }

    /// The local signing identity.
    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Models that need no entry in the settings: each folder here is one, by its name.
    pub(crate) fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// Installed plugins.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }

    /// Job templates: `NAME.toml` each, beside the settings.
    pub(crate) fn templates(&self) -> PathBuf {
        self.config.with_file_name("templates")
    }

    /// Makes what is missing. A home that is made here is the user's alone: prompts and pictures are
    /// private. One that is there already is as open as its owner made it.
    ///
    /// # Errors
    ///
    /// When a folder cannot be made, naming it.
    pub(crate) fn create(&self) -> Result<(), Fault> {
        let beside_config = self.config.parent().unwrap_or(&self.root).to_path_buf();
        for folder in [
            self.root.clone(),
            beside_config,
            self.inbox(),
            self.outbox(),
            self.models(),
            self.plugins(),
            self.templates(),
            self.cache.clone(),
        ] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(if folder == self.root { 0o700 } else { 0o777 })
                .create(&folder)
                .map_err(|cause| Fault::io(Stage::Start, "home-unusable", &folder, &cause))?;
        }
        Ok(())
    }
}
