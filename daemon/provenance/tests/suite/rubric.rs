//! The 31 checks of the C2PA conformance program's asset rubric (conformance 0.2, C2PA 2.4),
//! written anew over crJSON. Each has the identifier that the program gives it.
//!
//! A check sees what the SDK's own state does not: an actions list among the gathered assertions,
//! for one, is "trusted" and does not conform.

use serde_json::{Value, json};

/// The version that the claim generator must declare, major and minor.
const SPEC_VERSION: &str = "2.4";

const NOT_EDITORIAL: &[&str] = &[
    "c2pa.created",
    "c2pa.opened",
    "c2pa.converted",
    "c2pa.published",
    "c2pa.repackaged",
    "c2pa.transcoded",
    "c2pa.resized.proportional",
    "c2pa.enhanced",
    "c2pa.edited.metadata",
    "c2pa.watermarked",
    "c2pa.watermarked.bound",
    "c2pa.watermarked.unbound",
    "c2pa.redacted",
    "c2pa.placed",
];

const ACTIONS: &[&str] = &[
    "addedText",
    "adjustedColor",
    "changedSpeed",
    "color_adjustments",
    "converted",
    "created",
    "cropped",
    "deleted",
    "drawing",
    "dubbed",
    "edited",
    "edited.metadata",
    "enhanced",
    "filtered",
    "mastered",
    "mixed",
    "opened",
    "orientation",
    "placed",
    "published",
    "redacted",
    "remixed",
    "removed",
    "repackaged",
    "resized",
    "resized.proportional",
    "transcoded",
    "translated",
    "trimmed",
    "unknown",
    "watermarked",
    "watermarked.bound",
    "watermarked.unbound",
];

const DEPRECATED_ACTIONS: &[&str] = &[
    "c2pa.copied",
    "c2pa.formatted",
    "c2pa.version_updated",
    "c2pa.printed",
    "c2pa.managed",
    "c2pa.produced",
    "c2pa.saved",
    "c2pa.color_adjustments",
    "c2pa.watermarked",
];

const ASSERTIONS: &[&str] = &[
    "hash.data",
    "hash.data.part",
    "actions.v2",
    "ingredient.v3",
    "hash.boxes",
    "hash.bmff.v3",
    "hash.collection.data",
    "soft-binding",
    "cloud-data",
    "embedded-data",
    "metadata",
    "certificate-status",
    "asset-ref",
    "asset-type.v2",
    "hash.multi-asset",
    "thumbnail.claim",
    "thumbnail.ingredient",
    "depthmap.GDepth",
    "icon",
    "alternative-content-representation",
    "external-reference",
    "session-keys",
    "environmental-sustainability",
    "repository-receipt",
    "ai-disclosure",
    "assertion.metadata",
    "time-stamp",
];

const DEPRECATED_ASSERTIONS: &[&str] = &[
    "c2pa.claim",
    "c2pa.hash.bmff.v2",
    "c2pa.asset-type",
    "c2pa.ingredient",
    "c2pa.ingredient.v2",
    "c2pa.actions",
];

const PARAMETERS: &[&str] = &[
    "redacted",
    "ingredients",
    "ingredient",
    "description",
    "relatedAssertions",
    "sourceLanguage",
    "targetLanguage",
    "multipleInstances",
    "ranges",
    "weight",
    "width",
    "italic",
    "slant",
    "optical-size",
];

/// Codes by which a manifest is not well formed: these endings, and those with "malformed".
const STRUCTURAL: &[&str] = &[
    ".invalid",
    ".missing",
    ".multiple",
    "multipleHardBindings",
    "unknownBox",
    "multipleParents",
    "wrongParents",
    "inaccessible",
    "labelMismatch",
    "external-reference.created",
];

struct Manifest<'a> {
    value: &'a Value,
    assertions: Vec<(&'a str, &'a Value)>,
    actions: Vec<&'a Value>,
    ingredients: Vec<&'a Value>,
    failures: Vec<&'a str>,
}

