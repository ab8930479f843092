//! How much memory a picture may take: what the settings say, or else what there is.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// A limit of anonymous memory, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryLimit {
    /// Bytes.
    pub bytes: u64,
    /// What it is taken from.
    pub basis: LimitBasis,
}

/// Where a limit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitBasis {
    /// The user's settings.
    Settings,
    /// What the machine has to spare, or the group of processes that this one is in.
    Available,
}

impl MemoryLimit {
    /// The limit now: the smaller of the user's and of what can be had. Nothing on a system that does
    /// not say what it has.
    pub(super) fn now(asked: Option<u64>) -> Option<Self> {
        let asked = asked.map(|bytes| Self {
            bytes,
            basis: LimitBasis::Settings,
        });
        let available = available().map(|bytes| Self {
            bytes,
            basis: LimitBasis::Available,
        });
        asked
            .into_iter()
            .chain(available)
            .min_by_key(|limit| limit.bytes)
    }
}

/// Bytes that this process can still take: of the machine, and of its control group.
pub(super) fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| kibibytes(&text, "MemAvailable:"));
    machine.into_iter().chain(of_group()).min()
}

/// The number of a line of `/proc/meminfo`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number = line.trim().strip_suffix("kB")?.trim().parse::<u64>();
    Some(number.ok()? << 10)
}

/// What the tightest control group (version 2) above this process leaves. Pages of files count as its
/// memory too, but give way.
fn of_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    let path = root.join(own);
    let read = |group: &Path, name: &str| fs::read_to_string(group.join(name)).ok();
    path.ancestors()
        .take_while(|group| group.starts_with(root))
        .filter_map(|group| {
            let most = read(group, "memory.max")?.trim().parse::<u64>().ok()?;
            let used = read(group, "memory.current")?.trim().parse::<u64>().ok()?;
            let pages = read(group, "memory.stat").and_then(|text| file_pages(&text));
            Some(most.saturating_sub(used.saturating_sub(pages.unwrap_or(0))))
        })
        .min()
}

fn file_pages(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("file "))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let meminfo = "MemTotal:       24572452 kB\nMemFree:  16 kB\nMemAvailable:   23000000 kB\n";
        assert_eq!(kibibytes(meminfo, "MemAvailable:"), Some(23_000_000 << 10));
        assert_eq!(kibibytes(meminfo, "SwapFree:"), None);
        assert_eq!(kibibytes("MemAvailable: much", "MemAvailable:"), None);
        let stat = "anon 4096\nfile 123456\nfile_mapped 7\n";
        assert_eq!(file_pages(stat), Some(123_456));
    }

    #[test]
    fn the_smaller_limit_counts() {
        let tight = MemoryLimit::now(Some(1));
        let expected = MemoryLimit {
            bytes: 1,
            basis: LimitBasis::Settings,
        };
        assert_eq!(tight, Some(expected));
        if let Some(wide) = MemoryLimit::now(Some(u64::MAX)) {
            let known = available().is_some();
            assert_eq!(wide.basis == LimitBasis::Available, known);
        }
    }
}
