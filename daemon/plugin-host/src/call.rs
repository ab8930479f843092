//! One run of a plugin: a fresh store, a thread with a known stack, a deadline, and one error for
//! whatever goes wrong.
//!
//! The plugin runs on a thread of its own so that the caller's thread can pass on what it says
//! while it says it, and so that a fault of ours ends that thread and not the caller's.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::{Store, Trap, UpdateDeadline};

use crate::clock::Clock;
use crate::error::PluginError;
use crate::limits::{Limits, Meter};
use crate::pictures::Studio;
use crate::powers::Reach;
use crate::speech::{Flood, Said, Voice, plain};

/// Stack of the plugin's thread: wasmtime lets WebAssembly use 512 KiB of it, the rest is for the
/// host's functions.
const STACK: usize = 2 << 20;

/// What wasmtime says when a plugin passes more bytes than it may, or makes too many instances,
/// memories or tables. Neither has a type of its own; the tests hold wasmtime to the words.
const TOO_MUCH_PASSED: &str = "fuel allocated for hostcalls has been exhausted";
const TOO_MANY: &str = "resource limit exceeded: ";

/// What a call is held to.
pub(crate) struct Rules<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) time: Duration,
    pub(crate) cancel: Option<Arc<AtomicBool>>,
}

/// What belongs to one call: the data of its store.
pub(crate) struct Call {
    pub(crate) meter: Meter,
    pub(crate) studio: Studio,
    pub(crate) voice: Voice,
    pub(crate) reach: Reach,
    pub(crate) end: End,
}

impl Call {
    pub(crate) fn new(limits: &Limits, voice: Voice, reach: Reach) -> Self {
        Self {
            meter: Meter::new(limits),
            studio: Studio::new(limits),
            voice,
            reach,
            end: End::default(),
        }
    }
}

/// When a call is over, whether it is done or not.
#[derive(Clone, Default)]
pub(crate) struct End {
    /// None where the time is too long to add up.
    deadline: Option<Instant>,
    cancel: Option<Arc<AtomicBool>>,
}

impl End {
    fn of(rules: &Rules<'_>) -> Self {
        Self {
            deadline: Instant::now().checked_add(rules.time),
            cancel: rules.cancel.clone(),
        }
    }

    fn reached(&self) -> Option<Stop> {
        let cancelled = |cancel: &Arc<AtomicBool>| cancel.load(Ordering::Relaxed);
        if self.cancel.as_ref().is_some_and(cancelled) {
            return Some(Stop::Cancelled);
        }
        let over = self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline);
        over.then_some(Stop::Time)
    }

    /// For work of the host's that no epoch interrupts.
    pub(crate) fn is_reached(&self) -> bool {
        self.reached().is_some()
    }
}

/// Why a running call was stopped from outside.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Time,
    Cancelled,
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Time => "out of time",
            Self::Cancelled => "cancelled",
        })
    }
}

impl std::error::Error for Stop {}

/// Runs `work` on a store that `open` makes, and gives its result with the number of log lines
/// that were dropped. `hear` is called on this thread.
pub(crate) fn run<T: Send>(
    rules: &Rules<'_>,
    clock: &Clock,
    hear: &mut dyn FnMut(Said),
    open: impl FnOnce(Voice) -> Store<Call> + Send,
    work: impl FnOnce(&mut Store<Call>) -> wasmtime::Result<T> + Send,
) -> Result<(T, u64), PluginError> {
    let host = |problem: String| PluginError::Host {
        plugin: rules.plugin.to_owned(),
        problem,
    };
    let (speaker, listener) = channel();
    let voice = Voice::new(speaker, rules.limits.log_lines);
    let running = clock.run();
    let result = thread::scope(|scope| {
        let guest = thread::Builder::new()
            .name(format!("plugin {}", rules.plugin))
            .stack_size(STACK)
            .spawn_scoped(scope, move || {
                let mut store = open(voice);
                hold(&mut store, rules);
                let result = work(&mut store);
                let dropped = store.data().voice.dropped();
                result
                    .map(|value| (value, dropped))
                    .map_err(|error| explain(rules, &error, store.data()))
            })
            .map_err(|error| host(format!("no thread: {error}")))?;
        // Ends when the store, and the voice in it, is gone.
        for said in listener {
            hear(said);
        }
        guest
            .join()
            .unwrap_or_else(|_| Err(host("its thread panicked".to_owned())))
    });
    drop(running);
    result
}

/// Sets the store's limits and its deadline.
fn hold(store: &mut Store<Call>, rules: &Rules<'_>) {
    store.limiter(|call| &mut call.meter);
    store.set_hostcall_fuel(rules.limits.hostcall_bytes);
    let end = End::of(rules);
    store.data_mut().end = end.clone();
    store.epoch_deadline_callback(move |_| match end.reached() {
        Some(stop) => Err(stop.into()),
        None => Ok(UpdateDeadline::Continue(1)),
    });
    store.set_epoch_deadline(1);
}

/// What an error of wasmtime's means for the user.
fn explain(rules: &Rules<'_>, error: &wasmtime::Error, call: &Call) -> PluginError {
    let plugin = rules.plugin.to_owned();
    match error.downcast_ref::<Stop>() {
        Some(Stop::Time) => {
            return PluginError::Time {
                plugin,
                limit: rules.time,
            };
        }
        Some(Stop::Cancelled) => return PluginError::Cancelled { plugin },
        None => {}
    }
    if let Some(flood) = error.downcast_ref::<Flood>() {
        let problem = flood.to_string();
        return PluginError::Limit { plugin, problem };
    }
    let trap = error.downcast_ref::<Trap>();
    let cause = error.root_cause().to_string();
    if cause.contains(TOO_MUCH_PASSED) {
        let most = rules.limits.hostcall_bytes;
        let problem =
            format!("it passed more than the {most} bytes that one call of a function may pass");
        return PluginError::Limit { plugin, problem };
    }
    if let Some(which) = cause.strip_prefix(TOO_MANY) {
        let Limits {
            instances, tables, ..
        } = rules.limits;
        let problem = format!("{which} ({instances} instances and {tables} tables are allowed)");
        return PluginError::Limit { plugin, problem };
    }
    // An allocator that is refused memory panics; a component whose memories do not fit does not
    // even start.
    if call.meter.refused() {
        return PluginError::Memory {
            plugin,
            limit: rules.limits.memory,
        };
    }
    match trap {
        Some(trap) => {
            let trap = trap.to_string();
            let trap = trap.strip_prefix("wasm trap: ").unwrap_or(&trap).to_owned();
            PluginError::Trap {
                plugin,
                trap,
                said: call.voice.last_error().map(str::to_owned),
            }
        }
        None => PluginError::Output {
            plugin,
            problem: format!("it broke the rules of its interface: {}", plain(&cause)),
        },
    }
}
