//! The engine from outside: on the model in the repository, and on damaged copies of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod base;
mod damage;
mod dev_files;
mod encodings;
mod files;
mod fixture;
mod forge;
mod init;
mod inspect;
mod kv;
mod lora;
mod mismatch;
mod parity;
mod quantize;
mod render;
mod small_decoder;
mod surgery;
mod twin;
