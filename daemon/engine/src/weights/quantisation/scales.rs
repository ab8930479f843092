//! The scales themselves: tensors of one number, or of one for each row of their weight.

use std::collections::BTreeMap;

use super::super::scale::Scale;
use super::super::{Stored, Weights, WeightsError};

/// What the names of weights' scales end with, now and formerly.
const WEIGHT: [&str; 2] = [".weight_scale", ".scale_weight"];
/// What the names of inputs' scales end with, now and formerly.
const INPUT: [&str; 2] = [".input_scale", ".scale_input"];

/// All scales of a part, by layer.
pub(super) struct Scales {
    weights: BTreeMap<String, Stored>,
    inputs: BTreeMap<String, Stored>,
}

impl Scales {
    /// Takes them out of the part's tensors.
    pub(super) fn take(weights: &mut Weights) -> Result<Self, WeightsError> {
        for (name, other) in &weights.others {
            if let Some(layer) = layer_of(name, WEIGHT) {
                return Err(WeightsError::QuantisationUnknown {
                    path: other.file.path.clone(),
                    tensor: format!("{layer}.weight"),
                    format: format!("blocks with scales of type {}", other.dtype),
                });
            }
        }
        Ok(Self {
            weights: take(weights, WEIGHT)?,
            inputs: take(weights, INPUT)?,
        })
    }

    /// The name of some scale, if there is one.
    pub(super) fn any(&self) -> Option<&str> {
        self.weights.values().next().map(Stored::name)
    }

    /// The scale of this layer's weight.
    pub(super) fn of(&self, layer: &str, weight: &Stored) -> Result<Option<Scale>, WeightsError> {
        let Some(scale) = self.weights.get(layer) else {
            return Ok(None);
        };
        let is_for_rows = scale.elements() == weight.rows() && scale.rows() == weight.rows();
        if scale.elements() != 1 && !is_for_rows {
            return Err(WeightsError::QuantisationUnknown {
                path: weight.path().to_owned(),
                tensor: weight.name().to_owned(),
                format: format!("blocks with scales of shape {:?}", scale.shape()),
            });
        }
        let values = checked(scale)?;
        if weight.encodings().any(|(encoding, _)| !encoding.is_fp8()) {
            let is_idle = values
                .iter()
                .all(|value| value.to_bits() == 1.0_f32.to_bits());
            return if is_idle {
                Ok(None)
            } else {
                Err(alone(scale, weight.name(), "which is not quantised"))
            };
        }
        Ok(Some(match *values {
            [one] => Scale::One(one),
            _ => Scale::Rows {
                scales: values.into(),
                length: weight.row_length().max(1),
                before: 0,
            },
        }))
    }

    /// The scale of this layer's input. Formerly a one was written for want of a better number.
    pub(super) fn input(&self, layer: &str) -> Result<Option<f32>, WeightsError> {
        let Some(scale) = self.inputs.get(layer) else {
            return Ok(None);
        };
        if scale.elements() != 1 {
            return Err(invalid(
                scale,
                format!("has the shape {:?}, and an input has one", scale.shape()),
            ));
        }
        let is_former = scale.name().ends_with(INPUT[1]);
        let value = checked(scale)?.first().copied();
        Ok(value.filter(|value| !is_former || value.to_bits() != 1.0_f32.to_bits()))
    }

    /// Refuses scales whose weight is not there.
    pub(super) fn refuse_alone(&self, weights: &Weights) -> Result<(), WeightsError> {
        for (layer, scale) in self.weights.iter().chain(&self.inputs) {
            let weight = format!("{layer}.weight");
            if let Some(other) = weights.others.get(&weight) {
                return Err(WeightsError::QuantisationUnknown {
                    path: other.file.path.clone(),
                    tensor: weight,
                    format: format!("{} with a scale", other.dtype),
                });
            }
            if !weights.contains(&weight) {
                return Err(alone(scale, &weight, "which is not there"));
            }
        }
        Ok(())
    }
}

fn layer_of<'a>(name: &'a str, endings: [&str; 2]) -> Option<&'a str> {
    endings.iter().find_map(|ending| name.strip_suffix(ending))
}

fn take(
    weights: &mut Weights,
    endings: [&str; 2],
) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let mut scales = BTreeMap::new();
    let tensors = &mut weights.tensors;
    for (name, scale) in tensors.extract_if(.., |name, _| layer_of(name, endings).is_some()) {
        let layer = layer_of(&name, endings).unwrap_or_default().to_owned();
        if let Some(other) = scales.insert(layer, scale.clone()) {
            let problem = format!("is there twice, also as {}", other.name());
            return Err(invalid(&scale, problem));
        }
    }
    Ok(scales)
}

/// The numbers of a scale, all of which one may multiply by.
fn checked(scale: &Stored) -> Result<Vec<f32>, WeightsError> {
    let values = scale.widen();
    match values
        .iter()
        .find(|value| !(value.is_finite() && **value > 0.0))
    {
        Some(value) => Err(invalid(scale, format!("is {value}, not a positive number"))),
        None => Ok(values),
    }
}

fn invalid(scale: &Stored, problem: String) -> WeightsError {
    WeightsError::ScaleInvalid {
        path: scale.path().to_owned(),
        tensor: scale.name().to_owned(),
        problem,
    }
}

fn alone(scale: &Stored, weight: &str, problem: &'static str) -> WeightsError {
    WeightsError::ScaleAlone {
        path: scale.path().to_owned(),
        tensor: scale.name().to_owned(),
        weight: weight.to_owned(),
        problem,
    }
}
