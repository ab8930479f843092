//! A tokenizer gives the same ids from whatever file it comes: a pipeline's folder, `tokenizer.json`
//! or `tekken.json` alone, bytes inside another file, GGUF metadata.
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
use atelier_flux::prompt::{GgufVocabulary, PromptError, PromptTokenizer, TOKENS, TokenizerSource};
use serde::Deserialize;
use serde_json::{Value, json};

/// The ids that come before a prompt's own in the small `tekken.json`: `<s>[SYSTEM_PROMPT]`, the
/// system message, `[/SYSTEM_PROMPT][INST]`. Only the special ones are known here.
const BEGIN: [i64; 2] = [1, 17];
const MIDDLE: [i64; 2] = [18, 3];
const END: i64 = 4;
const PADDING: i64 = 11;

#[derive(Deserialize)]
struct Row {
    prompt: String,
    text: String,
    length: usize,
    first: Option<Vec<i64>>,
    last: Option<Vec<i64>>,
    fnv: String,
}

#[derive(Deserialize)]
struct TekkenRow {
    prompt: String,
    /// At most 300 of them.
    ids: Vec<i64>,
}

fn fixture(family: Family) -> PathBuf {
    let name = match family {
        Family::Klein => "klein",
        Family::Dev => "dev",
    };
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
        .join("model/tokenizer")
}

/// All golden prompts of a family.
fn meets_golden(source: TokenizerSource, family: Family) {
    let tokenizer = PromptTokenizer::open(source, family).unwrap();
    let rows = match family {
        Family::Klein => "prompts.json",
        Family::Dev => "dev_prompts.json",
    };
    for row in golden::rows::<Row>(rows) {
        let tokens = tokenizer.encode(&row.prompt).unwrap();
        assert_eq!(tokens.text, row.text);
        if let Some(first) = row.first {
            assert_eq!(tokens.ids[..first.len()], first, "{:?}", row.prompt);
        }
        if let Some(last) = row.last {
            assert_eq!(tokens.ids[TOKENS - last.len()..], last, "{:?}", row.prompt);
        }
        let hash = fnv::fnv(tokens.ids.iter().flat_map(|id| id.to_le_bytes()));
        assert_eq!(hash, row.fnv, "{:?}", row.prompt);
        let words = match family {
            Family::Klein => 0..row.length,
            Family::Dev => TOKENS - row.length..TOKENS,
        };
        let mask: Vec<i64> = (0..TOKENS)
            .map(|place| i64::from(words.contains(&place)))
            .collect();
        assert_eq!(tokens.mask, mask, "{:?}", row.prompt);
    }
}

/// The vocabulary of a `tokenizer.json` as the converter of llama.cpp writes it.
fn gguf(family: Family, pre: &str) -> GgufVocabulary {
    let text = fs::read_to_string(fixture(family).join("tokenizer.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let id = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let vocab = json["model"]["vocab"].as_object().unwrap();
    let added = json["added_tokens"].as_array().unwrap();
    let mut tokens: Vec<(usize, String, i32)> = vocab
        .iter()
        .map(|(token, number)| (id(number), token.clone(), 1))
        .collect();
    tokens.retain(|(number, ..)| added.iter().all(|token| id(&token["id"]) != *number));
    tokens.extend(added.iter().map(|token| {
        let kind = if token["special"] == json!(true) {
            3
        } else {
            4
        };
        let content = token["content"].as_str().unwrap().to_owned();
        (id(&token["id"]), content, kind)
    }));
    tokens.sort_unstable();
    let merges = json["model"]["merges"].as_array().unwrap().iter();
    GgufVocabulary {
        path: "tiny.gguf".into(),
        model: "gpt2".into(),
        pre: pre.into(),
        types: tokens.iter().map(|(.., kind)| *kind).collect(),
        tokens: tokens.into_iter().map(|(_, token, _)| token).collect(),
        merges: merges
            .map(|pair| {
                let symbol = |side: usize| pair[side].as_str().unwrap().to_owned();
                format!("{} {}", symbol(0), symbol(1))
            })
            .collect(),
    }
}

fn code(source: TokenizerSource) -> &'static str {
    let refused: Option<PromptError> = PromptTokenizer::open(source, Family::Dev).err();
    refused.expect("the source should be refused").code()
}

fn tekken(change: impl FnOnce(&mut Value)) -> TokenizerSource {
    let text = fs::read_to_string(golden::path("tekken.json")).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    change(&mut json);
    TokenizerSource::Tekken {
        path: "text_encoder.safetensors".into(),
        json: json.to_string().into_bytes(),
    }
}

#[test]
fn a_folder_of_dev_gives_the_ids_of_transformers() {
    meets_golden(TokenizerSource::Folder(fixture(Family::Dev)), Family::Dev);
}

#[test]
fn a_tokenizer_alone_has_the_template_and_padding_of_its_family() {
    for family in [Family::Klein, Family::Dev] {
        let file = fixture(family).join("tokenizer.json");
        meets_golden(TokenizerSource::File(file), family);
    }
}

#[test]
fn a_folder_without_configuration_is_as_good() {
    for family in [Family::Klein, Family::Dev] {
        let folder = tempfile::tempdir().unwrap();
        let file = fixture(family).join("tokenizer.json");
        fs::copy(file, folder.path().join("tokenizer.json")).unwrap();
        meets_golden(TokenizerSource::Folder(folder.path().to_owned()), family);
    }
}

#[test]
fn a_template_may_be_in_a_file_of_its_own_kind() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture(Family::Dev).join("tokenizer.json");
    fs::copy(file, folder.path().join("tokenizer.json")).unwrap();
    let template = "{%- set today = strftime_now('%d %B %Y') %}{{ today }}: \
                    {{ messages[0]['content'][0]['text'][:10] }}|{{ messages[1].content[0].text }}";
    let json = json!({ "chat_template": template }).to_string();
    fs::write(folder.path().join("chat_template.json"), json).unwrap();
    let source = TokenizerSource::Folder(folder.path().to_owned());
    let tokenizer = PromptTokenizer::open(source, Family::Dev).unwrap();
    let text = tokenizer.encode("a [IMG]fox").unwrap().text;
    assert_eq!(text, "25 November 2025: You are an|a fox");
}

