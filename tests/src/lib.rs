//! What the tests share: a home in a temporary folder, the built program as a child process, a
//! private D-Bus, and the model in `fixtures/`.
//!
//! The tests know the program from outside, as users and scripts do: its commands, its folders,
//! its bus name. They must never link one of its crates, and never touch the home, the bus or the
//! settings of whoever runs them. What takes time is waited for, never slept for, and no test
//! asserts how long anything took.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bus;
mod card;
mod daemon;
mod fixtures;
pub mod forge;
mod home;
mod introspection;
mod oracle;
mod picture;
mod program;
mod shell;
mod wait;

pub use bus::Bus;
pub use card::Card;
pub use daemon::Daemon;
pub use fixtures::{Case, Fixtures};
pub use home::Home;
pub use introspection::Interface;
pub use oracle::assert_each_done_once;
pub use picture::{gradient, psnr, sha256};
pub use program::{Run, command, plugin_folder, program, run, run_within};
pub use shell::shell;
pub use wait::{COMPILING, PATIENCE, wait_for, wait_until};
