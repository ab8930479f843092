//! What one call of a plugin may use, and the meter that counts it. A limit that is not stated
//! here is not enforced, so this is the whole list.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What one call may use. The defaults fit a plugin written in Python on a photograph of 12
/// megapixels; a plugin in Rust needs a small part of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Wall time of a call. 30 s. Checked every 10 ms, but not inside a single call to the host.
    pub time: Duration,
    /// Bytes of all linear memories together, tables included at 8 bytes an element. 256 MiB.
    pub memory: usize,
    /// Core instances, and as many linear memories. 200: a Python component makes more than 32.
    pub instances: usize,
    /// Tables. 200.
    pub tables: usize,
    /// Pictures and canvases that are alive at once, those handed in included. 1024.
    pub handles: usize,
    /// Pixels of all pictures that a call made and that are alive at once; also what it may
    /// return. 32 Mi, which is 128 MiB.
    pub output_pixels: u64,
    /// Bytes that may cross between plugin and host in one call of a function. 64 MiB, a canvas of
    /// 16 megapixels written at once.
    pub hostcall_bytes: usize,
    /// Lines of log that are kept. 1000; further ones are counted, and a hundred times as many end the call.
    pub log_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            memory: 256 << 20,
            instances: 200,
            tables: 200,
            handles: 1024,
            output_pixels: 32 << 20,
            hostcall_bytes: 64 << 20,
            log_lines: 1000,
        }
    }
}

/// A table element is a pointer on the host's side.
const TABLE_ELEMENT: usize = size_of::<usize>();

/// Sums what the memories and tables of one store take: wasmtime's own limits are for each memory
/// by itself, so that a component of many memories would pass them.
pub(crate) struct Meter {
    limit: usize,
    used: usize,
    /// What the growth now being tried was counted as, to take it back should the system refuse.
    trying: usize,
    refused: bool,
    instances: usize,
    tables: usize,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.memory,
            used: 0,
            trying: 0,
            refused: false,
            instances: limits.instances,
            tables: limits.tables,
        }
    }

    /// Bytes of all memories and tables together; memory that was given is never taken back.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether growth was refused at some time: then a trap is, in all likelihood, the plugin's
    /// allocator giving up.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }

    fn grow(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
        unit: usize,
    ) -> bool {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        let more = desired.saturating_sub(current).saturating_mul(unit);
        match self.used.checked_add(more) {
            Some(used) if used <= self.limit => {
                self.used = used;
                self.trying = more;
                true
            }
            _ => {
                self.refused = true;
                false
            }
        }
    }

    fn take_back(&mut self) {
        self.used = self.used.saturating_sub(self.trying);
        self.trying = 0;
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, 1))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, TABLE_ELEMENT))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_summed_and_a_failed_growth_is_given_back() {
        let limits = Limits {
            memory: 100,
            ..Limits::default()
        };
        let mut meter = Meter::new(&limits);
        assert!(meter.grow(0, 60, None, 1));
        assert!(
            !meter.grow(0, 60, None, 1),
            "two memories of 60 bytes exceed 100"
        );
        assert!(meter.refused());
        assert!(meter.grow(60, 100, None, 1));
        meter.take_back();
        assert!(
            meter.grow(0, 5, None, TABLE_ELEMENT),
            "40 bytes are free again"
        );
    }

    #[test]
    fn growth_beyond_a_declared_maximum_is_the_plugins_own_limit() {
        let mut meter = Meter::new(&Limits::default());
        assert!(!meter.grow(0, 20, Some(10), 1));
        assert!(!meter.refused());
    }
}
