//! Small pictures in every format, and the facts of a making to sign them with.

use std::{io::Cursor, sync::Arc};

use atelier_provenance::{
    Format, Identity, LoraFacts, Making, ModelFacts, Operation, ReferenceFacts, Role, StepFacts,
    Trust,
};
use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub(crate) const SIGNED_FORMATS: [Format; 4] =
    [Format::Png, Format::Jpeg, Format::Webp, Format::Tiff];

/// An identity in a folder that lives as long as it.
pub(crate) struct Signer {
    pub(crate) identity: Identity,
    _folder: TempDir,
}

pub(crate) fn signer() -> Signer {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::create(&folder.path().join("keys")).unwrap();
    Signer {
        identity,
        _folder: folder,
    }
}

impl Signer {
    /// Trust in this signer's root alone.
    pub(crate) fn trust(&self) -> Trust {
        Trust {
            roots_pem: vec![self.identity.root_pem().to_owned()],
        }
    }
}

/// A picture without two equal rows, so that a shifted or altered one shows.
pub(crate) fn pixels(width: u32, height: u32, salt: u8) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = ((x * 7) ^ (y * 13)) as u8;
        Rgb([wave, (x + y) as u8, salt.wrapping_add((x * y) as u8)])
    })
}

pub(crate) fn encode(image: &RgbImage, format: Format) -> Vec<u8> {
    let format = match format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Webp => ImageFormat::WebP,
        Format::Tiff => ImageFormat::Tiff,
        other => panic!("no encoder for {other:?}"),
    };
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn picture(format: Format) -> Vec<u8> {
    encode(&pixels(96, 64, 0), format)
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) fn reference(number: u32, bytes: &[u8]) -> ReferenceFacts {
    ReferenceFacts {
        number,
        role: Role::Reference,
        sha256: sha256(bytes),
        format: Format::sniff(bytes).map(|format| format.mime().to_owned()),
        bytes: Some(Arc::from(bytes)),
        prepared_by: Vec::new(),
    }
}

pub(crate) fn step(plugin: &str) -> StepFacts {
    StepFacts {
        plugin: plugin.into(),
        version: "1.0.0".into(),
        module_sha256: sha256(plugin.as_bytes()),
        notes: vec![("size".into(), "96x64".into())],
    }
}

/// A making with two plain references, the second prepared by two plugins.
pub(crate) fn making() -> Making {
    let mut second = reference(2, &encode(&pixels(40, 30, 9), Format::Jpeg));
    second.prepared_by = vec![step("pose"), step("fit")];
    Making {
        program_version: "0.1.0".into(),
        title: Some("Poster, spring campaign".into()),
        model: ModelFacts {
            name: "FLUX.2 [klein] 4B".into(),
            version: Some("2026-01".into()),
            sha256: sha256(b"weights"),
            identifier: Some("pkg:huggingface/black-forest-labs/FLUX.2-klein-4B".into()),
            variant: "klein-4b".into(),
        },
        loras: vec![LoraFacts {
            sha256: sha256(b"style"),
            scale: 0.8,
        }],
        references: vec![
            reference(1, &encode(&pixels(50, 40, 5), Format::Png)),
            second,
        ],
        prompt: None,
        operation: Operation::Generate,
    }
}

/// The same without references.
pub(crate) fn from_text_alone() -> Making {
    Making {
        loras: Vec::new(),
        references: Vec::new(),
        ..making()
    }
}

/// The crJSON of a signed picture, read with trust in `root`.
pub(crate) fn crjson(bytes: &[u8], format: Format, root: &str) -> serde_json::Value {
    let settings = serde_json::json!({ "trust": { "user_anchors": root } });
    let context = c2pa::Context::new().with_settings(settings).unwrap();
    let reader = c2pa::Reader::from_context(context)
        .with_stream(format.mime(), Cursor::new(bytes))
        .unwrap();
    reader.to_crjson_value().unwrap()
}
