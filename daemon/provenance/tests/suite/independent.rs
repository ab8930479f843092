//! A second opinion: `encypher-c2pa` shares no code with the library that signs.

use atelier_provenance::{Format, Making, Operation, sign};
use encypher_c2pa::{TelemetryOptions, VerificationReport, VerifyOptions, verify_with_options};

use crate::damage::with_pixels_of;
use crate::pictures::{SIGNED_FORMATS, encode, making, picture, pixels, reference, signer};

/// How this verifier says that the signer is under one of the roots it was given.
const TRUSTED: &str = "valid_for_supplied_material";

fn second_opinion(bytes: &[u8], format: Format, root: &str, strict: bool) -> VerificationReport {
    let options = VerifyOptions {
        trust_pem: Some(root.to_owned()),
        no_default_trust: true,
        strict_conformance: strict,
        online: Some(false),
        telemetry: TelemetryOptions {
            enabled: Some(false),
            ..TelemetryOptions::default()
        },
        ..VerifyOptions::default()
    };
    verify_with_options(bytes, format.mime(), &options).unwrap()
}

fn codes(report: &VerificationReport) -> Vec<&str> {
    report
        .validation_results
        .failure
        .iter()
        .map(|status| status.code.as_str())
        .collect()
}

#[test]
fn another_verifier_accepts_every_format() {
    let signer = signer();
    let root = signer.identity.root_pem();
    let signed_reference = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making(),
    )
    .unwrap();
    let mut with_signed_reference = making();
    with_signed_reference
        .references
        .push(reference(3, &signed_reference.bytes));
    let tampered = with_pixels_of(
        &signed_reference.bytes,
        &encode(&pixels(96, 64, 1), Format::Png),
    );
    let mut with_tampered_reference = making();
    with_tampered_reference
        .references
        .push(reference(3, &tampered));
    let with_prompt = Making {
        prompt: Some("a red fox".into()),
        ..making()
    };
    let edit = Making {
        operation: Operation::Edit { base: 1 },
        ..making()
    };
    for format in SIGNED_FORMATS {
        for making in [&making(), &with_signed_reference, &with_prompt, &edit] {
            let signed = sign(&signer.identity, format, &picture(format), making).unwrap();
            let report = second_opinion(&signed.bytes, format, root, false);
            assert_eq!(report.integrity, "valid", "{format:?} {:?}", codes(&report));
            assert_eq!(report.signature, "valid");
            assert_eq!(report.hard_binding, "match");
            assert_eq!(codes(&report), Vec::<&str>::new());
            assert_eq!(report.trust.status, TRUSTED, "{:?}", report.trust);
        }
    }
}

/// Under the conformance program's own policy nothing is missing but what an authority on the
/// network would have to give: a time-stamp, and word that the certificate is not revoked.
#[test]
fn a_strict_verifier_misses_only_what_needs_a_network() {
    let signer = signer();
    let signed = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making(),
    )
    .unwrap();
    let report = second_opinion(&signed.bytes, Format::Png, signer.identity.root_pem(), true);
    assert_eq!(report.integrity, "valid");
    let mut missing = codes(&report);
    missing.sort_unstable();
    assert_eq!(
        missing,
        [
            "com.encypher.conformance.revocationInformationMissing",
            "com.encypher.conformance.trustedTimeStampMissing",
        ]
    );
}

#[test]
fn another_verifier_sees_what_was_changed_and_who_is_unknown() {
    let signer = signer();
    let signed = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making(),
    )
    .unwrap();
    let other = encode(&pixels(96, 64, 1), Format::Png);
    let tampered = with_pixels_of(&signed.bytes, &other);
    let report = second_opinion(&tampered, Format::Png, signer.identity.root_pem(), false);
    assert_eq!(report.hard_binding, "mismatch");
    assert_ne!(report.integrity, "valid");

    let stranger = crate::pictures::signer();
    let report = second_opinion(
        &signed.bytes,
        Format::Png,
        stranger.identity.root_pem(),
        false,
    );
    assert_eq!(report.integrity, "valid");
    assert_ne!(report.trust.status, TRUSTED);
}
