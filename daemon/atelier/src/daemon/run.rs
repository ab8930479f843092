//! Starting and stopping: recover, own the bus name, then take work; stop between two steps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use atelier_queue::intake::{Timing, WatchOptions};
use atelier_queue::retry::RetryPolicy;
use atelier_queue::{Filter, Home as Folders, Intake, Options, Queue, StateName};
use tokio::signal::unix::{SignalKind, signal};

use super::bell::Bell;
use super::live::Live;
use super::{Daemon, take, view, worker};
use crate::bus;
use crate::config::Config;
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::studio::Studio;

/// Between two tries to find a bus that went away.
const REJOIN: Duration = Duration::from_secs(5);

/// Runs the daemon until a signal ends it.
///
/// # Errors
///
/// When the home cannot be used, another daemon owns it, or the bus cannot be joined.
pub(crate) fn run(home: Home, config: Config, with_bus: bool) -> Result<(), Fault> {
    let daemon = Arc::new(Daemon::open(home, config)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|cause| Fault::fatal(Stage::Start, "internal", cause.to_string()))?;
    let workers = Workers::default();
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = serve(&daemon, &workers, with_bus) => ended,
            () = asked_to_stop() => Ok(()),
        }
    });
    tracing::info!("stopping");
    daemon.stop();
    runtime.spawn(async {
        asked_to_stop().await;
        std::process::exit(1);
    });
    workers.join();
    ended
}

/// Takes work once everything is ready; with a bus, joins it again whenever it goes away.
async fn serve(daemon: &Arc<Daemon>, workers: &Workers, with_bus: bool) -> Result<(), Fault> {
    if !with_bus {
        workers.start(daemon)?;
        tracing::info!(home = %daemon.home.root().display(), "ready, without a bus");
        return std::future::pending().await;
    }
    let mut started = Ok(());
    let joined = bus::serve(Arc::clone(daemon), || {
        started = workers.start(daemon);
        tracing::info!(home = %daemon.home.root().display(), bus = bus::NAME, "ready");
    })
    .await;
    started?;
    joined?;
    loop {
        tracing::warn!("the session bus went away; jobs go on without it");
        tokio::time::sleep(REJOIN).await;
        let again = bus::serve(Arc::clone(daemon), || {
            tracing::info!("back on the session bus")
        })
        .await;
        if let Err(fault) = again {
            tracing::debug!("{fault}");
        }
    }
}

async fn asked_to_stop() {
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
    }
}

/// The threads that take and do work.
#[derive(Default)]
struct Workers(Mutex<Vec<JoinHandle<()>>>);

impl Workers {
    fn start(&self, daemon: &Arc<Daemon>) -> Result<(), Fault> {
        let failed =
            |cause: std::io::Error| Fault::fatal(Stage::Start, "no-thread", cause.to_string());
        let options = WatchOptions {
            rescan: Duration::from_secs(u64::from(daemon.config.intake.scan_seconds.max(1))),
            timing: Timing::default(),
            ..WatchOptions::new(daemon.roots())
        };
        let (intake, offers) = Intake::start(options).map_err(failed)?;
        // A second start never happens: `serve` calls this once.
        let _ = daemon.intake.set(intake);
        let taker = Arc::clone(daemon);
        // It ends with the process: it sleeps in the intake's channel, and what it does is durable.
        std::thread::Builder::new()
            .name("accept".to_owned())
            .spawn(move || take::run(&taker, &offers))
            .map_err(failed)?;
        let warmer = Arc::clone(daemon);
        std::thread::Builder::new()
            .name("plugins".to_owned())
            .spawn(move || warmer.studio.plugins().warm())
            .map_err(failed)?;
        let worker = Arc::clone(daemon);
        let worker = std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || worker::run(&worker))
            .map_err(failed)?;
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(worker);
        Ok(())
    }

    fn join(&self) {
        for thread in self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            if thread.join().is_err() {
                tracing::error!("the worker ended by a panic");
            }
        }
    }
}

impl Daemon {
    /// Opens the home: keys, ledger, and what a crash left.
    fn open(home: Home, config: Config) -> Result<Self, Fault> {
        let refused = |e: &atelier_queue::QueueError| Fault::queue(Stage::Start, e);
        let mut studio = Studio::new(&home, &config)?;
        studio.render_apart();
        let identity = studio.identity()?;
        if identity.days_left() < 30 {
            tracing::warn!(
                days = identity.days_left(),
                "the signing certificate ends soon: `atelier keys rotate`"
            );
        }
        let options = Options {
            retry: RetryPolicy {
                failure_limit: config.queue.attempts,
                crash_limit: config.queue.crashes,
                ..RetryPolicy::default()
            },
            keep_free: config.queue.min_free.0,
            ..Options::default()
        };
        let (queue, report) =
            Queue::open(Folders::under(home.root()), options).map_err(|e| refused(&e))?;
        for (action, error) in &report.problems {
            tracing::error!(%action, code = error.code(), %error, "not recovered; the next start tries again");
        }
        let daemon = Self {
            live: Arc::new(Live::new()),
            bell: Bell::default(),
            cold: Mutex::new(config.device.warm.iter().rev().copied().collect()),
            intake: OnceLock::new(),
            at_hand: Mutex::default(),
            stopping: AtomicBool::new(false),
            home,
            config,
            studio,
            queue,
        };
        daemon
            .queue
            .home()
            .check_roots(&daemon.roots())
            .map_err(|e| refused(&e))?;
        let unfinished = Filter {
            states: vec![
                StateName::Queued,
                StateName::Preparing,
                StateName::Running,
                StateName::Signing,
            ],
            limit: u32::MAX,
            ..Filter::default()
        };
        for job in daemon.queue.list(&unfinished).map_err(|e| refused(&e))? {
            daemon
                .live
                .put(&job.id.to_string(), view::of(&job, &daemon.home.outbox()));
        }
        Ok(daemon)
    }

    /// Stops between two steps; the job at hand goes on at the next start.
    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        let at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cancelled)) = &*at_hand {
            cancelled.store(true, Ordering::Relaxed);
        }
        self.bell.ring();
    }
}
