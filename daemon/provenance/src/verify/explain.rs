//! C2PA status codes in plain words (C2PA 2.4, section 15.2, "Returning validation results").

/// What a status code means to somebody who has never heard of C2PA.
pub(super) fn code(code: &str) -> Option<&'static str> {
    Some(match code {
        "assertion.dataHash.mismatch"
        | "assertion.bmffHash.mismatch"
        | "assertion.boxesHash.mismatch" => {
            "the picture was changed after it was signed: pixels, metadata or a text block were \
             altered, added or removed"
        }
        "assertion.dataHash.malformed"
        | "assertion.bmffHash.malformed"
        | "assertion.boxesHash.malformed" => {
            "the fingerprint that ties the claim to the picture is itself damaged"
        }
        "claim.hardBindings.missing" => {
            "the claim is not tied to any picture, so it may have been copied from another file"
        }
        "assertion.multipleHardBindings" => "the claim is tied to more than one fingerprint",
        "assertion.hashedURI.mismatch" | "hashedURI.mismatch" => {
            "a statement in the manifest was changed after it was signed"
        }
        "assertion.missing" | "hashedURI.missing" | "assertion.required.missing" => {
            "a statement that was signed has been removed from the manifest"
        }
        "assertion.undeclared" | "assertion.outsideManifest" => {
            "the manifest holds a statement that its signer did not sign"
        }
        "assertion.action.malformed" => "the list of what was done to the picture breaks the rules",
        "assertion.action.ingredientMismatch" => {
            "the list of what was done names a source that is not in the manifest"
        }
        "assertion.ingredient.malformed" => "the description of a source breaks the rules",
        "assertion.cbor.invalid" | "assertion.json.invalid" => {
            "a statement in the manifest is damaged"
        }
        "claimSignature.mismatch" => {
            "the signature does not fit the claim: the claim was changed, or the signature copied"
        }
        "claimSignature.missing" => "the claim is not signed",
        "claimSignature.outsideValidity" => {
            "it was signed outside the time for which the certificate is valid"
        }
        "signingCredential.untrusted" => {
            "the signer is not under any root you trust: the picture is unchanged since it was \
             signed, but who signed it is not confirmed (give the signer's root with --trust)"
        }
        "signingCredential.invalid" => "the certificate is not one that may sign pictures",
        "signingCredential.expired" => {
            "the certificate has run out, and no time-stamp proves that the signature is older"
        }
        "signingCredential.ocsp.revoked" | "signingCredential.revoked" => {
            "the certificate was withdrawn by its issuer"
        }
        "timeStamp.mismatch" | "timeStamp.malformed" => "the time-stamp does not fit the signature",
        "timeStamp.untrusted" => "the authority that gave the time-stamp is not one you trust",
        "timeStamp.outsideValidity" => {
            "the time-stamp was given outside its certificate's validity"
        }
        "claim.missing" | "claim.malformed" | "claim.cbor.invalid" | "claim.required.missing" => {
            "the claim is missing or damaged"
        }
        "claim.multiple" => "the manifest holds more than one claim",
        "ingredient.manifest.missing" => "the manifest of a source was removed",
        "ingredient.manifest.mismatch" | "ingredient.hashedURI.mismatch" => {
            "the manifest of a source was changed after this picture was signed"
        }
        "ingredient.claimSignature.missing" | "ingredient.claimSignature.mismatch" => {
            "the signature in the manifest of a source was removed or changed"
        }
        "manifest.inaccessible" => {
            "the picture says that its manifest lies on a server; it was not fetched"
        }
        "manifest.unreadable" => "there is a manifest, and it is too damaged to be read",
        "manifest.multipleParents" | "manifest.update.invalid" | "manifest.update.wrongParents" => {
            "the manifest contradicts itself about the picture it was made from"
        }
        "manifest.compressed.invalid" => "the compressed manifest is damaged",
        "algorithm.unsupported" => "it was signed with a method that this program does not know",
        "general.error" => "the manifest breaks the rules in a way that has no name of its own",
        _ => return None,
    })
}
