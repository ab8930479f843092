//! The hash that golden data names long results by.

/// FNV-1a, 64 bits, in hexadecimal.
pub(crate) fn fnv(bytes: impl IntoIterator<Item = u8>) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!(
        "{:016x}",
        bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
    )
}
