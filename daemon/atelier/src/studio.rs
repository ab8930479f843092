//! Where a picture is made: prepare → infer → encode → sign, in that order, for the daemon's jobs
//! and for `atelier generate` alike. It knows nothing of queues, folders or buses, and it hands
//! out nothing that is not signed.

mod chain;
mod digest;
mod inference;
mod init;
mod kept;
mod loras;
mod models;
mod picture;
mod plugins;
mod prepare;
mod starter;
#[cfg(test)]
mod tests;
mod trust;
mod warm;
mod world;

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use atelier_flux::cuda::caches;
use atelier_flux::{
    DeviceChoice, EngineError, ModelInfo, Notice, Observer, OpenOptions, Precision, Progress,
    Request, TensorData,
};
use atelier_manifest::{Format, Job, ReferenceCap, Seeds};
use atelier_provenance::{Identity, Making, ModelFacts};
use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::encode;
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::renderer::Renderer;
pub(crate) use digest::sha256_hex;
pub(crate) use loras::UsedLora;
pub(crate) use models::Models;
pub(crate) use plugins::{Plugins, Ready};
pub(crate) use prepare::{Prepared, source_of};
pub(crate) use world::Surroundings;

/// Models, plugins and the signing identity of one home; makes pictures one at a time.
pub(crate) struct Studio {
    models: Models,
    plugins: Plugins,
    keys: PathBuf,
    identity: Mutex<Option<Arc<Identity>>>,
    options: OpenOptions,
    reference_cap: ReferenceCap,
    renderer: Renderer,
}

/// Where a picture is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// References are read and plugins run.
    Preparing {
        /// How much of it is done, 0 to 100.
        percent: u8,
    },
    /// The model is read into memory.
    Loading,
    /// The prompt and the references become conditioning.
    Encoding,
    /// `step` of `steps` is done.
    Denoising {
        /// Steps done, from 0.
        step: u32,
        /// Steps in all.
        steps: u32,
    },
    /// The latent becomes pixels.
    Decoding,
    /// The file is written and signed.
    Signing,
}

impl Moment {
    /// The moment in a word, for a person.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Preparing { .. } => "preparing",
            Self::Loading => "loading",
            Self::Encoding => "encoding",
            Self::Denoising { .. } => "denoising",
            Self::Decoding => "decoding",
            Self::Signing => "signing",
        }
    }
}

/// Who watches a picture being made, and may call it off.
pub(crate) trait Watch {
    /// Called at each moment; never blocks for long.
    fn at(&mut self, moment: Moment);
    /// Set when the picture is no longer wanted; looked at between steps and within plugins.
    fn cancelled(&self) -> &Arc<AtomicBool>;
    /// Called with every named tensor when [`Watch::wants_tensors`].
    fn tensor(&mut self, _name: &str, _shape: &[usize], _data: TensorData<'_>) {}
    /// Whether tensors are worth copying off the device.
    fn wants_tensors(&self) -> bool {
        false
    }
    /// Called a few times a second at most with a small, rough picture of what is being made, when
    /// [`Watch::wants_previews`]. It is not signed and must not leave as a picture.
    fn preview(&mut self, _picture: &RgbImage) {}
    /// Whether anybody would look at previews.
    fn wants_previews(&self) -> bool {
        false
    }
}

/// Seconds spent in each stage of one picture, or of a job's pictures together.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Timings {
    /// Reading references and running plugins.
    pub(crate) prepare: f64,
    /// Reading the model into memory, if it was not there.
    pub(crate) load: f64,
    /// Text encoder, denoising and VAE.
    pub(crate) infer: f64,
    /// Pixels to a file's bytes.
    pub(crate) encode: f64,
    /// Signing, and verifying what was signed.
    pub(crate) sign: f64,
}

impl Timings {
    /// Adds another picture's seconds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.prepare += other.prepare;
        self.load += other.load;
        self.infer += other.infer;
        self.encode += other.encode;
        self.sign += other.sign;
    }
}

/// A signed picture: the only thing that leaves the studio.
pub(crate) struct Signed {
    /// The file's bytes.
    pub(crate) bytes: Vec<u8>,
    /// The seed that it was made from.
    pub(crate) seed: u64,
    /// How long it took.
    pub(crate) timings: Timings,
    /// What the user should know about it, a sentence each.
    pub(crate) warnings: Vec<String>,
    /// The LoRA files that it was made with.
    pub(crate) loras: Vec<UsedLora>,
}

