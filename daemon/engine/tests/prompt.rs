//! Prompts become the text and the token ids that transformers makes of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "golden/fnv.rs"]
mod fnv;
#[path = "golden/golden.rs"]
mod golden;

use std::fs;
use std::path::{Path, PathBuf};

use atelier_flux::Family;
use atelier_flux::prompt::{PromptError, PromptTokenizer, TOKENS, TokenizerSource};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

#[derive(Deserialize)]
struct Row {
    prompt: String,
    text: String,
    length: usize,
    first: Vec<i64>,
    fnv: String,
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/klein/model/tokenizer")
}

fn read(name: &str) -> String {
    fs::read_to_string(fixture().join(name)).unwrap()
}

/// A tokenizer's folder with the fixture's files, of which some are replaced and some left out.
fn folder(replaced: &[(&str, String)], left_out: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    ] {
        if !left_out.contains(&name) {
            fs::write(folder.path().join(name), read(name)).unwrap();
        }
    }
    for (name, text) in replaced {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The fixture's configuration with some keys changed.
fn config(changes: Value) -> (&'static str, String) {
    let mut config: Value = serde_json::from_str(&read("tokenizer_config.json")).unwrap();
    config
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    ("tokenizer_config.json", config.to_string())
}

fn open(folder: &Path) -> Result<PromptTokenizer, PromptError> {
    PromptTokenizer::open(TokenizerSource::Folder(folder.to_owned()), Family::Klein)
}

fn refused(folder: &Path) -> PromptError {
    open(folder).err().expect("the folder should be refused")
}

/// All golden prompts through the tokenizer of a folder.
fn meets_golden(folder: &Path) {
    agrees_with_golden(&open(folder).unwrap());
}

fn agrees_with_golden(tokenizer: &PromptTokenizer) {
    for row in golden::rows::<Row>("prompts.json") {
        let tokens = tokenizer.encode(&row.prompt).unwrap();
        assert_eq!(tokens.text, row.text);
        assert_eq!(tokens.ids[..row.first.len()], row.first, "{:?}", row.prompt);
        assert_eq!(
            fnv::fnv(tokens.ids.iter().flat_map(|id| id.to_le_bytes())),
            row.fnv,
            "{:?}",
            row.prompt
        );
        let mask: Vec<i64> = (0..TOKENS).map(|i| i64::from(i < row.length)).collect();
        assert_eq!(tokens.mask, mask, "{:?}", row.prompt);
    }
}

/// What a chat template makes of the prompt "  fox\n".
fn rendered(template: &str) -> Result<String, PromptError> {
    let folder = folder(&[("chat_template.jinja", template.to_owned())], &[]);
    Ok(open(folder.path())?.encode("  fox\n")?.text)
}

#[test]
fn prompts_are_those_of_transformers() {
    meets_golden(&fixture());
}

#[test]
fn a_folder_without_tokenizer_json_gives_the_same() {
    let whole: Value = serde_json::from_str(&read("tokenizer.json")).unwrap();
    let merges = whole["model"]["merges"].as_array().unwrap().iter();
    let merges: Vec<String> = merges
        .map(|pair| {
            format!(
                "{} {}",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            )
        })
        .collect();
    let merges = format!("#version: 0.2\n{}\n", merges.join("\n"));
    let vocab = whole["model"]["vocab"].to_string();
    let mut decoder = serde_json::Map::new();
    let mut plain = serde_json::Map::new();
    for token in whole["added_tokens"].as_array().unwrap() {
        let mut token = token.as_object().unwrap().clone();
        let id = token.remove("id").unwrap();
        plain.insert(token["content"].as_str().unwrap().to_owned(), id.clone());
        decoder.insert(id.to_string(), token.into());
    }
    let files = [("vocab.json", vocab), ("merges.txt", merges)];
    let described = config(json!({ "added_tokens_decoder": decoder }));
    let listed = ("added_tokens.json", Value::from(plain).to_string());
    for added in [described, listed] {
        let [vocab, merges] = files.clone();
        meets_golden(folder(&[vocab, merges, added], &["tokenizer.json"]).path());
    }

    let [vocab, _] = files;
    let broken = folder(
        &[vocab, ("merges.txt", "ab\n".to_owned())],
        &["tokenizer.json"],
    );
    assert_eq!(refused(broken.path()).code(), "tokenizer-invalid");
}

#[test]
fn the_template_may_be_in_the_configuration() {
    let template = read("chat_template.jinja");
    let one = config(json!({ "chat_template": template }));
    let several = config(json!({ "chat_template": [
        { "name": "tool_use", "template": "no" },
        { "name": "default", "template": template },
    ]}));
    for config in [one, several] {
        meets_golden(folder(&[config], &["chat_template.jinja"]).path());
    }
    let overruled = config(json!({ "chat_template": "no" }));
    meets_golden(folder(&[overruled], &[]).path());
}

#[test]
fn special_tokens_may_be_objects_or_in_their_own_file() {
    let object = config(json!({ "pad_token": { "content": "<|endoftext|>", "lstrip": false } }));
    meets_golden(folder(&[object], &[]).path());
    let own = (
        "special_tokens_map.json",
        json!({ "pad_token": "<|endoftext|>" }).to_string(),
    );
    let silent = config(json!({ "pad_token": null, "tokenizer_class": "PreTrainedTokenizerFast" }));
    meets_golden(folder(&[own, silent], &[]).path());
}

#[test]
fn padding_follows_the_configuration() {
    let left = folder(&[config(json!({ "padding_side": "left" }))], &[]);
    let left = open(left.path()).unwrap().encode("a fox").unwrap();
    let right = open(&fixture()).unwrap().encode("a fox").unwrap();
    let length = usize::try_from(right.mask.iter().sum::<i64>()).unwrap();
    assert_eq!(left.ids[TOKENS - length..], right.ids[..length]);
    assert_eq!(
        left.mask.iter().position(|bit| *bit == 1),
        Some(TOKENS - length)
    );
}

#[test]
fn long_prompts_are_cut_on_the_right() {
    let tokens = open(&fixture())
        .unwrap()
        .encode(&"fox ".repeat(2000))
        .unwrap();
    assert_eq!(tokens.ids.len(), TOKENS);
    assert_eq!(tokens.mask, [1; TOKENS]);
    assert!(tokens.text.len() > 8000);
}

#[test]
fn templates_have_what_python_gives_them() {
    for (template, expected) in [
        ("{{ messages[0].content.strip() }}|", "fox|"),
        ("{{ messages[0]['content'].lstrip() }}|", "fox\n|"),
        ("{{ messages[0].content.rstrip('\\n') }}|", "  fox|"),
        ("{{ messages[0].content.strip().startswith('f') }}", "True"),
        ("{{ messages[0].content.endswith(('x', 'x\\n')) }}", "True"),
        ("{{ 'a</think>b'.split('</think>')[-1] }}", "b"),
        ("{{ 'a,b,c'.split(',', 1) | length }}", "2"),
        ("{{ ' a \\t b '.split() | join('-') }}", "a-b"),
        (
            "{{ 'Fox'.upper() + 'Fox'.lower() + 'Fox'.replace('o', 'a') }}",
            "FOXfoxFax",
        ),
        (
            "{{ messages[0].get('role') }}{{ messages[0].get('name', '?') }}",
            "user?",
        ),
        (
            "{{ {'a': [1, 'é<'], 'b': none} | tojson }}",
            r#"{"a": [1, "é<"], "b": null}"#,
        ),
        ("{{ pad_token }}{{ bos_token }}", "<|endoftext|>"),
        (
            "  {% if true %}\n{{ '<&>' }}\n  {% endif %}\nend\n",
            "<&>\nend",
        ),
    ] {
        assert_eq!(rendered(template).unwrap(), expected, "{template}");
    }
}

#[test]
fn failing_templates_say_why() {
    let error = rendered("{{ raise_exception('only one image') }}").unwrap_err();
    assert_eq!(error.code(), "chat-template-failed");
    let PromptError::Template(source) = error else {
        panic!("{error}")
    };
    assert!(source.to_string().contains("only one image"), "{source}");
    for template in [
        "{% if %}",
        "{{ 'a'.nosuch() }}",
        "{{ 'a'.split('') }}",
        "{{ 'a'.startswith([1]) }}",
    ] {
        assert_eq!(
            rendered(template).unwrap_err().code(),
            "chat-template-failed",
            "{template}"
        );
    }
}

#[test]
fn folders_that_lack_something_are_refused() {
    let code = |replaced: &[(&str, String)], left_out: &[&str]| {
        refused(folder(replaced, left_out).path()).code()
    };
    assert_eq!(code(&[], &["tokenizer.json"]), "tokenizer-missing");
    assert_eq!(
        code(&[("tokenizer.json", "{}".to_owned())], &[]),
        "tokenizer-invalid"
    );
    assert_eq!(
        code(&[("tokenizer_config.json", "[".to_owned())], &[]),
        "tokenizer-invalid"
    );
    assert_eq!(
        code(&[config(json!({ "pad_token": "<nosuch>" }))], &[]),
        "tokenizer-padding-missing"
    );
    assert_eq!(
        code(&[config(json!({ "padding_side": "top" }))], &[]),
        "tokenizer-invalid"
    );
}
