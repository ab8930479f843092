//! What `inspect` says of a model.

use std::collections::BTreeMap;
use std::fs;

use atelier_flux::{Variant, inspect};
use serde_json::json;

use crate::fixture::{copy_of_model, klein};

#[test]
fn the_tiny_model_is_described() {
    let info = inspect(&klein().join("model")).unwrap();
    assert_eq!(info.name, "model");
    assert_eq!(info.variant, Variant::Klein { distilled: true });
    assert_eq!(info.pipeline, "Flux2KleinPipeline");
    assert!(info.is_distilled);
    assert_eq!((info.default_steps, info.default_guidance), (4, 1.0));
    let names: Vec<_> = info.parts.iter().map(|part| part.name).collect();
    assert_eq!(
        names,
        [
            "tokenizer",
            "text_encoder",
            "scheduler",
            "transformer",
            "vae"
        ]
    );
    let transformer = &info.parts[3];
    assert_eq!(
        transformer.precision,
        BTreeMap::from([("BF16".to_owned(), transformer.bytes)])
    );
    assert_eq!(transformer.bytes, 2 * transformer.parameters);
    let vae = &info.parts[4];
    assert_eq!(
        vae.bytes,
        2 * vae.parameters,
        "the batch counter is no weight"
    );
    assert_eq!(
        info.parameters,
        info.parts.iter().map(|part| part.parameters).sum::<u64>()
    );
    let architecture = &info.architecture;
    assert_eq!(
        (
            architecture.hidden,
            architecture.heads,
            architecture.head_width
        ),
        (256, 2, 128)
    );
    assert_eq!(
        (architecture.double_blocks, architecture.single_blocks),
        (1, 1)
    );
    assert_eq!(
        (
            architecture.context,
            architecture.text_hidden,
            architecture.text_layers
        ),
        (96, 32, 28)
    );
    assert_eq!(info.text_taps(), [9, 18, 27]);
    let text = serde_json::to_value(&info).unwrap();
    assert_eq!(text["variant"], json!({"klein": {"distilled": true}}));
}

#[test]
fn weight_files_are_all_that_determine_a_picture_in_order() {
    let root = klein().join("model");
    let files = inspect(&root).unwrap().weight_files();
    let names: Vec<_> = files
        .iter()
        .map(|file| file.strip_prefix(&root).unwrap())
        .collect();
    let expected = [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/chat_template.jinja",
        "tokenizer/tokenizer.json",
        "tokenizer/tokenizer_config.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ];
    assert_eq!(names, expected.map(std::path::Path::new));
    assert!(files.iter().all(|file| file.is_file()));
}

#[test]
fn a_base_model_is_told_by_its_index_alone() {
    let model = copy_of_model();
    let path = model.path().join("model_index.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace(r#""is_distilled": true"#, r#""is_distilled": false"#),
    )
    .unwrap();
    let info = inspect(model.path()).unwrap();
    assert_eq!(info.variant, Variant::Klein { distilled: false });
    assert_eq!((info.default_steps, info.default_guidance), (50, 4.0));
}