impl<'a> Manifest<'a> {
    fn active(store: &'a Value) -> Self {
        let value = &store["manifests"][0];
        let assertions: Vec<(&str, &Value)> = value["assertions"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.as_str(), v))
            .collect();
        let lists = assertions
            .iter()
            .filter_map(|(_, v)| v["actions"].as_array());
        Self {
            value,
            actions: lists.flatten().collect(),
            ingredients: assertions
                .iter()
                .map(|(_, v)| *v)
                .filter(|v| has(v, "relationship"))
                .collect(),
            failures: value["validationResults"]["failure"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|status| status["code"].as_str())
                .collect(),
            assertions,
        }
    }

    fn claim(&self) -> &Value {
        &self.value["claim.v2"]
    }

    fn action_names(&self) -> impl Iterator<Item = &str> {
        self.actions
            .iter()
            .filter_map(|action| action["action"].as_str())
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.assertions.iter().map(|(_, value)| *value)
    }

    fn any_action(&self, test: impl Fn(&str, &Value) -> bool) -> bool {
        self.actions
            .iter()
            .any(|action| test(action["action"].as_str().unwrap_or_default(), action))
    }
}

/// A name, and changes to the active manifest: where, which key, to what.
type Spoiling<'a> = (&'a str, &'a [(&'a str, &'a str, Value)]);

