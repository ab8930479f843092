//! Jobs in and out of their table. Each function is one statement; the caller owns the transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params, params_from_iter, types::Value};

use super::row::{self, COLUMNS, stored_name};
use super::{Filter, JobRow, Ledger, pieces};
use crate::job::{Life, State, StateName};
use crate::records::{self, ResultNotes};
use crate::schedule::Waiting;
use crate::spool::Filed;
use crate::{JobId, QueueError};

/// A job that is about to be accepted.
#[derive(Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) id: JobId,
    pub(crate) name: &'a str,
    pub(crate) manifest: &'a str,
    pub(crate) root: Option<&'a str>,
    pub(crate) spec: &'a str,
    pub(crate) priority: i32,
    pub(crate) paused: bool,
    pub(crate) accepted_ms: i64,
}

impl Ledger {
    /// Records a fresh, queued job.
    pub(crate) fn insert(db: &Connection, job: &NewRow<'_>) -> Result<(), QueueError> {
        db.execute(
            "INSERT INTO jobs (id, name, manifest, root, spec, priority, paused, state, accepted_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', ?8)",
            params![
                job.id.to_string(),
                job.name,
                job.manifest,
                job.root,
                job.spec,
                job.priority,
                job.paused,
                job.accepted_ms
            ],
        )?;
        Ok(())
    }

    /// One job with its inputs and outputs.
    pub(crate) fn find(db: &Connection, id: JobId) -> Result<Option<JobRow>, QueueError> {
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"))?
            .query_row([id.to_string()], |row| Ok(row::job(row)))
            .optional()?
            .transpose()?
            .map(|job| pieces::attach(db, job))
            .transpose()
    }

    /// Like [`Ledger::find`], for a job that must be there.
    pub(crate) fn get(db: &Connection, id: JobId) -> Result<JobRow, QueueError> {
        Self::find(db, id)?.ok_or(QueueError::UnknownJob(id))
    }

    /// Jobs by `filter`, newest first.
    pub(crate) fn list(db: &Connection, filter: &Filter) -> Result<Vec<JobRow>, QueueError> {
        let mut sql = format!("SELECT {COLUMNS} FROM jobs WHERE sequence < ?1");
        let mut values = vec![Value::from(filter.before.unwrap_or(i64::MAX))];
        if !filter.states.is_empty() {
            let mut stored: Vec<&str> = filter.states.iter().map(|name| name.as_str()).collect();
            if filter.states.contains(&StateName::Signing) {
                stored.push("delivering");
            }
            sql += &format!(" AND state IN ({})", vec!["?"; stored.len()].join(", "));
            values.extend(stored.into_iter().map(|name| Value::from(name.to_owned())));
        }
        sql += " ORDER BY sequence DESC LIMIT ?";
        values.push(Value::from(if filter.limit == 0 {
            -1
        } else {
            i64::from(filter.limit)
        }));
        collect(db, &sql, values)
    }

