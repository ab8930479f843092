//! The daemon as a child process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bus::Bus;
use crate::home::Home;
use crate::program::{Run, command, isolate, program, run};
use crate::wait::{PATIENCE, wait_for};

/// A running daemon on a private bus. Killed when the value goes, so that a failing test leaves
/// nothing behind.
#[derive(Debug)]
pub struct Daemon<'h> {
    child: Child,
    home: &'h Home,
    bus: Bus,
    log: PathBuf,
}

impl<'h> Daemon<'h> {
    /// Starts the daemon of a home and waits until it takes jobs.
    ///
    /// # Panics
    ///
    /// When it ends before it is ready, or does not become ready, with its log.
    #[must_use]
    pub fn start(home: &'h Home) -> Self {
        let mut daemon = Self::spawn(home, Command::new(program()));
        daemon.wait_until_ready();
        daemon
    }

    /// Starts the daemon at the end of another command line (a tracer's) and waits for nothing.
    #[must_use]
    pub fn start_under(home: &'h Home, mut tracer: Command) -> Self {
        tracer.arg(program());
        Self::spawn(home, tracer)
    }

    fn spawn(home: &'h Home, mut command: Command) -> Self {
        let bus = Bus::start();
        let log = home.next_log();
        isolate(&mut command, home.path(), bus.address());
        let output = File::create(&log).expect("a log can be made");
        let child = command
            .arg("daemon")
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|cause| panic!("{command:?}: {cause}"));
        Self {
            child,
            home,
            bus,
            log,
        }
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                panic!(
                    "the daemon ended ({status}) before it was ready:\n{}",
                    self.log()
                );
            }
            assert!(
                Instant::now() < deadline,
                "the daemon did not become ready:\n{}",
                self.log()
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Whether it takes jobs.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.log().contains(" ready")
    }

    /// Everything it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map_or_else(
            |_| String::new(),
            |log| String::from_utf8_lossy(&log).into_owned(),
        )
    }

    /// Its process; the tracer's, if it was started under one.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process that computes for it, if it has started one.
    #[must_use]
    pub fn renderer(&self) -> Option<u32> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        // A child belongs to the thread that started it.
        let children = threads.flatten().filter_map(|thread| {
            let children = fs::read_to_string(thread.path().join("children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        });
        children.last()
    }

    /// The bus that it is on.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Runs the program as this daemon's user would.
    #[must_use = "a run is looked into; use `_` if its status says all"]
    pub fn atelier(&self, arguments: &[&str]) -> Run {
        let mut command = command(self.home.path(), self.bus.address());
        command.args(arguments);
        run(command)
    }

    /// Runs any other program on the daemon's bus.
    #[must_use = "a run is looked into; use `_` if its status says all"]
    pub fn client(&self, program: &str, arguments: &[&str]) -> Run {
        run(self.client_command(program, arguments))
    }

    /// The command that [`Self::client`] runs, for clients that stay.
    #[must_use]
    pub fn client_command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        isolate(&mut command, self.home.path(), self.bus.address());
        command.args(arguments);
        command
    }

    /// Hands over a manifest and gives back the job's id.
    ///
    /// # Panics
    ///
    /// When it is refused.
    #[must_use]
    pub fn submit(&self, manifest: &Path) -> String {
        let manifest = manifest.to_str().expect("test paths are UTF-8");
        let reply = self
            .atelier(&["submit", manifest, "--json"])
            .exits(0)
            .json();
        reply["job"]
            .as_str()
            .unwrap_or_else(|| panic!("no job in {reply}"))
            .to_owned()
    }

    /// A job as `atelier job ID --json` shows it.
    ///
    /// # Panics
    ///
    /// When there is no such job.
    #[must_use]
    pub fn job(&self, id: &str) -> Value {
        self.atelier(&["job", id, "--json"]).exits(0).json()
    }

    /// Waits until a job is in one of `states`, and gives the job as it is then.
    ///
    /// # Panics
    ///
    /// When it ends in another state, or never comes to one of these.
    pub fn wait_for_state(&self, id: &str, states: &[&str]) -> Value {
        wait_for(
            &format!("job {id} in {states:?}; log:\n{}", self.log()),
            || {
                let job = self.job(id);
                let state = job["state"]
                    .as_str()
                    .unwrap_or_else(|| panic!("no state in {job}"));
                if states.contains(&state) {
                    return Some(job);
                }
                assert!(
                    !["done", "failed", "cancelled"].contains(&state),
                    "job ended otherwise: {job}\n{}",
                    self.log()
                );
                None
            },
        )
    }

    /// Ends it as the kernel or a power cut would: no handler runs.
    ///
    /// # Panics
    ///
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Whether it still runs.
    ///
    /// # Panics
    ///
    /// When the system does not say.
    pub fn runs(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("a child can be waited for")
            .is_none()
    }

    /// Asks it to end, as systemd does, and waits until it has.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .expect("a child can be asked to end");
        wait_for("the daemon's end after SIGTERM", || {
            self.child.try_wait().expect("a child can be waited for")
        })
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // What a tracer runs goes first: left alone, it would go on. The tracer ends by itself then,
        // and only when the daemon has ended, so that the next one finds the home free.
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = fs::read_to_string(children).unwrap_or_default();
        let mut traced = children.split_whitespace().peekable();
        if traced.peek().is_none() {
            // It may have ended already; then there is nothing to kill.
            let _ = self.child.kill();
        }
        for pid in traced {
            if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}
