//! Benchmarks of networks that are small enough for a test. Nothing here asserts how long anything took.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::plan::tests::klein_4b;

fn tiny(device: DeviceChoice, precisions: &[Precision]) -> Plan {
    Plan {
        size: Size::TINY,
        device,
        precisions: precisions.to_vec(),
        width: 64,
        height: 64,
        references: 1,
        runs: 2,
        ..Plan::default()
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// What holds of any report, and what programs rely on.
fn check(plan: &Plan, kind: &str, precisions: &[&str]) -> Value {
    let mut words = Vec::new();
    let report = run(plan, &mut |said| words.push(said.to_owned())).unwrap();
    assert!(
        words.iter().any(|said| said.contains("run 2 of 2")),
        "{words:?}"
    );
    let report = serde_json::to_value(report).unwrap();
    let expected = "bench version device size width height references tokens products results";
    assert_eq!(keys(&report), expected.split(' ').collect());
    assert_eq!(report["bench"], 1);
    let device = &report["device"];
    assert_eq!(
        keys(device),
        ["name", "kind", "driver", "memory_mib"].into()
    );
    assert_eq!(device["kind"], kind);
    // The prompt's, the picture's and the reference's.
    assert_eq!(report["tokens"], 512 + 16 + 16);

    let products = report["products"].as_array().unwrap();
    let of_products: Vec<_> = products
        .iter()
        .map(|row| row["precision"].as_str().unwrap())
        .collect();
    assert_eq!(of_products, precisions);
    for product in products {
        let expected = "precision rows outputs inputs ms tflops";
        assert_eq!(keys(product), expected.split(' ').collect());
        assert!(product["tflops"].as_f64().unwrap() > 0.0, "{product}");
    }

    let results = report["results"].as_array().unwrap();
    let of_results: Vec<_> = results
        .iter()
        .map(|row| {
            (
                row["part"].as_str().unwrap(),
                row["precision"].as_str().unwrap(),
            )
        })
        .collect();
    let parts = plan.parts.iter().map(|part| part.name());
    let all: Vec<_> = parts
        .flat_map(|part| precisions.iter().map(move |&name| (part, name)))
        .collect();
    assert_eq!(of_results, all);
    for row in results {
        let expected = "precision part runs ms ms_min ms_max tflop tflops share_of_product peak_mib \
                        weights_mib streamed_gb link_gb_s share_of_link";
        assert_eq!(keys(row), expected.split_whitespace().collect());
        let number = |name: &str| row[name].as_f64().unwrap();
        assert!(
            number("ms_min") <= number("ms") && number("ms") <= number("ms_max"),
            "{row}"
        );
        let tflops = number("tflop") / number("ms") * 1e3;
        assert!((number("tflops") / tflops - 1.0).abs() < 1e-9, "{row}");
        assert_eq!(row["runs"], 2);
        // No card, and nothing that comes to it.
        for name in ["peak_mib", "streamed_gb", "link_gb_s", "share_of_link"] {
            assert!(row[name].is_null(), "{row}");
        }
    }
    report
}

#[test]
fn the_processor_is_timed_in_both_of_its_precisions() {
    let plan = tiny(
        DeviceChoice::Cpu,
        &[Precision::Auto, Precision::Bf16, Precision::F32],
    );
    let report = check(&plan, "cpu", &["f32", "bf16"]);
    assert!(report["device"]["memory_mib"].as_u64().unwrap() > 0);
    for row in report["results"].as_array().unwrap() {
        assert!(row["weights_mib"].is_null(), "{row}");
    }
}

#[test]
fn what_runs_as_programs_is_timed_in_all_precisions_and_says_what_it_holds() {
    let plan = Plan {
        parts: vec![Part::Text, Part::Step],
        ..tiny(
            DeviceChoice::Twin,
            &[Precision::F32, Precision::Bf16, Precision::Fp8],
        )
    };
    let report = check(&plan, "twin", &["f32", "bf16", "fp8"]);
    let held = |precision: &str| {
        let rows = report["results"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["part"] == "step" && row["precision"] == precision);
        row.unwrap()["weights_mib"].as_u64().unwrap()
    };
    for row in report["results"].as_array().unwrap() {
        assert!(row["weights_mib"].is_u64(), "{row}");
    }
    // All is held in half as many bytes, and the blocks, which are most of it, in half of that.
    let [single, half, quarter] = ["f32", "bf16", "fp8"].map(held);
    assert!(single > half && half > quarter && quarter > 0, "{report:#}");
}

#[test]
fn what_cannot_be_timed_is_refused_before_anything_is() {
    let refused = |change: fn(&mut Plan)| {
        let mut plan = tiny(DeviceChoice::Cpu, &[Precision::F32]);
        change(&mut plan);
        let error = run(&plan, &mut |words| panic!("{words} was begun")).unwrap_err();
        (error.code(), error.to_string())
    };
    for (change, field) in [
        ((|plan| plan.width = 100) as fn(&mut Plan), "width"),
        (|plan| plan.height = 32, "height"),
        (|plan| plan.references = 11, "references"),
        (|plan| plan.runs = 0, "runs"),
        (|plan| plan.runs = 1001, "runs"),
    ] {
        let (code, message) = refused(change);
        assert_eq!(code, "request-invalid");
        assert!(message.starts_with(field), "{message}");
    }
    let (code, _) = refused(|plan| plan.precisions.push(Precision::Fp8));
    assert_eq!(code, "precision-unavailable");
    let (code, _) = refused(|plan| plan.device = DeviceChoice::Cuda(99));
    assert_eq!(code, "device-unavailable");
}

/// The configs that are written are those of the published model, and fit its tensors.
#[test]
fn networks_are_those_of_published_sizes() {
    let found = drawn::networks(&Size::KLEIN_4B).unwrap();
    assert_eq!(format!("{found:?}"), format!("{:?}", klein_4b()));
    for size in Size::ALL {
        let context = drawn::networks(&size).unwrap().transformer.context;
        assert_eq!(context, 3 * size.text.hidden, "{}", size.name);
    }
}

#[test]
fn parts_go_by_their_names() {
    for part in Part::ALL {
        assert_eq!(part.name().parse::<Part>().unwrap(), part);
    }
    assert_eq!(
        "unet".parse::<Part>().unwrap_err().code(),
        "request-invalid"
    );
}