    /// Jobs that are not at rest: not ended, or ended and not filed, or filed twice.
    pub(crate) fn unsettled(db: &Connection) -> Result<Vec<JobRow>, QueueError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE filed IS NULL OR unfile IS NOT NULL ORDER BY sequence"
        );
        collect(db, &sql, Vec::new())
    }

    /// What the scheduler needs of the queued jobs.
    pub(crate) fn waiting(db: &Connection) -> Result<Vec<Waiting>, QueueError> {
        let mut statement = db.prepare_cached(
            "SELECT id, sequence, priority, paused, not_before_ms FROM jobs WHERE state = 'queued'",
        )?;
        let mut rows = statement.query([])?;
        let mut waiting = Vec::new();
        while let Some(row) = rows.next()? {
            waiting.push(row::waiting(row)?);
        }
        Ok(waiting)
    }

    /// How many jobs are in each state; states without jobs are left out.
    pub(crate) fn counts(db: &Connection) -> Result<BTreeMap<StateName, u64>, QueueError> {
        let mut statement = db.prepare_cached("SELECT state, count(*) FROM jobs GROUP BY state")?;
        let mut rows = statement.query([])?;
        let mut counts = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let stored: String = row.get(0)?;
            let count: i64 = row.get(1)?;
            let name = stored.parse().unwrap_or(StateName::Signing);
            *counts.entry(name).or_default() += u64::try_from(count).unwrap_or(0);
        }
        Ok(counts)
    }

    /// Stores what a transition decided.
    pub(crate) fn set_life(db: &Connection, id: JobId, life: &Life) -> Result<(), QueueError> {
        let (not_before, fault, ended) = match &life.state {
            State::Queued {
                not_before_ms,
                last_fault,
            } => (*not_before_ms, last_fault.as_deref(), None),
            State::Working { .. } => (None, None, None),
            State::Failed { at_ms, fault } => (None, Some(fault.as_ref()), Some(*at_ms)),
            State::Done { at_ms } | State::Cancelled { at_ms } => (None, None, Some(*at_ms)),
        };
        let fault = fault
            .map(|fault| records::to_json(fault, "fault of a job"))
            .transpose()?;
        db.execute(
            "UPDATE jobs SET state = ?2, attempts = ?3, crashes = ?4, failures = ?5,
                cancel_requested = ?6, not_before_ms = ?7, fault = ?8, ended_ms = ?9 WHERE id = ?1",
            params![
                id.to_string(),
                stored_name(&life.state),
                life.attempts,
                life.crashes,
                life.failures,
                life.cancel_requested,
                not_before,
                fault,
                ended
            ],
        )?;
        Ok(())
    }

    /// An attempt has begun.
    pub(crate) fn set_started(
        db: &Connection,
        id: JobId,
        at_ms: i64,
        instance: &str,
    ) -> Result<(), QueueError> {
        set(
            db,
            id,
            "started_ms = ?2, instance = ?3",
            &[&at_ms, &instance],
        )
    }

    /// What is known about the result before it is delivered.
    pub(crate) fn set_result(
        db: &Connection,
        id: JobId,
        notes: &ResultNotes,
    ) -> Result<(), QueueError> {
        set(
            db,
            id,
            "result = ?2",
            &[&records::to_json(notes, "result of a job")?],
        )
    }

    /// Where the files of an ended job were put.
    pub(crate) fn set_filed(db: &Connection, id: JobId, filed: &Filed) -> Result<(), QueueError> {
        set(db, id, "filed = ?2", &[&filed.to_string()])
    }

    /// The job runs again: its filed files are to be removed.
    pub(crate) fn set_unfile(db: &Connection, id: JobId, filed: &Filed) -> Result<(), QueueError> {
        set(
            db,
            id,
            "filed = NULL, result = NULL, unfile = ?2",
            &[&filed.to_string()],
        )
    }

    /// They are removed.
    pub(crate) fn clear_unfile(db: &Connection, id: JobId) -> Result<(), QueueError> {
        set(db, id, "unfile = NULL", &[])
    }

    pub(crate) fn set_priority(db: &Connection, id: JobId, to: i32) -> Result<(), QueueError> {
        set(db, id, "priority = ?2", &[&to])
    }

    pub(crate) fn set_job_paused(db: &Connection, id: JobId, to: bool) -> Result<(), QueueError> {
        set(db, id, "paused = ?2", &[&to])
    }
}

/// Changes one job; one that is not there is an error.
fn set(
    db: &Connection,
    id: JobId,
    assignments: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<(), QueueError> {
    let id_text = id.to_string();
    let values: Vec<&dyn rusqlite::ToSql> = std::iter::once(&id_text as &dyn rusqlite::ToSql)
        .chain(values.iter().copied())
        .collect();
    let changed = db.execute(
        &format!("UPDATE jobs SET {assignments} WHERE id = ?1"),
        values.as_slice(),
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(QueueError::UnknownJob(id))
    }
}

fn collect(db: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<JobRow>, QueueError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(pieces::attach(db, row::job(row)?)?);
    }
    Ok(jobs)
}