type Check = (&'static str, fn(&Manifest) -> bool);

#[rustfmt::skip]
const CHECKS: [Check; 31] = [
    ("mandatory_dst_for_perceptible_transformations", |m| !m.any_action(|name, action| {
        name.starts_with("c2pa.") && !NOT_EDITORIAL.contains(&name) && !has(action, "digitalSourceType")
    })),
    ("mandatory_spec_version", |m| {
        let info = &m.claim()["claim_generator_info"];
        let version = info.get(0).unwrap_or(info)["specVersion"].as_str().unwrap_or_default();
        version.split('.').take(2).eq(SPEC_VERSION.split('.'))
    }),
    ("mandatory_all_actions_included", |m| {
        m.values().filter(|v| has(v, "actions")).all(|v| has(v, "allActionsIncluded"))
    }),
    ("no_dst_for_opened_action", |m| !m.any_action(|name, action| {
        name == "c2pa.opened" && has(action, "digitalSourceType")
    })),
    ("well_formed_data_present", |m| has(m.value, "validationResults")),
    ("well_formed_success", |m| !m.failures.iter().any(|code| {
        code.contains("malformed") || STRUCTURAL.iter().any(|ending| code.ends_with(ending))
    })),
    ("valid_data_present", |m| has(m.value, "validationResults")),
    ("valid_success", |m| !m.failures.iter().any(|code| {
        code.to_lowercase().ends_with("mismatch") || code.ends_with("hardBinding.redacted")
            || code.ends_with("laimSignature.missing")
    })),
    ("inception_action_position", |m| {
        let created = m.claim()["created_assertions"].as_array();
        let first = created.into_iter().flatten().filter_map(|it| it["url"].as_str())
            .find(|url| url.contains("c2pa.actions"));
        let inception = m.action_names().next().is_some_and(|name| ["c2pa.created", "c2pa.opened"].contains(&name));
        first.is_some_and(|url| url.ends_with("c2pa.actions.v2"))
            && (inception || !m.action_names().any(|name| name == "c2pa.created"))
    }),
    ("no_deprecated_assertions", |m| !m.assertions.iter().any(|(label, _)| {
        label.starts_with("stds.") || DEPRECATED_ASSERTIONS.contains(label)
    })),
    ("no_unsupported_assertions", |m| !m.assertions.iter().any(|(label, _)| {
        let base = label.split("__").next().unwrap_or_default();
        base.strip_prefix("c2pa.").is_some_and(|rest| !ASSERTIONS.contains(&rest))
            && !DEPRECATED_ASSERTIONS.contains(&base)
    })),
    ("no_deprecated_actions", |m| !m.action_names().any(|name| DEPRECATED_ACTIONS.contains(&name))),
    ("no_unsupported_actions", |m| !m.action_names().any(|name| {
        name.strip_prefix("c2pa.").is_some_and(|rest| !ACTIONS.contains(&rest))
    })),
    ("no_unrecognized_custom_assertions", |m| m.assertions.iter().all(|(label, _)| label.contains('.'))),
    ("no_unrecognized_custom_actions", |m| m.action_names().all(|name| name.contains('.'))),
    ("no_unrecognized_custom_action_parameters", |m| !m.any_action(|_, action| {
        action["parameters"].as_object().into_iter().flatten()
            .any(|(key, _)| !PARAMETERS.contains(&key.as_str()) && !key.contains('.'))
    })),
    ("discouraged_legacy_action_parameters", |m| !m.any_action(|_, action| {
        has(&action["parameters"], "description") || has(&action["parameters"], "ingredient")
    })),
    ("active_manifest_urn", |m| {
        m.value["label"].as_str().is_some_and(|label| label.starts_with("urn:c2pa:"))
    }),
    ("review_ratings_datasource", |m| !m.values().any(|v| {
        has(v, "reviewRatings")
            && v["dataSource"]["type"].as_str().is_some_and(|kind| kind.starts_with("humanEntry."))
    })),
    ("ingredient_v3_no_active_manifest", |m| !m.ingredients.iter().any(|it| {
        !has(it, "activeManifest") && has(it, "validationResults")
    })),
    ("ingredient_v3_mandatory_validation_results", |m| !m.ingredients.iter().any(|it| {
        has(it, "activeManifest") && !has(it, "validationResults")
    })),
    ("ingredient_relationship_values", |m| m.ingredients.iter().all(|it| {
        ["parentOf", "inputTo", "componentOf"].iter().any(|known| it["relationship"] == *known)
    })),
    ("mandatory_dst_for_created_action", |m| !m.any_action(|name, action| {
        name == "c2pa.created" && !has(action, "digitalSourceType")
    })),
    ("no_deprecated_claim_fields", |m| !has(m.claim(), "specVersion")),
    ("ingredient_v3_choice", |m| !m.ingredients.iter().any(|it| {
        has(it, "activeManifest") && has(it, "digitalSourceType")
    })),
    ("alternative_content_representation_choice", |m| !m.values().any(|v| {
        let parameters = &v["parameters"];
        let preserved = json!("exif.originalPreservationImage");
        (v["type"] == preserved || parameters["type"] == preserved)
            && has(parameters, "multiAssetPartIndex") == has(parameters, "embeddedOriginalPreservationImage")
    })),
    ("forbidden_labels_in_external_references", |m| !m.values().any(|v| {
        let label = v["label"].as_str().unwrap_or_default();
        has(v, "url") && !has(v, "relationship")
            && (["c2pa.actions", "c2pa.actions.v2", "c2pa.cloud-data", "c2pa.external-reference"].contains(&label)
                || label.starts_with("c2pa.hash") || label.starts_with("c2pa.ingredient"))
    })),
    ("no_url_in_hashes", |m| !m.assertions.iter().any(|(label, v)| {
        ["c2pa.hash.data", "c2pa.hash.bmff.v3"].contains(label) && has(v, "url")
    })),
    ("all_actions_included_opened", |m| {
        let all = &m.value["assertions"]["c2pa.actions.v2"]["allActionsIncluded"];
        !(m.actions.len() == 1 && *all != true && m.action_names().any(|name| name == "c2pa.opened"))
    }),
    ("opened_action_ingredient_reference", |m| !m.any_action(|name, action| {
        name == "c2pa.opened" && action["parameters"]["ingredients"].as_array().map(Vec::len) != Some(1)
    })),
    ("no_box_hash_for_tiff", |m| !(
        m.assertions.iter().any(|(label, _)| *label == "c2pa.hash.boxes")
            && m.assertions.iter().any(|(label, v)| *label == "c2pa.asset-type.v2"
                && ["image/tiff", "image/x-adobe-dng"].iter().any(|kind| v["dc:format"] == *kind))
    )),
];

/// The checks that the active manifest of `store`, in crJSON, does not pass.
pub(crate) fn failed(store: &Value) -> Vec<&'static str> {
    let manifest = Manifest::active(store);
    CHECKS
        .iter()
        .filter(|(_, passes)| !passes(&manifest))
        .map(|(name, _)| *name)
        .collect()
}

fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|value| !value.is_null())
}

