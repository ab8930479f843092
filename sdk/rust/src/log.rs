//! Lines in the job's log, and how far the work is.
//!
//! In a component they go to the host, which may drop lines over its rate; in `cargo test` to
//! standard error. There is no other way for a plugin to say anything while it works: `println!`
//! goes nowhere.
//!
//! ```
//! use atelier_plugin::{info, log};
//!
//! let people = 3;
//! info!("{people} people found");
//! log::progress(0.5);
//! ```

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// What a curious user wants to know.
    Info,
    /// The result may not be what the user expects.
    Warn,
    /// Why the work fails.
    Error,
}

/// Writes one line. The macros [`debug!`](crate::debug), [`info!`](crate::info),
/// [`warn!`](crate::warn) and [`error!`](crate::error) format it first.
pub fn write(level: Level, line: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::component::write_log(level, line);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{level:?}: {line}");
}

/// Says how far this call is, from 0.0 to 1.0.
pub fn progress(fraction: f32) {
    #[cfg(target_arch = "wasm32")]
    crate::component::show_progress(fraction);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{:.0} %", fraction * 100.0);
}

/// Makes a panic write its message and place to the log at [`Level::Error`] before it ends the
/// call. [`export!`](crate::export) does this for every component: without it the user would see
/// a trap and a list of function addresses.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        write(Level::Error, &one_line(&panic.to_string()));
    }));
}

/// Rust shows a panic as its place, a line break and the message.
fn one_line(panic: &str) -> String {
    panic.split('\n').collect::<Vec<_>>().join(" ")
}

/// Writes a formatted line to the log at level debug.
#[macro_export]
macro_rules! debug {
    ($($format:tt)*) => {
        $crate::log::write($crate::log::Level::Debug, &::std::format!($($format)*))
    };
}

/// Writes a formatted line to the log at level info.
#[macro_export]
macro_rules! info {
    ($($format:tt)*) => {
        $crate::log::write($crate::log::Level::Info, &::std::format!($($format)*))
    };
}

/// Writes a formatted line to the log at level warn.
#[macro_export]
macro_rules! warn {
    ($($format:tt)*) => {
        $crate::log::write($crate::log::Level::Warn, &::std::format!($($format)*))
    };
}

/// Writes a formatted line to the log at level error.
#[macro_export]
macro_rules! error {
    ($($format:tt)*) => {
        $crate::log::write($crate::log::Level::Error, &::std::format!($($format)*))
    };
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_panic_is_one_line_with_its_place() {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let (sink, before) = (seen.clone(), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |panic| {
            if let Ok(mut line) = sink.lock() {
                *line = one_line(&panic.to_string());
            }
        }));
        let outcome = std::panic::catch_unwind(|| panic!("no {}", "shoulders"));
        std::panic::set_hook(before);
        assert!(outcome.is_err());
        let line = seen.lock().map(|line| line.clone()).unwrap_or_default();
        assert!(line.starts_with("panicked at "), "{line}");
        assert!(
            line.contains("log.rs:") && line.ends_with(": no shoulders"),
            "{line}"
        );
    }
}
