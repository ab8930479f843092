//! Whether two parts belong together.
//!
//! Files of other sizes have the same names, so a text encoder of the 4B model is easily put beside the
//! 9B model's transformer. What can be seen from sizes is refused with a sentence that says which part
//! is which.

use crate::config::{TextEncoderConfig, TransformerConfig, VaeConfig};
use crate::error::EngineError;
use crate::family::Family;
use crate::part::Part;

/// Whether the text encoder gives what the transformer takes.
///
/// # Errors
/// `model-mismatch`.
pub(crate) fn text_encoder(
    part: &Part<TextEncoderConfig>,
    transformer: &TransformerConfig,
) -> Result<(), EngineError> {
    let config = &part.config;
    let family = family_of(transformer);
    if config.family != family {
        return mismatch(
            part,
            format!(
                "this is the text encoder of {}, the transformer is that of {family}",
                config.family
            ),
        );
    }
    let hidden = config.hidden_size;
    let taps = family.taps().len();
    if family.context(hidden) != transformer.joint_attention_dim {
        return mismatch(
            part,
            format!(
                "the text encoder's states are {hidden} wide, and {taps} of them make {}; the \
                 transformer takes {}, from a text encoder of {}",
                taps * hidden,
                transformer.joint_attention_dim,
                transformer.joint_attention_dim / taps
            ),
        );
    }
    Ok(())
}

/// Whether the VAE's latents are what the transformer works on.
///
/// # Errors
/// `model-mismatch`.
pub(crate) fn vae(
    part: &Part<VaeConfig>,
    transformer: &TransformerConfig,
) -> Result<(), EngineError> {
    let channels = part.config.token_channels();
    if channels == transformer.in_channels {
        return Ok(());
    }
    mismatch(
        part,
        format!(
            "the VAE makes tokens of {channels} channels, the transformer takes {}",
            transformer.in_channels
        ),
    )
}

/// The family that a transformer shows: only \[dev\] takes guidance as an input.
fn family_of(transformer: &TransformerConfig) -> Family {
    if transformer.guidance_embeds {
        Family::Dev
    } else {
        Family::Klein
    }
}

fn mismatch<C>(part: &Part<C>, problem: String) -> Result<(), EngineError> {
    Err(EngineError::Mismatch {
        path: part.path.clone(),
        problem,
    })
}
