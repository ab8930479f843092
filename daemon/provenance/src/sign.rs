//! Signs one picture in memory, and believes nothing until it has read the result back.

use std::io::Cursor;

use c2pa::{Builder, Ingredient, Reader, ValidationState};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    Format, Identity, LeftOut, ProvenanceError, definition,
    making::{Making, ReferenceFacts},
    references::{Carried, inspect},
};

/// What a manifest adds to a file is a few kilobytes; this much room avoids a second allocation.
const EXPECTED_MANIFEST: usize = 32 * 1024;

/// A signed, verified picture.
#[derive(Debug)]
#[non_exhaustive]
pub struct Signed {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The label of its manifest, `urn:c2pa:…`.
    pub manifest_label: String,
    /// The references that carried a manifest which could not be kept.
    pub left_out: Vec<LeftOut>,
}

/// Signs `encoded`, a whole file of `format`, with the facts of `making`.
///
/// The pixels are not touched: the manifest goes into the file's own place for such data. Then
/// the signed file is read back, every hash in it computed again, and its signature followed to
/// the identity's root; only then is it returned. Nothing is written anywhere, and nothing is
/// fetched.
///
/// # Errors
/// Where the identity is not valid now, the facts contradict themselves, the format cannot be
/// signed or is not that of the bytes, or the result does not verify.
pub fn sign(
    identity: &Identity,
    format: Format,
    encoded: &[u8],
    making: &Making,
) -> Result<Signed, ProvenanceError> {
    if !format.can_sign() {
        return Err(ProvenanceError::FormatUnsupported(format.mime()));
    }
    let found = Format::sniff(encoded);
    if found != Some(format) {
        return Err(ProvenanceError::FormatMismatch {
            wanted: format.mime(),
            found: found.map_or("nothing known", Format::mime),
        });
    }
    making.check()?;
    let now = OffsetDateTime::now_utc();
    identity.check_validity(now)?;
    // Whole seconds: finer times would tell how the machine's clock runs.
    let now = now.replace_nanosecond(0).unwrap_or(now);
    let when = now
        .format(&Rfc3339)
        .map_err(|error| ProvenanceError::Sign(error.to_string()))?;

    let mut references: Vec<(&ReferenceFacts, Carried)> = making
        .references
        .iter()
        .map(|facts| (facts, inspect(identity.context(), facts)))
        .collect();
    references.sort_by_key(|(facts, _)| facts.number);
    let attempt = |references: &[(&ReferenceFacts, Carried)]| {
        let bytes = embed(identity, format, encoded, making, references, &when)?;
        let manifest_label = check(identity, format, &bytes)?;
        let left_out = references.iter().filter_map(left_out).collect();
        Ok(Signed {
            bytes,
            manifest_label,
            left_out,
        })
    };
    match attempt(&references) {
        Err(ProvenanceError::Sign(_) | ProvenanceError::SelfCheck { .. })
            if references
                .iter()
                .any(|(_, carried)| matches!(carried, Carried::Doubtful(_))) =>
        {
            for (_, carried) in &mut references {
                if matches!(carried, Carried::Doubtful(_)) {
                    *carried = Carried::Unusable("it does not hold".into());
                }
            }
            attempt(&references)
        }
        outcome => outcome,
    }
}

fn left_out((facts, carried): &(&ReferenceFacts, Carried)) -> Option<LeftOut> {
    let reason = carried.left_out()?.to_owned();
    Some(LeftOut {
        number: facts.number,
        reason,
    })
}

/// Builds the manifest, signs it and puts it into the file.
fn embed(
    identity: &Identity,
    format: Format,
    encoded: &[u8],
    making: &Making,
    references: &[(&ReferenceFacts, Carried)],
    when: &str,
) -> Result<Vec<u8>, ProvenanceError> {
    let build = || -> c2pa::Result<Vec<u8>> {
        let mut builder = Builder::from_shared_context(identity.context())
            .with_definition(definition::manifest(making, when))?;
        if let Some(prompt) = &making.prompt {
            builder.add_resource(definition::PROMPT_RESOURCE, Cursor::new(prompt.as_bytes()))?;
        }
        for (facts, carried) in references {
            let ingredient = definition::reference(making, facts, carried.left_out()).to_string();
            match (carried.kept(), &facts.bytes) {
                (Some(format), Some(bytes)) => {
                    let mut file = Cursor::new(bytes.as_ref());
                    builder.add_ingredient_from_stream(ingredient, format.mime(), &mut file)?;
                }
                // Never through a stream: the library would look for XMP and copy from it.
                _ => {
                    builder.add_ingredient(Ingredient::from_json(&ingredient)?);
                }
            }
        }
        let mut signed = Cursor::new(Vec::with_capacity(encoded.len() + EXPECTED_MANIFEST));
        builder.sign(
            identity.signer(),
            format.mime(),
            &mut Cursor::new(encoded),
            &mut signed,
        )?;
        Ok(signed.into_inner())
    };
    build().map_err(|error| ProvenanceError::Sign(error.to_string()))
}

/// Reads the signed file back as a stranger would who trusts our root; returns the manifest's
/// label.
fn check(identity: &Identity, format: Format, bytes: &[u8]) -> Result<String, ProvenanceError> {
    let unread = |error: c2pa::Error| ProvenanceError::SelfCheck {
        codes: vec![error.to_string()],
    };
    let reader = Reader::from_shared_context(identity.context())
        .with_stream(format.mime(), Cursor::new(bytes))
        .map_err(unread)?;
    let active = reader
        .validation_results()
        .and_then(|results| results.active_manifest());
    let bound = active.is_some_and(|codes| {
        codes
            .success()
            .iter()
            .any(|s| s.code() == "assertion.dataHash.match")
    });
    match (reader.validation_state(), reader.active_label()) {
        (ValidationState::Trusted, Some(label)) if bound => Ok(label.to_owned()),
        (state, _) => {
            let mut codes: Vec<String> = reader
                .validation_status()
                .unwrap_or_default()
                .iter()
                .map(|status| status.code().to_owned())
                .collect();
            if codes.is_empty() {
                codes.push(format!("state {state:?}"));
            }
            Err(ProvenanceError::SelfCheck { codes })
        }
    }
}
