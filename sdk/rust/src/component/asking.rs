//! What a plugin may ask for: models, random bytes, settings.

use super::bindings::atelier::plugin::{infer, random, settings};
use crate::Refused;
use crate::infer::{Numbers, Tensor, Trouble};

pub(crate) fn run(model: &str, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, Trouble> {
    let inputs: Vec<infer::Tensor> = inputs.into_iter().map(Into::into).collect();
    match infer::run(model, &inputs) {
        Ok(outputs) => Ok(outputs.into_iter().map(Into::into).collect()),
        Err(infer::Trouble::Denied(why)) => Err(Trouble::Denied(why)),
        Err(infer::Trouble::Missing(why)) => Err(Trouble::Missing(why)),
        Err(infer::Trouble::Input(why)) => Err(Trouble::Input(why)),
        Err(infer::Trouble::Failed(why)) => Err(Trouble::Failed(why)),
    }
}

pub(crate) fn random_bytes(count: u32) -> Result<Vec<u8>, Refused> {
    random::bytes(count).map_err(Refused::because)
}

pub(crate) fn setting(key: &str) -> Result<Option<String>, Refused> {
    settings::get(key).map_err(Refused::because)
}

impl From<Tensor> for infer::Tensor {
    fn from(tensor: Tensor) -> Self {
        Self {
            name: tensor.name,
            shape: tensor.shape,
            numbers: match tensor.numbers {
                Numbers::Floats(numbers) => infer::Numbers::Floats(numbers),
                Numbers::Integers(numbers) => infer::Numbers::Integers(numbers),
                Numbers::Bytes(numbers) => infer::Numbers::Bytes(numbers),
            },
        }
    }
}

impl From<infer::Tensor> for Tensor {
    fn from(tensor: infer::Tensor) -> Self {
        Self {
            name: tensor.name,
            shape: tensor.shape,
            numbers: match tensor.numbers {
                infer::Numbers::Floats(numbers) => Numbers::Floats(numbers),
                infer::Numbers::Integers(numbers) => Numbers::Integers(numbers),
                infer::Numbers::Bytes(numbers) => Numbers::Bytes(numbers),
            },
        }
    }
}
