//! The most anonymous memory while each stage runs.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const INTERVAL: Duration = Duration::from_millis(3);

/// Samples this process's memory until it is dropped.
pub(crate) struct Sampler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    stage: AtomicUsize,
    peaks: Vec<AtomicU64>,
    ends: AtomicBool,
}

impl Sampler {
    /// For so many stages.
    pub(crate) fn start(stages: usize) -> Self {
        let shared = Arc::new(Shared {
            stage: AtomicUsize::new(usize::MAX),
            peaks: (0..stages).map(|_| AtomicU64::new(0)).collect(),
            ends: AtomicBool::new(false),
        });
        let watched = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !watched.ends.load(Ordering::Relaxed) {
                if let Some(peak) = watched.peaks.get(watched.stage.load(Ordering::Relaxed)) {
                    peak.fetch_max(anonymous().unwrap_or(0), Ordering::Relaxed);
                }
                thread::sleep(INTERVAL);
            }
        });
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// From now on, samples are of this stage; of none, if there is no such.
    pub(crate) fn enter(&self, stage: usize) {
        self.shared.stage.store(stage, Ordering::Relaxed);
    }

    /// Bytes, for each stage.
    pub(crate) fn peaks(&self) -> Vec<u64> {
        let peaks = self.shared.peaks.iter();
        peaks.map(|peak| peak.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A sampler that failed has nothing to say that a benchmark would need.
            let _ = thread.join();
        }
    }
}

/// Anonymous bytes of this process that are in memory.
fn anonymous() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