impl Studio {
    /// The studio of a home. Reads and writes nothing yet: models, plugins and keys are touched
    /// when they are first needed.
    ///
    /// # Errors
    ///
    /// When the settings name no device or precision that exists.
    pub(crate) fn new(home: &Home, config: &Config) -> Result<Self, Fault> {
        caches::keep_in(config.device.kernels(home));
        Ok(Self {
            models: Models::new(home, config),
            plugins: Plugins::new(home, config),
            keys: home.keys(),
            identity: Mutex::default(),
            options: OpenOptions {
                device: parse_option::<DeviceChoice>("device", &config.device.device)?,
                precision: parse_option::<Precision>("precision", &config.device.precision)?,
                memory: config.device.memory.map(|size| size.0),
                vram: config.device.vram.map(|size| size.0),
            },
            reference_cap: config.references.cap,
            renderer: Renderer::here(),
        })
    }

    /// Computes in a process of its own, so that no fault of it is this process's end.
    pub(crate) fn render_apart(&mut self) {
        self.renderer = Renderer::apart();
    }

    /// Who signs here; made at the first call.
    ///
    /// # Errors
    ///
    /// When the keys cannot be read, are open to others, or cannot be made.
    pub(crate) fn identity(&self) -> Result<Arc<Identity>, Fault> {
        let mut identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = &*identity {
            return Ok(Arc::clone(identity));
        }
        let opened = Identity::open_or_create(&self.keys)
            .map(Arc::new)
            .map_err(|e| Fault::provenance(Stage::Sign, &e))?;
        Ok(Arc::clone(identity.insert(opened)))
    }

    /// Computes elsewhere or in another precision than the settings say.
    ///
    /// # Errors
    ///
    /// When the words name no device or precision.
    pub(crate) fn compute_on(
        &mut self,
        device: Option<&str>,
        precision: Option<&str>,
    ) -> Result<(), Fault> {
        if let Some(device) = device {
            self.options.device = parse_option("--device", device)?;
        }
        if let Some(precision) = precision {
            self.options.precision = parse_option("--precision", precision)?;
        }
        Ok(())
    }

    /// Where pictures are computed; `auto` where that is found out when a model is opened.
    pub(crate) fn device(&self) -> DeviceChoice {
        self.options.device.foreseen()
    }

    /// The models that jobs may name.
    pub(crate) fn models(&self) -> &Models {
        &self.models
    }

    /// The plugins that jobs may name.
    pub(crate) fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// The area above which references are scaled down.
    pub(crate) fn reference_cap(&self) -> ReferenceCap {
        self.reference_cap
    }

    /// Turns a job's files into what the model takes; `inputs` are where they lie, in the order of
    /// [`Job::inputs`].
    ///
    /// # Errors
    ///
    /// When a file cannot be read or does not fit, or a plugin fails.
    pub(crate) fn prepare(
        &self,
        job: &Job,
        inputs: &[PathBuf],
        watch: &mut dyn Watch,
    ) -> Result<Prepared, Fault> {
        watch.at(Moment::Preparing { percent: 0 });
        prepare::prepare(job, inputs, &self.plugins, watch)
    }

    /// Makes one signed picture of a prepared job.
    ///
    /// # Errors
    ///
    /// When the model cannot be read or refuses, when the user calls it off, or when signing or
    /// verifying the signature fails; there is then no picture.
    pub(crate) fn make(
        &self,
        job: &Job,
        prepared: &Prepared,
        seed: u64,
        watch: &mut dyn Watch,
    ) -> Result<Signed, Fault> {
        let mut timings = Timings::default();
        let model = timed(&mut timings.load, || self.open(job, watch))?;
        let request = Request {
            prompt: prepared.prompt.clone(),
            negative: (!job.negative.is_empty()).then(|| job.negative.clone()),
            width: job.width,
            height: job.height,
            steps: job.steps,
            guidance: job.guidance,
            seed,
            references: prepared.pictures.clone(),
            reference_cap: match job.reference_cap {
                ReferenceCap::Megapixel => atelier_flux::ReferenceCap::Megapixel,
                ReferenceCap::Bfl => atelier_flux::ReferenceCap::Bfl,
            },
            init: prepared.init.clone(),
            loras: loras::requested(job),
        };
        request
            .check()
            .map_err(|e| Fault::engine(Stage::Infer, &e))?;
        let mut watched = Watched {
            watch,
            warnings: Vec::new(),
        };
        if let Some(warning) = self.models.warning(job, &model) {
            watched.warn(warning);
        }
        let picture = timed(&mut timings.infer, || {
            self.renderer.render(&request, &mut watched)
        })?;
        watched.watch.at(Moment::Signing);
        let warnings = watched.warnings;
        let encoded = timed(&mut timings.encode, || {
            encode::encode(&picture, &job.output)
        })?;
        let used = loras::used(job, &self.models)?;
        let bytes = timed(&mut timings.sign, || {
            let making = Making {
                loras: loras::facts(job, &used),
                ..self.making(job, prepared, &model)?
            };
            let format = container(job.output.format)?;
            atelier_provenance::sign(&*self.identity()?, format, &encoded, &making)
                .map(|signed| signed.bytes)
                .map_err(|e| Fault::provenance(Stage::Sign, &e))
        })?;
        Ok(Signed {
            bytes,
            seed,
            timings,
            warnings,
            loras: used,
        })
    }

