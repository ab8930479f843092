//! How much of a card's memory this process has, as NVIDIA's management library counts it.
//!
//! The library counts what the card gave, context, kernels and every allocator's reserves included: what other
//! programs cannot have. It comes with the driver and is loaded when it is asked for. Where it is missing, or does
//! not know the card, there is no number; nothing here is an error, and nothing else depends on it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cudarc::driver::result;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::survey::Card;

/// Between two samples: a large picture's convolutions each take longer.
const INTERVAL: Duration = Duration::from_millis(5);

/// Reads this process's share of a card's memory. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    library: Arc<Nvml>,
    /// The two libraries may number cards in another order; this name is the same in both.
    uuid: String,
    /// Bytes that the card had given to all when this was opened.
    before: u64,
}

impl Meter {
    /// For a card of a [`Survey`](super::Survey). To be opened before the card is: where processes are numbered
    /// anew, as in a container, the library does not find this one, and what was taken on the card since counts.
    pub(crate) fn open(card: &Card) -> Option<Self> {
        let mut meter = Self {
            uuid: uuid(card.number)?,
            library: Arc::new(Nvml::init().ok()?),
            before: 0,
        };
        meter.before = meter.used_by_all().ok()?;
        Some(meter)
    }

    /// The driver's version, as `550.54.15`.
    pub(crate) fn driver(&self) -> Option<String> {
        self.library.sys_driver_version().ok()
    }

    /// The card's own name, `GPU-` and digits: no other has it.
    pub(crate) fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Samples until it is asked for the most.
    pub(crate) fn watch(&self) -> Watch {
        let meter = self.clone();
        Watch::over(move || meter.now())
    }

    /// Bytes that this process has now.
    fn now(&self) -> Option<u64> {
        let since = || Some(self.used_by_all().ok()?.saturating_sub(self.before));
        self.own().or_else(since)
    }

    fn device(&self) -> Result<Device<'_>, NvmlError> {
        self.library.device_by_uuid(self.uuid.as_str())
    }

    fn used_by_all(&self) -> Result<u64, NvmlError> {
        Ok(self.device()?.memory_info()?.used)
    }

    /// Bytes of this process, if the library finds it.
    fn own(&self) -> Option<u64> {
        let processes = self.device().ok()?.running_compute_processes().ok()?;
        let own = processes
            .into_iter()
            .find(|process| process.pid == std::process::id())?;
        match own.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        }
    }
}

/// The name by which NVML knows CUDA's card of this number, which must be there.
fn uuid(card: u32) -> Option<String> {
    let device = result::device::get(i32::try_from(card).ok()?).ok()?;
    let uuid = result::device::get_uuid(device).ok()?;
    Some(written(uuid.bytes.map(|byte| byte.to_ne_bytes()[0])))
}

/// As `nvidia-smi -L` shows it: groups of 4, 2, 2, 2 and 6 bytes.
fn written(bytes: [u8; 16]) -> String {
    let mut text = String::from("GPU");
    for (place, byte) in bytes.iter().enumerate() {
        if [0, 4, 6, 8, 10].contains(&place) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// What is sampled: bytes, where there is a number.
type Read = dyn Fn() -> Option<u64> + Send + Sync;

/// Samples that are being taken.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    read: Box<Read>,
    most: AtomicU64,
    ends: AtomicBool,
}

impl Shared {
    fn sample(&self) {
        let bytes = (self.read)().unwrap_or(0);
        self.most.fetch_max(bytes, Ordering::Relaxed);
    }
}

impl Watch {
    fn over(read: impl Fn() -> Option<u64> + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            read: Box::new(read),
            most: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        });
        let watched = Arc::clone(&shared);
        let samples = move || {
            while !watched.ends.load(Ordering::Relaxed) {
                watched.sample();
                thread::sleep(INTERVAL);
            }
        };
        let thread = thread::Builder::new().name("card-memory".into());
        Self {
            shared,
            // Without a thread there is the sample at the end.
            thread: thread.spawn(samples).ok(),
        }
    }

    /// The most bytes from the beginning to now; `None` if there was no number.
    pub(crate) fn most(mut self) -> Option<u64> {
        self.end();
        self.shared.sample();
        let most = self.shared.most.load(Ordering::Relaxed);
        (most > 0).then_some(most)
    }

    fn end(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::debug!("sampling the card's memory failed");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Watch({:?})", self.shared.most)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::mpsc;

    use super::*;

    #[test]
    fn cards_are_named_as_nvidia_smi_does() {
        let bytes = [
            0xf9, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0x60, 0x71, 0x82, 0x93, 0xa4, 0xb5, 0xc6, 0xd7,
            0xe8, 0x09,
        ];
        let expected = "GPU-f91b2c3d-4e5f-6071-8293-a4b5c6d7e809";
        assert_eq!(written(bytes), expected);
    }

    #[test]
    fn the_most_of_all_samples_is_kept() {
        let (taken, samples) = mpsc::channel();
        let count = AtomicU64::new(0);
        let watch = Watch::over(move || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            let _ = taken.send(number);
            [Some(5), None, Some(9), Some(3)]
                .get(number as usize)
                .copied()
                .flatten()
        });
        // The third sample is the largest.
        while samples.recv().unwrap() < 3 {}
        assert_eq!(watch.most(), Some(9));
        assert_eq!(Watch::over(|| None).most(), None);
    }
}
