//! What the definition says, and what it must not, before any library touches it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};

use super::{instance_id, manifest, reference};
use crate::making::{LoraFacts, Making, ModelFacts, Operation, ReferenceFacts, Role, StepFacts};

fn making() -> Making {
    let step = StepFacts {
        plugin: "fit".into(),
        version: "1.2.0".into(),
        module_sha256: "EE".repeat(32),
        notes: vec![("crop box".into(), "0,0,\u{202e}64,64".into())],
    };
    let reference = |number, steps: &[StepFacts]| ReferenceFacts {
        number,
        role: Role::default(),
        sha256: format!("{number:064}"),
        format: Some("image/jpeg".into()),
        bytes: None,
        prepared_by: steps.to_vec(),
    };
    Making {
        program_version: "0.1.0".into(),
        title: None,
        model: ModelFacts {
            name: "FLUX.2 [klein] 4B".into(),
            version: Some("1".into()),
            sha256: "ab".repeat(32),
            identifier: Some("pkg:huggingface/owner/name".into()),
            variant: "klein-4b".into(),
        },
        loras: Vec::new(),
        references: vec![reference(2, &[]), reference(1, &[step])],
        prompt: None,
        operation: Operation::Generate,
    }
}

fn actions(definition: &Value) -> &Vec<Value> {
    definition["assertions"][0]["data"]["actions"]
        .as_array()
        .unwrap()
}

#[test]
fn a_generated_picture_is_created_from_the_model_and_its_references_in_order() {
    let definition = manifest(&making(), "2026-11-23T12:00:00Z");
    let actions = actions(&definition);
    assert_eq!(actions[0]["action"], "c2pa.created");
    assert_eq!(
        actions[0]["parameters"]["ingredientIds"],
        json!(["model", "reference-1", "reference-2"])
    );
    assert_eq!(actions[1]["action"], "org.atelier.prepared");
    assert_eq!(
        actions[1]["parameters"],
        json!({
            "ingredientIds": ["reference-1"],
            "org.atelier.module_sha256": "ee".repeat(32),
            "org.atelier.notes": { "crop_box": "0,0,64,64" },
        })
    );
    assert_eq!(actions.len(), 2);
    assert_eq!(definition["title"], Value::Null);
}

#[test]
fn an_edit_opens_its_base_and_is_edited_with_the_rest() {
    let mut making = making();
    making.operation = Operation::Edit { base: 2 };
    let definition = manifest(&making, "2026-11-23T12:00:00Z");
    let actions = actions(&definition);
    let names: Vec<_> = actions
        .iter()
        .map(|action| action["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["c2pa.opened", "org.atelier.prepared", "c2pa.edited"]
    );
    assert_eq!(
        actions[0]["parameters"]["ingredientIds"],
        json!(["reference-2"])
    );
    assert_eq!(actions[0]["digitalSourceType"], Value::Null);
    assert_eq!(
        actions[2]["parameters"]["ingredientIds"],
        json!(["model", "reference-1"])
    );
    assert_eq!(
        reference(&making, &making.references[0], None)["relationship"],
        "parentOf"
    );
    assert_eq!(
        reference(&making, &making.references[1], None)["relationship"],
        "inputTo"
    );
}

#[test]
fn pictures_are_titled_by_what_they_were_for() {
    let mut making = making();
    let titles = [Role::Reference, Role::Base, Role::Mask].map(|role| {
        making.references[1].role = role;
        let definition = reference(&making, &making.references[1], None);
        definition["title"].as_str().unwrap().to_owned()
    });
    let number = making.references[1].number;
    assert_eq!(titles[0], format!("reference {number}"));
    assert_eq!(titles[1..], ["picture to begin from", "mask"]);
}

#[test]
fn each_lora_is_an_input_beside_the_model() {
    let mut making = making();
    making.loras = [0.8, -1.0]
        .map(|scale| LoraFacts {
            sha256: "CD".repeat(32),
            scale,
        })
        .to_vec();
    let definition = manifest(&making, "");
    assert_eq!(
        actions(&definition)[0]["parameters"]["ingredientIds"],
        json!(["model", "lora-1", "lora-2", "reference-1", "reference-2"])
    );
    let lora = &definition["ingredients"][1];
    assert_eq!(lora["title"], "LoRA 1");
    assert_eq!(lora["relationship"], "inputTo");
    assert_eq!(
        lora["metadata"],
        json!({ "org.atelier.sha256": "cd".repeat(32), "org.atelier.scale": "0.8" })
    );
    assert_eq!(
        definition["ingredients"][2]["metadata"]["org.atelier.scale"],
        "-1"
    );
}

#[test]
fn the_prompt_is_named_only_when_there_is_one() {
    let mut making = making();
    assert!(!manifest(&making, "").to_string().contains("prompt.txt"));
    making.prompt = Some("a red fox".into());
    let definition = manifest(&making, "");
    assert_eq!(
        definition["ingredients"][1]["data"]["identifier"],
        "prompt.txt"
    );
    assert!(
        !definition.to_string().contains("fox"),
        "the text travels as a resource"
    );
}

#[test]
fn folders_and_addresses_of_files_stay_out() {
    let mut making = making();
    making.model.name = "/home/alice/models/klein-4b".into();
    making.model.variant = "/home/alice/klein".into();
    making.model.identifier = Some("file:///home/alice/klein".into());
    making.references[1].prepared_by[0].plugin = "/home/alice/fit.wasm".into();
    making.title = Some("\u{202e}\n".into());
    let definition = manifest(&making, "");
    assert!(!definition.to_string().contains("alice"), "{definition:#}");
    assert_eq!(definition["ingredients"][0]["title"], "klein-4b");
    assert_eq!(
        definition["title"],
        Value::Null,
        "an empty title is no title"
    );
}

#[test]
fn an_instance_id_is_a_uuid_of_the_content() {
    let making = making();
    let id = instance_id(&making.references[0]);
    let uuid = id.strip_prefix("xmp:iid:").unwrap();
    let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(uuid.as_bytes()[14], b'8', "version");
    assert!(b"89ab".contains(&uuid.as_bytes()[19]), "variant");
    assert_eq!(id, instance_id(&making.references[0].clone()));
    assert_ne!(id, instance_id(&making.references[1]));
}
