//! Which FLUX.2 a model is, and how that is known.
//!
//! Tensors tell \[dev\] from \[klein\]: only \[dev\] has an embedder for guidance. They do not tell the
//! three kleins apart, for distilled, base and KV have the same shapes; and a wrong choice gives noise
//! (four steps of the base model) or a burnt picture (guidance on a distilled one), never an error. So
//! [`decide`] asks, in this order: the pipeline folder's `model_index.json`, the user, the file's own
//! metadata, the file's name. Where all are silent it takes the distilled klein, and says so.
//!
//! What the user says must not contradict what files prove or state; a contradiction is refused, never
//! settled in silence.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::ModelIndex;
use crate::error::EngineError;
use crate::family::Family;

/// The variants of FLUX.2. Sizes differ within a variant and are no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Variant {
    /// FLUX.2 \[klein\], with a Qwen3 text encoder.
    Klein {
        /// Distilled to few steps without guidance, or the base model that is guided by a second pass.
        distilled: bool,
    },
    /// FLUX.2 \[klein\], distilled with references that are read once, before the first step, and not in
    /// every step. Without references it is the distilled klein.
    KleinKv,
    /// FLUX.2 \[dev\], with a Mistral text encoder and guidance as an input.
    Dev,
}

/// When the transformer of a variant reads references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Again in every step, beside the output.
    EveryStep,
    /// Before the first step; every step sees what was kept of them.
    Once,
}

/// All variants by the names that settings use.
const NAMES: [(&str, Variant); 4] = [
    ("klein", Variant::Klein { distilled: true }),
    ("klein-base", Variant::Klein { distilled: false }),
    ("klein-kv", Variant::KleinKv),
    ("dev", Variant::Dev),
];

impl Variant {
    /// The name that settings use: `klein`, `klein-base`, `klein-kv` or `dev`.
    pub fn name(self) -> &'static str {
        let row = NAMES.iter().find(|row| row.1 == self);
        row.map_or("", |row| row.0)
    }

    /// The family, which settles how prompts are read.
    pub fn family(self) -> Family {
        match self {
            Self::Klein { .. } | Self::KleinKv => Family::Klein,
            Self::Dev => Family::Dev,
        }
    }

    /// Whether it was distilled to few steps, or to guidance as an input: a second pass with a negative
    /// prompt has no place in it.
    pub fn is_distilled(self) -> bool {
        self != Self::Klein { distilled: false }
    }

    pub(crate) fn reading(self) -> Reading {
        match self {
            Self::KleinKv => Reading::Once,
            Self::Klein { .. } | Self::Dev => Reading::EveryStep,
        }
    }

    /// The pipeline's class in diffusers.
    pub(crate) fn pipeline(self) -> &'static str {
        match self {
            Self::Klein { .. } => "Flux2KleinPipeline",
            Self::KleinKv => "Flux2KleinKVPipeline",
            Self::Dev => "Flux2Pipeline",
        }
    }

    /// Steps and guidance to use if none are asked for.
    pub(crate) fn defaults(self) -> (u32, f32) {
        match self {
            Self::Klein { distilled: true } | Self::KleinKv => (4, 1.0),
            Self::Klein { distilled: false } | Self::Dev => (50, 4.0),
        }
    }
}

impl FromStr for Variant {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        let row = NAMES.iter().find(|row| row.0 == text);
        row.map(|row| row.1).ok_or_else(|| {
            let names = NAMES.map(|row| row.0).join(", ");
            EngineError::request("variant", format!("{text:?} is none of {names}"))
        })
    }
}

impl fmt::Display for Variant {
    /// As its maker writes it: `FLUX.2 [klein]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Klein { distilled: true } => "FLUX.2 [klein]",
            Self::Klein { distilled: false } => "FLUX.2 [klein] base",
            Self::KleinKv => "FLUX.2 [klein] KV",
            Self::Dev => "FLUX.2 [dev]",
        })
    }
}

/// How a variant is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum VariantBasis {
    /// The folder's `model_index.json` says it.
    Index,
    /// The user says it.
    Asked,
    /// The transformer's tensors say it: \[dev\] alone has an embedder for guidance.
    Tensors,
    /// The transformer file's metadata says it.
    Metadata,
    /// The transformer file's name says it.
    FileName,
    /// Nothing says it: the distilled klein is the likeliest.
    Assumed,
}

impl fmt::Display for VariantBasis {
    /// Follows the variant in a sentence: "FLUX.2 \[dev\], as …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "as model_index.json says",
            Self::Asked => "as the settings say",
            Self::Tensors => "as its tensors show",
            Self::Metadata => "as the file's metadata says",
            Self::FileName => "as the file's name says",
            Self::Assumed => "which is assumed",
        })
    }
}

