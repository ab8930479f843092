//! LoRA files: the same pictures as the reference implementation in every spelling, and what is said of
//! files that do not fit.

use std::fs;
use std::path::{Path, PathBuf};

use atelier_flux::{
    DeviceChoice, Lora, LoraError, Notice, OpenOptions, Pipeline, Precision, Request,
};
use image::RgbImage;
use serde::Deserialize;

use crate::fixture::{PromptAlone, Recorder, klein, pipeline, psnr};
use crate::surgery::Parts;

/// What summation order may cost; `cases.json` says how far a wrong scale is.
const LEAST_PSNR: f64 = 55.0;

fn folder() -> PathBuf {
    klein().join("../lora")
}

#[derive(Deserialize)]
struct Cases {
    request: PromptAlone,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    loras: Vec<File>,
    psnr_db_without: f64,
    psnr_db_doubled: f64,
}

#[derive(Deserialize)]
struct File {
    file: String,
    scale: f32,
}

fn cases() -> Cases {
    serde_json::from_slice(&fs::read(folder().join("cases.json")).unwrap()).unwrap()
}

/// The request of the cases, with these LoRAs.
fn request(loras: Vec<Lora>) -> Request {
    Request {
        loras,
        ..cases().request.into()
    }
}

fn lora(path: impl AsRef<Path>, scale: f32) -> Lora {
    Lora {
        path: folder().join(path),
        scale,
    }
}

fn render(pipeline: &Pipeline, loras: Vec<Lora>) -> (RgbImage, Vec<Notice>) {
    let mut recorder = Recorder::default();
    let picture = pipeline.render(&request(loras), &mut recorder).unwrap();
    (picture, recorder.notices)
}

fn refusal(loras: Vec<Lora>) -> atelier_flux::EngineError {
    let mut recorder = Recorder::default();
    let error = pipeline()
        .render(&request(loras), &mut recorder)
        .unwrap_err();
    assert!(recorder.progress.is_empty(), "before any work");
    error
}

/// A copy of a file with its tensors changed, in a folder that lives as long as it is held.
fn changed(file: &str, change: impl FnOnce(&mut Parts)) -> (tempfile::TempDir, Lora) {
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join(file);
    let mut parts = Parts::read(&folder().join(file));
    change(&mut parts);
    parts.write(&path);
    (copy, Lora { path, scale: 1.0 })
}

/// Gives a tensor another name.
fn rename(parts: &mut Parts, from: &str, to: &str) {
    let entry = parts.header.remove(from).unwrap();
    parts.header.insert(to.to_owned(), entry);
}

#[test]
fn every_spelling_gives_the_picture_of_the_reference() {
    compare_all(pipeline());
}

/// A card has no paths beside its weights: what adapters add becomes part of them.
#[test]
fn merged_into_the_weights_they_give_the_same_pictures() {
    let options = OpenOptions {
        device: DeviceChoice::Twin,
        precision: Precision::F32,
        ..OpenOptions::default()
    };
    compare_all(&Pipeline::open(&klein().join("model"), &options).unwrap());
}

fn compare_all(pipeline: &Pipeline) {
    for case in cases().cases {
        // The comparison can tell a LoRA that is not applied, or not with its scale.
        assert!(case.psnr_db_without < 40.0 && case.psnr_db_doubled < 40.0);
        let loras = case.loras.iter().map(|it| lora(&it.file, it.scale));
        let (picture, notices) = render(pipeline, loras.collect());
        let expected = image::open(folder().join(format!("{}.png", case.name)))
            .unwrap()
            .into_rgb8();
        let psnr = psnr(&picture, &expected);
        println!("{}: {psnr:.2} dB", case.name);
        assert!(psnr >= LEAST_PSNR, "{}: {psnr:.2} dB", case.name);
        let told: Vec<_> = notices.iter().map(Notice::code).collect();
        let expected: &[&str] = if case.name == "dora" {
            &["lora-dora"]
        } else {
            &[]
        };
        assert_eq!(told, expected, "{}", case.name);
    }
}

