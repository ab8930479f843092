//! The clock that running plugins are held to. While a call runs, a thread moves the engine's
//! epoch on every [`TICK`]; compiled code looks at the epoch on every loop and call. The thread
//! sleeps without waking while nothing runs.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How often a running call is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Ticks for one engine until it is dropped.
pub(crate) struct Clock {
    face: Arc<Face>,
}

#[derive(Default)]
struct Face {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    stopped: bool,
}

impl Face {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is two plain values: a panic elsewhere cannot leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock {
    /// Starts the thread. It keeps no engine alive.
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let face = Arc::new(Face::default());
        let engine = engine.weak();
        let for_thread = Arc::clone(&face);
        thread::Builder::new()
            .name("plugin-clock".to_owned())
            .spawn(move || tick(&for_thread, &engine))?;
        Ok(Self { face })
    }

    /// Ticks as long as what this returns lives.
    pub(crate) fn run(&self) -> Running {
        self.face.lock().running += 1;
        self.face.changed.notify_one();
        Running {
            face: Arc::clone(&self.face),
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.face.lock().stopped = true;
        self.face.changed.notify_one();
    }
}

/// One call under way.
pub(crate) struct Running {
    face: Arc<Face>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.face.lock().running -= 1;
    }
}

fn tick(face: &Face, engine: &EngineWeak) {
    loop {
        let state = face
            .changed
            .wait_while(face.lock(), |state| state.running == 0 && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return;
        }
        drop(state);
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
