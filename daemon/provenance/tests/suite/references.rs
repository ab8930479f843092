//! References that bring provenance of their own: sound, doubtful, broken.

use atelier_provenance::{Format, Making, Signed, State, sign, verify};

use crate::damage::{chunks, with_pixels_of};
use crate::pictures::{
    Signer, crjson, encode, from_text_alone, making, picture, pixels, reference, signer,
};
use crate::rubric;

fn make_from(signer: &Signer, file: &[u8]) -> Signed {
    let making = Making {
        references: vec![reference(1, file)],
        ..making()
    };
    let signed = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &making,
    )
    .unwrap();
    let store = crjson(&signed.bytes, Format::Png, signer.identity.root_pem());
    assert_eq!(rubric::failed(&store), Vec::<&str>::new(), "{store:#}");
    signed
}

#[test]
fn a_manifest_that_a_reference_carries_is_kept() {
    let (ours, theirs) = (signer(), signer());
    for (by, state) in [(&ours, State::Trusted), (&theirs, State::Valid)] {
        let file = sign(
            &by.identity,
            Format::Jpeg,
            &picture(Format::Jpeg),
            &from_text_alone(),
        );
        let file = file.unwrap();
        let signed = make_from(&ours, &file.bytes);
        assert_eq!(signed.left_out, []);
        let report = verify(&signed.bytes, None, &ours.trust()).unwrap();
        // The reference, and after it the LoRA that every picture of these tests is made with.
        assert_eq!(report.ingredients.len(), 2);
        assert!(report.ingredients[0].has_manifest);
        assert_eq!(report.ingredients[0].state, state);
        assert_eq!(
            report.ingredients[0].sha256,
            Some(crate::pictures::sha256(&file.bytes))
        );
        let store = crjson(&signed.bytes, Format::Png, ours.identity.root_pem());
        let labels: Vec<_> = store["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["label"])
            .collect();
        assert!(
            labels.contains(&&file.manifest_label.clone().into()),
            "{labels:?}"
        );
    }
}

#[test]
fn generations_of_references_stay_readable() {
    let signer = signer();
    let mut file = picture(Format::Png);
    for generation in 0..4 {
        let signed = make_from(&signer, &file);
        let report = verify(&signed.bytes, None, &signer.trust()).unwrap();
        assert_eq!(
            report.state,
            State::Trusted,
            "{generation} {:?}",
            report.problems
        );
        assert_eq!(report.ingredients[0].has_manifest, generation > 0);
        file = signed.bytes;
    }
}

#[test]
fn a_reference_changed_after_signing_is_kept_with_that_finding() {
    let signer = signer();
    let file = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &from_text_alone(),
    );
    let tampered = with_pixels_of(
        &file.unwrap().bytes,
        &encode(&pixels(96, 64, 1), Format::Png),
    );
    let signed = make_from(&signer, &tampered);
    let report = verify(&signed.bytes, None, &signer.trust()).unwrap();
    assert_eq!(report.state, State::Trusted, "{:?}", report.problems);
    assert_eq!(report.ingredients[0].state, State::Invalid);
}

#[test]
fn a_broken_manifest_is_left_out_and_noted() {
    let signer = signer();
    let file = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &from_text_alone(),
    );
    let file = file.unwrap().bytes;
    let manifest = chunks(&file)
        .iter()
        .position(|chunk| chunk.kind == *b"caBX")
        .unwrap();
    let damage: [fn(&mut Vec<u8>); 4] = [
        |data| data.fill(0),
        |data| data.truncate(100),
        |data| data[4..8].copy_from_slice(b"oops"),
        |data| data.clear(),
    ];
    for (case, damage) in damage.into_iter().enumerate() {
        let mut chunks = chunks(&file);
        damage(&mut chunks[manifest].data);
        let signed = make_from(&signer, &crate::damage::assemble(&chunks));
        let report = verify(&signed.bytes, None, &signer.trust()).unwrap();
        assert_eq!(report.state, State::Trusted);
        assert!(!report.ingredients[0].has_manifest, "{case}");
        let store = crjson(&signed.bytes, Format::Png, signer.identity.root_pem());
        let noted = store.to_string().contains("left out: it cannot be read");
        assert_eq!(signed.left_out.len(), usize::from(noted), "{case}");
        assert_eq!(
            noted,
            case != 3,
            "{case}: an empty chunk holds no manifest to leave out"
        );
    }
}

/// Bytes of a reference's manifest are changed one after the other, all over it. Whatever the
/// library makes of each, the picture is signed and holds.
#[test]
fn no_damage_to_a_reference_stops_a_picture_from_being_signed() {
    let signer = signer();
    let file = sign(
        &signer.identity,
        Format::Png,
        &picture(Format::Png),
        &from_text_alone(),
    );
    let file = file.unwrap().bytes;
    let start = file
        .windows(4)
        .position(|window| window == b"caBX")
        .unwrap();
    for at in (start..file.len().min(start + 6000)).step_by(173) {
        let mut damaged = file.clone();
        damaged[at] ^= 0xA5;
        make_from(&signer, &damaged);
    }
    for end in [17, 40, start + 2, start + 200, file.len() - 20] {
        make_from(&signer, &file[..end]);
    }
}
