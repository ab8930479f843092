//! The plugin host as the daemon uses it, on components made here from WebAssembly text: good
//! ones, one of each hostile kind, and what lies in the cache.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bench;
mod cache;
mod good;
mod hostile;
mod kept;
mod powers;
mod refused;