/// All that may tell the variant.
pub(crate) struct Evidence<'a> {
    /// Whether the transformer has an embedder for guidance.
    pub(crate) takes_guidance: bool,
    /// The pipeline folder's index, if the transformer is the folder's own.
    pub(crate) index: Option<&'a ModelIndex>,
    /// What the user says.
    pub(crate) asked: Option<Variant>,
    /// The metadata of the transformer's file.
    pub(crate) metadata: &'a BTreeMap<String, String>,
    /// The transformer's file.
    pub(crate) file: &'a Path,
}

/// Where people and programs write a model's name.
const TITLES: [&str; 6] = [
    "atelier.variant",
    "modelspec.architecture",
    "modelspec.title",
    "general.name",
    "general.basename",
    "general.finetune",
];

/// Settles the variant.
///
/// # Errors
/// A sentence on what contradicts what.
pub(crate) fn decide(evidence: &Evidence<'_>) -> Result<(Variant, VariantBasis), String> {
    let stated = evidence.index.and_then(stated_by);
    let fits = |variant: Variant| evidence.takes_guidance == (variant == Variant::Dev);
    let contradiction = |variant: Variant, who: &str| {
        let has = if evidence.takes_guidance {
            "has an"
        } else {
            "has no"
        };
        format!("{who} says this is {variant}, but the transformer {has} embedder for guidance")
    };
    if let Some(asked) = evidence.asked {
        if !fits(asked) {
            return Err(contradiction(asked, "the setting `variant`"));
        }
        match stated {
            Some(Stated {
                variant,
                is_explicit: true,
            }) if !refines(asked, variant) => Err(format!(
                "the setting `variant` says this is {asked}, model_index.json says {variant}"
            )),
            _ => Ok((asked, VariantBasis::Asked)),
        }
    } else if let Some(Stated { variant, .. }) = stated {
        if fits(variant) {
            Ok((variant, VariantBasis::Index))
        } else {
            Err(contradiction(variant, "model_index.json"))
        }
    } else if evidence.takes_guidance {
        Ok((Variant::Dev, VariantBasis::Tensors))
    } else {
        let titles = TITLES.iter().filter_map(|key| evidence.metadata.get(*key));
        let by_metadata = titles.filter_map(|title| klein_in(title)).next();
        let file = evidence.file.file_stem().unwrap_or_default();
        let by_name = || Some((klein_in(&file.to_string_lossy())?, VariantBasis::FileName));
        Ok(by_metadata
            .map(|variant| (variant, VariantBasis::Metadata))
            .or_else(by_name)
            .unwrap_or((Variant::Klein { distilled: true }, VariantBasis::Assumed)))
    }
}

/// What an index says.
struct Stated {
    variant: Variant,
    /// Whether it says all of it: older indices leave out whether a klein is distilled.
    is_explicit: bool,
}

/// `None` for a pipeline that is none of FLUX.2's.
fn stated_by(index: &ModelIndex) -> Option<Stated> {
    let (variant, is_explicit) = match index.class.as_str() {
        "Flux2KleinPipeline" | "Flux2KleinInpaintPipeline" => {
            let distilled = index.is_distilled.unwrap_or(false);
            (Variant::Klein { distilled }, index.is_distilled.is_some())
        }
        "Flux2KleinKVPipeline" => (Variant::KleinKv, true),
        "Flux2Pipeline" => (Variant::Dev, true),
        _ => return None,
    };
    Some(Stated {
        variant,
        is_explicit,
    })
}

/// Whether the index is that of a FLUX.2 pipeline.
pub(crate) fn is_known(index: &ModelIndex) -> bool {
    stated_by(index).is_some()
}

/// Whether the user's word only adds to the index's: KV is distilled too, and its weights run in the
/// plain pipeline.
fn refines(asked: Variant, stated: Variant) -> bool {
    asked == stated
        || (asked == Variant::KleinKv && stated == Variant::Klein { distilled: true })
        || (stated == Variant::KleinKv && asked == Variant::Klein { distilled: true })
}

