//! What must never stand in a signed file: a canary in every place that could leak, and a search
//! of the raw bytes for it.

use atelier_provenance::{Format, Making, sign, verify};

use crate::damage::with_text;
use crate::pictures::{SIGNED_FORMATS, encode, making, picture, pixels, reference, signer};

const CANARY: &str = "CANARY";

/// A JPEG with the canary in Exif, in XMP (its instance id among it) and in a comment.
fn jpeg_with_canaries() -> Vec<u8> {
    let jpeg = encode(&pixels(32, 32, 3), Format::Jpeg);
    let xmp = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" \
         xmlns:xmpMM=\"http://ns.adobe.com/xap/1.0/mm/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmpMM:InstanceID=\"xmp.iid:{CANARY}-instance\" xmpMM:DocumentID=\"xmp.did:{CANARY}-document\" \
         dc:creator=\"{CANARY}-creator\"/></rdf:RDF></x:xmpmeta>"
    );
    let exif = exif_with_artist(&format!("{CANARY}-artist"));
    let mut out = jpeg[..2].to_vec();
    for (marker, body) in [
        (0xE1, xmp.as_bytes()),
        (0xE1, &exif[..]),
        (0xFE, b"CANARY-comment /home/CANARY/me.jpg"),
    ] {
        out.extend([0xFF, marker]);
        out.extend((body.len() as u16 + 2).to_be_bytes());
        out.extend(body);
    }
    out.extend(&jpeg[2..]);
    out
}

/// An Exif block with one tag, Artist (315), as ASCII.
fn exif_with_artist(artist: &str) -> Vec<u8> {
    let text = format!("{artist}\0");
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend(315_u16.to_le_bytes());
    exif.extend(2_u16.to_le_bytes());
    exif.extend((text.len() as u32).to_le_bytes());
    exif.extend(26_u32.to_le_bytes());
    exif.extend(0_u32.to_le_bytes());
    exif.extend(text.as_bytes());
    exif
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    let wide: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [needle.as_bytes(), &wide].iter().any(|needle| {
        haystack
            .windows(needle.len())
            .any(|window| window.eq_ignore_ascii_case(needle))
    })
}

#[test]
fn nothing_of_a_reference_but_its_digest_is_in_the_picture() {
    let signer = signer();
    let jpeg = jpeg_with_canaries();
    let png = with_text(&picture(Format::Png), "CANARY-text of /home/CANARY/me.png");
    assert!(
        contains(&jpeg, CANARY) && contains(&png, CANARY),
        "the canaries sing"
    );
    image::load_from_memory(&jpeg).unwrap();

    let mut making = making();
    making.references = vec![reference(1, &jpeg), reference(2, &png)];
    making.model.name = "/home/CANARY/models/klein-4b".into();

    for format in SIGNED_FORMATS {
        let signed = sign(&signer.identity, format, &picture(format), &making).unwrap();
        assert!(!contains(&signed.bytes, CANARY), "{format:?}");
        assert!(
            contains(&signed.bytes, &making.references[0].sha256),
            "{format:?}: bound"
        );
        let thumbnail = contains(&signed.bytes, "thumbnail");
        assert!(!thumbnail, "{format:?}: no thumbnail of anything");
    }
}

#[test]
fn a_reference_with_xmp_and_a_manifest_does_not_lend_its_xmp_id() {
    let signer = signer();
    let signed_reference = sign(
        &signer.identity,
        Format::Jpeg,
        &jpeg_with_canaries(),
        &making(),
    )
    .unwrap();
    assert!(contains(&signed_reference.bytes, "CANARY-instance"));
    let mut making = making();
    making.references = vec![reference(1, &signed_reference.bytes)];
    let signed = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making,
    )
    .unwrap();
    let store = crate::pictures::crjson(&signed.bytes, Format::Png, signer.identity.root_pem());
    let own = &store["manifests"][0];
    assert!(!own.to_string().contains(CANARY), "{own:#}");
}

#[test]
fn the_prompt_is_signed_only_on_request_and_then_given_back() {
    let signer = signer();
    let prompt = "CANARY in a coal mine,\nоil on cаnvas, 春";
    let mut making = making();
    let encoded = picture(Format::Png);
    let without = sign(&signer.identity, Format::Png, &encoded, &making).unwrap();
    assert!(!contains(&without.bytes, CANARY));

    making.prompt = Some(prompt.into());
    let with = sign(&signer.identity, Format::Png, &encoded, &making).unwrap();
    let report = verify(&with.bytes, None, &signer.trust()).unwrap();
    assert_eq!(report.ai.prompt.as_deref(), Some(prompt));
    assert_eq!(
        report.ingredients.len(),
        3,
        "the prompt is no ingredient of these"
    );
    let store = crate::pictures::crjson(&with.bytes, Format::Png, signer.identity.root_pem());
    assert_eq!(crate::rubric::failed(&store), Vec::<&str>::new());
}

#[test]
fn the_machine_and_its_user_are_not_named() {
    let signer = signer();
    let signed = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making(),
    )
    .unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for secret in [host.trim(), env!("CARGO_MANIFEST_DIR"), "/tmp/", "/home/"] {
        // A name of two letters may stand in any random bytes.
        assert!(
            secret.len() < 5 || !contains(&signed.bytes, secret),
            "{secret}"
        );
    }
    let user = std::env::var("USER").unwrap_or_default();
    let summary = signer.identity.summary();
    let hidden = ["root", ""].contains(&user.as_str())
        || !format!("{} {}", summary.subject, summary.issuer).contains(&user);
    assert!(hidden, "{user}");
}

#[test]
fn a_title_is_cleaned() {
    let signer = signer();
    let title = format!("\u{202e}gpj.exe\u{0} \n{}", "x".repeat(100_000));
    let making = Making {
        title: Some(title),
        ..making()
    };
    let signed = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making,
    )
    .unwrap();
    let title = verify(&signed.bytes, None, &signer.trust())
        .unwrap()
        .title
        .unwrap();
    assert!(title.starts_with("gpj.exe xxx"), "{title}");
    assert_eq!(title.chars().count(), 200);
}
