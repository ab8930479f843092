//! The daemon's side of a renderer in a process of its own.

use std::io::{self, BufReader, BufWriter};
use std::ops::ControlFlow;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use atelier_flux::cuda::caches;
use atelier_flux::{ModelInfo, ModelSource, Observer, OpenOptions, Request};
use image::RgbImage;

use super::wire::{self, Ask, Order, Tell};
use super::{KERNELS, nothing_opened};
use crate::fault::{Fault, Stage};

/// How often one picture is begun. A fault may pass with the process that had it; one that does not is the
/// picture's own, or the machine's.
const TRIES: u32 = 2;

/// A renderer that is started when it is needed, and again when it has ended.
#[derive(Default)]
pub(crate) struct Apart(Mutex<State>);

#[derive(Default)]
struct State {
    running: Option<Running>,
    opened: Option<Opened>,
}

/// The model that the daemon wants ready, whichever process has it.
struct Opened {
    source: ModelSource,
    options: OpenOptions,
    info: Arc<ModelInfo>,
}

/// A process, and what is said to it and by it.
struct Running {
    child: Child,
    asks: BufWriter<ChildStdin>,
    tells: BufReader<ChildStdout>,
    /// Whether it has the model.
    is_ready: bool,
}

/// Why an ask was not fulfilled.
enum Broken {
    /// The renderer says why, and goes on.
    Refused(Fault),
    /// The renderer is gone.
    Ended(Fault),
}

impl Apart {
    pub(super) fn open(
        &self,
        source: &ModelSource,
        options: &OpenOptions,
        loading: &mut dyn FnMut(),
    ) -> Result<Arc<ModelInfo>, Fault> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State {
            running: Some(running),
            opened: Some(opened),
        } = &*state
            && running.is_ready
            && (&opened.source, &opened.options) == (source, options)
        {
            return Ok(Arc::clone(&opened.info));
        }
        loading();
        state.opened = None;
        let info = atelier_flux::inspect_source(source)
            .map(Arc::new)
            .map_err(|e| Fault::engine(Stage::Infer, &e))?;
        state.opened = Some(Opened {
            source: source.clone(),
            options: *options,
            info: Arc::clone(&info),
        });
        if let Some(running) = &mut state.running {
            running.is_ready = false;
        }
        match state.tried(|_| Ok(()), &mut || true) {
            Ok(()) => Ok(info),
            Err(fault) => {
                state.opened = None;
                Err(fault)
            }
        }
    }

    pub(super) fn render(
        &self,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<RgbImage, Fault> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let observer = std::cell::RefCell::new(observer);
        state.tried(
            |running| running.render(request, &mut **observer.borrow_mut()),
            // What was called off is not begun again.
            &mut || {
                observer
                    .borrow_mut()
                    .progress(atelier_flux::Progress::Encoding)
                    .is_continue()
            },
        )
    }

    /// Ends the process: what it holds is not to be trusted, or is wanted back.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}

impl State {
    /// Does something with a process that has the model, and once more with another if the first ends.
    fn tried<T>(
        &mut self,
        mut work: impl FnMut(&mut Running) -> Result<T, Broken>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<T, Fault> {
        let opened = self.opened.as_ref().ok_or_else(nothing_opened)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let running = match &mut self.running {
                Some(running) => running,
                none => none.insert(Running::start()?),
            };
            let done = running.ready(opened).and_then(|()| work(running));
            let fault = match done {
                Ok(done) => return Ok(done),
                Err(Broken::Refused(fault)) => return Err(fault),
                Err(Broken::Ended(fault)) => fault,
            };
            self.running = None;
            tracing::error!(code = %fault.code, tries, "{}", fault.message);
            if tries == TRIES {
                return Err(fault);
            }
            if !go_on() {
                return Err(Fault::cancelled(Stage::Infer));
            }
        }
    }
}

