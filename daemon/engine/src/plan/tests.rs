//! Networks of published sizes, and what their pictures take.

use super::networks::{TextSizes, TransformerSizes};
use super::*;

/// The published klein 4B.
pub(crate) fn klein_4b() -> Networks {
    Networks {
        text: TextSizes {
            hidden: 2560,
            inner: 9728,
            layers: 27,
            queries: 4096,
            keys: 1024,
        },
        transformer: TransformerSizes {
            hidden: 3072,
            inner: 9216,
            head_width: 128,
            double: 5,
            single: 20,
            context: 7680,
            channels: 128,
            reading: Reading::EveryStep,
        },
        vae: VaeSizes {
            encoder: [128, 256, 512, 512],
            decoder: [128, 256, 512, 512],
            latent: 32,
            blocks: 2,
            attention: true,
        },
    }
}

/// The same with the small decoder.
pub(crate) fn small_decoder() -> Networks {
    let mut networks = klein_4b();
    networks.vae.decoder = [96, 192, 384, 384];
    networks
}

/// The transformer of the published klein 9B and klein 9B-KV, beside what klein 4B has.
pub(crate) fn klein_9b(reading: Reading) -> Networks {
    let mut networks = klein_4b();
    networks.transformer = TransformerSizes {
        hidden: 4096,
        inner: 12_288,
        head_width: 128,
        double: 8,
        single: 24,
        context: 12_288,
        channels: 128,
        reading,
    };
    networks
}

#[test]
fn tokens_are_the_prompts_the_pictures_and_the_references() {
    let shape = RenderShape {
        width: 1024,
        height: 512,
        references: vec![(1024, 1024), (64, 128)],
        init: true,
        ..RenderShape::default()
    };
    assert_eq!(shape.tokens(), 512 + 64 * 32 + 64 * 64 + 4 * 8);
}

#[test]
fn what_exceeds_the_limit_is_refused_with_the_stage_and_the_numbers() {
    let stage = |name, anonymous| super::stage(name, anonymous, 0, 1);
    let plan = |bytes| MemoryPlan {
        width: 64,
        height: 64,
        references: 0,
        tokens: 528,
        stages: vec![stage("transformer", 5 << 30), stage("vae", 3 << 30)],
        anonymous: 5 << 30,
        limit: Some(MemoryLimit {
            bytes,
            basis: LimitBasis::Settings,
        }),
        vae_budget: None,
    };
    assert!(plan(5 << 30).check().is_ok());
    let error = plan(4 << 30).check().err();
    let text = error.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(error.map(|error| error.code()), Some("memory-insufficient"));
    assert!(text.contains("denoising takes at least 5120 MiB"), "{text}");
    assert!(text.contains("4096 MiB"), "{text}");
}
