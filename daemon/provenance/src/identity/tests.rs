//! What the keys folder looks like, what it refuses, and what it survives.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, ParsedExtension, Pem, X509Certificate};

use super::{
    CHAIN, Identity, ROOT_CERTIFICATE, ROOT_KEY, make,
    store::{KeyFolder, Lock},
};

fn home() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    (home, keys)
}

fn code<T>(result: Result<T, crate::ProvenanceError>) -> &'static str {
    result.err().map_or("no error", |error| error.code())
}

fn leaf_key(keys: &Path) -> PathBuf {
    let mut found: Vec<_> = fs::read_dir(keys)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("leaf-")
        })
        .collect();
    assert_eq!(found.len(), 1, "exactly one leaf key: {found:?}");
    found.remove(0)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_identity_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Identity>();
}

#[test]
fn a_new_identity_is_closed_to_others() {
    let (_home, keys) = home();
    assert_eq!(code(Identity::open(&keys)), "identity-missing");
    Identity::create(&keys).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&keys), 0o700);
    assert_eq!(mode(&keys.join(ROOT_KEY)), 0o600);
    assert_eq!(mode(&leaf_key(&keys)), 0o600);
    assert_eq!(mode(&keys.join(ROOT_CERTIFICATE)), 0o644);
    assert_eq!(mode(&keys.join(CHAIN)), 0o644);
    assert_eq!(
        fs::read_dir(&keys).unwrap().count(),
        4,
        "nothing else is left behind"
    );
}

#[test]
fn a_folder_made_with_a_loose_umask_is_closed_before_a_key_is_in_it() {
    let (_home, keys) = home();
    fs::create_dir(&keys).unwrap();
    chmod(&keys, 0o777);
    Identity::open_or_create(&keys).unwrap();
    assert_eq!(fs::metadata(&keys).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn an_identity_is_made_once_and_never_overwritten() {
    let (_home, keys) = home();
    let made = Identity::open_or_create(&keys).unwrap();
    assert_eq!(code(Identity::create(&keys)), "identity-exists");
    for again in [
        Identity::open_or_create(&keys).unwrap(),
        Identity::open(&keys).unwrap(),
    ] {
        assert_eq!(
            again.summary().fingerprint_sha256,
            made.summary().fingerprint_sha256
        );
        assert_eq!(again.root_pem(), made.root_pem());
    }
}

#[test]
fn the_certificates_follow_the_c2pa_profile_and_name_nobody() {
    let (_home, keys) = home();
    Identity::create(&keys).unwrap();
    let pem = fs::read(keys.join(CHAIN)).unwrap();
    let (block, _) = Pem::read(std::io::Cursor::new(&pem)).unwrap();
    let (_, leaf) = X509Certificate::from_der(&block.contents).unwrap();
    assert!(!leaf.is_ca());
    let usage = leaf.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.digital_signature() && !usage.value.key_cert_sign());
    let extended = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.email_protection && !extended.any);
    let others: Vec<_> = extended.other.iter().map(ToString::to_string).collect();
    assert_eq!(others, ["1.3.6.1.4.1.62558.2.1"]);
    let has = |wanted: fn(&ParsedExtension) -> bool| {
        leaf.extensions()
            .iter()
            .any(|extension| wanted(extension.parsed_extension()))
    };
    assert!(has(|e| matches!(
        e,
        ParsedExtension::SubjectKeyIdentifier(_)
    )));
    assert!(has(|e| matches!(
        e,
        ParsedExtension::AuthorityKeyIdentifier(_)
    )));
    let validity = leaf.validity();
    let days = (validity.not_after.timestamp() - validity.not_before.timestamp()) / 86_400;
    assert!((300..=366).contains(&days), "{days}");

    let root = fs::read(keys.join(ROOT_CERTIFICATE)).unwrap();
    let (block, _) = Pem::read(std::io::Cursor::new(&root)).unwrap();
    let (_, root) = X509Certificate::from_der(&block.contents).unwrap();
    assert!(root.is_ca());
    assert_eq!(leaf.issuer().as_raw(), root.subject().as_raw());
    for name in [leaf.subject(), root.subject()] {
        let name = name.to_string();
        let id = name.rsplit(' ').next().unwrap();
        assert!(
            id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit()),
            "{name}"
        );
        assert!(
            name.starts_with("O=Atelier (local identity), CN=Atelier local "),
            "{name}"
        );
    }
}

#[test]
fn an_exposed_key_is_refused() {
    let (_home, keys) = home();
    Identity::create(&keys).unwrap();
    let key = leaf_key(&keys);
    for mode in [0o640, 0o604, 0o620, 0o660] {
        chmod(&key, mode);
        assert_eq!(code(Identity::open(&keys)), "key-exposed", "{mode:o}");
        assert_eq!(
            code(Identity::open_or_create(&keys)),
            "key-exposed",
            "{mode:o}"
        );
    }
    chmod(&key, 0o400);
    Identity::open(&keys).unwrap();
    chmod(&keys.join(CHAIN), 0o666);
    assert_eq!(code(Identity::open(&keys)), "key-exposed");
    chmod(&keys.join(CHAIN), 0o644);
    chmod(&keys, 0o777);
    assert_eq!(code(Identity::open(&keys)), "key-exposed");
    chmod(&keys, 0o700);
    chmod(&keys.join(ROOT_KEY), 0o644);
    assert_eq!(code(Identity::rotate(&keys)), "key-exposed");
}

#[test]
fn a_symbolic_link_or_a_pipe_is_no_key() {
    let (home, keys) = home();
    Identity::create(&keys).unwrap();
    let key = leaf_key(&keys);
    let elsewhere = home.path().join("key");
    fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    assert_eq!(code(Identity::open(&keys)), "key-exposed");
    fs::remove_file(&key).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &key,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert_eq!(code(Identity::open(&keys)), "key-exposed");
}

