//! Reads the facts out of a manifest, ours or anybody's, from the library's crJSON form.
//!
//! crJSON gives every assertion as it is written, under its label; the active manifest comes
//! first. Manifests come from everywhere, so nothing is assumed to be there or to be of a type.

use c2pa::Reader;
use serde_json::Value;

use super::{IngredientClaim, ModelClaim, Report, State, StepClaim};
use crate::definition::{
    GENERATOR_TYPE, MODULE_SHA256, NOTES, PREPARED, PROMPT_TYPE, SCALE, SHA256,
};

/// An opened picture may have been opened from another, and so on; further back nobody asks.
const MAX_GENERATIONS: usize = 32;

/// Fills in what the manifests of `store` say.
pub(super) fn read(store: &Value, report: &mut Report) {
    let Some(active) = store["manifests"].get(0) else {
        return;
    };
    let claim = if active["claim.v2"].is_object() {
        &active["claim.v2"]
    } else {
        &active["claim"]
    };
    report.manifest_label = text(&active["label"]);
    report.title = text(&claim["dc:title"]);
    report.claim_generator = claim_generator(claim);

    let signature = &active["signature"];
    report.signer = name(&signature["certificateInfo"]["subject"]);
    report.issuer = name(&signature["certificateInfo"]["issuer"]);
    let stamped = text(&signature["timeStampInfo"]["timestamp"]);
    report.time_stamped = stamped.is_some();
    report.signed_at = stamped.or_else(|| actions(active).find_map(|action| text(&action["when"])));

    let made_by = ai_action(store, active);
    report.ai.digital_source_type = made_by.and_then(source_type).map(str::to_owned);
    report.ai.generated = made_by.is_some();
    report.ai.disclosure = assertions(active, "c2pa.ai-disclosure").next().cloned();
    report.ai.model = made_by.map(|action| model(active, action, report.ai.disclosure.as_ref()));

    report.ingredients = ingredients(active)
        .filter(|ingredient| !has_type(ingredient, GENERATOR_TYPE))
        .filter(|ingredient| !has_type(ingredient, PROMPT_TYPE))
        .map(ingredient)
        .collect();
    // What is seen in the picture before what changed the model: readers look at the first.
    report
        .ingredients
        .sort_by_key(|claim| claim.scale.is_some());
    report.steps = actions(active)
        .filter(|action| action["action"] == PREPARED)
        .map(|action| StepClaim {
            plugin: text(&action["softwareAgent"]["name"]),
            version: text(&action["softwareAgent"]["version"]),
            module_sha256: text(&action["parameters"][MODULE_SHA256]),
            notes: action["parameters"][NOTES]
                .as_object()
                .cloned()
                .unwrap_or_default(),
        })
        .collect();
}

/// The prompt, where the active manifest holds one as an ingredient's data.
pub(super) fn prompt(reader: &Reader) -> Option<String> {
    let ingredient = reader
        .active_manifest()?
        .ingredients()
        .iter()
        .find(|ingredient| {
            let types = serde_json::to_value(ingredient.data_types()).unwrap_or_default();
            types_contain(&types, PROMPT_TYPE)
        })?;
    let mut prompt = std::io::Cursor::new(Vec::new());
    reader
        .resource_to_stream(&ingredient.data_ref()?.identifier, &mut prompt)
        .ok()?;
    let prompt = String::from_utf8(prompt.into_inner()).ok()?;
    // Line breaks are part of a prompt; what else is not printed could steer a terminal.
    Some(
        prompt
            .chars()
            .filter(|c| *c == '\n' || !c.is_control())
            .collect(),
    )
}

/// The action by which a model made the picture or part of it: in this manifest, or in that of
/// the picture which this one was opened from.
fn ai_action<'a>(store: &'a Value, active: &'a Value) -> Option<&'a Value> {
    let mut manifest = active;
    for _ in 0..MAX_GENERATIONS {
        let by_ai = |action: &&Value| {
            source_type(action).is_some_and(|kind| {
                kind.eq_ignore_ascii_case("trainedAlgorithmicMedia")
                    || kind.eq_ignore_ascii_case("compositeWithTrainedAlgorithmicMedia")
            })
        };
        if let Some(action) = actions(manifest).find(by_ai) {
            return Some(action);
        }
        let parent = ingredients(manifest).find(|it| it["relationship"] == "parentOf")?;
        let label = manifest_of(parent)?;
        manifest = store["manifests"]
            .as_array()?
            .iter()
            .find(|other| other["label"] == *label)?;
    }
    None
}

