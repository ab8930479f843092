//! `atelier plugin`: what is installed, what it may do, and the way from an idea to a packed plugin.

mod check;
mod install;
mod permissions;
mod projects;
mod run;

use std::path::PathBuf;

use atelier_plugin_host::Package;
use clap::Subcommand;

use super::{Place, output};
use crate::fault::Fault;
use crate::studio::{Plugins, Studio};

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// List the installed plugins
    List,
    /// Say what a plugin is, asks for and takes, and what one call may use
    Check {
        /// An installed plugin's name, a plugin folder, or a packed plugin
        plugin: String,
    },
    /// Run one on files, and keep what it makes
    Run(run::RunArgs),
    /// Let a plugin do what it asks for
    Grant(permissions::PermissionArgs),
    /// Take back what a plugin was granted
    Revoke(permissions::PermissionArgs),
    /// Install a packed plugin, or a plugin folder
    Install(install::InstallArgs),
    /// Remove an installed plugin, and what it was granted
    Remove {
        /// Its name
        plugin: String,
    },
    /// Write a new plugin's project, which builds as it is
    New(projects::NewArgs),
    /// Build a plugin's project to a component
    Build(projects::BuildArgs),
    /// Run the cases of a plugin's project
    Test(projects::TestArgs),
    /// Pack a plugin into one file, and sign it if asked
    Pack(projects::PackArgs),
}

pub(super) fn run(place: &Place, command: PluginCommand) -> Result<(), Fault> {
    let (home, config) = place.open()?;
    let studio = Studio::new(&home, &config)?;
    let plugins = studio.plugins();
    match command {
        PluginCommand::List => list(place, plugins),
        PluginCommand::Check { plugin } => check::run(place, plugins, &plugin),
        PluginCommand::Run(args) => run::run(place, plugins, &args),
        PluginCommand::Grant(args) => permissions::grant(place, plugins, &args),
        PluginCommand::Revoke(args) => permissions::revoke(place, plugins, &args),
        PluginCommand::Install(args) => install::run(place, &home, plugins, &args),
        PluginCommand::Remove { plugin } => install::remove(place, plugins, &plugin),
        PluginCommand::New(args) => projects::new(place, &args),
        PluginCommand::Build(args) => projects::build(place, &home, &args),
        PluginCommand::Test(args) => projects::test(place, &home, plugins, &args),
        PluginCommand::Pack(args) => projects::pack(place, &home, &args),
    }
}

fn list(place: &Place, plugins: &Plugins) -> Result<(), Fault> {
    let found = plugins.list();
    if place.json {
        let rows: Vec<_> = found
            .iter()
            .map(|(folder, package)| match package {
                Ok(package) => serde_json::json!({
                    "name": package.name, "version": package.version, "license": package.license,
                    "summary": package.summary, "world": package.world.as_str(),
                    "asks": asks(plugins, package), "folder": folder,
                }),
                Err(error) => serde_json::json!({
                    "folder": folder, "error": { "code": error.code(), "message": error.to_string() },
                }),
            })
            .collect();
        output::json(&rows);
        return Ok(());
    }
    if found.is_empty() {
        output::line("no plugins are installed");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|(folder, package)| match package {
            Ok(package) => vec![
                package.name.clone(),
                package.version.clone(),
                package.summary.clone(),
            ],
            Err(error) => vec![
                folder.display().to_string(),
                "unusable".to_owned(),
                error.to_string(),
            ],
        })
        .collect();
    output::table(&rows);
    Ok(())
}

/// What a plugin asks for, why, and whether it was granted, as JSON.
fn asks(plugins: &Plugins, package: &Package) -> Vec<serde_json::Value> {
    // What was granted is told by `grant` and by the job; a list goes on without.
    let granted = plugins.granted(&package.name).unwrap_or_default();
    let ask = package.asks.iter().map(|ask| {
        serde_json::json!({
            "permission": ask.permission.to_string(), "reason": ask.reason,
            "granted": granted.contains(&ask.permission), "optional": ask.optional,
        })
    });
    ask.collect()
}

/// Where several pictures go: `out.png`, or `out-1.png`, `out-2.png`.
fn numbered(path: &std::path::Path, index: usize, count: usize) -> PathBuf {
    if count == 1 {
        return path.to_path_buf();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{}.{extension}", index + 1))
}