#[test]
fn damage_is_named() {
    let (_home, keys) = home();
    let (_other_home, other) = home_with_identity();
    Identity::create(&keys).unwrap();
    let key = leaf_key(&keys);
    let good = fs::read(&key).unwrap();

    fs::copy(leaf_key(&other), &key).unwrap();
    assert_eq!(
        code(Identity::open(&keys)),
        "identity-broken",
        "another identity's key"
    );
    fs::write(
        &key,
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    assert_eq!(
        code(Identity::open(&keys)),
        "identity-broken",
        "no key at all"
    );
    fs::remove_file(&key).unwrap();
    assert_eq!(
        code(Identity::open_or_create(&keys)),
        "identity-broken",
        "never made anew"
    );
    fs::write(&key, good).unwrap();
    chmod(&key, 0o600);
    Identity::open(&keys).unwrap();
    fs::write(keys.join(CHAIN), b"").unwrap();
    assert_eq!(
        code(Identity::open(&keys)),
        "identity-broken",
        "an empty chain"
    );
}

fn home_with_identity() -> (TempDir, PathBuf) {
    let (home, keys) = home();
    Identity::create(&keys).unwrap();
    (home, keys)
}

/// Stops the making of an identity after every one of its writes, in the order of the code, and
/// starts again.
#[test]
fn a_start_that_is_killed_leaves_nothing_or_a_whole_identity() {
    let (_home, whole) = home_with_identity();
    let leaf = leaf_key(&whole);
    let leaf = leaf.file_name().unwrap().to_str().unwrap();
    let steps = [ROOT_KEY, ROOT_CERTIFICATE, leaf, CHAIN];
    for done in 0..steps.len() {
        for half_written in [false, true] {
            let (_home, keys) = home();
            fs::create_dir(&keys).unwrap();
            for name in &steps[..done] {
                fs::copy(whole.join(name), keys.join(name)).unwrap();
            }
            if half_written {
                fs::write(keys.join(format!(".{}.new", steps[done])), b"-----BEG").unwrap();
            }
            assert_eq!(code(Identity::open(&keys)), "identity-missing", "{done}");
            let made = Identity::open_or_create(&keys).unwrap();
            assert_eq!(Identity::open(&keys).unwrap().root_pem(), made.root_pem());
            if done >= 2 {
                assert_eq!(
                    made.root_pem(),
                    fs::read_to_string(whole.join("ca.pem")).unwrap()
                );
            }
            assert_eq!(
                fs::read_dir(&keys).unwrap().count(),
                4,
                "{done} {half_written}"
            );
        }
    }
}

#[test]
fn rotation_keeps_the_root_and_drops_the_old_key() {
    let (_home, keys) = home_with_identity();
    let old = Identity::open(&keys).unwrap();
    let old_key = leaf_key(&keys);
    let new = Identity::rotate(&keys).unwrap();
    assert_eq!(new.root_pem(), old.root_pem());
    assert_ne!(
        new.summary().fingerprint_sha256,
        old.summary().fingerprint_sha256
    );
    assert_ne!(leaf_key(&keys), old_key);

    fs::remove_file(keys.join(ROOT_KEY)).unwrap();
    assert_eq!(code(Identity::rotate(&keys)), "authority-key-missing");
    let opened = Identity::open_or_create(&keys).unwrap();
    assert_eq!(
        opened.summary().fingerprint_sha256,
        new.summary().fingerprint_sha256
    );
    assert!(!opened.summary().can_rotate);
}

#[test]
fn a_leaf_near_its_end_is_renewed_and_an_ended_one_is_not_used() {
    let (_home, keys) = home();
    let long_ago = OffsetDateTime::now_utc() - Duration::days(400);
    make(&KeyFolder::open(&keys, Lock::Exclusive).unwrap(), long_ago).unwrap();
    let ended = Identity::open(&keys).unwrap();
    assert!(ended.days_left() < -30, "{}", ended.days_left());
    let now = OffsetDateTime::now_utc();
    assert_eq!(code(ended.check_validity(now)), "identity-expired");
    assert!(ended.check_validity(long_ago).is_ok());

    let at = long_ago + Duration::days(300);
    let same = Identity::open_or_create_at(&keys, at).unwrap();
    assert_eq!(
        same.summary().fingerprint_sha256,
        ended.summary().fingerprint_sha256
    );
    let renewed = Identity::open_or_create(&keys).unwrap();
    assert!(renewed.days_left() >= 363, "{}", renewed.days_left());
    assert!(renewed.check_validity(now).is_ok());
    assert_eq!(renewed.root_pem(), ended.root_pem());
}

#[test]
fn starts_at_the_same_moment_agree_on_one_identity() {
    let (_home, keys) = home();
    let fingerprints: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Identity::open_or_create(&keys).unwrap().summary()))
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap().fingerprint_sha256)
            .collect()
    });
    assert!(
        fingerprints.windows(2).all(|pair| pair[0] == pair[1]),
        "{fingerprints:?}"
    );
    assert_eq!(fs::read_dir(&keys).unwrap().count(), 4);
}

#[test]
fn debug_and_summary_hold_no_key() {
    let (_home, keys) = home();
    let identity = Identity::create(&keys).unwrap();
    let summary = serde_json::to_string(&identity.summary()).unwrap();
    for shown in [format!("{identity:?}"), format!("{identity:#?}"), summary] {
        for file in [leaf_key(&keys), keys.join(ROOT_KEY)] {
            for line in fs::read_to_string(file).unwrap().lines() {
                assert!(!shown.contains(line), "{shown}");
            }
        }
        assert!(shown.contains("Atelier local signer"), "{shown}");
    }
}
