//! `[models]` and `[parts]`: which files are a model.
//!
//! A model is a path, or a table that names its parts one by one. What the engine can find by itself
//! may be left out; what several models share is written once, in `[parts]`.

use std::fmt;
use std::path::{Path, PathBuf};

use atelier_flux::{ModelParts, SharedParts, Variant};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// An entry of `[models]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelEntry {
    /// The pipeline folder, or the transformer's file.
    pub(crate) path: PathBuf,
    /// What is said of its parts.
    pub(crate) parts: ModelParts,
}

/// An entry that is a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    path: Option<PathBuf>,
    transformer: Option<PathBuf>,
    text_encoder: Option<PathBuf>,
    tokenizer: Option<PathBuf>,
    vae: Option<PathBuf>,
    variant: Option<String>,
}

impl Table {
    fn into_entry(self) -> Result<ModelEntry, String> {
        let variant = self.variant.map(|name| name.parse::<Variant>());
        let (path, transformer) = match (self.path, self.transformer) {
            (Some(path), transformer) => (path, transformer),
            (None, Some(transformer)) => (transformer, None),
            (None, None) => {
                return Err("a model needs `path`, its folder, or `transformer`, its file".into());
            }
        };
        Ok(ModelEntry {
            path,
            parts: ModelParts {
                transformer,
                text_encoder: self.text_encoder,
                tokenizer: self.tokenizer,
                vae: self.vae,
                variant: variant.transpose().map_err(|error| error.to_string())?,
            },
        })
    }
}

impl<'de> Deserialize<'de> for ModelEntry {
    /// By hand, so that a mistake in a table is told with its key.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathOrTable;
        impl<'de> Visitor<'de> for PathOrTable {
            type Value = ModelEntry;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a path, or a table of a model's parts")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<ModelEntry, E> {
                Ok(ModelEntry {
                    path: path.into(),
                    parts: ModelParts::default(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelEntry, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                table.into_entry().map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(PathOrTable)
    }
}

impl ModelEntry {
    /// Every path in it.
    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let parts = &mut self.parts;
        let named = [
            &mut parts.transformer,
            &mut parts.text_encoder,
            &mut parts.tokenizer,
            &mut parts.vae,
        ];
        std::iter::once(&mut self.path).chain(named.into_iter().flatten())
    }
}

/// `[parts]`: one path, or several of which the first that fits a model is taken.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PartsConfig {
    text_encoder: Paths,
    tokenizer: Paths,
    vae: Paths,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a path, or a list of paths")]
enum Paths {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

impl Default for Paths {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Paths {
    fn as_mut_slice(&mut self) -> &mut [PathBuf] {
        match self {
            Self::One(path) => std::slice::from_mut(path),
            Self::Several(paths) => paths,
        }
    }

    fn to_vec(&self) -> Vec<PathBuf> {
        match self {
            Self::One(path) => vec![path.clone()],
            Self::Several(paths) => paths.clone(),
        }
    }
}

impl PartsConfig {
    /// Every path in it.
    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let all = [&mut self.text_encoder, &mut self.tokenizer, &mut self.vae];
        all.into_iter().flat_map(Paths::as_mut_slice)
    }

    /// In the engine's words.
    pub(crate) fn shared(&self) -> SharedParts {
        SharedParts {
            text_encoder: self.text_encoder.to_vec(),
            tokenizer: self.tokenizer.to_vec(),
            vae: self.vae.to_vec(),
        }
    }
}

/// Makes a path absolute: `~` is the user's home, and what is relative is relative to the settings.
pub(super) fn resolve(path: &mut PathBuf, base: &Path) {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    *path = match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => base.join(&*path),
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeMap;

    use super::*;

    fn parse(text: &str) -> Result<ModelEntry, String> {
        let mut models: BTreeMap<String, ModelEntry> =
            toml::from_str(text).map_err(|error| error.to_string())?;
        Ok(models.remove("m").unwrap())
    }

    #[test]
    fn a_model_is_a_path_or_a_table() {
        let plain = parse("m = \"klein\"").unwrap();
        assert_eq!(plain.path, Path::new("klein"));
        assert_eq!(plain.parts, ModelParts::default());

        let text = r#"m = { transformer = "t.gguf", vae = "v", variant = "klein-base" }"#;
        let mut table = parse(text).unwrap();
        assert_eq!(table.path, Path::new("t.gguf"));
        assert_eq!(table.parts.transformer, None);
        assert_eq!(
            table.parts.variant,
            Some(Variant::Klein { distilled: false })
        );
        table
            .paths_mut()
            .for_each(|path| resolve(path, Path::new("/etc")));
        assert_eq!(table.path, Path::new("/etc/t.gguf"));
        assert_eq!(table.parts.vae.as_deref(), Some(Path::new("/etc/v")));

        let both = parse(r#"m = { path = "folder", transformer = "t.gguf" }"#).unwrap();
        assert_eq!(both.path, Path::new("folder"));
        assert_eq!(both.parts.transformer.as_deref(), Some(Path::new("t.gguf")));
    }

    #[test]
    fn mistakes_are_told_by_their_key() {
        for (text, word) in [
            (r#"m = { path = "p", vea = "v" }"#, "vea"),
            (r#"m = { path = "p", variant = "klein-9b" }"#, "klein-9b"),
            (r#"m = { vae = "v" }"#, "transformer"),
            ("m = 4", "a path, or a table"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn shared_parts_are_one_or_several() {
        let text = "text_encoder = [\"a\", \"b\"]\nvae = \"c\"";
        let mut parts: PartsConfig = toml::from_str(text).unwrap();
        parts
            .paths_mut()
            .for_each(|path| resolve(path, Path::new("/m")));
        let shared = parts.shared();
        assert_eq!(shared.text_encoder, [Path::new("/m/a"), Path::new("/m/b")]);
        assert_eq!(shared.vae, [Path::new("/m/c")]);
        assert!(toml::from_str::<PartsConfig>("vae = 4").is_err());
    }
}
