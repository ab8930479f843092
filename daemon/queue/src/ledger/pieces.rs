//! A job's inputs and outputs, and the few settings that outlive the daemon.

use rusqlite::{Connection, OptionalExtension, params};

use super::{InputRow, JobRow, Ledger, OutputRow};
use crate::{JobId, QueueError};

const PAUSED: &str = "paused";

impl Ledger {
    pub(crate) fn insert_inputs(
        db: &Connection,
        job: JobId,
        inputs: &[InputRow],
    ) -> Result<(), QueueError> {
        let mut statement =
            db.prepare_cached("INSERT INTO inputs VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for input in inputs {
            statement.execute(params![
                job.to_string(),
                input.number,
                input.name,
                input.file,
                input.sha256,
                input.bytes
            ])?;
        }
        Ok(())
    }

    /// Records a staged output, in place of an earlier one with its number.
    pub(crate) fn put_output(
        db: &Connection,
        job: JobId,
        output: &OutputRow,
    ) -> Result<(), QueueError> {
        db.prepare_cached(
            "INSERT OR REPLACE INTO outputs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            job.to_string(),
            output.index,
            output.staged,
            output.wanted,
            output.sha256,
            output.bytes,
            output.seed,
            output.width,
            output.height,
            output.final_name,
            output.delivered
        ])?;
        Ok(())
    }

    pub(crate) fn clear_outputs(db: &Connection, job: JobId) -> Result<(), QueueError> {
        db.execute("DELETE FROM outputs WHERE job = ?1", [job.to_string()])?;
        Ok(())
    }

    /// The name that an output will have in the outbox, before it has it.
    pub(crate) fn set_final(
        db: &Connection,
        job: JobId,
        index: u32,
        name: &str,
    ) -> Result<(), QueueError> {
        db.execute(
            "UPDATE outputs SET final = ?3 WHERE job = ?1 AND number = ?2",
            params![job.to_string(), index, name],
        )?;
        Ok(())
    }

    pub(crate) fn set_all_delivered(db: &Connection, job: JobId) -> Result<(), QueueError> {
        db.execute(
            "UPDATE outputs SET delivered = 1 WHERE job = ?1",
            [job.to_string()],
        )?;
        Ok(())
    }

    /// Whether the user holds the whole queue back.
    pub(crate) fn is_paused(db: &Connection) -> Result<bool, QueueError> {
        let value: Option<String> = db
            .query_row(
                "SELECT value FROM settings WHERE key = ?1",
                [PAUSED],
                |row| row.get(0),
            )
            .optional()?;
        Ok(value.as_deref() == Some("yes"))
    }

    pub(crate) fn set_paused(db: &Connection, to: bool) -> Result<(), QueueError> {
        let value = if to { "yes" } else { "no" };
        db.execute(
            "INSERT OR REPLACE INTO settings VALUES (?1, ?2)",
            [PAUSED, value],
        )?;
        Ok(())
    }
}

/// The job with its inputs and outputs.
pub(super) fn attach(db: &Connection, mut job: JobRow) -> Result<JobRow, QueueError> {
    let id = job.id.to_string();
    job.inputs = db
        .prepare_cached(
            "SELECT number, name, file, sha256, bytes FROM inputs WHERE job = ?1 ORDER BY number",
        )?
        .query_map([&id], |row| {
            Ok(InputRow {
                number: row.get(0)?,
                name: row.get(1)?,
                file: row.get(2)?,
                sha256: row.get(3)?,
                bytes: row.get(4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    job.outputs = db
        .prepare_cached(
            "SELECT number, staged, wanted, sha256, bytes, seed, width, height, final, delivered
             FROM outputs WHERE job = ?1 ORDER BY number",
        )?
        .query_map([&id], |row| {
            Ok(OutputRow {
                index: row.get(0)?,
                staged: row.get(1)?,
                wanted: row.get(2)?,
                sha256: row.get(3)?,
                bytes: row.get(4)?,
                seed: row.get(5)?,
                width: row.get(6)?,
                height: row.get(7)?,
                final_name: row.get(8)?,
                delivered: row.get(9)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(job)
}