/// A rubric that nothing can fail is worth nothing: each check is failed once, by the smallest
/// change to a manifest that passes.
#[test]
fn every_check_can_fail() {
    use atelier_provenance::{Format, sign};

    use crate::pictures::{crjson, making, picture, signer};

    let signer = signer();
    let signed = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making(),
    )
    .unwrap();
    let store = crjson(&signed.bytes, Format::Png, signer.identity.root_pem());
    assert_eq!(failed(&store), Vec::<&str>::new());

    let list = "/assertions/c2pa.actions.v2";
    let created = "/assertions/c2pa.actions.v2/actions/0";
    let ingredient = "/assertions/c2pa.ingredient.v3";
    let opened = json!([{ "action": "c2pa.opened" }]);
    let results = json!({ "activeManifest": {} });
    let tiff = json!({ "dc:format": "image/tiff" });
    #[rustfmt::skip]
    let spoil: [Spoiling; 31] = [
        ("mandatory_dst_for_perceptible_transformations", &[(list, "actions", json!([{ "action": "c2pa.edited" }]))]),
        ("mandatory_spec_version", &[("/claim.v2/claim_generator_info", "specVersion", json!("2.2.0"))]),
        ("mandatory_all_actions_included", &[(list, "allActionsIncluded", Value::Null)]),
        ("no_dst_for_opened_action", &[(list, "actions", json!([{ "action": "c2pa.opened", "digitalSourceType": "x" }]))]),
        ("well_formed_data_present", &[("", "validationResults", Value::Null)]),
        ("well_formed_success", &[("/validationResults", "failure", json!([{ "code": "assertion.ingredient.malformed" }]))]),
        ("valid_data_present", &[("", "validationResults", Value::Null)]),
        ("valid_success", &[("/validationResults", "failure", json!([{ "code": "assertion.dataHash.mismatch" }]))]),
        ("inception_action_position", &[("/claim.v2", "created_assertions", json!([]))]),
        ("no_deprecated_assertions", &[("/assertions", "stds.exif", json!({}))]),
        ("no_unsupported_assertions", &[("/assertions", "c2pa.ai_generated_content", json!({}))]),
        ("no_deprecated_actions", &[(created, "action", json!("c2pa.saved"))]),
        ("no_unsupported_actions", &[(created, "action", json!("c2pa.invented"))]),
        ("no_unrecognized_custom_assertions", &[("/assertions", "mine", json!({}))]),
        ("no_unrecognized_custom_actions", &[(created, "action", json!("invented"))]),
        ("no_unrecognized_custom_action_parameters", &[(created, "parameters", json!({ "seed": 1 }))]),
        ("discouraged_legacy_action_parameters", &[(created, "parameters", json!({ "description": "x" }))]),
        ("active_manifest_urn", &[("", "label", json!("urn:uuid:1"))]),
        ("review_ratings_datasource", &[
            (list, "reviewRatings", json!([])), (list, "dataSource", json!({ "type": "humanEntry.anonymous" })),
        ]),
        ("ingredient_v3_no_active_manifest", &[(ingredient, "validationResults", results)]),
        ("ingredient_v3_mandatory_validation_results", &[(ingredient, "activeManifest", json!({}))]),
        ("ingredient_relationship_values", &[(ingredient, "relationship", json!("friendOf"))]),
        ("mandatory_dst_for_created_action", &[(created, "digitalSourceType", Value::Null)]),
        ("no_deprecated_claim_fields", &[("/claim.v2", "specVersion", json!("2.4.0"))]),
        ("ingredient_v3_choice", &[
            (ingredient, "activeManifest", json!({})), (ingredient, "digitalSourceType", json!("x")),
        ]),
        ("alternative_content_representation_choice", &[(list, "type", json!("exif.originalPreservationImage"))]),
        ("forbidden_labels_in_external_references", &[
            (list, "label", json!("c2pa.hash.data")), (list, "url", json!("https://example.org")),
        ]),
        ("no_url_in_hashes", &[("/assertions/c2pa.hash.data", "url", json!("https://example.org"))]),
        ("all_actions_included_opened", &[(list, "actions", opened.clone()), (list, "allActionsIncluded", json!(false))]),
        ("opened_action_ingredient_reference", &[(list, "actions", opened)]),
        ("no_box_hash_for_tiff", &[
            ("/assertions", "c2pa.hash.boxes", json!({})), ("/assertions", "c2pa.asset-type.v2", tiff),
        ]),
    ];
    for (name, changes) in spoil {
        let mut spoilt = store.clone();
        for (at, key, value) in changes {
            let place = spoilt["manifests"][0].pointer_mut(at).expect(at);
            place[*key] = value.clone();
        }
        assert!(
            failed(&spoilt).contains(&name),
            "{name} did not notice {changes:?}"
        );
    }
}
