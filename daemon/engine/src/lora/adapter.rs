//! The change to one layer, as factors that stay in their file.
//!
//! Two forms. Low rank: `ΔW = B·A`. Kronecker (`LoKr`): `ΔW = w1 ⊗ w2`, where each side is a matrix or
//! itself a product of two. Both are scaled by alpha / rank where the file holds an alpha; for a
//! Kronecker product of two whole matrices there is no rank, and its alpha says nothing.

use std::collections::BTreeMap;

use super::keys::{Factor, Role};
use crate::weights::Stored;

/// A matrix as one or two factors: the product of all, the leftmost first.
pub(crate) type Product = Vec<Stored>;

/// The change to one layer, or to several that are stacked.
#[derive(Debug, Clone)]
pub(crate) struct Adapter {
    pub(crate) delta: Delta,
    /// alpha / rank.
    pub(crate) scale: f32,
}

/// What is added to a weight, less its scale.
#[derive(Debug, Clone)]
pub(crate) enum Delta {
    /// `B·A`, `[outputs, inputs]`.
    LowRank(Product),
    /// `left ⊗ right`: `[a, b]` and `[c, d]` make `[a·c, b·d]`.
    Kronecker { left: Product, right: Product },
}

/// All that a file holds of one layer.
#[derive(Debug, Default)]
pub(super) struct Tensors {
    pub(super) by_role: BTreeMap<Role, Stored>,
    pub(super) alpha: Option<f32>,
}

impl Adapter {
    /// Puts a layer's tensors together.
    ///
    /// Gives `None` where there is no factor at all, such as a lone alpha. An error is what is wrong,
    /// with the name of the tensor that it is about.
    pub(super) fn of(tensors: &Tensors) -> Result<Option<Self>, (String, String)> {
        let get = |role| tensors.by_role.get(&role);
        let kronecker = |factor| get(Role::Kronecker(factor));
        let low_rank = pair("lora_B and lora_A", get(Role::Up), get(Role::Down))?;
        let left = side(
            "lokr_w1",
            kronecker(Factor::Left),
            kronecker(Factor::LeftA),
            kronecker(Factor::LeftB),
        )?;
        let right = side(
            "lokr_w2",
            kronecker(Factor::Right),
            kronecker(Factor::RightA),
            kronecker(Factor::RightB),
        )?;
        let (delta, rank) = match (low_rank, left, right) {
            (None, None, None) => return Ok(None),
            (Some(factors), None, None) => {
                let rank = factors[1].rows();
                (Delta::LowRank(factors), Some(rank))
            }
            (None, Some(left), Some(right)) => {
                // LyCORIS takes the right side's rank where both have one.
                let factored = |side: &Product| side.get(1).map(Stored::rows);
                let rank = factored(&right).or_else(|| factored(&left));
                (Delta::Kronecker { left, right }, rank)
            }
            (None, Some(one), None) => {
                return Err((one[0].name().into(), "has no lokr_w2 beside it".into()));
            }
            (None, None, Some(one)) => {
                return Err((one[0].name().into(), "has no lokr_w1 beside it".into()));
            }
            (Some(factors), ..) => {
                return Err((
                    factors[0].name().into(),
                    "is of a layer that has LoKr factors too".into(),
                ));
            }
        };
        let scale = match (tensors.alpha, rank) {
            #[allow(clippy::cast_precision_loss, reason = "a rank is far below 2^24")]
            (Some(alpha), Some(rank)) => alpha / rank as f32,
            _ => 1.0,
        };
        Ok(Some(Self { delta, scale }))
    }

    /// The outputs and inputs of the layer that is changed.
    pub(super) fn shape(&self) -> [usize; 2] {
        let of = |product: &Product| {
            let outputs = product.first().map_or(0, Stored::rows);
            [outputs, product.last().map_or(0, Stored::row_length)]
        };
        match &self.delta {
            Delta::LowRank(product) => of(product),
            Delta::Kronecker { left, right } => {
                let ([a, b], [c, d]) = (of(left), of(right));
                [a.saturating_mul(c), b.saturating_mul(d)]
            }
        }
    }

    /// The rank of a low-rank change.
    pub(super) fn rank(&self) -> Option<usize> {
        match &self.delta {
            Delta::LowRank(product) => product.last().map(Stored::rows),
            Delta::Kronecker { .. } => None,
        }
    }
}

/// One side of a Kronecker product: whole, or in two factors.
fn side(
    what: &str,
    whole: Option<&Stored>,
    a: Option<&Stored>,
    b: Option<&Stored>,
) -> Result<Option<Product>, (String, String)> {
    match (whole, pair(&format!("{what}_a and {what}_b"), a, b)?) {
        (Some(whole), Some(_)) => {
            Err((whole.name().into(), "is there whole and in factors".into()))
        }
        (Some(whole), None) => Ok(Some(vec![matrix(whole)?])),
        (None, factors) => Ok(factors),
    }
}

/// Two factors whose product exists.
fn pair(
    what: &str,
    a: Option<&Stored>,
    b: Option<&Stored>,
) -> Result<Option<Product>, (String, String)> {
    let (a, b) = match (a, b) {
        (None, None) => return Ok(None),
        (Some(a), Some(b)) => (matrix(a)?, matrix(b)?),
        (Some(one), None) | (None, Some(one)) => {
            return Err((
                one.name().into(),
                format!("stands alone: {what} come in pairs"),
            ));
        }
    };
    if a.row_length() == b.rows() {
        return Ok(Some(vec![a, b]));
    }
    Err((
        b.name().into(),
        format!(
            "has the rank {}; {} has the rank {}",
            b.rows(),
            a.name(),
            a.row_length()
        ),
    ))
}

/// A matrix, or a 1×1 convolution's kernel as one: some trainers write linear layers so.
fn matrix(tensor: &Stored) -> Result<Stored, (String, String)> {
    match *tensor.shape() {
        [rows, columns] | [rows, columns, 1, 1] if rows > 0 && columns > 0 => {
            Ok(tensor.clone().reshaped(vec![rows, columns]))
        }
        _ => Err((
            tensor.name().into(),
            format!("has the shape {:?}, which is no matrix", tensor.shape()),
        )),
    }
}
