//! Facts to manifest: the C2PA manifest definition of one making. Pure; nothing is read or signed.
//!
//! The shape is that of C2PA 2.4, checked against the conformance program's asset rubric (see
//! `tests/suite/rubric.rs`). Names of our own carry the prefix `org.atelier.`, as the
//! specification asks of anything that it does not define itself.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    making::{LoraFacts, Making, ModelFacts, Operation, ReferenceFacts, Role, StepFacts},
    text::{base_name, clean, key},
};

/// The action that a plugin step is recorded as.
pub(crate) const PREPARED: &str = "org.atelier.prepared";
/// The parameter of [`PREPARED`] with the SHA-256 of the plugin's module.
pub(crate) const MODULE_SHA256: &str = "org.atelier.module_sha256";
/// The parameter of [`PREPARED`] with what the plugin noted.
pub(crate) const NOTES: &str = "org.atelier.notes";
/// The ingredient metadata with the SHA-256 of a reference, of a LoRA or of the model's weights.
pub(crate) const SHA256: &str = "org.atelier.sha256";
/// The ingredient's file, in the builder's resources, that holds the prompt.
pub(crate) const PROMPT_RESOURCE: &str = "prompt.txt";
/// The type of an ingredient that is a prompt.
pub(crate) const PROMPT_TYPE: &str = "c2pa.types.generator.prompt";
/// The type of an ingredient that is a model.
pub(crate) const GENERATOR_TYPE: &str = "c2pa.types.generator";

/// The type of an ingredient that changed the model.
pub(crate) const ADAPTER_TYPE: &str = "c2pa.types.model";
/// The ingredient metadata with a LoRA's scale.
pub(crate) const SCALE: &str = "org.atelier.scale";

const CREATED_BY_AI: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
const EDITED_BY_AI: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

const NAME_LENGTH: usize = 120;
const TITLE_LENGTH: usize = 200;
const NOTE_LENGTH: usize = 256;
const MAX_NOTES: usize = 16;

/// The manifest definition, with the model, its LoRAs (and the prompt, if asked for) as ingredients. The
/// references are to be added under the labels of [`reference_label`]. `when` is RFC 3339.
pub(crate) fn manifest(making: &Making, when: &str) -> Value {
    let mut ingredients = vec![model(&making.model)];
    ingredients.extend(
        (1..)
            .zip(&making.loras)
            .map(|(number, facts)| lora(number, facts)),
    );
    ingredients.extend(making.prompt.is_some().then(prompt));
    let mut definition = json!({
        "claim_version": 2,
        "claim_generator_info": [{
            "name": "Atelier",
            "version": clean(&making.program_version, NAME_LENGTH),
            "specVersion": "2.4.0",
        }],
        "ingredients": ingredients,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "created": true,
                "data": { "allActionsIncluded": true, "actions": actions(making, when) },
            },
            { "label": "c2pa.ai-disclosure", "created": true, "data": disclosure(&making.model) },
        ],
    });
    let title = making
        .title
        .as_deref()
        .map(|title| clean(title, TITLE_LENGTH));
    if let Some(title) = title.filter(|title| !title.is_empty()) {
        definition["title"] = title.into();
    }
    definition
}

/// The label that ties a reference's ingredient to the actions that use it. Not written itself.
fn reference_label(number: u32) -> String {
    format!("reference-{number}")
}

/// The ingredient of one reference. `left_out` says why a manifest that it carries is not kept.
pub(crate) fn reference(making: &Making, facts: &ReferenceFacts, left_out: Option<&str>) -> Value {
    let mut metadata = json!({ SHA256: facts.sha256.to_ascii_lowercase() });
    if let Some(reason) = left_out {
        metadata["org.atelier.manifest"] = format!("left out: {reason}").into();
    }
    let is_base = making.operation == Operation::Edit { base: facts.number };
    json!({
        "title": title(facts),
        "format": facts.format.as_deref().map_or_else(
            || "application/octet-stream".into(),
            |format| clean(format, NAME_LENGTH),
        ),
        "relationship": if is_base { "parentOf" } else { "inputTo" },
        "label": reference_label(facts.number),
        "instance_id": instance_id(facts),
        "metadata": metadata,
    })
}

fn title(facts: &ReferenceFacts) -> String {
    match facts.role {
        Role::Reference => format!("reference {}", facts.number),
        Role::Base => "picture to begin from".into(),
        Role::Mask => "mask".into(),
    }
}

fn model(facts: &ModelFacts) -> Value {
    json!({
        "title": model_name(facts),
        "format": "application/octet-stream",
        "relationship": "inputTo",
        "label": "model",
        "data_types": [{ "type": GENERATOR_TYPE }, { "type": "c2pa.types.model.pytorch" }],
        "metadata": {
            SHA256: facts.sha256.to_ascii_lowercase(),
            "org.atelier.variant": clean(base_name(&facts.variant), NAME_LENGTH),
        },
    })
}

