//! A transformer's tensors by the names that ComfyUI and its maker's code have for them.
//!
//! However a file spells them, [`layout`] gives them diffusers' names first. Here queries,
//! keys and values of the double-stream blocks come together again, and the halves of the last modulation
//! change places: by stacking and cutting handles, not numbers.

use std::collections::BTreeMap;

use super::QuantizeError;
use crate::layout::{self, Kind};
use crate::weights::{Stored, Weights};

/// What checkpoints put before every name.
pub(super) const PREFIX: &str = "model.diffusion_model.";

/// Its rows come as scale, shift in diffusers, and as shift, scale here.
const LAST_MODULATION: &str = "final_layer.adaLN_modulation.1.weight";

/// All weights under ComfyUI's names, less the prefix, and those too small for a weight, which mark a
/// file, under their own. Other parts of a checkpoint are left out.
pub(super) fn renamed(
    weights: &Weights,
    canonical: &Weights,
) -> Result<Vec<(String, Stored)>, QuantizeError> {
    let mut parts: BTreeMap<String, Vec<&Stored>> = BTreeMap::new();
    let mut names: Vec<_> = canonical.names().collect();
    names.sort_by_key(|name| (rank(name), *name));
    for name in names {
        let new = layout::to_bfl(name).unwrap_or_else(|| name.to_owned());
        parts.entry(new).or_default().push(canonical.get(name)?);
    }
    let own = own(weights);
    let markers = weights.tensors().iter().filter_map(|(name, stored)| {
        let own = own(name).filter(|own| !parts.contains_key(*own))?;
        let small = stored.elements() <= layout::MARKER_ELEMENTS;
        small.then(|| (own.to_owned(), stored.clone()))
    });
    let markers: Vec<_> = markers.collect();
    let joined = parts.into_iter().map(|(name, parts)| {
        let tensor = join(&name, &parts).ok_or_else(|| QuantizeError::NotATransformer {
            path: parts[0].path().to_owned(),
            problem: format!("the tensors that make up {name} do not fit together"),
        })?;
        Ok((name, tensor))
    });
    joined.chain(markers.into_iter().map(Ok)).collect()
}

/// What a name of the transformer is without what its file puts before all of them; none for another
/// part's.
pub(super) fn own(weights: &Weights) -> impl Fn(&str) -> Option<&str> {
    let prefix = layout::find(Kind::Transformer, weights).map(|found| found.prefix().to_owned());
    move |name| name.strip_prefix(prefix.as_deref().unwrap_or_default())
}

/// The order of what is stacked: queries, keys, values.
fn rank(canonical: &str) -> usize {
    let leaf = canonical.strip_suffix(".weight").unwrap_or(canonical);
    let letters = ["q", "k", "v"];
    let is_of = |letter: &&str| {
        leaf.ends_with(&format!(".to_{letter}")) || leaf.ends_with(&format!(".add_{letter}_proj"))
    };
    letters.iter().position(is_of).unwrap_or(0)
}

fn join(name: &str, parts: &[&Stored]) -> Option<Stored> {
    let alike = parts
        .windows(2)
        .all(|pair| pair[0].shape() == pair[1].shape());
    let tensor = Stored::stack(parts.iter().copied().cloned()).filter(|_| alike)?;
    if name != LAST_MODULATION {
        return Some(tensor);
    }
    let rows = tensor.rows();
    let halves = [tensor.part(rows / 2..rows), tensor.part(0..rows / 2)];
    Stored::stack(halves).filter(|_| rows.is_multiple_of(2))
}