    /// Drops the model from memory.
    pub(crate) fn unload(&self) {
        self.renderer.unload();
    }

    /// Makes the job's model ready.
    fn open(&self, job: &Job, watch: &mut dyn Watch) -> Result<Arc<ModelInfo>, Fault> {
        let source = self.models.of_job(&job.model)?;
        let loading = &mut || watch.at(Moment::Loading);
        self.renderer.open(&source, &self.options, loading)
    }

    fn making(&self, job: &Job, prepared: &Prepared, info: &ModelInfo) -> Result<Making, Fault> {
        Ok(Making {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            title: job.provenance.title.clone(),
            model: ModelFacts {
                // Not the folder's name: that is the user's.
                name: if Models::is_starter(&job.model.path) {
                    starter::TITLE.to_owned()
                } else {
                    info.variant.to_string()
                },
                version: None,
                sha256: self.models.digest(info)?,
                identifier: None,
                variant: format!("{} parameters", info.parameters),
            },
            loras: Vec::new(),
            references: prepared.facts.clone(),
            prompt: job
                .provenance
                .include_prompt
                .then(|| prepared.prompt.clone()),
            operation: init::operation(prepared.init.as_ref(), &prepared.facts),
        })
    }
}

/// A job's seeds; where it names none, they are drawn. Drawn seeds have 32 bits: PyTorch's
/// generator uses no more of a seed, and every program can hold them exactly.
///
/// # Errors
///
/// When the system gives no randomness.
pub(crate) fn seeds(job: &Job) -> Result<Vec<u64>, Fault> {
    match &job.seeds {
        Seeds::Fixed(seeds) => Ok(seeds.clone()),
        Seeds::Drawn { count } => {
            let path = Path::new("/dev/urandom");
            let no_randomness = |cause| Fault::io(Stage::Check, "no-randomness", path, &cause);
            let mut source = File::open(path).map_err(no_randomness)?;
            (0..*count)
                .map(|_| {
                    let mut bytes = [0; 4];
                    source.read_exact(&mut bytes).map_err(no_randomness)?;
                    Ok(u64::from(u32::from_le_bytes(bytes)))
                })
                .collect()
        }
    }
}

/// Passes the engine's observations on, and keeps its notices.
struct Watched<'a> {
    watch: &'a mut dyn Watch,
    warnings: Vec<String>,
}

impl Watched<'_> {
    fn warn(&mut self, warning: String) {
        tracing::warn!("{warning}");
        self.warnings.push(warning);
    }
}

impl Observer for Watched<'_> {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        self.watch.at(match progress {
            Progress::Encoding | Progress::References { .. } => Moment::Encoding,
            Progress::Denoising { step, steps } => Moment::Denoising { step, steps },
            Progress::Decoding => Moment::Decoding,
        });
        if self.watch.cancelled().load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.warn(notice.to_string());
    }

    fn tensor(&mut self, name: &str, shape: &[usize], data: TensorData<'_>) {
        self.watch.tensor(name, shape, data);
    }

    fn wants_tensors(&self) -> bool {
        self.watch.wants_tensors()
    }

    fn preview(&mut self, picture: &RgbImage) {
        self.watch.preview(picture);
    }

    fn wants_previews(&self) -> bool {
        self.watch.wants_previews()
    }
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let start = Instant::now();
    let done = work();
    *seconds += start.elapsed().as_secs_f64();
    done
}

fn parse_option<T: std::str::FromStr<Err = EngineError>>(
    key: &str,
    text: &str,
) -> Result<T, Fault> {
    text.parse().map_err(|e: EngineError| {
        let mut fault = Fault::engine(Stage::Start, &e);
        fault.message = format!("{key}: {}", fault.message);
        fault
    })
}

fn container(format: Format) -> Result<atelier_provenance::Format, Fault> {
    match format {
        Format::Png => Ok(atelier_provenance::Format::Png),
        Format::Jpeg => Ok(atelier_provenance::Format::Jpeg),
        Format::Webp => Ok(atelier_provenance::Format::Webp),
        Format::Tiff => Ok(atelier_provenance::Format::Tiff),
        other => Err(Fault::rejected(
            Stage::Sign,
            "format-unavailable",
            format!("{other} is not built in"),
        )),
    }
}
