//! What is known of a card from one start to the next.
//!
//! Whoever tries a card holds its file locked, so that others wait for the verdict instead of crowding the card. A try
//! is counted before it begins: of a driver that ends the process this count is all that is left.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Standing;
use super::evidence::Doubt;
use crate::error::EngineError;

/// A card is not tried again after so many tries that came to no verdict.
const MOST_TRIES: u32 = 2;

/// A file's content, as JSON.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    /// For whoever reads the file.
    card: String,
    /// How many tries were begun and came to no verdict.
    tries: u32,
    /// What the last of them met, if it lived to say so.
    trouble: Option<String>,
    verdict: Option<Verdict>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Right,
    Wrong { reason: String },
}

impl Record {
    fn standing(&self) -> Standing {
        let doubted = |reason: &str| Standing::Doubted {
            reason: reason.to_owned(),
        };
        match (&self.verdict, &self.trouble) {
            (Some(Verdict::Right), _) => Standing::Trusted,
            (Some(Verdict::Wrong { reason }), _) => doubted(reason),
            (None, _) if self.tries < MOST_TRIES => Standing::Untried,
            (None, Some(trouble)) => doubted(trouble),
            (None, None) => doubted("each time that it was tried, the process ended"),
        }
    }
}

/// How the card of this file stands; a file that is not there, or says nothing, is of one that was not tried.
pub(super) fn read(file: &Path) -> Standing {
    let text = fs::read(file).unwrap_or_default();
    parse(&text).standing()
}

fn parse(text: &[u8]) -> Record {
    serde_json::from_slice(text).unwrap_or_default()
}

/// How the card of this file stands, trying it if that is not known. Where nothing can be kept it is tried each time.
pub(super) fn settle(file: &Path, card: &str, attempt: impl Fn() -> Result<(), Doubt>) -> Standing {
    settle_kept(file, card, &attempt).unwrap_or_else(|error| {
        tracing::warn!(%error, file = %file.display(), "what a card's trial says is not kept");
        judge(attempt())
    })
}

fn settle_kept(
    file: &Path,
    card: &str,
    attempt: impl Fn() -> Result<(), Doubt>,
) -> io::Result<Standing> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    let mut kept = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)?;
    kept.lock()?;
    let mut text = Vec::new();
    kept.read_to_end(&mut text)?;
    let mut record = parse(&text);
    let known = record.standing();
    if known != Standing::Untried {
        return Ok(known);
    }
    card.clone_into(&mut record.card);
    record.tries += 1;
    record.trouble = None;
    write(&mut kept, &record)?;
    let found = attempt();
    match &found {
        Ok(()) => record.verdict = Some(Verdict::Right),
        Err(Doubt::Wrong(reason)) => {
            record.verdict = Some(Verdict::Wrong {
                reason: reason.clone(),
            });
        }
        // Another program has the card's memory, now.
        Err(Doubt::Failed(EngineError::DeviceMemory { .. })) => record.tries -= 1,
        Err(Doubt::Failed(error)) => record.trouble = Some(error.to_string()),
    }
    // A verdict that cannot be kept holds nevertheless.
    if let Err(error) = write(&mut kept, &record) {
        tracing::warn!(%error, file = %file.display(), "what a card's trial says is not kept");
    }
    Ok(judge(found))
}

fn write(file: &mut File, record: &Record) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    serde_json::to_writer_pretty(&mut *file, record)?;
    file.flush()?;
    file.sync_all()
}

