//! Gathering the facts after a crash, and carrying out what was decided about them.

use std::collections::BTreeMap;

use super::{Action, EntryFacts, Facts, RecoveryReport, RowFacts, Side, plan};
use crate::job::Event;
use crate::ledger::{JobRow, Ledger};
use crate::records::ErrorFile;
use crate::spool::Entry;
use crate::{JobId, Queue, QueueError, durable};

impl Queue {
    /// Brings the ledger and the spool back together. What cannot be done for one job is reported and
    /// does not keep the others from it; only a ledger that fails stops the start.
    pub(crate) fn recover(&self) -> Result<RecoveryReport, QueueError> {
        let mut report = RecoveryReport::default();
        for action in plan(&self.facts()?, &self.options.retry) {
            match self.carry_out(action) {
                Ok(()) => {
                    tracing::info!(%action, "recovered");
                    report.actions.push(action);
                }
                Err(error @ QueueError::Ledger(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(%action, %error, "could not be recovered now");
                    report.problems.push((action, error));
                }
            }
        }
        Ok(report)
    }

    fn facts(&self) -> Result<BTreeMap<JobId, Facts>, QueueError> {
        let mut all: BTreeMap<JobId, Facts> = BTreeMap::new();
        let entries = self.spool.entries()?;
        for (id, entry) in entries.claiming {
            all.entry(id).or_default().claiming = Some(entry_facts(&entry));
        }
        for (id, entry) in entries.jobs {
            all.entry(id).or_default().job = Some(entry_facts(&entry));
        }
        self.ledger.read(|db| {
            for (&id, facts) in &mut all {
                facts.row = Ledger::find(db, id)?.as_ref().map(row_facts);
            }
            for job in Ledger::unsettled(db)? {
                all.entry(job.id).or_default().row = Some(row_facts(&job));
            }
            Ok(())
        })?;
        Ok(all)
    }

    fn carry_out(&self, action: Action) -> Result<(), QueueError> {
        let entry = |id, side| match side {
            Side::Claiming => self.spool.claiming(id),
            Side::Job => self.spool.job(id),
        };
        match action {
            Action::PutBack(id, side) => self.spool.put_back(&entry(id, side)),
            Action::Discard(id, side) => self.spool.remove(&entry(id, side)),
            Action::FinishRefusal(id, side) => {
                let entry = entry(id, side);
                self.spool.finish_filing(&entry)?;
                self.spool.remove(&entry)
            }
            Action::Unfile(id) => self.remove_earlier_end(id),
            Action::CountCrash(id) => self.transition(id, None, Event::Crash).map(drop),
            Action::GiveUpLost(id) => {
                let fault = ErrorFile {
                    hint: Some("submit the manifest again".into()),
                    ..ErrorFile::new(
                        "spool-entry-missing",
                        "recover",
                        "the job's folder in working/ is gone",
                    )
                };
                self.transition(
                    id,
                    None,
                    Event::Lose {
                        fault: Box::new(fault),
                    },
                )
                .map(drop)
            }
            Action::Deliver(id) => self.finish_delivery(id).map(drop),
            Action::File(id) => self.file_ended(id),
        }
    }
}

fn entry_facts(entry: &Entry) -> EntryFacts {
    EntryFacts {
        manifest: durable::exists(&entry.manifest()),
        filing: durable::exists(&entry.filing()),
        handed_in: entry.origin().is_ok_and(|origin| origin.handed_in),
    }
}

fn row_facts(job: &JobRow) -> RowFacts {
    RowFacts {
        life: job.life.clone(),
        filed: job.filed.is_some(),
        unfile: job.unfile.is_some(),
    }
}
