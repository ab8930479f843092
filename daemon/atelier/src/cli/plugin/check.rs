//! `atelier plugin check`: everything that can be said of a plugin without giving it a picture.

use std::path::{Path, PathBuf};

use atelier_plugin_host::{Description, Limits, Permission, Plugin, SourceKind, archive, author};
use serde_json::Value;

use super::super::{Place, output};
use super::permissions;
use crate::fault::{Fault, Stage};
use crate::studio::Plugins;

pub(super) fn run(place: &Place, plugins: &Plugins, name: &str) -> Result<(), Fault> {
    let opened = Opened::of(plugins, name)?;
    let plugin = plugins.load_folder(opened.folder())?;
    let described = plugin
        .describe()
        .map_err(|e| Fault::plugin(Stage::Check, &e))?;
    let author = author(opened.folder()).map_err(|e| Fault::plugin(Stage::Check, &e))?;
    let limits = plugins.limits()?;
    if place.json {
        output::json(&serde_json::json!({
            "name": described.name, "version": described.version, "summary": described.summary,
            "license": plugin.package().license, "world": plugin.package().world.as_str(),
            "sha256": plugin.sha256(), "author": author, "imports": plugin.imports(),
            "asks": super::asks(plugins, plugin.package()),
            "takes": described.takes.iter().map(|&kind| kind_name(kind)).collect::<Vec<_>>(),
            "parameters": described.parameters, "limits": limits_json(&limits),
        }));
        return Ok(());
    }
    show(plugins, &plugin, &described, author.as_deref(), &limits)
}

fn show(
    plugins: &Plugins,
    plugin: &Plugin,
    described: &Description,
    author: Option<&str>,
    limits: &Limits,
) -> Result<(), Fault> {
    output::line(format!(
        "{} {}: {}",
        described.name, described.version, described.summary
    ));
    let package = plugin.package();
    output::line(format!(
        "  licence {}, for {}",
        package.license, package.world
    ));
    output::line(format!("  module sha256 {}", plugin.sha256()));
    output::line(format!(
        "  author {}",
        author.unwrap_or("unknown: it is not signed")
    ));
    output::line(format!("  imports {}", plugin.imports().join(", ")));
    let takes: Vec<_> = described
        .takes
        .iter()
        .map(|&kind| kind_name(kind))
        .collect();
    output::line(format!("  takes {}", takes.join(" and ")));
    let granted = plugins.granted(&package.name)?;
    for ask in &package.asks {
        let state = permissions::state(ask, &granted);
        output::line(format!(
            "  asks for {}: {} ({state})",
            ask.permission, ask.reason
        ));
        if let Permission::Model(name) = &ask.permission
            && plugins.models().file(name).is_none()
        {
            output::line(format!(
                "    there is no model {name}: put {name}.onnx into the home's models/"
            ));
        }
    }
    if package.asks.is_empty() {
        output::line("  asks for nothing beyond the pictures of its call");
    }
    output::line(format!(
        "  one call may use {} s, {} MiB of memory, {} pixels, {} pictures, {} instances, {} MiB at once, {} lines of log",
        limits.time.as_secs_f64(),
        limits.memory >> 20,
        limits.output_pixels,
        limits.handles,
        limits.instances,
        limits.hostcall_bytes >> 20,
        limits.log_lines,
    ));
    output::line("  parameters:");
    let properties = described.parameters.get("properties");
    for (name, schema) in properties.and_then(Value::as_object).into_iter().flatten() {
        let text = |key: &str| schema[key].as_str().unwrap_or_default().to_owned();
        let default = schema
            .get("default")
            .map_or(String::new(), |value| format!(" [default: {value}]"));
        output::line(format!(
            "    {name} ({}): {}{default}",
            text("type"),
            text("description")
        ));
    }
    Ok(())
}

fn kind_name(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Picture => "pictures",
        SourceKind::Document => "documents",
    }
}

fn limits_json(limits: &Limits) -> Value {
    serde_json::json!({
        "seconds": limits.time.as_secs_f64(), "memory": limits.memory, "pixels": limits.output_pixels,
        "handles": limits.handles, "instances": limits.instances, "at_once": limits.hostcall_bytes,
        "log_lines": limits.log_lines,
    })
}

/// The folder of a plugin that was named; for a packed one a folder of its own while this lives.
pub(super) struct Opened {
    folder: PathBuf,
    temporary: bool,
}

impl Opened {
    /// By name, by the path of a folder, or by that of a packed plugin.
    pub(super) fn of(plugins: &Plugins, name: &str) -> Result<Self, Fault> {
        let path = Path::new(name);
        if path.is_file() {
            return Self::unpack(path, plugins.own_folder());
        }
        Ok(Self {
            folder: plugins.find(name)?,
            temporary: false,
        })
    }

    /// Unpacks into a hidden folder of `beside`, where installing is a rename away.
    pub(super) fn unpack(archive: &Path, beside: &Path) -> Result<Self, Fault> {
        let folder = beside.join(format!(".unpacked-{}", std::process::id()));
        let made = std::fs::create_dir_all(beside).and_then(|()| std::fs::create_dir(&folder));
        made.map_err(|cause| Fault::io(Stage::Check, "plugins-unwritable", &folder, &cause))?;
        let opened = Self {
            folder,
            temporary: true,
        };
        archive::unpack(archive, &opened.folder).map_err(|e| Fault::plugin(Stage::Check, &e))?;
        Ok(opened)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.temporary && self.folder.exists() {
            // What cannot be removed is hidden, and the next start does not look at it.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
