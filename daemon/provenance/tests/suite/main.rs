//! Provenance from outside: pictures are signed and verified as the daemon does it, looked at by
//! an independent verifier, damaged in every way a file is damaged, and searched for what must
//! not be in them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod damage;
mod independent;
mod pictures;
mod privacy;
mod references;
mod rubric;
mod signing;
mod verifying;
