//! Making an fp8 file of a transformer.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use atelier_flux::{
    Dtype, ModelParts, ModelSource, OpenOptions, Pipeline, QuantizeError, QuantizeOptions,
    Quantized, Recipe, SafetensorsWriter, SharedParts, TensorSpec, quantize,
};
use sha2::{Digest, Sha256};

use crate::fixture::{Recorder, klein, request};
use crate::surgery::Parts;

fn run(input: &Path, output: &Path, recipe: Recipe) -> Result<Quantized, QuantizeError> {
    let options = QuantizeOptions {
        recipe,
        overwrite: false,
    };
    quantize(input, output, &options, &mut |_| ControlFlow::Continue(()))
}

/// The reference maker writes the same transformer with torch and safetensors' own library, as
/// `files/fp8-comfy_quant.safetensors`; this is that file's digest.
#[test]
fn the_file_is_the_reference_implementations_to_the_last_byte() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("fp8.safetensors");
    for input in [klein().join("model"), klein().join("model/transformer")] {
        let result = run(&input, &output, Recipe::Auto).unwrap();
        let bytes = fs::read(&output).unwrap();
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            digest,
            "b1d6d31a34242a655d3375d64adb9e68b506ab87f34793bd56a4b482263700a7"
        );
        assert_eq!(result.recipe, Recipe::Blocks);
        assert_eq!((result.quantized, result.kept), (10, 15));
        assert_eq!(result.bytes_after, bytes.len() as u64);
        let listing = fs::read_dir(folder.path()).unwrap();
        assert_eq!(listing.count(), 1, "nothing beside it");
        fs::remove_file(&output).unwrap();
    }
}

#[test]
fn the_mixed_recipe_leaves_double_block_attention_alone() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("fp8.safetensors");
    let result = run(&klein().join("model"), &output, Recipe::Mixed).unwrap();
    assert_eq!((result.quantized, result.kept), (6, 19));
}