#[test]
fn gguf_metadata_gives_the_same_ids() {
    // The tiny tokenizer of dev was made with Qwen's words and normalisation.
    for family in [Family::Klein, Family::Dev] {
        meets_golden(TokenizerSource::Gguf(gguf(family, "qwen2")), family);
    }
}

#[test]
fn other_gguf_tokenizers_are_refused() {
    let changed = |change: fn(&mut GgufVocabulary)| {
        let mut vocabulary = gguf(Family::Dev, "tekken");
        change(&mut vocabulary);
        code(TokenizerSource::Gguf(vocabulary))
    };
    assert_eq!(changed(|v| v.model = "llama".into()), "tokenizer-invalid");
    assert_eq!(changed(|v| v.pre = "llama-bpe".into()), "tokenizer-invalid");
    assert_eq!(changed(|v| v.merges.push("ab".into())), "tokenizer-invalid");
    assert_eq!(
        changed(|v| v.merges.push("no such".into())),
        "tokenizer-invalid"
    );
    assert_eq!(
        changed(|v| v.tokens.clear()),
        "tokenizer-invalid",
        "merges of no tokens"
    );
}

#[test]
fn tekken_gives_the_ids_of_mistral_common() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        golden::path("tekken.json"),
        folder.path().join("tekken.json"),
    )
    .unwrap();
    let rows = golden::rows::<TekkenRow>("tekken_prompts.json");
    let system = &rows[0].ids;
    for source in [
        TokenizerSource::File(golden::path("tekken.json")),
        TokenizerSource::Folder(folder.path().to_owned()),
        tekken(|_| ()),
    ] {
        let tokenizer = PromptTokenizer::open(source, Family::Dev).unwrap();
        for row in &rows {
            let tokens = tokenizer.encode(&row.prompt).unwrap();
            let mut expected = [&BEGIN, &system[..], &MIDDLE, &row.ids].concat();
            if row.ids.len() < 300 {
                expected.push(END);
                let padding = TOKENS - expected.len();
                expected.splice(0..0, vec![PADDING; padding]);
                assert_eq!(tokens.ids, expected, "{:?}", row.prompt);
            } else {
                let ids = tokens.ids.iter().skip_while(|&&id| id == PADDING);
                let ids: Vec<i64> = ids.copied().take(expected.len()).collect();
                assert_eq!(ids, expected[..ids.len()], "{:?}", row.prompt);
            }
        }
    }
}

#[test]
fn special_tokens_may_be_listed() {
    let listed = tekken(|json| {
        let names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<pad>"];
        let tokens = (0..).zip(names).map(
            |(rank, name): (u32, _)| json!({ "rank": rank, "token_str": name, "is_control": true }),
        );
        json["special_tokens"] = tokens.collect();
    });
    let tokenizer = PromptTokenizer::open(listed, Family::Dev).unwrap();
    let ids = tokenizer.encode("<SPECIAL_999>").unwrap().ids;
    assert_eq!(ids[0], 5, "the padding's place in the list");
    assert_eq!(ids[TOKENS - 3..], [3, 999, 4]);
}

#[test]
fn damaged_tekken_files_are_refused() {
    for change in [
        (|json| json["vocab"][300]["rank"] = json!(301)) as fn(&mut Value),
        |json| json["vocab"][65]["token_bytes"] = json!("QQQQ"),
        |json| json["vocab"][300]["token_bytes"] = json!("*"),
        |json| json["config"]["default_vocab_size"] = json!(100_000),
        |json| json["config"]["default_num_special_tokens"] = json!(10),
        |json| json["config"]["default_vocab_size"] = json!(u64::MAX),
        |json| json["config"]["pattern"] = json!("("),
        |json| json["special_tokens"] = json!([{ "rank": 1, "token_str": "<unk>" }]),
        |json| {
            json["special_tokens"] =
                json!([{ "rank": 0, "token_str": "<unk>" }, { "rank": 1, "token_str": "<unk>" }]);
        },
        |json| {
            json.as_object_mut().unwrap().remove("vocab");
        },
    ] {
        assert_eq!(code(tekken(change)), "tokenizer-invalid");
    }
    let unpadded = tekken(|json| {
        json["special_tokens"] = json!([{ "rank": 0, "token_str": "<unk>" }]);
    });
    assert_eq!(code(unpadded), "tokenizer-padding-missing");
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("tokenizer.json");
    assert_eq!(code(TokenizerSource::File(missing)), "tokenizer-unreadable");
}