/// A LoRA is an input beside the model, told by its digest: the specification knows no closer relation
/// between the two.
fn lora(number: usize, facts: &LoraFacts) -> Value {
    json!({
        "title": format!("LoRA {number}"),
        "format": "application/octet-stream",
        "relationship": "inputTo",
        "label": lora_label(number),
        "data_types": [{ "type": ADAPTER_TYPE }],
        "metadata": {
            SHA256: facts.sha256.to_ascii_lowercase(),
            // Text: a binary fraction of 0.8 would read 0.800000011920929.
            SCALE: facts.scale.to_string(),
        },
    })
}

fn lora_label(number: usize) -> String {
    format!("lora-{number}")
}

fn prompt() -> Value {
    json!({
        "title": "prompt",
        "format": "text/plain",
        "relationship": "inputTo",
        "label": "prompt",
        "data_types": [{ "type": PROMPT_TYPE }],
        "data": { "format": "text/plain", "identifier": PROMPT_RESOURCE },
    })
}

/// `c2pa.ai-disclosure` (C2PA 2.4, 18.28). A person wrote the prompt and no person is known to
/// have looked at the result: that is `prompt_guided`, never `human_validated`.
fn disclosure(facts: &ModelFacts) -> Value {
    let mut disclosure = json!({
        "modelType": "c2pa.types.model",
        "modelName": model_name(facts),
        "contentProfile": { "humanOversightLevel": "prompt_guided" },
    });
    if let Some(identifier) = &facts.identifier {
        let identifier = clean(identifier, TITLE_LENGTH);
        if identifier.starts_with("pkg:") || identifier.starts_with("https://") {
            disclosure["modelIdentifier"] = identifier.into();
        }
    }
    disclosure
}

/// All actions, in the order the specification wants: the one that begins the picture first.
fn actions(making: &Making, when: &str) -> Vec<Value> {
    let labels = |without: Option<u32>| {
        let mut labels = vec!["model".to_owned()];
        labels.extend((1..=making.loras.len()).map(lora_label));
        labels.extend(making.prompt.is_some().then(|| "prompt".to_owned()));
        let references = sorted(making).into_iter().map(|reference| reference.number);
        labels.extend(
            references
                .filter(|number| Some(*number) != without)
                .map(reference_label),
        );
        labels
    };
    let by_model = |action: &str, source_type: &str, ingredients: Vec<String>| {
        json!({
            "action": action,
            "when": when,
            "digitalSourceType": source_type,
            "softwareAgent": agent(&model_name(&making.model), making.model.version.as_deref()),
            "parameters": { "ingredientIds": ingredients },
        })
    };
    let prepared = sorted(making).into_iter().flat_map(|reference| {
        reference
            .prepared_by
            .iter()
            .map(|step| prepared(reference, step))
    });
    match making.operation {
        Operation::Generate => {
            std::iter::once(by_model("c2pa.created", CREATED_BY_AI, labels(None)))
                .chain(prepared)
                .collect()
        }
        Operation::Edit { base } => {
            let opened = json!({
                "action": "c2pa.opened",
                "when": when,
                "parameters": { "ingredientIds": [reference_label(base)] },
            });
            std::iter::once(opened)
                .chain(prepared)
                .chain([by_model("c2pa.edited", EDITED_BY_AI, labels(Some(base)))])
                .collect()
        }
    }
}

fn prepared(reference: &ReferenceFacts, step: &StepFacts) -> Value {
    let mut parameters = json!({
        "ingredientIds": [reference_label(reference.number)],
        MODULE_SHA256: step.module_sha256.to_ascii_lowercase(),
    });
    let notes: Map<String, Value> = step
        .notes
        .iter()
        .take(MAX_NOTES)
        .map(|(name, value)| (key(name), clean(value, NOTE_LENGTH).into()))
        .collect();
    if !notes.is_empty() {
        parameters[NOTES] = notes.into();
    }
    json!({
        "action": PREPARED,
        "softwareAgent": agent(&clean(base_name(&step.plugin), NAME_LENGTH), Some(&step.version)),
        "parameters": parameters,
    })
}

fn agent(name: &str, version: Option<&str>) -> Value {
    let mut agent = json!({ "name": name });
    let version = version.map(|version| clean(version, NAME_LENGTH));
    if let Some(version) = version.filter(|version| !version.is_empty()) {
        agent["version"] = version.into();
    }
    agent
}

fn model_name(facts: &ModelFacts) -> String {
    let name = clean(base_name(&facts.name), NAME_LENGTH);
    if name.is_empty() {
        "unnamed model".into()
    } else {
        name
    }
}

fn sorted(making: &Making) -> Vec<&ReferenceFacts> {
    let mut references: Vec<_> = making.references.iter().collect();
    references.sort_by_key(|reference| reference.number);
    references
}

/// An instance id from the reference's own digest, in the form of a version 8 UUID (RFC 9562).
/// Without one, the C2PA library would copy the file's XMP instance id into the manifest, by
/// which the file could be traced.
fn instance_id(facts: &ReferenceFacts) -> String {
    let digest = Sha256::digest(facts.sha256.to_ascii_lowercase());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    let bits = u128::from_be_bytes(bytes) & !(0xF << 76) & !(0x3 << 62) | (0x8 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("xmp:iid:{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests;
