//! `atelier jobs`, `job`, `cancel`, `retry`, `pause`, `resume`: the queue. Looking reads the ledger
//! itself, daemon or not; changing something asks the daemon, the ledger's only writer.

use std::path::{Path, PathBuf};

use atelier_queue::{Filter, Home as Folders, JobId, JobRow, Reader, StateName};
use clap::Args;
use serde::Serialize;

use super::client::{self, Ask};
use super::{Place, output};
use crate::fault::{Fault, Stage};

/// Which jobs to list.
#[derive(Debug, Args)]
pub(super) struct JobsArgs {
    /// Only jobs in this state: queued, preparing, running, signing, done, failed, cancelled
    #[arg(long, value_parser = state)]
    state: Option<StateName>,
    /// At most so many, the newest first
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Which job to show.
#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// The job's id
    id: String,
}

/// A job to change.
#[derive(Debug, Args)]
pub(super) struct OneJob {
    /// The job's id
    id: String,
}

/// A job, or everything.
#[derive(Debug, Args)]
pub(super) struct SomeJob {
    /// The job's id [default: the whole queue]
    id: Option<String>,
}

fn state(text: &str) -> Result<StateName, String> {
    text.parse().map_err(|()| {
        let all: Vec<&str> = StateName::ALL.iter().map(|name| name.as_str()).collect();
        format!("a state is one of {}", all.join(", "))
    })
}

/// One job as `--json` prints it.
#[derive(Serialize)]
struct Row<'a> {
    id: String,
    name: &'a str,
    state: &'static str,
    progress: f64,
    priority: i32,
    paused: bool,
    attempt: u32,
    outputs: Vec<Delivered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a atelier_queue::ErrorFile>,
}

#[derive(Serialize)]
struct Delivered<'a> {
    path: PathBuf,
    sha256: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
}

impl<'a> Row<'a> {
    fn new(job: &'a JobRow, outbox: &Path) -> Self {
        let id = job.id.to_string();
        let progress = match job.state() {
            StateName::Done => 1.0,
            StateName::Preparing | StateName::Running | StateName::Signing => {
                client::progress(&id).unwrap_or(0.0)
            }
            _ => 0.0,
        };
        Self {
            id,
            name: &job.name,
            state: job.state().as_str(),
            progress,
            priority: job.priority,
            paused: job.paused,
            attempt: job.life.attempts,
            outputs: job
                .outputs
                .iter()
                .filter(|output| output.delivered)
                .filter_map(|output| {
                    let name = output.final_name.as_ref()?;
                    Some(Delivered {
                        path: outbox.join(name),
                        sha256: &output.sha256,
                        seed: output.seed,
                    })
                })
                .collect(),
            error: job.fault(),
        }
    }
}

fn reader(place: &Place) -> Result<(Reader, Folders), Fault> {
    let folders = Folders::under(place.home()?.root());
    let reader = Reader::open(&folders.ledger).map_err(|e| Fault::queue(Stage::Bus, &e))?;
    Ok((reader, folders))
}

pub(super) fn list(place: &Place, args: &JobsArgs) -> Result<(), Fault> {
    let (reader, folders) = reader(place)?;
    let filter = Filter {
        states: args.state.into_iter().collect(),
        limit: args.limit,
        ..Filter::default()
    };
    let jobs = reader
        .list(&filter)
        .map_err(|e| Fault::queue(Stage::Bus, &e))?;
    let rows: Vec<Row<'_>> = jobs
        .iter()
        .map(|job| Row::new(job, &folders.outbox))
        .collect();
    if place.json {
        output::json(&rows);
        return Ok(());
    }
    let mut table = vec![
        ["id", "state", "priority", "name", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    for row in &rows {
        let says = match (&row.error, row.outputs.as_slice()) {
            (Some(error), _) => error.message.clone(),
            (None, [output]) => output.path.display().to_string(),
            (None, [output, more @ ..]) => {
                format!("{} and {} more", output.path.display(), more.len())
            }
            (None, []) if row.paused => "held back".to_owned(),
            (None, []) => String::new(),
        };
        table.push(vec![
            row.id.clone(),
            row.state.to_owned(),
            row.priority.to_string(),
            row.name.to_owned(),
            says,
        ]);
    }
    output::table(&table);
    Ok(())
}

pub(super) fn show(place: &Place, args: &JobArgs) -> Result<(), Fault> {
    let id: JobId = args.id.parse().map_err(|e| Fault::queue(Stage::Bus, &e))?;
    let (reader, folders) = reader(place)?;
    let job = reader.get(id).map_err(|e| Fault::queue(Stage::Bus, &e))?;
    let row = Row::new(&job, &folders.outbox);
    if place.json {
        output::json(&row);
        return Ok(());
    }
    let mut table = vec![
        vec!["job".to_owned(), row.id.clone()],
        vec!["name".to_owned(), row.name.to_owned()],
        vec!["state".to_owned(), row.state.to_owned()],
        vec![
            "progress".to_owned(),
            format!("{:.0} %", row.progress * 100.0),
        ],
        vec!["priority".to_owned(), row.priority.to_string()],
        vec!["attempts".to_owned(), row.attempt.to_string()],
    ];
    for output in &row.outputs {
        table.push(vec![
            "picture".to_owned(),
            output.path.display().to_string(),
        ]);
    }
    if let Some(error) = row.error {
        table.push(vec![
            "error".to_owned(),
            format!("{} ({})", error.message, error.code),
        ]);
        table.extend(
            error
                .hint
                .iter()
                .map(|hint| vec!["hint".to_owned(), hint.clone()]),
        );
    }
    output::table(&table);
    Ok(())
}

pub(super) fn cancel(place: &Place, job: &OneJob) -> Result<(), Fault> {
    ask(place, &job.id, Ask::Cancel)
}

pub(super) fn retry(place: &Place, job: &OneJob) -> Result<(), Fault> {
    ask(place, &job.id, Ask::Retry)
}

pub(super) fn pause(place: &Place, job: &SomeJob) -> Result<(), Fault> {
    match &job.id {
        Some(id) => ask(place, id, Ask::Hold),
        None => client::pause(true),
    }
}

pub(super) fn resume(place: &Place, job: &SomeJob) -> Result<(), Fault> {
    match &job.id {
        Some(id) => ask(place, id, Ask::Release),
        None => client::pause(false),
    }
}

fn ask(place: &Place, id: &str, what: Ask) -> Result<(), Fault> {
    let id: JobId = id.parse().map_err(|e| Fault::queue(Stage::Bus, &e))?;
    client::ask(&id.to_string(), what)?;
    if place.json {
        output::json(&serde_json::json!({ "job": id.to_string() }));
    }
    Ok(())
}
