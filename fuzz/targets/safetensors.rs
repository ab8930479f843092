//! The reader of safetensors files, and what is concluded from the names and shapes in them.
//!
//! An input that begins with neither `#` nor `~` is a file as it is. After `#` come a header, a zero
//! byte and the tensors' bytes; after `~`, a number and a line's end, a header, and as many zeros as
//! the number says. So the header's length is right, and mutations get past it.
#![no_main]

use atelier_flux::WeightsInfo;
use atelier_fuzz::{Memory, assert_explained, hollow, identify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some((header, zeros)) = hollow(input) {
        let length = (header.len() as u64).to_le_bytes();
        return identify(&Memory::new(&[&length, header], zeros).path());
    }
    let Some(parts) = input.strip_prefix(b"#") else {
        return read(&[input]);
    };
    let end = parts.iter().position(|&byte| byte == 0);
    let (header, rest) = parts.split_at(end.unwrap_or(parts.len()));
    let tensors = rest.get(1..).unwrap_or_default();
    read(&[&(header.len() as u64).to_le_bytes(), header, tensors]);
});

fn read(parts: &[&[u8]]) {
    let file = Memory::new(parts, 0);
    match WeightsInfo::read(&file.path()) {
        Ok(info) => {
            let size = parts.iter().map(|part| part.len()).sum::<usize>();
            assert!(
                info.bytes <= size as u64,
                "{} bytes of weights in a file of {size}",
                info.bytes
            );
        }
        Err(error) => assert_explained(error.code(), &error),
    }
    identify(&file.path());
}