fn model(active: &Value, action: &Value, disclosure: Option<&Value>) -> ModelClaim {
    let ingredient = ingredients(active).find(|it| has_type(it, GENERATOR_TYPE));
    let disclosure = disclosure.unwrap_or(&Value::Null);
    let agent = &action["softwareAgent"];
    ModelClaim {
        name: text(&disclosure["modelName"])
            .or_else(|| text(&agent["name"]))
            .or_else(|| text(agent))
            .unwrap_or_else(|| "not named".into()),
        version: text(&agent["version"]),
        sha256: ingredient.and_then(|it| text(&it["metadata"][SHA256])),
        identifier: text(&disclosure["modelIdentifier"]),
    }
}

fn ingredient(value: &Value) -> IngredientClaim {
    let has_manifest = manifest_of(value).is_some();
    IngredientClaim {
        title: text(&value["dc:title"]),
        relationship: text(&value["relationship"]),
        sha256: text(&value["metadata"][SHA256]),
        scale: text(&value["metadata"][SCALE]),
        format: text(&value["dc:format"]),
        has_manifest,
        state: if has_manifest {
            state_when_kept(value)
        } else {
            State::Unsigned
        },
    }
}

/// How an ingredient's manifest stood when it was taken over, by the results recorded then.
fn state_when_kept(ingredient: &Value) -> State {
    let codes = |list: &Value| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| text(&it["code"]))
            .collect()
    };
    let results = &ingredient["validationResults"]["activeManifest"];
    let old_failures = codes(&ingredient["validationStatus"]);
    let failures = [codes(&results["failure"]), old_failures].concat();
    if failures
        .iter()
        .any(|code| code != "signingCredential.untrusted")
    {
        State::Invalid
    } else if codes(&results["success"])
        .iter()
        .any(|code| code == "signingCredential.trusted")
    {
        State::Trusted
    } else {
        State::Valid
    }
}

/// The label of the manifest that an ingredient carries: the third part of its JUMBF address,
/// `self#jumbf=/c2pa/LABEL`.
fn manifest_of(ingredient: &Value) -> Option<&str> {
    let url = ["activeManifest", "c2pa_manifest"]
        .iter()
        .find_map(|key| ingredient[*key]["url"].as_str())?;
    url.split('/').nth(2)
}

/// The assertions with this label, whatever their version (`.v2`) and instance (`__2`).
fn assertions<'a>(manifest: &'a Value, label: &str) -> impl Iterator<Item = &'a Value> {
    let mut found: Vec<(&String, &Value)> = manifest["assertions"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| {
            key.strip_prefix(label).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(".v") || rest.starts_with("__")
            })
        })
        .collect();
    // By instance: `__2` before `__10`.
    found.sort_by_key(|(key, _)| (key.len(), *key));
    found.into_iter().map(|(_, value)| value)
}

fn actions(manifest: &Value) -> impl Iterator<Item = &Value> {
    assertions(manifest, "c2pa.actions")
        .filter_map(|assertion| assertion["actions"].as_array())
        .flatten()
}

fn ingredients(manifest: &Value) -> impl Iterator<Item = &Value> {
    assertions(manifest, "c2pa.ingredient")
}

fn has_type(ingredient: &Value, wanted: &str) -> bool {
    ["dataTypes", "data_types"]
        .iter()
        .any(|key| types_contain(&ingredient[*key], wanted))
}

fn types_contain(types: &Value, wanted: &str) -> bool {
    types
        .as_array()
        .is_some_and(|types| types.iter().any(|it| it["type"] == wanted))
}

/// The last part of an action's IPTC address.
fn source_type(action: &Value) -> Option<&str> {
    action["digitalSourceType"].as_str()?.rsplit('/').next()
}

fn claim_generator(claim: &Value) -> Option<String> {
    let info = &claim["claim_generator_info"];
    let info = info.get(0).unwrap_or(info);
    match (text(&info["name"]), text(&info["version"])) {
        (Some(name), Some(version)) => Some(format!("{name} {version}")),
        (Some(name), None) => Some(name),
        (None, _) => text(&claim["claim_generator"]),
    }
}

/// A distinguished name as people say it: the common name, and the organisation if it differs.
fn name(parts: &Value) -> Option<String> {
    match (text(&parts["CN"]), text(&parts["O"])) {
        (Some(common), Some(organisation)) if common != organisation => {
            Some(format!("{common}, {organisation}"))
        }
        (common, organisation) => common.or(organisation),
    }
}

/// A text from a stranger's manifest, made safe to show on a terminal.
fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(|text| crate::text::clean(text, 1000))
        .filter(|text| !text.is_empty())
}
