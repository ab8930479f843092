//! Waiting for something that will happen, with an end to patience.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before its test gives up. Far more than any step needs on two busy
/// cores: reaching it means that the thing will not happen.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The same where a plugin's author compiles: its standard library may come first.
pub const COMPILING: Duration = Duration::from_secs(900);

/// Asks again and again until there is an answer.
///
/// # Panics
///
/// When there is none within [`PATIENCE`], naming `what` was waited for.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "waited {PATIENCE:?} in vain for {what}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Asks again and again until the answer is yes.
///
/// # Panics
///
/// When it stays no for [`PATIENCE`], naming `what` was waited for.
pub fn wait_until(what: &str, mut ask: impl FnMut() -> bool) {
    wait_for(what, || ask().then_some(()));
}
