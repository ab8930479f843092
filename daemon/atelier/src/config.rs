//! The settings: `config.toml`, strictly read, with every default in one place.

mod models;
mod plugins;
mod size;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use atelier_manifest::ReferenceCap;
use serde::Deserialize;

use crate::fault::{Fault, Stage};
use crate::home::Home;
pub(crate) use models::{ModelEntry, PartsConfig};
pub(crate) use plugins::PluginConfig;
pub(crate) use size::PictureSize;

/// What a first start writes: every setting, commented out, with its default.
const DEFAULT: &str = include_str!("../../../config/config.toml");

/// The settings of one daemon.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The model of jobs that name none.
    pub(crate) model: Option<String>,
    /// Names for models.
    pub(crate) models: BTreeMap<String, ModelEntry>,
    /// Parts that models share.
    pub(crate) parts: PartsConfig,
    /// Where and in what precision to compute.
    pub(crate) device: DeviceConfig,
    /// How references are read.
    pub(crate) references: ReferenceConfig,
    /// Watched folders.
    pub(crate) intake: IntakeConfig,
    /// Attempts and limits of the queue.
    pub(crate) queue: QueueConfig,
    /// Plugin folders and limits.
    pub(crate) plugins: PluginConfig,
}

/// `[device]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeviceConfig {
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub(crate) device: String,
    /// `auto`, `f32`, `bf16` or `fp8`.
    pub(crate) precision: String,
    /// The most that a picture may take beside the model's files; left out, what there is.
    pub(crate) memory: Option<ByteSize>,
    /// The most that networks may take of a card's memory; left out, what is free.
    pub(crate) vram: Option<ByteSize>,
    /// Where kernels that were compiled for a card are kept; left out, in the cache's folder.
    pub(crate) kernels: Option<PathBuf>,
    /// Sizes of pictures that the daemon makes itself ready for when it has nothing to do.
    pub(crate) warm: Vec<PictureSize>,
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self {
            device: "auto".to_owned(),
            precision: "auto".to_owned(),
            memory: None,
            vram: None,
            kernels: None,
            warm: Vec::new(),
        }
    }
}

impl DeviceConfig {
    /// Where compiled kernels are kept.
    pub(crate) fn kernels(&self, home: &Home) -> PathBuf {
        let usual = || home.cache().join("kernels");
        self.kernels.clone().unwrap_or_else(usual)
    }
}

/// `[references]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReferenceConfig {
    /// `1MP` or `bfl`.
    pub(crate) cap: ReferenceCap,
}

/// `[intake]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IntakeConfig {
    /// More folders to watch.
    pub(crate) folders: Vec<PathBuf>,
    /// Folders that manifests elsewhere may name.
    pub(crate) allow: Vec<PathBuf>,
    /// Seconds between full scans.
    pub(crate) scan_seconds: u32,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            allow: Vec::new(),
            scan_seconds: 300,
        }
    }
}

/// `[queue]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct QueueConfig {
    /// Crashes before a job is quarantined.
    pub(crate) crashes: u32,
    /// Tries in all of a job whose failure may pass.
    pub(crate) attempts: u32,
    /// Free space below which nothing is claimed.
    pub(crate) min_free: ByteSize,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            crashes: 3,
            attempts: 3,
            min_free: ByteSize(512 << 20),
        }
    }
}

/// A number of bytes, written as `"512MiB"` or as a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SizeText")]
pub(crate) struct ByteSize(pub(crate) u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum SizeText {
    Number(u64),
    Text(String),
}

impl TryFrom<SizeText> for ByteSize {
    type Error = String;

    fn try_from(text: SizeText) -> Result<Self, Self::Error> {
        match text {
            SizeText::Number(bytes) => Ok(Self(bytes)),
            SizeText::Text(text) => text.parse(),
        }
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
        let shift = match text[digits.len()..].trim() {
            "" | "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            unit => {
                return Err(format!(
                    "`{unit}` is not a unit of size: write B, KiB, MiB or GiB"
                ));
            }
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a size: write it as \"512MiB\""))
    }
}

