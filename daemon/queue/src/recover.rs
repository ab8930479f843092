//! After a crash: what does each job need? Pure: facts from the ledger and the spool go in, actions
//! come out. The actions are carried out by `execute`.
//!
//! Two truths meet here. The ledger says what was promised, the spool says how far the moving of files
//! came, and every step of the queue is ordered so that the two can differ in only one way each. The
//! actions are such that a crash in the middle of them, or doing them again, changes nothing.

mod execute;

use std::collections::BTreeMap;
use std::fmt;

use crate::job::{Event, Life, Stage, State};
use crate::retry::RetryPolicy;
use crate::{JobId, QueueError};

/// What the ledger knows of a job, as far as recovery is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowFacts {
    pub(crate) life: Life,
    /// Its files were put in `done/`, `failed/` or `cancelled/`.
    pub(crate) filed: bool,
    /// It runs again, and files of its earlier end are still to be removed.
    pub(crate) unfile: bool,
}

/// What lies in one spool entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryFacts {
    pub(crate) manifest: bool,
    /// The name under which the manifest is being filed was chosen.
    pub(crate) filing: bool,
    /// The manifest was handed in, not moved in.
    pub(crate) handed_in: bool,
}

/// Everything that is known about one id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) row: Option<RowFacts>,
    pub(crate) claiming: Option<EntryFacts>,
    pub(crate) job: Option<EntryFacts>,
}

/// Which of the two entries that an id can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `working/tmp-ID`.
    Claiming,
    /// `working/ID`.
    Job,
}

/// One thing that a start does for one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A claim that never became a job goes back to its folder.
    PutBack(JobId, Side),
    /// A manifest that was being refused goes to `failed/`.
    FinishRefusal(JobId, Side),
    /// An entry without anything of value is removed.
    Discard(JobId, Side),
    /// Files of an earlier end of a job that runs again are removed.
    Unfile(JobId),
    /// The daemon died while it worked on the job: that is counted, and the job runs again or is
    /// given up.
    CountCrash(JobId),
    /// The job's folder is gone: it has failed.
    GiveUpLost(JobId),
    /// All outputs are staged: they are delivered, not made again.
    Deliver(JobId),
    /// The job has ended: its manifest goes where the user sees it.
    File(JobId),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PutBack(id, _) => write!(f, "{id}: claimed but not accepted, put back"),
            Self::FinishRefusal(id, _) => write!(f, "{id}: refusal finished"),
            Self::Discard(id, _) => write!(f, "{id}: leftovers removed"),
            Self::Unfile(id) => write!(f, "{id}: files of its earlier end removed"),
            Self::CountCrash(id) => write!(f, "{id}: was being worked on when the daemon died"),
            Self::GiveUpLost(id) => write!(f, "{id}: its folder is gone, given up"),
            Self::Deliver(id) => write!(f, "{id}: outputs delivered"),
            Self::File(id) => write!(f, "{id}: ended, manifest filed"),
        }
    }
}

/// What a start found and did.
#[derive(Debug, Default)]
pub struct RecoveryReport {
    /// What was done, in order.
    pub actions: Vec<Action>,
    /// What could not be done now; the next start tries again.
    pub problems: Vec<(Action, QueueError)>,
}

/// The decision table. `policy` decides whether a crash was one too many.
pub(crate) fn plan(facts: &BTreeMap<JobId, Facts>, policy: &RetryPolicy) -> Vec<Action> {
    let mut actions = Vec::new();
    for (&id, facts) in facts {
        match &facts.row {
            None => {
                for (side, entry) in [(Side::Claiming, facts.claiming), (Side::Job, facts.job)] {
                    actions.extend(entry.map(|entry| without_row(id, side, entry)));
                }
            }
            Some(row) => with_row(id, row, facts, policy, &mut actions),
        }
    }
    actions
}

/// No row: nothing was promised to anyone.
fn without_row(id: JobId, side: Side, entry: EntryFacts) -> Action {
    if entry.filing {
        Action::FinishRefusal(id, side)
    } else if entry.manifest && !entry.handed_in {
        Action::PutBack(id, side)
    } else {
        Action::Discard(id, side)
    }
}

fn with_row(
    id: JobId,
    row: &RowFacts,
    facts: &Facts,
    policy: &RetryPolicy,
    actions: &mut Vec<Action>,
) {
    // With a row, a claim's entry can only be the copy for a retry that was not committed.
    if facts.claiming.is_some() {
        actions.push(Action::Discard(id, Side::Claiming));
    }
    if row.unfile {
        actions.push(Action::Unfile(id));
    }
    match &row.life.state {
        state if state.is_terminal() => {
            if !row.filed {
                actions.push(Action::File(id));
            } else if facts.job.is_some() {
                actions.push(Action::Discard(id, Side::Job));
            }
        }
        State::Working {
            stage: Stage::Delivering,
        } => {
            actions.extend([Action::Deliver(id), Action::File(id)]);
        }
        state => {
            let (action, event) = match (state, facts.job) {
                (State::Queued { .. }, Some(_)) => return,
                (_, Some(_)) => (Action::CountCrash(id), Event::Crash),
                (_, None) => (
                    Action::GiveUpLost(id),
                    Event::Lose {
                        fault: Box::default(),
                    },
                ),
            };
            actions.push(action);
            // The time and the jitter do not decide whether it is over.
            if row
                .life
                .after(event, policy, 0, 0)
                .is_ok_and(|life| life.state.is_terminal())
            {
                actions.push(Action::File(id));
            }
        }
    }
}

#[cfg(test)]
mod tests;
