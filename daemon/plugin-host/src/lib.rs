//! Runs other people's plugins: WebAssembly components that turn the pictures and documents of a
//! reference into what the model needs.
//!
//! A plugin is not trusted. It gets the interfaces of its world (`sdk/wit/`) and nothing else: no
//! WASI, so no files, network, environment or clock; models, settings and randomness only where its
//! `plugin.toml` asks and the user granted it ([`Powers`]). Every call runs on a fresh
//! instance under [`Limits`]; whatever goes wrong inside it costs that call only and comes back as
//! a [`PluginError`] that names the plugin.
//!
//! What a plugin says it is, `atelier-plugin-package` reads. The modules, in the order data flows: `archive`
//! and `author` are a plugin as one file and who signed it, `load` decides
//! whether its component may run here, `cache` keeps what was compiled, `host` and `plugin` are
//! the outside, `call` is one run, `clock`, `limits`, `speech`, `pictures` and `powers` are what
//! that run meets, `v1` speaks version 1 of the interface, and `outcome` checks what came back.
//!
//! What this crate must never do: load machine code that it did not compile itself, or hand a
//! plugin a right that nobody granted.

pub mod archive;
mod author;
mod cache;
mod call;
mod clock;
mod error;
mod hex;
mod host;
mod limits;
mod load;
mod outcome;
mod pictures;
mod plugin;
mod powers;
mod region;
mod request;
mod resample;
mod speech;
mod tensor;
mod v1;

pub use atelier_plugin_package::{Ask, Grants, NoPermission, Package, Permission, World};
pub use author::{AuthorKey, author};
pub use error::{PluginError, Refusal};
pub use host::PluginHost;
pub use limits::Limits;
pub use outcome::{Description, Prepared, SourceKind};
pub use plugin::Plugin;
pub use powers::Powers;
pub use request::{PrepareRequest, Source};
pub use speech::{Level, LogLine, Said};
pub use tensor::{Inference, Numbers, Tensor, Trouble};
