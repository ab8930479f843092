//! `atelier plugin grant` and `revoke`: the user's half of a permission; the other half is the
//! author's, in `plugin.toml`.

use atelier_plugin_host::{Ask, Grants, Package, Permission};
use clap::Args;

use super::super::{Place, output};
use crate::fault::{Fault, Stage};
use crate::studio::Plugins;

/// Which permissions of which plugin.
#[derive(Debug, Args)]
pub(crate) struct PermissionArgs {
    /// The plugin's name
    plugin: String,
    /// model:NAME, setting:KEY or random; none: all that it asks for
    permissions: Vec<String>,
}

pub(super) fn grant(place: &Place, plugins: &Plugins, args: &PermissionArgs) -> Result<(), Fault> {
    let package = installed(plugins, &args.plugin)?;
    let wanted = parse(&args.permissions)?;
    let asked: Grants = package
        .asks
        .iter()
        .map(|ask| ask.permission.clone())
        .collect();
    if let Some(unasked) = wanted
        .iter()
        .find(|permission| !asked.contains(*permission))
    {
        let name = &package.name;
        return Err(Fault::rejected(
            Stage::Check,
            "permission-not-asked",
            format!("plugin \"{name}\" does not ask for {unasked}"),
        )
        .hint(match package.asks.len() {
            0 => "it asks for nothing".to_owned(),
            _ => format!("it asks for {}", list(&package.asks)),
        }));
    }
    let granted = if wanted.is_empty() { asked } else { wanted };
    plugins.trust().grant(&package.name, &granted)?;
    show(place, plugins, &package)
}

pub(super) fn revoke(place: &Place, plugins: &Plugins, args: &PermissionArgs) -> Result<(), Fault> {
    let wanted = parse(&args.permissions)?;
    let gone = plugins.trust().revoke(&args.plugin, &wanted)?;
    // The settings are the user's own file: nothing here changes them.
    let still = plugins.granted(&args.plugin)?;
    let kept: Vec<String> = still
        .iter()
        .filter(|permission| wanted.is_empty() || wanted.contains(*permission))
        .map(Permission::to_string)
        .collect();
    if !kept.is_empty() {
        return Err(Fault::rejected(
            Stage::Check,
            "permission-in-settings",
            format!(
                "the settings grant {} to \"{}\"",
                kept.join(", "),
                args.plugin
            ),
        )
        .hint("take it out of [plugins.grants] in config.toml"));
    }
    if gone.is_empty() {
        return Err(Fault::missing(
            Stage::Check,
            "permission-not-granted",
            format!("\"{}\" was granted nothing of that", args.plugin),
        ));
    }
    if place.json {
        output::json(&serde_json::json!({ "plugin": args.plugin, "revoked": gone }));
    } else {
        output::line(format!("{}: revoked {}", args.plugin, gone.join(", ")));
    }
    Ok(())
}

/// Permissions as a user writes them.
pub(super) fn parse(texts: &[String]) -> Result<Grants, Fault> {
    texts
        .iter()
        .map(|text| text.parse::<Permission>())
        .collect::<Result<_, _>>()
        .map_err(|cause| Fault::rejected(Stage::Check, "permission-unknown", cause.to_string()))
}

/// What a plugin asks for, with its reasons, on one line.
pub(super) fn list<'a>(asks: impl IntoIterator<Item = &'a Ask>) -> String {
    let asks: Vec<String> = asks
        .into_iter()
        .map(|ask| format!("{} ({})", ask.permission, ask.reason))
        .collect();
    asks.join("; ")
}

fn installed(plugins: &Plugins, name: &str) -> Result<Package, Fault> {
    let folder = plugins.find(name)?;
    Package::read(&folder).map_err(|e| Fault::plugin(Stage::Check, &e.into()))
}

fn show(place: &Place, plugins: &Plugins, package: &Package) -> Result<(), Fault> {
    let granted = plugins.granted(&package.name)?;
    if place.json {
        output::json(&serde_json::json!({
            "plugin": package.name, "asks": super::asks(plugins, package),
        }));
        return Ok(());
    }
    if package.asks.is_empty() {
        output::line(format!("{} asks for nothing", package.name));
    }
    for ask in &package.asks {
        let state = state(ask, &granted);
        output::line(format!("{}: {state}; {}", ask.permission, ask.reason));
    }
    Ok(())
}

/// In words, whether what a plugin asks for was granted.
pub(super) fn state(ask: &Ask, granted: &Grants) -> &'static str {
    match (granted.contains(&ask.permission), ask.optional) {
        (true, _) => "granted",
        (false, false) => "not granted",
        (false, true) => "not granted, and not needed",
    }
}
