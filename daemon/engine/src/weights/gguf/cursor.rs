//! Reading a GGUF header from front to back.

/// No header is longer; a tokenizer of 150,000 words takes ten million bytes. Without a limit a lying
/// count could have a whole model read as empty strings.
const HEADER_LIMIT: usize = 1 << 26;

/// A place in the header. Errors are sentences about the file.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of a file.
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self {
            bytes: &file[..file.len().min(HEADER_LIMIT)],
            position: 0,
        }
    }

    /// Where the next byte is read, counted from the start of the file.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next `count` bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.position..];
        let bytes = rest.get(..count).ok_or_else(|| {
            format!(
                "its header claims {count} bytes at {}, where {} are left",
                self.position,
                rest.len()
            )
        })?;
        self.position += count;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(super) fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    /// A string: its length, then its bytes.
    pub(super) fn string(&mut self) -> Result<&'a [u8], String> {
        let length = self.u64()?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A string that names something.
    pub(super) fn text(&mut self) -> Result<&'a str, String> {
        let position = self.position;
        std::str::from_utf8(self.string()?)
            .map_err(|_| format!("the name at {position} is no UTF-8"))
    }
}
