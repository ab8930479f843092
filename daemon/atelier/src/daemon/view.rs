//! A job of the ledger as the outside sees it.

use std::path::Path;

use atelier_queue::{JobRow, StateName};

use super::live::{Phase, View};

/// The view of a job that nobody works on at the moment.
pub(super) fn of(job: &JobRow, outbox: &Path) -> View {
    let state = match job.state() {
        StateName::Queued => Phase::Queued,
        StateName::Preparing => Phase::Preparing,
        StateName::Running => Phase::Running,
        StateName::Signing => Phase::Signing,
        StateName::Done => Phase::Done,
        StateName::Failed => Phase::Failed,
        StateName::Cancelled => Phase::Cancelled,
    };
    let fault = job.fault();
    View {
        name: job.name.clone(),
        state,
        stage: state.name(),
        progress: if state == Phase::Done { 1.0 } else { 0.0 },
        step: 0,
        steps: 0,
        attempt: job.life.attempts,
        priority: job.priority,
        error_code: fault.map(|fault| fault.code.clone()).unwrap_or_default(),
        error_message: fault.map(|fault| fault.message.clone()).unwrap_or_default(),
        outputs: job
            .outputs
            .iter()
            .filter(|output| output.delivered)
            .filter_map(|output| {
                Some(
                    outbox
                        .join(output.final_name.as_ref()?)
                        .display()
                        .to_string(),
                )
            })
            .collect(),
    }
}