#[test]
fn a_scale_of_nothing_changes_nothing_and_order_does_not_matter() {
    let (plain, _) = render(pipeline(), vec![]);
    let (off, _) = render(pipeline(), vec![lora("kohya.safetensors", 0.0)]);
    assert_eq!(plain, off);
    let both = [lora("lokr.safetensors", 0.5), lora("peft.safetensors", 0.3)];
    let (one_way, _) = render(pipeline(), both.to_vec());
    let (other_way, _) = render(pipeline(), both.into_iter().rev().collect());
    assert!(psnr(&one_way, &other_way) > LEAST_PSNR);
    assert!(psnr(&one_way, &plain) < 40.0);
    assert_eq!(plain, render(pipeline(), vec![]).0, "nothing of it stays");
}

#[test]
fn a_file_that_is_replaced_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("style.safetensors");
    let put = |from: &str| {
        let beside = folder.path().join("new");
        fs::copy(self::folder().join(from), &beside).unwrap();
        fs::rename(beside, &path).unwrap();
    };
    put("peft.safetensors");
    let style = || {
        vec![Lora {
            path: path.clone(),
            scale: 1.0,
        }]
    };
    let (first, _) = render(pipeline(), style());
    put("kohya.safetensors");
    let (second, _) = render(pipeline(), style());
    assert_eq!(
        first,
        render(pipeline(), vec![lora("peft.safetensors", 1.0)]).0
    );
    assert_eq!(
        second,
        render(pipeline(), vec![lora("kohya.safetensors", 1.0)]).0
    );
    assert_ne!(first, second);
}

#[test]
fn what_is_left_out_is_counted_and_told() {
    let (_folder, partial) = changed("peft.safetensors", |parts| {
        for (half, to) in [
            ("A", "text_encoder.layers.0"),
            ("B", "text_encoder.layers.0"),
        ] {
            rename(
                parts,
                &format!("base_model.model.double_blocks.0.img_mlp.0.lora_{half}.weight"),
                &format!("{to}.lora_{half}.weight"),
            );
            rename(
                parts,
                &format!("base_model.model.double_blocks.0.img_mlp.2.lora_{half}.weight"),
                &format!("base_model.model.double_blocks.7.img_mlp.2.lora_{half}.weight"),
            );
            rename(
                parts,
                &format!("base_model.model.double_blocks.0.txt_mlp.2.lora_{half}.weight"),
                &format!("base_model.model.double_blocks.0.img_mod.lin.lora_{half}.weight"),
            );
        }
    });
    let (_, notices) = render(pipeline(), vec![partial.clone()]);
    assert_eq!(
        notices,
        [
            Notice::LoraPartial {
                path: partial.path.clone(),
                matched: 7,
                total: 9
            },
            Notice::LoraTextEncoder {
                path: partial.path.clone(),
                tensors: 2
            },
        ]
    );
    assert!(notices[0].to_string().contains("7 of 9"), "{}", notices[0]);
    // Also when the transformer is at hand from the last time.
    assert_eq!(render(pipeline(), vec![partial]).1, notices);
}

