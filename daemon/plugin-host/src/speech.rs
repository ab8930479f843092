//! What a plugin says while it works: log lines and progress. It comes from an untrusted place and
//! goes to terminals and files, so it is made plain, cut and counted here.

use std::sync::mpsc::Sender;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is not as it should be.
    Warn,
    /// The call will fail; the SDK's panic hook speaks at this level.
    Error,
}

/// One line that a plugin logged: at most 1000 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// The line.
    pub text: String,
}

/// The longest text of a plugin's that is shown, in characters.
const LONGEST_TEXT: usize = 1000;

/// A call may write this many times the lines that are kept; one that writes more is not talking.
const MOST_DROPPED: u32 = 100;

/// Progress is passed on when it moved by this much: at most 101 times in a call.
const PROGRESS_STEP: f32 = 0.01;

/// What a plugin says while it works.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A line of its log.
    Line(LogLine),
    /// How far it is: 0 to 1, rising, at most 101 times.
    Progress(f32),
}

/// More lines than a call may write, dropped ones included.
#[derive(Debug, thiserror::Error)]
#[error("it wrote more than {most} lines of log, of which {kept} are kept")]
pub(crate) struct Flood {
    most: u64,
    kept: u32,
}

/// The plugin's side: counts lines, and drops what is over the limit.
pub(crate) struct Voice {
    listener: Sender<Said>,
    kept: u32,
    written: u64,
    last_error: Option<String>,
    progress: f32,
}

impl Voice {
    pub(crate) fn new(listener: Sender<Said>, lines: u32) -> Self {
        Self {
            listener,
            kept: lines,
            written: 0,
            last_error: None,
            progress: -1.0,
        }
    }

    pub(crate) fn line(&mut self, level: Level, text: &str) -> Result<(), Flood> {
        self.written += 1;
        let kept = self.kept;
        let most = u64::from(kept.max(1)) * u64::from(MOST_DROPPED);
        if self.written > most {
            return Err(Flood { most, kept });
        }
        let over = self.written > u64::from(kept);
        if over && level != Level::Error {
            return Ok(());
        }
        let text = plain(text);
        if level == Level::Error {
            // Kept even over the limit: it may be the reason of a crash that follows.
            self.last_error = Some(text.clone());
        }
        if !over {
            // A listener that went away does not concern the plugin.
            let _ = self.listener.send(Said::Line(LogLine { level, text }));
        }
        Ok(())
    }

    pub(crate) fn progress(&mut self, fraction: f32) {
        if !fraction.is_finite() {
            return;
        }
        let fraction = fraction.clamp(0.0, 1.0);
        let moved = fraction - self.progress;
        if moved >= PROGRESS_STEP || (fraction >= 1.0 && moved > 0.0) {
            self.progress = fraction;
            let _ = self.listener.send(Said::Progress(fraction));
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.written.saturating_sub(u64::from(self.kept))
    }

    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}

/// A text of a plugin's as one line that cannot steer a terminal: control characters become
/// spaces, and what is too long is cut.
pub(crate) fn plain(text: &str) -> String {
    let mut plain: String = text
        .trim_end()
        .chars()
        .take(LONGEST_TEXT)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    if text.trim_end().chars().nth(LONGEST_TEXT).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_flood_is_counted_and_the_last_error_is_kept() {
        let (sender, receiver) = channel();
        let mut voice = Voice::new(sender, 2);
        for _ in 0..10 {
            voice.line(Level::Info, "again").unwrap();
        }
        voice.line(Level::Error, "panicked at\nline 3").unwrap();
        assert_eq!(voice.dropped(), 9);
        assert_eq!(voice.last_error(), Some("panicked at line 3"));
        drop(voice);
        assert_eq!(receiver.iter().count(), 2);
    }

    #[test]
    fn a_flood_ends() {
        let (sender, _receiver) = channel();
        let mut voice = Voice::new(sender, 2);
        let written = (0..1000).take_while(|_| voice.line(Level::Info, "again").is_ok());
        assert_eq!(written.count(), 200);
        let flood = voice.line(Level::Error, "more").unwrap_err();
        assert!(flood.to_string().contains("200 lines"), "{flood}");
    }

    #[test]
    fn progress_rises_and_is_not_repeated() {
        let (sender, receiver) = channel();
        let mut voice = Voice::new(sender, 0);
        for fraction in [0.0, 0.001, f32::NAN, 0.5, 0.2, f32::INFINITY, 7.0, 1.0] {
            voice.progress(fraction);
        }
        drop(voice);
        let seen: Vec<f32> = receiver
            .iter()
            .map(|said| match said {
                Said::Progress(fraction) => fraction,
                Said::Line(_) => -1.0,
            })
            .collect();
        assert_eq!(seen, [0.0, 0.5, 1.0]);
    }

    #[test]
    fn a_text_cannot_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\tc\r\n"), "a [2Jb c");
        assert_eq!(plain(&"x".repeat(5000)).chars().count(), LONGEST_TEXT + 1);
    }
}
