//! `atelier keys`: the local signing identity.

use atelier_provenance::{Identity, IdentitySummary};
use clap::Subcommand;

use super::{Place, output};
use crate::fault::{Fault, Stage};

/// What to do with the identity.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make the local certificate authority and signing key
    Init,
    /// Issue a new signing key and certificate under the same root
    Rotate,
    /// Show who signs, until when, and the root certificate's place
    Show,
}

pub(super) fn run(place: &Place, command: &KeysCommand) -> Result<(), Fault> {
    let folder = place.home()?.keys();
    let identity = match command {
        KeysCommand::Init => Identity::create(&folder),
        KeysCommand::Rotate => Identity::rotate(&folder),
        KeysCommand::Show => Identity::open(&folder),
    }
    .map_err(|e| Fault::provenance(Stage::Start, &e))?;
    let summary = identity.summary();
    if place.json {
        output::json(&summary);
    } else {
        print(&summary);
    }
    Ok(())
}

fn print(summary: &IdentitySummary) {
    let rows = [
        ("signer", summary.subject.clone()),
        ("issuer", summary.issuer.clone()),
        ("fingerprint", summary.fingerprint_sha256.clone()),
        ("valid from", summary.not_before.clone()),
        ("valid until", summary.not_after.clone()),
        ("root fingerprint", summary.root_fingerprint_sha256.clone()),
        ("folder", summary.folder.display().to_string()),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    output::table(&rows);
}
