//! A progress bar on a terminal, silence elsewhere, and Ctrl-C as a way to call a picture off.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::studio::{Moment, Watch};

/// Shows how far a picture is.
pub(super) struct Bar {
    bar: ProgressBar,
    cancelled: Arc<AtomicBool>,
}

impl Bar {
    /// A bar on stderr, if that is a terminal.
    pub(super) fn new() -> Self {
        let bar = if io::stderr().is_terminal() {
            ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(10))
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg:12} {bar:32} {pos}/{len} {elapsed}")
        {
            bar.set_style(style);
        }
        Self {
            bar,
            cancelled: Arc::default(),
        }
    }

    /// The first Ctrl-C stops between two steps; a second one ends the program at once.
    pub(super) fn stop_on_interrupt(&self) {
        let cancelled = Arc::clone(&self.cancelled);
        let listening = std::thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(move || {
                let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                else {
                    return;
                };
                runtime.block_on(async {
                    while tokio::signal::ctrl_c().await.is_ok() {
                        if cancelled.swap(true, Ordering::Relaxed) {
                            std::process::exit(4);
                        }
                    }
                });
            });
        if let Err(cause) = listening {
            tracing::warn!(%cause, "Ctrl-C ends the program at once");
        }
    }

    /// Shows a job of the daemon: `fraction` of it done, in words what it does.
    pub(super) fn show(&self, words: &str, fraction: f64) {
        self.bar.set_length(100);
        self.bar.set_message(words.to_owned());
        // A fraction of 0 to 1 makes a percentage of 0 to 100.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=100"
        )]
        self.bar
            .set_position((fraction.clamp(0.0, 1.0) * 100.0) as u64);
    }

    /// Takes the bar off the terminal.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn at(&mut self, moment: Moment) {
        self.bar.set_message(moment.words());
        match moment {
            Moment::Preparing { percent } => {
                self.bar.set_length(100);
                self.bar.set_position(u64::from(percent));
            }
            Moment::Denoising { step, steps } => {
                self.bar.set_length(u64::from(steps));
                self.bar.set_position(u64::from(step));
            }
            _ => self.bar.tick(),
        }
    }

    fn cancelled(&self) -> &Arc<AtomicBool> {
        &self.cancelled
    }
}
