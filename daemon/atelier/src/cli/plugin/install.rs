//! `atelier plugin install` and `remove`. Nothing of a plugin is run until it is in its place, but
//! everything that can be known before is asked: is it whole, is it its author's, does it load here,
//! may it do what it asks for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use atelier_plugin_host::{Package, archive, author};
use clap::Args;

use super::super::{Place, output};
use super::check::Opened;
use super::permissions;
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::studio::Plugins;

/// What to install.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// A packed plugin (.atelier-plugin), or a plugin folder
    plugin: PathBuf,
    /// Grant this: model:NAME, setting:KEY or random; may be given several times
    #[arg(long, value_name = "PERMISSION")]
    grant: Vec<String>,
    /// Grant all that it asks for
    #[arg(long)]
    grant_all: bool,
    /// Take it although another author signed the one that is installed
    #[arg(long)]
    new_author: bool,
}

pub(super) fn run(
    place: &Place,
    home: &Home,
    plugins: &Plugins,
    args: &InstallArgs,
) -> Result<(), Fault> {
    home.create()?;
    let own = plugins.own_folder();
    let opened = if args.plugin.is_dir() {
        copied(&args.plugin, own)?
    } else {
        Opened::unpack(&args.plugin, own)?
    };
    let folder = opened.folder();
    let refuse = |error| Fault::plugin(Stage::Check, &error);
    let package = Package::read(folder).map_err(|error| refuse(error.into()))?;
    let signed_by = author(folder).map_err(refuse)?;
    same_author(plugins, &package, signed_by.as_deref(), args.new_author)?;
    let plugin = plugins.load_folder(folder)?;
    plugin.describe().map_err(refuse)?;

    let mut granted = permissions::parse(&args.grant)?;
    if args.grant_all {
        granted.extend(package.asks.iter().map(|ask| ask.permission.clone()));
    }
    let mut all = plugins.granted(&package.name)?;
    all.extend(granted.iter().cloned());
    let missing = package.missing(&all);
    if !missing.is_empty() {
        return Err(Fault::rejected(
            Stage::Check,
            "plugin-not-granted",
            format!(
                "plugin \"{}\" is not installed: it asks for {}, and nobody granted it",
                package.name,
                permissions::list(missing)
            ),
        )
        .hint("install it with --grant PERMISSION, or with --grant-all"));
    }
    // Its rights come last: what is not in its place must have none.
    put(folder, &own.join(&package.name))?;
    if let Some(author) = &signed_by {
        plugins.trust().know(&package.name, author)?;
    }
    if !granted.is_empty() {
        plugins.trust().grant(&package.name, &granted)?;
    }
    if place.json {
        output::json(&serde_json::json!({
            "name": package.name, "version": package.version, "sha256": plugin.sha256(),
            "author": signed_by, "folder": own.join(&package.name),
        }));
    } else {
        output::line(format!("installed {} {}", package.name, package.version));
    }
    Ok(())
}

pub(super) fn remove(place: &Place, plugins: &Plugins, name: &str) -> Result<(), Fault> {
    let folder = plugins.find(name)?;
    if folder.parent() != Some(plugins.own_folder()) {
        return Err(Fault::rejected(
            Stage::Check,
            "plugin-not-own",
            format!(
                "plugin \"{name}\" lies in {}, which is not the home's",
                folder.display()
            ),
        )
        .hint("remove it there"));
    }
    // Whoever names it by its path means the same plugin.
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    plugins.trust().forget(&name)?;
    fs::remove_dir_all(&folder)
        .map_err(|cause| Fault::io(Stage::Check, "plugins-unwritable", &folder, &cause))?;
    if place.json {
        output::json(&serde_json::json!({ "removed": name }));
    } else {
        output::line(format!("removed {name}"));
    }
    Ok(())
}

/// The first author of a name is its author: an update by another, or by nobody, is refused.
fn same_author(
    plugins: &Plugins,
    package: &Package,
    now: Option<&str>,
    accepted: bool,
) -> Result<(), Fault> {
    let Some(before) = plugins.trust().author(&package.name)? else {
        return Ok(());
    };
    if accepted || now == Some(before.as_str()) {
        return Ok(());
    }
    Err(Fault::rejected(
        Stage::Check,
        "plugin-author-changed",
        format!(
            "plugin \"{}\" was signed by {before}, and this one by {}",
            package.name,
            now.unwrap_or("nobody")
        ),
    )
    .hint("ask the author; if it is right, install it with --new-author"))
}

/// A copy of a plugin folder's files beside the installed ones.
fn copied(from: &Path, beside: &Path) -> Result<Opened, Fault> {
    let packed = beside.join(format!(".packed-{}", std::process::id()));
    let failed = |cause: &io::Error| Fault::io(Stage::Check, "plugins-unwritable", &packed, cause);
    let file = fs::File::create_new(&packed).map_err(|cause| failed(&cause))?;
    let copied = archive::pack(from, file)
        .map_err(|e| Fault::plugin(Stage::Check, &e))
        .and_then(|()| Opened::unpack(&packed, beside));
    fs::remove_file(&packed).map_err(|cause| failed(&cause))?;
    copied
}

/// Puts a folder in its place by rename; what was there goes first to a hidden name.
fn put(folder: &Path, place: &Path) -> Result<(), Fault> {
    let old = place.with_file_name(format!(".replaced-{}", std::process::id()));
    let moved = || {
        match fs::rename(place, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(folder, place)?;
        match fs::remove_dir_all(&old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    moved().map_err(|cause| Fault::io(Stage::Check, "plugins-unwritable", place, &cause))
}
