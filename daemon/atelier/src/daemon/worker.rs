//! One job at a time, from its turn to the outbox. An attempt is in the ledger before it begins,
//! so whatever the job does to this process is counted against it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atelier_manifest::{Job, Seeds};
use atelier_queue::{
    Attempt, Delivery, FailOutcome, JobRow, LoraEntry, Output, QueueError, ResultNotes, Stage as At,
};

use super::Daemon;
use super::watch::JobWatch;
use crate::fault::{Class, Fault, Stage};
use crate::studio::{Signed, Timings, UsedLora};

/// The longest that the worker sleeps: it then tidies up what a full disk left undone.
const NAP: Duration = Duration::from_secs(30);
/// After an error of the queue itself.
const BREATHER: Duration = Duration::from_secs(5);

/// Works until the daemon stops.
pub(super) fn run(daemon: &Arc<Daemon>) {
    while !daemon.is_stopping() {
        match daemon.queue.next() {
            Ok(Some(job)) => daemon.attempt(&job),
            Ok(None) if daemon.warm_one() => {}
            Ok(None) => daemon.rest(),
            Err(error) => {
                tracing::error!(code = error.code(), %error, "the queue cannot be read");
                daemon.bell.wait(BREATHER);
            }
        }
    }
}

impl Daemon {
    /// Makes ready for one of the sizes that are waiting for an idle moment; whether there was one.
    fn warm_one(&self) -> bool {
        let mut cold = self.cold.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(size) = cold.pop() else {
            return false;
        };
        let wanted = || self.is_stopping() || !matches!(self.queue.next(), Ok(None));
        match self.studio.warm(size, &wanted) {
            Ok(()) => tracing::info!(%size, "warm"),
            // At the next idle moment then.
            Err(fault) if fault.class == Class::Cancelled => cold.push(size),
            Err(fault) => {
                tracing::warn!(%size, code = %fault.code, "not made ready: {}", fault.message);
                cold.clear();
            }
        }
        true
    }

    fn rest(&self) {
        match self.queue.tidy() {
            Ok(left) => left.iter().for_each(|(job, error)| {
                tracing::warn!(%job, code = error.code(), %error, "still not at rest");
            }),
            Err(error) => {
                tracing::error!(code = error.code(), %error, "the queue cannot be tidied")
            }
        }
        self.reflect_tidied();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        let due = self
            .queue
            .next_due_ms()
            .ok()
            .flatten()
            .and_then(|due| u128::try_from(due).ok());
        let nap = due
            .and_then(|due| u64::try_from(due.saturating_sub(now)).ok())
            .map_or(NAP, |wait| Duration::from_millis(wait).min(NAP));
        self.bell.wait(nap);
    }

    /// Nothing is worked on now, so what still looks so outside was put off, and may have ended by
    /// tidying.
    fn reflect_tidied(&self) {
        for id in self.live.busy() {
            if let Err(fault) = super::parse(&id).and_then(|id| self.reflect(id)) {
                tracing::error!(job = %id, "{fault}");
            }
        }
    }

    fn attempt(&self, job: &JobRow) {
        let cancelled = Arc::new(AtomicBool::new(self.is_stopping()));
        // Before the attempt begins, so that no cancel can fall between.
        self.set_at_hand(Some((job.id, Arc::clone(&cancelled))));
        match self.queue.begin_attempt(job.id) {
            Ok(attempt) => {
                self.work_on(&attempt, &cancelled);
                if let Err(fault) = self.reflect(job.id) {
                    tracing::error!(job = %job.id, "{fault}");
                }
            }
            // Cancelled between its turn and now.
            Err(QueueError::IllegalTransition { .. }) => {}
            Err(error) => {
                tracing::warn!(job = %job.id, code = error.code(), %error, "not begun now");
                self.bell.wait(BREATHER);
            }
        }
        self.set_at_hand(None);
    }

