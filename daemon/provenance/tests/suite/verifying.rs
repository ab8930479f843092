//! What `verify` says of pictures that were changed, stripped, cut short, or are none.

use atelier_provenance::{Format, Report, State, Trust, sign, verify};

use crate::damage::{assemble, chunks, with_pixels_of, with_text, without};
use crate::pictures::{
    SIGNED_FORMATS, Signer, encode, from_text_alone, making, picture, pixels, signer,
};

fn signed(signer: &Signer, format: Format) -> Vec<u8> {
    sign(&signer.identity, format, &picture(format), &making())
        .unwrap()
        .bytes
}

fn codes(report: &Report) -> Vec<&str> {
    report
        .problems
        .iter()
        .map(|problem| problem.code.as_str())
        .collect()
}

#[test]
fn a_changed_picture_is_invalid_and_the_reason_is_in_plain_words() {
    let signer = signer();
    let png = signed(&signer, Format::Png);
    let other = encode(&pixels(96, 64, 1), Format::Png);
    for changed in [with_pixels_of(&png, &other), with_text(&png, "harmless")] {
        image::load_from_memory(&changed).unwrap();
        let report = verify(&changed, None, &signer.trust()).unwrap();
        assert_eq!(report.state, State::Invalid);
        assert_eq!(codes(&report), ["assertion.dataHash.mismatch"]);
        assert!(
            report.problems[0]
                .explanation
                .contains("changed after it was signed")
        );
    }
}

#[test]
fn one_changed_pixel_is_enough_in_every_format() {
    let signer = signer();
    for format in SIGNED_FORMATS {
        let mut bytes = signed(&signer, format);
        // The manifest lies in one place; a byte of the pixels is one that both files share.
        let plain = picture(format);
        let tail = &plain[plain.len() / 2..plain.len() / 2 + 24];
        let at = bytes.windows(24).position(|window| window == tail).unwrap();
        bytes[at + 12] ^= 1;
        let report = verify(&bytes, None, &signer.trust()).unwrap();
        assert_eq!(report.state, State::Invalid, "{format:?}");
        assert_eq!(
            codes(&report),
            ["assertion.dataHash.mismatch"],
            "{format:?}"
        );
    }
}

#[test]
fn a_chunk_that_is_taken_away_is_missed() {
    let signer = signer();
    let annotated = with_text(&picture(Format::Png), "part of the picture");
    let png = sign(&signer.identity, Format::Png, &annotated, &making())
        .unwrap()
        .bytes;
    assert_eq!(
        verify(&png, None, &signer.trust()).unwrap().state,
        State::Trusted
    );
    let report = verify(&without(&png, b"tEXt"), None, &signer.trust()).unwrap();
    assert_eq!(codes(&report), ["assertion.dataHash.mismatch"]);

    let stripped = verify(&without(&png, b"caBX"), None, &signer.trust()).unwrap();
    assert_eq!(stripped.state, State::Unsigned);
    assert!(!stripped.ai.generated && stripped.signer.is_none());
    assert_eq!(codes(&stripped), Vec::<&str>::new());
}

#[test]
fn a_manifest_on_another_picture_does_not_hold() {
    let signer = signer();
    let manifest = chunks(&signed(&signer, Format::Png));
    let manifest = manifest
        .into_iter()
        .find(|chunk| chunk.kind == *b"caBX")
        .unwrap();
    let mut other = chunks(&encode(&pixels(200, 100, 7), Format::Png));
    other.insert(1, manifest);
    let report = verify(&assemble(&other), None, &signer.trust()).unwrap();
    assert_eq!(report.state, State::Invalid);
    assert_eq!(codes(&report), ["assertion.dataHash.mismatch"]);
}

