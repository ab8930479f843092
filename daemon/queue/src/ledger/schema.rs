//! The tables, and how an older ledger becomes a newer one.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::QueueError;

/// "Atel": marks the file as a ledger of this program.
const APPLICATION_ID: i64 = 0x4174_656c;

/// The steps from an empty file to the current version; step n leads to version n + 1. A step that was
/// released is never changed.
const MIGRATIONS: [&str; 1] = [
    // `sequence` is the order of acceptance. Times are milliseconds since 1970. `filed` says where an
    // ended job's files were put, `unfile` which filed files a retried job has yet to remove.
    "CREATE TABLE jobs (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE CHECK (length(id) = 26),
        name TEXT NOT NULL,
        manifest TEXT NOT NULL,
        root TEXT,
        spec TEXT NOT NULL,
        priority INTEGER NOT NULL CHECK (priority BETWEEN -10 AND 10),
        paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
        state TEXT NOT NULL CHECK (state IN ('queued', 'preparing', 'running', 'signing',
            'delivering', 'done', 'failed', 'cancelled')),
        attempts INTEGER NOT NULL DEFAULT 0,
        crashes INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
        not_before_ms INTEGER,
        fault TEXT,
        result TEXT,
        accepted_ms INTEGER NOT NULL,
        started_ms INTEGER,
        ended_ms INTEGER,
        instance TEXT,
        filed TEXT,
        unfile TEXT,
        CHECK ((ended_ms IS NOT NULL) = (state IN ('done', 'failed', 'cancelled'))),
        CHECK (state <> 'failed' OR fault IS NOT NULL)
    ) STRICT;
    CREATE INDEX jobs_by_state ON jobs (state, sequence);
    CREATE INDEX jobs_unsettled ON jobs (sequence) WHERE filed IS NULL OR unfile IS NOT NULL;
    CREATE TABLE inputs (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        file TEXT NOT NULL,
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        bytes INTEGER NOT NULL,
        PRIMARY KEY (job, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outputs (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        staged TEXT NOT NULL,
        wanted TEXT NOT NULL,
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        bytes INTEGER NOT NULL,
        seed INTEGER,
        width INTEGER,
        height INTEGER,
        final TEXT,
        delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1)),
        PRIMARY KEY (job, number),
        CHECK (delivered = 0 OR final IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;",
];

/// The version that this program writes.
pub(super) const CURRENT: i64 = MIGRATIONS.len() as i64;

/// Passes for an empty file and for a sound ledger of a known version; changes nothing.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), QueueError> {
    named(path, || {
        let version = number(connection, "user_version")?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 && version == 0 {
            return Ok(());
        }
        check_version(connection, path)?;
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict == "ok" {
            Ok(())
        } else {
            Err(QueueError::LedgerCorrupt {
                path: path.to_owned(),
                detail: verdict,
            })
        }
    })
}

/// Passes for a ledger that this program can read, without looking at all of it.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), QueueError> {
    named(path, || {
        if number(connection, "application_id")? != APPLICATION_ID {
            return Err(QueueError::LedgerForeign(path.to_owned()));
        }
        let found = number(connection, "user_version")?;
        if found > CURRENT {
            return Err(QueueError::LedgerNewer {
                path: path.to_owned(),
                found,
                known: CURRENT,
            });
        }
        Ok(())
    })
}

/// SQLite's word for damage becomes an error that names the file.
fn named(path: &Path, check: impl FnOnce() -> Result<(), QueueError>) -> Result<(), QueueError> {
    check().map_err(|error| match error {
        QueueError::Ledger(inner) if is_damage(&inner) => QueueError::LedgerCorrupt {
            path: path.to_owned(),
            detail: inner.to_string(),
        },
        other => other,
    })
}

/// Takes the missing steps, all of them or none.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), QueueError> {
    let version = number(connection, "user_version")?;
    let done = usize::try_from(version).unwrap_or(0);
    if done >= MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", CURRENT)?;
    transaction.commit()?;
    Ok(())
}

fn number(connection: &Connection, pragma: &str) -> Result<i64, QueueError> {
    Ok(connection.pragma_query_value(None, pragma, |row| row.get(0))?)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}
