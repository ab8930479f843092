//! The renderer's own side: a process that opens models and draws, as it is asked to.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Write};
use std::ops::ControlFlow;

use atelier_flux::cuda::caches;
use atelier_flux::{Notice, Observer, Progress, Request};
use image::RgbImage;

use super::KERNELS;
use super::here::Here;
use super::wire::{self, Ask, Size, Tell};
use crate::fault::{Fault, Stage};

/// A device that failed is not to be trusted by the same process again.
const POISONED: &str = "compute-failed";

/// Serves the process at the other end of stdin and stdout until it ends.
///
/// # Errors
///
/// When nobody is there who speaks as a daemon does.
pub(crate) fn serve() -> Result<(), Fault> {
    if io::stdin().is_terminal() {
        return Err(Fault::rejected(
            Stage::Start,
            "renderer-alone",
            "this verb is the daemon's own, which speaks to it over pipes",
        ));
    }
    let failed =
        |cause: &io::Error| Fault::fatal(Stage::Start, "renderer-garbled", cause.to_string());
    let tells = own_stdout().map_err(|cause| failed(&cause))?;
    end_with_the_daemon();
    if let Some(folder) = std::env::var_os(KERNELS) {
        caches::keep_in(folder.into());
    }
    let mut line = Line {
        asks: BufReader::new(io::stdin().lock()),
        tells: BufWriter::new(tells),
        previews: false,
    };
    let here = Here::default();
    loop {
        match line.serve_one(&here) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return Ok(()),
            // The daemon is gone, and so is the reason to be here.
            Err(error) if is_hang_up(&error) => return Ok(()),
            Err(error) => return Err(failed(&error)),
        }
    }
}

/// Takes stdout for frames alone: whatever a library prints goes to the log.
fn own_stdout() -> io::Result<File> {
    let own = rustix::io::dup(io::stdout())?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(File::from(own))
}

/// A renderer without a daemon would compute for nobody, on memory that the next one needs; and where memory
/// runs out, it is the one to go.
fn end_with_the_daemon() {
    let signal = Some(rustix::process::Signal::KILL);
    if let Err(errno) = rustix::process::set_parent_process_death_signal(signal) {
        tracing::debug!(%errno, "it is found out at the next step that the daemon is gone");
    }
    if let Err(error) = fs::write("/proc/self/oom_score_adj", "500") {
        tracing::debug!(%error, "where memory runs out, the kernel chooses");
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe
    )
}

/// The line to the daemon.
struct Line<R, W: Write> {
    asks: BufReader<R>,
    tells: BufWriter<W>,
    previews: bool,
}

impl<R: Read, W: Write> Line<R, W> {
    /// Answers one ask; breaks off where this process is not to be asked again.
    fn serve_one(&mut self, here: &Here) -> io::Result<ControlFlow<()>> {
        let (ask, pictures) = wire::read(&mut self.asks)?;
        let done = match ask {
            Ask::Open { source, options } => here
                .open(&source, &options, &mut || ())
                .map(|_| (Tell::Opened, None)),
            Ask::Render(order) => {
                let request: Request = order.request(pictures)?;
                here.render(&request, self)
                    .map(|picture| (Tell::Picture(Size::of(&picture)), Some(picture)))
            }
            Ask::Go { .. } | Ask::Stop => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "an answer to nothing",
                ));
            }
        };
        match done {
            Ok((tell, picture)) => {
                let pixels: Vec<&[u8]> = picture
                    .iter()
                    .map(|picture| &picture.as_raw()[..])
                    .collect();
                wire::write(&mut self.tells, &tell, &pixels)?;
                Ok(ControlFlow::Continue(()))
            }
            Err(fault) => {
                let last = fault.code == POISONED;
                let fault = Box::new(fault);
                wire::write(&mut self.tells, &Tell::Failed { fault, last }, &[])?;
                Ok(if last {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            }
        }
    }
}

/// What cannot be told because nobody listens is found out by the next answer that does not come.
impl<R: Read, W: Write> Observer for Line<R, W> {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        let told = wire::write(&mut self.tells, &Tell::Reached(progress), &[]);
        match told.and_then(|()| wire::read(&mut self.asks)) {
            Ok((Ask::Go { previews }, _)) => {
                self.previews = previews;
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    }

    fn notice(&mut self, notice: &Notice) {
        let _ = wire::write(&mut self.tells, &Tell::Notice(notice.clone()), &[]);
    }

    fn preview(&mut self, picture: &RgbImage) {
        let _ = wire::write(
            &mut self.tells,
            &Tell::Preview(Size::of(picture)),
            &[picture],
        );
    }

    fn wants_previews(&self) -> bool {
        self.previews
    }
}
