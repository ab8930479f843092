//! `atelier`: arguments to an exit status, and the map of the program.
//!
//! A job flows one way, and the modules stand in that order:
//!
//! ```text
//! manifest ─ check ─ claim ─ prepare ─ infer ─ encode ─ sign ─ deliver ─ notify
//!    └── daemon::accept ──┘ └────────── studio ───────────┘ └─ daemon::worker, bus
//! ```
//!
//! [`studio`] makes pictures and knows nothing of queues; [`renderer`] computes them, for a daemon in a
//! process of its own; [`daemon`] keeps the queue and knows nothing of models; [`cli`] and [`bus`] are the two
//! ways in.

mod bus;
mod cli;
mod config;
mod daemon;
mod encode;
mod fault;
mod home;
mod renderer;
mod studio;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("ATELIER_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,atelier=info")),
        )
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    let json = cli.place.json;
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            cli::fail(&fault, json);
            ExitCode::from(fault.exit_status())
        }
    }
}