/// Which klein a name or title speaks of, in words of letters: `flux-2-klein-base-4b-fp8`.
fn klein_in(title: &str) -> Option<Variant> {
    let title = title.to_ascii_lowercase();
    let words: Vec<_> = title.split(|c: char| !c.is_ascii_alphabetic()).collect();
    let says = |word: &str| words.contains(&word);
    if says("kv") {
        Some(Variant::KleinKv)
    } else if says("base") || title.contains("kleinbase") {
        Some(Variant::Klein { distilled: false })
    } else if words.iter().any(|word| word.ends_with("klein")) || says("distilled") {
        Some(Variant::Klein { distilled: true })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const KLEIN: Variant = Variant::Klein { distilled: true };
    const BASE: Variant = Variant::Klein { distilled: false };

    fn index(class: &str, is_distilled: Option<bool>) -> ModelIndex {
        ModelIndex {
            class: class.into(),
            is_distilled,
        }
    }

    fn of_file(name: &str, title: Option<&str>, takes_guidance: bool) -> (Variant, VariantBasis) {
        let title = title.map(|title| ("modelspec.title".to_owned(), title.to_owned()));
        decide(&Evidence {
            takes_guidance,
            index: None,
            asked: None,
            metadata: &title.into_iter().collect(),
            file: Path::new(name),
        })
        .unwrap()
    }

    fn with_index(
        index: &ModelIndex,
        asked: Option<Variant>,
        takes_guidance: bool,
    ) -> Result<(Variant, VariantBasis), String> {
        decide(&Evidence {
            takes_guidance,
            index: Some(index),
            asked,
            metadata: &BTreeMap::new(),
            file: Path::new("base.safetensors"),
        })
    }

    #[test]
    fn names_of_published_files_tell_the_klein() {
        let by_name = |name| of_file(name, None, false);
        for (name, variant) in [
            ("flux-2-klein-4b.safetensors", KLEIN),
            ("flux-2-klein-4b-fp8.safetensors", KLEIN),
            ("flux-2-klein-base-9b.safetensors", BASE),
            ("flux-2-klein-9b-kv-fp8.safetensors", Variant::KleinKv),
            ("FLUX.2-klein-base-4B-Q8_0.gguf", BASE),
            ("flux2kleinbase4b.safetensors", BASE),
            ("flux2klein.safetensors", KLEIN),
        ] {
            assert_eq!(by_name(name), (variant, VariantBasis::FileName), "{name}");
        }
        for name in [
            "model.safetensors",
            "database.safetensors",
            "mkv.safetensors",
        ] {
            assert_eq!(by_name(name), (KLEIN, VariantBasis::Assumed), "{name}");
        }
    }

    #[test]
    fn tensors_come_before_metadata_and_metadata_before_the_name() {
        let base = Some("FLUX.2 klein base 4B");
        assert_eq!(
            of_file("klein.gguf", base, true),
            (Variant::Dev, VariantBasis::Tensors)
        );
        assert_eq!(
            of_file("klein.gguf", base, false),
            (BASE, VariantBasis::Metadata)
        );
        let silent = Some("my model");
        assert_eq!(
            of_file("klein.gguf", silent, false),
            (KLEIN, VariantBasis::FileName)
        );
    }

    #[test]
    fn the_index_is_believed_and_the_user_may_say_what_it_leaves_out() {
        let distilled = index("Flux2KleinPipeline", Some(true));
        let silent = index("Flux2KleinPipeline", None);
        assert_eq!(
            with_index(&distilled, None, false).unwrap(),
            (KLEIN, VariantBasis::Index)
        );
        assert_eq!(
            with_index(&silent, None, false).unwrap(),
            (BASE, VariantBasis::Index)
        );
        let asked = (KLEIN, VariantBasis::Asked);
        assert_eq!(with_index(&silent, Some(KLEIN), false).unwrap(), asked);
        let kv = Some(Variant::KleinKv);
        assert_eq!(
            with_index(&distilled, kv, false).unwrap().0,
            Variant::KleinKv
        );
    }

    #[test]
    fn contradictions_are_refused_with_a_sentence() {
        let distilled = index("Flux2KleinPipeline", Some(true));
        let dev = index("Flux2Pipeline", None);
        for (index, asked, takes_guidance, word) in [
            (
                &distilled,
                Some(BASE),
                false,
                "model_index.json says FLUX.2 [klein]",
            ),
            (&distilled, None, true, "has an embedder for guidance"),
            (&distilled, Some(Variant::Dev), false, "has no embedder"),
            (&dev, None, false, "has no embedder"),
            (&dev, Some(KLEIN), true, "has an embedder"),
        ] {
            let problem = with_index(index, asked, takes_guidance).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn other_pipelines_are_not_known() {
        assert!(!is_known(&index("FluxPipeline", None)));
        assert!(is_known(&index("Flux2KleinKVPipeline", None)));
    }

    #[test]
    fn every_variant_has_a_name_that_reads_back() {
        for (name, variant) in NAMES {
            assert_eq!(variant.name(), name);
            assert_eq!(name.parse::<Variant>().unwrap(), variant);
        }
        assert!("klein-9b".parse::<Variant>().is_err());
    }
}
