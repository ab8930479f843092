//! The transformer with a request's LoRA files.

use std::sync::Arc;

use tracing::warn;

use super::Pipeline;
use crate::error::EngineError;
use crate::lora::Lora;
use crate::observer::Watch;
use crate::transformer::Transformer;

impl Pipeline {
    /// The transformer with these LoRAs; building one reads no weights.
    pub(super) fn adapted_transformer(
        &self,
        loras: &[Lora],
        watch: &mut Watch<'_>,
    ) -> Result<Arc<Transformer>, EngineError> {
        if loras.is_empty() {
            return Ok(Arc::clone(&self.transformer));
        }
        let weights = &self.transformer_weights;
        let (transformer, notices) = self.adapted.get(loras, weights, |adapters| {
            let config = self.transformer_config.clone();
            Transformer::load(config, weights, adapters, &self.target)
        })?;
        for notice in &notices {
            warn!("{notice}");
            watch.notice(notice);
        }
        Ok(transformer)
    }
}
