//! The reader of GGUF files, and what is concluded from the names, shapes and pairs in them.
//!
//! An input is a file without its first four bytes, which are always right. One that begins with `~`,
//! a number and a line's end has as many zeros after it as the number says.
#![no_main]

use atelier_flux::WeightsInfo;
use atelier_fuzz::{Memory, assert_explained, hollow, identify};
use libfuzzer_sys::fuzz_target;

const MAGIC: &[u8] = b"GGUF";

fuzz_target!(|input: &[u8]| {
    if let Some((rest, zeros)) = hollow(input) {
        return identify(&Memory::new(&[MAGIC, rest], zeros).path());
    }
    let file = Memory::new(&[MAGIC, input], 0);
    match WeightsInfo::read(&file.path()) {
        Ok(info) => {
            let size = MAGIC.len() + input.len();
            assert!(
                info.bytes <= size as u64,
                "{} bytes of weights in a file of {size}",
                info.bytes
            );
        }
        Err(error) => assert_explained(error.code(), &error),
    }
    identify(&file.path());
});