    fn set_at_hand(&self, job: Option<(atelier_queue::JobId, Arc<AtomicBool>)>) {
        *self.at_hand.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    fn work_on(&self, attempt: &Attempt, cancelled: &Arc<AtomicBool>) {
        let id = attempt.id();
        tracing::info!(job = %id, name = %attempt.job.name, attempt = attempt.number, "begun");
        self.live
            .update(&id.to_string(), |view| view.attempt = attempt.number);
        let done = catch_unwind(AssertUnwindSafe(|| self.produce(attempt, cancelled)))
            .unwrap_or_else(|_| {
                // Whatever was in memory is not to be trusted any more.
                self.studio.unload();
                Err(Fault::fatal(
                    Stage::Infer,
                    "internal-panic",
                    "the job made the daemon panic; its log says where",
                )
                .hint("please report this with the manifest"))
            });
        let settled = match done {
            Ok(delivery) => self.queue.complete(delivery).map(|row| {
                tracing::info!(job = %id, name = %row.name, "done");
            }),
            Err(fault) if fault.class == Class::Cancelled => self.give_up(attempt),
            Err(fault) => self.fail(attempt, &fault),
        };
        if let Err(error) = settled {
            tracing::error!(job = %id, code = error.code(), %error, "its end could not be recorded now");
        }
    }

    /// The attempt was called off: by the user, or because the daemon stops.
    fn give_up(&self, attempt: &Attempt) -> Result<(), QueueError> {
        if self.queue.is_cancel_requested(attempt)? {
            tracing::info!(job = %attempt.id(), "cancelled");
            self.queue.stopped(attempt)
        } else {
            tracing::info!(job = %attempt.id(), "goes on at the next start");
            self.queue.interrupt(attempt)
        }
    }

    fn fail(&self, attempt: &Attempt, fault: &Fault) -> Result<(), QueueError> {
        let id = attempt.id();
        let outcome = match self
            .queue
            .fail(attempt, fault.to_error_file(), fault.is_transient())
        {
            Ok(outcome) => outcome,
            // Its pictures are made and promised: it can only be delivered, by `rest` or the next start.
            Err(QueueError::IllegalTransition { .. }) => {
                tracing::error!(job = %id, code = %fault.code, "delivery is tried again: {}", fault.message);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let again = matches!(outcome, FailOutcome::Again { .. });
        tracing::error!(job = %id, code = %fault.code, again, "failed: {}", fault.message);
        Ok(())
    }

    /// Prepare, infer, encode, sign, stage, deliver.
    fn produce(&self, attempt: &Attempt, cancelled: &Arc<AtomicBool>) -> Result<Delivery, Fault> {
        let start = Instant::now();
        let row = &attempt.job;
        let at = |stage| {
            self.queue
                .set_stage(attempt, stage)
                .map_err(|e| Fault::queue(Stage::Infer, &e))
        };
        let job = Job::from_json(&row.spec)
            .map_err(|e| Fault::fatal(Stage::Prepare, e.code(), e.to_string()))?;
        let seeds = match &job.seeds {
            Seeds::Fixed(seeds) => seeds.clone(),
            Seeds::Drawn { .. } => {
                return Err(Fault::fatal(
                    Stage::Prepare,
                    "job-malformed",
                    "the job's seeds were not settled",
                ));
            }
        };
        let mut watch = JobWatch::new(
            &row.id.to_string(),
            Arc::clone(&self.live),
            Arc::clone(cancelled),
            seeds.len(),
        );
        let prepared = self.studio.prepare(&job, &self.inputs(row), &mut watch)?;
        self.same_inputs(row, &prepared.facts)?;
        let stem = job.stem.clone().unwrap_or_else(|| row.name.clone());
        let names = job.outputs(&stem);
        let mut timings = Timings {
            prepare: prepared.seconds,
            ..Timings::default()
        };
        let mut told = Told::default();
        for (index, (&seed, name)) in seeds.iter().zip(&names).enumerate() {
            at(At::Running)?;
            watch.picture(index);
            let signed = self.studio.make(&job, &prepared, seed, &mut watch)?;
            timings.add(&signed.timings);
            told.hear(&signed);
            at(At::Signing)?;
            let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
            let output = Output {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                bytes: &signed.bytes,
                stem,
                extension,
                seed: i64::try_from(seed).ok(),
                width: Some(job.width),
                height: Some(job.height),
            };
            self.queue
                .stage_output(attempt, &output)
                .map_err(|e| Fault::queue(Stage::Deliver, &e))?;
        }
        if cancelled.load(Ordering::Relaxed) {
            return Err(Fault::cancelled(Stage::Deliver));
        }
        let notes = ResultNotes {
            warnings: told.warnings,
            lora: told.lora,
            ..notes(row, &job, &seeds, &timings, start.elapsed())
        };
        self.queue
            .deliver(attempt, &notes)
            .map_err(|e| Fault::queue(Stage::Deliver, &e))
    }

    fn inputs(&self, row: &JobRow) -> Vec<PathBuf> {
        let folder = self.queue.inputs_dir(row.id);
        row.inputs
            .iter()
            .map(|input| folder.join(&input.file))
            .collect()
    }

    /// What was used must be what was accepted.
    fn same_inputs(
        &self,
        row: &JobRow,
        used: &[atelier_provenance::ReferenceFacts],
    ) -> Result<(), Fault> {
        match row
            .inputs
            .iter()
            .zip(used)
            .find(|(input, used)| input.sha256 != used.sha256)
        {
            None => Ok(()),
            Some((input, _)) => Err(Fault::fatal(
                Stage::Prepare,
                "input-changed",
                format!(
                    "{} is not the file that was accepted with the job",
                    input.name
                ),
            )),
        }
    }
}

/// What the pictures of a job have in common beyond what the job says.
#[derive(Default)]
struct Told {
    warnings: Vec<String>,
    lora: Vec<LoraEntry>,
}

impl Told {
    /// Every picture warns of the same things; they are told once.
    fn hear(&mut self, signed: &Signed) {
        for warning in &signed.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
        let entry = |lora: &UsedLora| LoraEntry {
            path: lora.path.display().to_string(),
            sha256: lora.sha256.clone(),
            scale: lora.scale,
        };
        self.lora = signed.loras.iter().map(entry).collect();
    }
}

/// What the result file says beside the outputs.
fn notes(
    row: &JobRow,
    job: &Job,
    seeds: &[u64],
    timings: &Timings,
    worked: Duration,
) -> ResultNotes {
    let queued = row
        .started_ms
        .map_or(0.0, |started| seconds(started - row.accepted_ms));
    ResultNotes {
        model: job.model.name.clone(),
        seeds: seeds
            .iter()
            .filter_map(|&seed| i64::try_from(seed).ok())
            .collect(),
        timings: BTreeMap::from(
            [
                ("queued", queued),
                ("prepare", timings.prepare),
                ("load", timings.load),
                ("infer", timings.infer),
                ("encode", timings.encode),
                ("sign", timings.sign),
                ("total", queued + worked.as_secs_f64()),
            ]
            .map(|(name, seconds)| (name.to_owned(), (seconds * 1e4).round() / 1e4)),
        ),
        ..ResultNotes::default()
    }
}

/// Milliseconds of a wall clock as seconds; a clock that stepped back gives 0.
fn seconds(ms: i64) -> f64 {
    u32::try_from(ms).map_or(0.0, |ms| f64::from(ms) / 1000.0)
}
