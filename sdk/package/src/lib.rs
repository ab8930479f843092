//! What a plugin says of itself in `plugin.toml`: its name and version, the interface that it was built
//! for, and what it asks for beyond the pictures of its call.
//!
//! The host that runs plugins and the builder that makes them read the file here, so that what builds is
//! what loads. Reading it runs nothing of the plugin.

mod interface;
mod package;
mod permission;

pub use interface::Interface;
pub use package::{PACKAGE_FILE, Package, PackageError, World, folder_name, is_name};
pub use permission::{Ask, Grants, NoPermission, Permission};
