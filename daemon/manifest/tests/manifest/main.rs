//! The manifest from outside: what users write, and what they are told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod checking;
mod confinement;
mod examples;
mod golden;
mod hostile;
mod init;
mod job;
mod parsing;
mod request;
mod truncated;
mod world;