impl Running {
    /// Starts this same program, even where its file was replaced since, in a group of its own: an interrupt
    /// from the keyboard is the daemon's to handle.
    fn start() -> Result<Self, Fault> {
        let unstartable = |cause: &io::Error| {
            Fault::fatal(
                Stage::Infer,
                "renderer-unstartable",
                format!("the process that computes cannot be started: {cause}"),
            )
        };
        let kernels = caches::folder().map(|folder| (KERNELS, folder));
        let mut child = Command::new("/proc/self/exe")
            .arg0("atelier")
            .arg("renderer")
            .envs(kernels)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|cause| unstartable(&cause))?;
        let (Some(asks), Some(tells)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unstartable(&io::ErrorKind::BrokenPipe.into()));
        };
        tracing::debug!(pid = child.id(), "renderer started");
        Ok(Self {
            child,
            asks: BufWriter::new(asks),
            tells: BufReader::new(tells),
            is_ready: false,
        })
    }

    fn ready(&mut self, opened: &Opened) -> Result<(), Broken> {
        if self.is_ready {
            return Ok(());
        }
        let open = Ask::Open {
            source: opened.source.clone(),
            options: opened.options,
        };
        self.ask(&open, &[])?;
        match self.told()? {
            (Tell::Opened, _) => {
                self.is_ready = true;
                Ok(())
            }
            _ => Err(self.ended()),
        }
    }

    fn render(
        &mut self,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<RgbImage, Broken> {
        let (order, pictures) = Order::of(request);
        self.ask(&Ask::Render(order), &pictures)?;
        loop {
            let (tell, mut pictures) = self.told()?;
            let mut picture = |size: wire::Size| size.rgb(pictures.pop().unwrap_or_default());
            match tell {
                Tell::Reached(progress) => {
                    let next = match observer.progress(progress) {
                        ControlFlow::Continue(()) => Ask::Go {
                            previews: observer.wants_previews(),
                        },
                        ControlFlow::Break(()) => Ask::Stop,
                    };
                    self.ask(&next, &[])?;
                }
                Tell::Notice(notice) => observer.notice(&notice),
                Tell::Preview(size) => {
                    if let Ok(picture) = picture(size) {
                        observer.preview(&picture);
                    }
                }
                Tell::Picture(size) => return picture(size).map_err(|_| self.ended()),
                Tell::Opened | Tell::Failed { .. } => return Err(self.ended()),
            }
        }
    }

    fn ask(&mut self, ask: &Ask, pictures: &[&[u8]]) -> Result<(), Broken> {
        wire::write(&mut self.asks, ask, pictures).map_err(|_| self.ended())
    }

    fn told(&mut self) -> Result<(Tell, Vec<Vec<u8>>), Broken> {
        match wire::read(&mut self.tells) {
            Ok((Tell::Failed { fault, last: false }, _)) => Err(Broken::Refused(*fault)),
            Ok((Tell::Failed { fault, last: true }, _)) => Err(Broken::Ended(*fault)),
            Ok(told) => Ok(told),
            Err(_) => Err(self.ended()),
        }
    }

    /// What is to be said of a process that no longer answers as it should. It has ended already, or must.
    fn ended(&mut self) -> Broken {
        let _ = self.child.kill();
        Broken::Ended(match self.child.wait() {
            Ok(status) => died(status),
            Err(cause) => Fault::fatal(Stage::Infer, "renderer-died", cause.to_string()),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a renderer ended that nobody had asked to.
fn died(status: ExitStatus) -> Fault {
    let (how, hint) = match (status.signal(), status.code()) {
        (Some(9), _) => (
            "it was killed (signal 9)".to_owned(),
            "the kernel kills what takes too much memory, and `journalctl -k` says so: ask for a smaller \
             picture, or set memory under [device]",
        ),
        (Some(signal), _) => (
            format!("it ended by signal {signal}"),
            "please report this with the manifest",
        ),
        (None, code) => (
            format!("it ended with status {}", code.unwrap_or_default()),
            "the daemon's log has its last words; please report them with the manifest",
        ),
    };
    Fault::fatal(
        Stage::Infer,
        "renderer-died",
        format!("the process that computes died over this picture: {how}"),
    )
    .hint(hint)
}