#[test]
fn a_changed_statement_is_noticed() {
    let signer = signer();
    for (from, to) in [
        ("klein] 4B", "klein] 9B"),
        ("prompt_guided", "human_guided_"),
    ] {
        let mut bytes = signed(&signer, Format::Png);
        let places: Vec<_> = bytes
            .windows(from.len())
            .enumerate()
            .filter_map(|(at, window)| (window == from.as_bytes()).then_some(at))
            .collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        let bytes = assemble(&chunks(&bytes));
        let report = verify(&bytes, None, &signer.trust()).unwrap();
        assert_eq!(report.state, State::Invalid);
        assert!(
            codes(&report).contains(&"assertion.hashedURI.mismatch"),
            "{:?}",
            codes(&report)
        );
    }
}

#[test]
fn a_stranger_is_valid_but_not_trusted() {
    let (signer, stranger) = (signer(), signer());
    let bytes = signed(&signer, Format::Webp);
    for trust in [Trust::default(), stranger.trust()] {
        let report = verify(&bytes, None, &trust).unwrap();
        assert_eq!(report.state, State::Valid);
        assert_eq!(codes(&report), ["signingCredential.untrusted"]);
        assert!(report.ai.generated);
    }
    let mut both = stranger.trust();
    both.roots_pem.extend(signer.trust().roots_pem);
    assert_eq!(verify(&bytes, None, &both).unwrap().state, State::Trusted);
    let nonsense = Trust {
        roots_pem: vec!["trust me".into()],
    };
    let error = verify(&bytes, None, &nonsense).unwrap_err();
    assert_eq!(error.code(), "trust-roots-invalid");
}

#[test]
fn a_plain_picture_is_unsigned_and_no_error() {
    for format in SIGNED_FORMATS {
        let report = verify(&picture(format), None, &Trust::default()).unwrap();
        assert_eq!((report.state, report.format), (State::Unsigned, format));
        assert_eq!(codes(&report), Vec::<&str>::new());
    }
}

#[test]
fn the_report_is_json_with_lower_case_states() {
    let signer = signer();
    let report = verify(&signed(&signer, Format::Png), None, &signer.trust()).unwrap();
    let json = serde_json::to_value(report).unwrap();
    assert_eq!(json["state"], "trusted");
    assert_eq!(json["format"], "png");
    assert_eq!(json["ai"]["generated"], true);
    assert_eq!(json["ingredients"][0]["state"], "unsigned");
}

#[test]
fn what_is_no_picture_is_an_error() {
    for bytes in [
        &b""[..],
        b"\x89PNG",
        b"hello, this is a text file",
        &[0; 4096],
    ] {
        let error = verify(bytes, None, &Trust::default()).unwrap_err();
        assert_eq!(error.code(), "format-unknown");
    }
}

/// Every cut and a spread of changed bytes: an answer or an error each time, never a panic. What
/// still passes is filling without a meaning, and says the same of the same pixels.
#[test]
fn no_cut_or_changed_byte_passes_or_panics() {
    let signer = signer();
    let trust = signer.trust();
    for format in SIGNED_FORMATS {
        let small = encode(&pixels(8, 8, 0), format);
        let bytes = sign(&signer.identity, format, &small, &from_text_alone())
            .unwrap()
            .bytes;
        let said = serde_json::to_value(verify(&bytes, None, &trust).unwrap()).unwrap();
        let shown = image::load_from_memory(&bytes).unwrap();
        for end in (0..bytes.len()).step_by(61) {
            if let Ok(report) = verify(&bytes[..end], Some(format), &trust) {
                assert_ne!(report.state, State::Trusted, "{format:?} cut at {end}");
            }
        }
        for at in (0..bytes.len()).step_by(29) {
            let mut changed = bytes.clone();
            changed[at] ^= 0xFF;
            let Ok(report) = verify(&changed, Some(format), &trust) else {
                continue;
            };
            if report.state == State::Trusted {
                assert_eq!(
                    serde_json::to_value(report).unwrap(),
                    said,
                    "{format:?} byte {at}"
                );
                if let Ok(image) = image::load_from_memory(&changed) {
                    assert_eq!(image, shown, "{format:?} byte {at}");
                }
            }
        }
    }
}