/// What a try says by itself.
pub(super) fn judge(found: Result<(), Doubt>) -> Standing {
    match found {
        Ok(()) => Standing::Trusted,
        Err(Doubt::Wrong(reason)) => Standing::Doubted { reason },
        Err(Doubt::Failed(error)) => Standing::Doubted {
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::cell::Cell;
    use std::path::PathBuf;

    use super::*;

    /// A place for a record, and how often its card was tried.
    struct Bench {
        folder: tempfile::TempDir,
        tries: Cell<u32>,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
                tries: Cell::new(0),
            }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("not yet there/card.trial")
        }

        fn settle(&self, found: impl Fn() -> Result<(), Doubt>) -> Standing {
            settle(&self.file(), "a card", || {
                self.tries.set(self.tries.get() + 1);
                found()
            })
        }
    }

    fn fault() -> Doubt {
        Doubt::Failed(EngineError::Compute {
            reason: "an illegal address".into(),
        })
    }

    #[test]
    fn a_verdict_is_found_once() {
        let right = Bench::new();
        assert_eq!(read(&right.file()), Standing::Untried);
        for _ in 0..3 {
            assert_eq!(right.settle(|| Ok(())), Standing::Trusted);
            assert_eq!(read(&right.file()), Standing::Trusted);
        }
        assert_eq!(right.tries.get(), 1);

        let wrong = Bench::new();
        let doubted = Standing::Doubted {
            reason: "off".into(),
        };
        assert_eq!(wrong.settle(|| Err(Doubt::Wrong("off".into()))), doubted);
        assert_eq!(wrong.settle(|| Ok(())), doubted);
        assert_eq!(read(&wrong.file()), doubted);
        assert_eq!(wrong.tries.get(), 1);
    }

    #[test]
    fn a_fault_is_no_verdict_until_it_comes_again() {
        let bench = Bench::new();
        for tries in [1, 2, 2] {
            let Standing::Doubted { reason } = bench.settle(|| Err(fault())) else {
                panic!("{tries}")
            };
            assert!(reason.contains("an illegal address"), "{reason}");
            assert_eq!(bench.tries.get(), tries);
        }
        let passing = Bench::new();
        passing.settle(|| Err(fault()));
        assert_eq!(read(&passing.file()), Standing::Untried);
        assert_eq!(passing.settle(|| Ok(())), Standing::Trusted);
    }

    #[test]
    fn a_card_whose_memory_is_taken_is_tried_another_time() {
        let full = || {
            Err(Doubt::Failed(EngineError::DeviceMemory {
                what: "the network",
                needed: 2,
                free: 1,
            }))
        };
        let bench = Bench::new();
        for _ in 0..4 {
            assert!(matches!(bench.settle(full), Standing::Doubted { .. }));
        }
        assert_eq!(bench.tries.get(), 4);
        assert_eq!(bench.settle(|| Ok(())), Standing::Trusted);
    }

    /// A process that ends in a try leaves its count.
    #[test]
    fn a_card_that_ends_the_process_twice_is_not_tried_again() {
        let bench = Bench::new();
        for _ in 0..2 {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                bench.settle(|| panic!("the driver ends the process"))
            }));
            assert!(ended.is_err());
        }
        let Standing::Doubted { reason } = bench.settle(|| Ok(())) else {
            panic!("it is trusted")
        };
        assert!(reason.contains("the process ended"), "{reason}");
        assert_eq!(bench.tries.get(), 2);
    }

    #[test]
    fn a_file_that_says_nothing_is_as_good_as_none() {
        let bench = Bench::new();
        fs::create_dir_all(bench.file().parent().unwrap()).unwrap();
        fs::write(bench.file(), "{\"tries\": 1, \"verd").unwrap();
        assert_eq!(read(&bench.file()), Standing::Untried);
        assert_eq!(bench.settle(|| Ok(())), Standing::Trusted);
        assert_eq!(read(&bench.file()), Standing::Trusted);
    }

    #[test]
    fn where_nothing_can_be_kept_the_card_is_tried_each_time() {
        let bench = Bench::new();
        fs::write(bench.folder.path().join("not yet there"), "a file").unwrap();
        assert_eq!(bench.settle(|| Ok(())), Standing::Trusted);
        assert_eq!(bench.settle(|| Ok(())), Standing::Trusted);
        assert_eq!(bench.tries.get(), 2);
    }
}