#[test]
fn a_file_for_another_model_matches_nothing() {
    let (_folder, other) = changed("peft.safetensors", |parts| {
        let names: Vec<_> = parts.header.keys().cloned().collect();
        for name in names.iter().filter(|name| name.contains("_blocks")) {
            rename(parts, name, &name.replace("_blocks", "_stages"));
        }
    });
    let error = refusal(vec![lora("peft.safetensors", 1.0), other.clone()]);
    assert_eq!(error.code(), "lora-matches-nothing");
    let text = error.to_string();
    assert!(
        text.contains(other.path.to_str().unwrap()) && text.contains("double_stages.0"),
        "{text}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn a_file_for_a_deeper_model_says_that_its_layers_are_not_here() {
    // Of the right width, so that only the blocks' number tells.
    let (_folder, deep) = changed("peft.safetensors", |parts| {
        let names: Vec<_> = parts.header.keys().cloned().collect();
        for name in names.iter().filter(|name| name.contains("_blocks.0.")) {
            rename(parts, name, &name.replace("_blocks.0.", "_blocks.9."));
        }
    });
    let error = refusal(vec![deep]);
    assert_eq!(error.code(), "lora-matches-nothing");
    let text = error.to_string();
    for words in ["none of the file's", "double_blocks.9", "more blocks"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_file_for_a_model_of_another_width_names_both_widths() {
    // One layer of a model twice as wide.
    let (_folder, wide) = changed("peft.safetensors", |parts| {
        let keep = "base_model.model.double_blocks.0.img_attn.proj.lora_";
        let names: Vec<_> = parts.header.keys().cloned().collect();
        for name in names
            .iter()
            .filter(|name| *name != "__metadata__" && !name.starts_with(keep))
        {
            parts.remove(name);
        }
        parts.header[&format!("{keep}A.weight")]["shape"] = [1, 512].into();
        parts.header[&format!("{keep}B.weight")]["shape"] = [512, 1].into();
    });
    let error = refusal(vec![wide]);
    assert_eq!(error.code(), "lora-matches-nothing");
    let text = error.to_string();
    assert!(
        text.contains("512 wide") && text.contains("256 wide"),
        "{text}"
    );
}

#[test]
fn damage_is_told_with_the_file_and_the_tensor() {
    let proj = "base_model.model.double_blocks.0.img_attn.proj";
    let down = &format!("{proj}.lora_A.weight");
    let up = &format!("{proj}.lora_B.weight");
    let nan = |parts: &mut Parts| {
        let begin = parts.header[up]["data_offsets"][0].as_u64().unwrap();
        let begin = usize::try_from(begin).unwrap();
        parts.data[begin..begin + 2].copy_from_slice(&[0xc0, 0x7f]);
    };
    type Damage<'a> = &'a dyn Fn(&mut Parts);
    let damages: [(&str, &str, &str, Damage<'_>); 6] = [
        ("lora-invalid", down, "stands alone", &|parts| {
            parts.remove(up)
        }),
        ("lora-invalid", up, "stands alone", &|parts| {
            parts.remove(down)
        }),
        ("lora-invalid", down, "rank", &|parts| {
            parts.header[down]["shape"] = [1, 512].into();
        }),
        ("lora-invalid", up, "no matrix", &|parts| {
            parts.header[up]["shape"] = [512].into();
        }),
        ("lora-shape", proj, "128 outputs", &|parts| {
            parts.header[down]["shape"] = [4, 128].into();
            parts.header[up]["shape"] = [128, 4].into();
        }),
        ("weights-not-finite", up, "NaN", &nan),
    ];
    for (code, key, words, damage) in damages {
        let (_folder, damaged) = changed("peft.safetensors", damage);
        let error = refusal(vec![damaged.clone()]);
        let text = error.to_string();
        assert_eq!(error.code(), code, "{text}");
        for word in [damaged.path.to_str().unwrap(), key, words] {
            assert!(text.contains(word), "{text} does not say {word}");
        }
    }
}

#[test]
fn the_same_layer_in_two_spellings_is_refused() {
    let (_folder, twice) = changed("peft.safetensors", |parts| {
        for half in ["A", "B"] {
            rename(
                parts,
                &format!("base_model.model.double_blocks.0.txt_attn.proj.lora_{half}.weight"),
                &format!("transformer.transformer_blocks.0.attn.to_out.0.lora_{half}.weight"),
            );
        }
    });
    let error = refusal(vec![twice]);
    assert_eq!(error.code(), "lora-invalid");
    assert!(error.to_string().contains("in another spelling"), "{error}");
}

#[test]
fn a_kronecker_product_lacks_no_side() {
    let layer = "diffusion_model.double_blocks.0.img_attn.qkv";
    for (gone, beside) in [("lokr_w1", "lokr_w2"), ("lokr_w2", "lokr_w1")] {
        let (_folder, lame) = changed("lokr.safetensors", |parts| {
            parts.remove(&format!("{layer}.{gone}"));
        });
        let error = refusal(vec![lame]);
        assert_eq!(error.code(), "lora-invalid");
        let text = error.to_string();
        assert!(
            text.contains(&format!("{layer}.{beside} has no {gone}")),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_lora_file_says_so() {
    assert_eq!(
        refusal(vec![lora("none.safetensors", 1.0)]).code(),
        "lora-missing"
    );
    assert_eq!(
        refusal(vec![lora("cases.json", 1.0)]).code(),
        "weights-malformed"
    );
    let checkpoint = klein().join("model/vae/diffusion_pytorch_model.safetensors");
    let error = refusal(vec![lora(checkpoint, 1.0)]);
    assert_eq!(error.code(), "lora-matches-nothing");
    assert!(matches!(
        error,
        atelier_flux::EngineError::Lora(LoraError::MatchesNothing { .. })
    ));
}