#[test]
fn a_pipeline_folder_becomes_one_that_gives_the_picture_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let input = klein().join("model");
    let result = run(&input, &at("klein-fp8"), Recipe::Auto).unwrap();
    run(&input, &at("klein.safetensors"), Recipe::Auto).unwrap();
    assert!(result.path.starts_with(at("klein-fp8")));
    assert_eq!(
        fs::read(&result.path).unwrap(),
        fs::read(at("klein.safetensors")).unwrap()
    );
    let render = |source: &ModelSource| {
        let pipeline = Pipeline::open_source(source, &OpenOptions::default()).unwrap();
        pipeline
            .render(&request(), &mut Recorder::default())
            .unwrap()
    };
    let of_folder = render(&ModelSource::discover(&at("klein-fp8")).unwrap());
    let parts = ModelParts {
        transformer: Some(at("klein.safetensors")),
        ..ModelParts::default()
    };
    let of_file = ModelSource::find(&input, &parts, &SharedParts::default()).unwrap();
    assert_eq!(of_folder, render(&of_file));
    let error = run(&input, &at("klein-fp8"), Recipe::Auto).unwrap_err();
    assert_eq!(error.code(), "output-exists");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_is_there_is_not_overwritten_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("fp8.safetensors");
    fs::write(&output, "precious").unwrap();
    let error = run(&klein().join("model"), &output, Recipe::Auto).unwrap_err();
    assert_eq!(error.code(), "output-exists");
    assert_eq!(fs::read(&output).unwrap(), b"precious");
    let options = QuantizeOptions {
        overwrite: true,
        ..QuantizeOptions::default()
    };
    quantize(&klein().join("model"), &output, &options, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_ne!(fs::read(&output).unwrap(), b"precious");
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("fp8.safetensors");
    let options = QuantizeOptions::default();
    let mut seen = (0, 0);
    let error = quantize(&klein().join("model"), &output, &options, &mut |at| {
        assert!(at.done >= seen.0 && at.done < at.total);
        seen = (at.done, seen.1 + 1);
        if seen.1 == 9 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(error.unwrap_err().code(), "cancelled");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Writes single matrices under names of a FLUX.2 transformer.
fn write(path: &Path, value: f32, dtype: Dtype) {
    let names = [
        "double_blocks.0.img_mlp.0.weight",
        "double_stream_modulation_img.lin.weight",
        "single_blocks.0.linear1.weight",
    ];
    let specs = names.map(|name| TensorSpec {
        name: name.into(),
        dtype,
        shape: vec![2, 2],
    });
    let mut writer = SafetensorsWriter::create(path, &specs, &[].into(), true).unwrap();
    for name in names {
        for value in [0.0, 1.0, value, -2.0] {
            let bytes = if dtype == Dtype::F32 {
                value.to_le_bytes().to_vec()
            } else {
                half::f16::from_f32(value).to_le_bytes().to_vec()
            };
            writer.write(name, &bytes).unwrap();
        }
    }
    writer.finish().unwrap();
}

#[test]
fn f32_and_f16_give_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("f32"), 0.25, Dtype::F32);
    write(&at("f16"), 0.25, Dtype::F16);
    run(&at("f32"), &at("a"), Recipe::Auto).unwrap();
    run(&at("f16"), &at("b"), Recipe::Auto).unwrap();
    let bytes = fs::read(at("a")).unwrap();
    assert_eq!(bytes, fs::read(at("b")).unwrap());
    // 448 for −2, a scale of 2/448: 0, 224, 56, −448.
    let codes = [0x00, 0x76, 0x66, 0xfe];
    assert!(bytes.windows(4).any(|window| window == codes));
}

#[test]
fn notes_and_markers_are_kept_and_other_parts_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let spec = |name: &str, dtype, shape: &[usize]| TensorSpec {
        name: name.into(),
        dtype,
        shape: shape.into(),
    };
    let prefix = "model.diffusion_model.";
    let tensors = [
        (
            format!("{prefix}double_stream_modulation_img.lin.weight"),
            Dtype::F32,
            &[2, 2][..],
        ),
        (
            format!("{prefix}double_blocks.0.img_mlp.0.weight"),
            Dtype::F32,
            &[2, 2],
        ),
        (
            format!("{prefix}single_blocks.0.linear1.weight"),
            Dtype::F32,
            &[2, 2],
        ),
        (format!("{prefix}__index_timestep_zero__"), Dtype::F32, &[]),
        (format!("{prefix}__marker__"), Dtype::I64, &[1]),
        ("vae.decoder.conv_in.weight".into(), Dtype::F32, &[1]),
    ];
    let specs = tensors.map(|(name, dtype, shape)| spec(&name, dtype, shape));
    let metadata = [("format", "pt"), ("modelspec.title", "A model")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut writer = SafetensorsWriter::create(&at("in"), &specs, &metadata.into(), false).unwrap();
    for spec in &specs {
        let element: &[u8] = if spec.dtype == Dtype::I64 {
            &[7; 8]
        } else {
            &[0xcd, 0xcc, 0xcc, 0x3d]
        };
        for _ in 0..spec.shape.iter().product() {
            writer.write(&spec.name, element).unwrap();
        }
    }
    writer.finish().unwrap();

    run(&at("in"), &at("out"), Recipe::Auto).unwrap();
    let parts = Parts::read(&at("out"));
    assert_eq!(
        parts.header["__metadata__"],
        serde_json::json!({"modelspec.title": "A model"})
    );
    let dtype =
        |name: &str| parts.header[&format!("model.diffusion_model.{name}")]["dtype"].clone();
    assert_eq!(dtype("__index_timestep_zero__"), "F32");
    assert_eq!(dtype("__marker__"), "I64");
    assert_eq!(dtype("single_blocks.0.linear1.weight"), "F8_E4M3");
    assert!(!parts.header.keys().any(|name| name.contains("vae.")));
    assert!(parts.data.windows(8).any(|bytes| bytes == [7; 8]));
}

#[test]
fn what_cannot_be_quantised_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("nan"), f32::NAN, Dtype::F32);
    let error = run(&at("nan"), &at("out"), Recipe::Auto).unwrap_err();
    assert_eq!(error.code(), "not-finite");
    let text = error.to_string();
    assert!(
        text.contains("nan: the tensor double_blocks.0.img_mlp.0.weight"),
        "{text}"
    );

    run(&klein().join("model"), &at("fp8.safetensors"), Recipe::Auto).unwrap();
    let error = run(&at("fp8.safetensors"), &at("out"), Recipe::Auto).unwrap_err();
    assert_eq!(error.code(), "already-quantised", "{error}");
    assert!(error.to_string().contains("F8_E4M3"), "{error}");

    let error = run(&klein().join("model/vae"), &at("out"), Recipe::Auto).unwrap_err();
    assert_eq!(error.code(), "model-invalid");
    let error = run(&at("absent"), &at("out"), Recipe::Auto).unwrap_err();
    assert_eq!(error.code(), "model-missing");
    assert!(!at("out").exists() && !at("out.partial").exists());
}