impl Config {
    /// Reads the settings; without a file, all defaults hold.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or says something that is not a setting, with its place.
    pub(crate) fn load(home: &Home, asked: Option<&Path>) -> Result<Self, Fault> {
        let path = asked.unwrap_or(home.config());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && asked.is_none() => {
                return Ok(Self::default());
            }
            Err(cause) => return Err(Fault::io(Stage::Start, "config-unreadable", path, &cause)),
        };
        let mut config = Self::parse(&text, path)?;
        config.resolve(path.parent().unwrap_or(Path::new("/")));
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Fault> {
        toml::from_str(text).map_err(|cause| {
            let place = cause.span().map_or(String::new(), |span| {
                let before = &text[..span.start.min(text.len())];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
                format!(" line {line}, column {column}:")
            });
            Fault::rejected(
                Stage::Start,
                "config-invalid",
                format!("{}:{place} {}", path.display(), cause.message()),
            )
            .hint("correct the settings, or remove the file to get the defaults back")
        })
    }

    /// Makes every path absolute, so that a daemon's working folder never matters.
    fn resolve(&mut self, base: &Path) {
        let absolute = |path: &mut PathBuf| models::resolve(path, base);
        let named = self.models.values_mut();
        named.flat_map(ModelEntry::paths_mut).for_each(absolute);
        self.parts.paths_mut().for_each(absolute);
        self.device.kernels.iter_mut().for_each(absolute);
        self.intake.folders.iter_mut().for_each(absolute);
        self.intake.allow.iter_mut().for_each(absolute);
        self.plugins.paths_mut().for_each(absolute);
    }

    /// Puts the commented defaults where a user will look for them; never overwrites.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn write_default(home: &Home) -> Result<(), Fault> {
        let path = home.config();
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
        {
            Ok(mut file) => file
                .write_all(DEFAULT.as_bytes())
                .map_err(|cause| Fault::io(Stage::Start, "config-unwritable", path, &cause)),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(cause) => Err(Fault::io(Stage::Start, "config-unwritable", path, &cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_shipped_file_is_valid_and_states_the_defaults() {
        let path = Path::new("config.toml");
        let shipped = Config::parse(DEFAULT, path).unwrap();
        assert_eq!(
            shipped.intake.scan_seconds,
            IntakeConfig::default().scan_seconds
        );
        // Uncommented, every line must still be a setting.
        let uncommented: String = DEFAULT
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") => format!("{rest}\n"),
                Some(_) => String::new(),
                None => format!("{line}\n"),
            })
            .collect();
        let stated = Config::parse(&uncommented, path).unwrap();
        assert_eq!(stated.queue.crashes, QueueConfig::default().crashes);
        assert_eq!(stated.queue.min_free, QueueConfig::default().min_free);
        assert_eq!(stated.plugins.memory, PluginConfig::default().memory);
        assert_eq!(stated.device.device, DeviceConfig::default().device);
        assert_eq!(stated.references.cap, ReferenceCap::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let fault = Config::parse("\n[queue]\n  crashs = 3\n", Path::new("c.toml")).unwrap_err();
        assert!(
            fault.message.contains("line 3, column 3"),
            "{}",
            fault.message
        );
        assert!(fault.message.contains("crashs"), "{}", fault.message);
    }

    #[test]
    fn sizes_have_units() {
        let size =
            |text: &str| Config::parse(&format!("[plugins]\nmemory = {text}"), Path::new("c"));
        assert_eq!(size("\"1GiB\"").unwrap().plugins.memory, ByteSize(1 << 30));
        assert_eq!(size("4096").unwrap().plugins.memory, ByteSize(4096));
        assert!(size("\"1GB\"").unwrap_err().message.contains("GB"));
    }
}
