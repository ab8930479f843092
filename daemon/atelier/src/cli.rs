//! The command line: what each verb takes, and which module does it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod bench;
mod check;
mod client;
mod daemon;
mod doctor;
mod generate;
mod jobs;
mod keys;
mod model;
mod output;
mod plugin;
mod progress;
mod references;
mod submit;
mod verify;

use crate::config::Config;
use crate::fault::Fault;
use crate::home::Home;
pub(crate) use output::fail;

/// Makes pictures with FLUX.2 on your own card; every picture is signed.
#[derive(Debug, Parser)]
#[command(
    name = "atelier",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Where this Atelier lives, and how it answers; the same for every verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// Folder with config, inbox, outbox and keys [default: $ATELIER_HOME, else the XDG folders]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Settings to use instead of the home's config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Place {
    fn home(&self) -> Result<Home, Fault> {
        Home::locate(self.home.as_deref())
    }

    fn open(&self) -> Result<(Home, Config), Fault> {
        let home = self.home()?;
        let config = Config::load(&home, self.config.as_deref())?;
        Ok((home, config))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the inbox and make what its manifests ask for
    Daemon(daemon::DaemonArgs),
    /// Make one picture, without a daemon
    Generate(Box<generate::GenerateArgs>),
    /// Validate a manifest and say what it would make
    Check(check::CheckArgs),
    /// Hand a manifest to the daemon
    Submit(submit::SubmitArgs),
    /// List the jobs
    Jobs(jobs::JobsArgs),
    /// Show one job
    Job(jobs::JobArgs),
    /// Stop a job
    Cancel(jobs::OneJob),
    /// Queue a failed or cancelled job again
    Retry(jobs::OneJob),
    /// Start nothing new, or hold one job back
    Pause(jobs::SomeJob),
    /// Go on after a pause
    Resume(jobs::SomeJob),
    /// Say what a picture's provenance claims, and whether it holds
    Verify(verify::VerifyArgs),
    /// How fast this machine is at FLUX.2, without a model
    Bench(bench::BenchArgs),
    /// The local signing identity
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Models: what there is, and what a folder holds
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Plugins: what is installed, and trying one
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// What works here, what does not, and what to do
    Doctor,
    /// Compute for the daemon that started this
    #[command(hide = true)]
    Renderer,
}

impl Cli {
    /// Runs the verb.
    ///
    /// # Errors
    ///
    /// Whatever stopped it; its exit status is the contract's.
    pub(crate) fn run(self) -> Result<(), Fault> {
        let place = self.place;
        match self.command {
            Command::Daemon(args) => daemon::run(&place, args),
            Command::Generate(args) => generate::run(&place, *args),
            Command::Check(args) => check::run(&place, &args),
            Command::Submit(args) => submit::run(&place, &args),
            Command::Jobs(args) => jobs::list(&place, &args),
            Command::Job(args) => jobs::show(&place, &args),
            Command::Cancel(job) => jobs::cancel(&place, &job),
            Command::Retry(job) => jobs::retry(&place, &job),
            Command::Pause(job) => jobs::pause(&place, &job),
            Command::Resume(job) => jobs::resume(&place, &job),
            Command::Bench(args) => bench::run(&place, &args),
            Command::Verify(args) => verify::run(&place, &args),
            Command::Keys(command) => keys::run(&place, &command),
            Command::Model(command) => model::run(&place, &command),
            Command::Plugin(command) => plugin::run(&place, command),
            Command::Doctor => doctor::run(&place),
            Command::Renderer => crate::renderer::serve(),
        }
    }
}
