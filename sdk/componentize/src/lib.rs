//! Turns the core WebAssembly module that `rustc` makes of a plugin into a component.
//!
//! The compiler knows only core modules; the bindings leave the description of the plugin's world
//! in a custom section of it. This crate reads that section, wraps the module as a component and
//! validates the result, so that building a plugin needs no third-party program.
//!
//! It never adds an adapter for WASI: a module that wants a file system or a clock is refused
//! here, on its author's machine, and not by the user's daemon.

mod convert;
mod error;
mod interfaces;

pub use convert::component_of;
pub use error::Error;
pub use interfaces::Interfaces;
