//! The pipeline: from a request to a picture.
//!
//! [`Pipeline::render`] reads like the drawing in the crate's documentation; each of its lines is one
//! stage. Stages hand tensors on by value, so what a stage no longer needs is freed before the next
//! one runs. A pipeline holds no state between pictures.

use std::path::Path;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use image::RgbImage;
use tracing::{debug, warn};

use crate::denoise::Denoiser;
use crate::device::OpenOptions;
use crate::error::EngineError;
use crate::folder::{Folder, TextConfig};
use crate::host::{download, upload};
use crate::inspect::{ModelInfo, Variant};
use crate::latent::{self, Grid};
use crate::observer::{Observer, Progress, TensorData, Watch};
use crate::picture;
use crate::prompt::PromptTokenizer;
use crate::reference::{self, PixelCap};
use crate::request::Request;
use crate::schedule::{Schedule, SchedulerConfig};
use crate::seed;
use crate::text_encoder::TextEncoder;
use crate::transformer::Transformer;
use crate::vae::Vae;

/// A model in memory, ready to make pictures.
pub struct Pipeline {
    info: ModelInfo,
    device: Device,
    tokenizer: PromptTokenizer,
    text_encoder: TextEncoder,
    scheduler: SchedulerConfig,
    transformer: Transformer,
    vae: Vae,
}

/// The prompts of a picture, encoded, `[512, context width]`.
struct Prompts {
    positive: Tensor<2>,
    /// What to move away from, and how strongly, where the model is guided by a second pass.
    negative: Option<(Tensor<2>, f32)>,
}

/// References as tokens, one after another, and the grid of each.
struct References {
    tokens: Vec<Tensor<2>>,
    grids: Vec<Grid>,
}

impl Pipeline {
    /// Opens the model in `folder`, a diffusers pipeline folder, and reads its weights.
    ///
    /// # Errors
    /// A device or precision that is not available; a model that is missing, damaged, incomplete or of
    /// a kind that is not run. See [`EngineError::code`].
    pub fn open(folder: &Path, options: &OpenOptions) -> Result<Self, EngineError> {
        let device = options.resolve()?;
        let began = Instant::now();
        let folder = Folder::open(folder)?;
        let info = ModelInfo::of(&folder);
        let text_config = match (folder.variant, folder.text_config) {
            (Variant::Klein { .. }, TextConfig::Qwen3(config)) => *config,
            _ => {
                return Err(EngineError::unsupported(
                    &folder.root,
                    "this is FLUX.2 [dev]; so far only FLUX.2 [klein] is run",
                ));
            }
        };
        if folder.transformer_config.guidance_embeds {
            return Err(EngineError::unsupported(
                &folder.root,
                "the transformer takes guidance as an input, which FLUX.2 [klein] does not",
            ));
        }
        let pipeline = Self {
            tokenizer: PromptTokenizer::open(&folder.root.join("tokenizer"))?,
            text_encoder: TextEncoder::load(
                &folder.root.join("text_encoder"),
                text_config,
                &folder.text_encoder,
                &device,
            )?,
            scheduler: folder.scheduler,
            transformer: Transformer::load(
                folder.transformer_config,
                &folder.transformer,
                &device,
            )?,
            vae: Vae::load(&folder.vae_config, &folder.vae, &device)?,
            info,
            device,
        };
        debug!(model = %pipeline.info.name, seconds = began.elapsed().as_secs_f64(), "opened");
        Ok(pipeline)
    }

    /// What the model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Makes the picture that is asked for. The same request gives the same picture on the same device
    /// and machine; on another, colours may differ in the last bit.
    ///
    /// # Errors
    /// A request out of range, a reference that cannot be used, `cancelled`, `not-finite` where the
    /// weights give no picture, or a failure of the device.
    pub fn render(
        &self,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<RgbImage, EngineError> {
        request.check()?;
        let watch = &mut Watch::new(observer);
        let pictures = fit_references(&request.references)?;
        let prompts = self.encode_prompts(request, watch)?;
        let references = self.encode_references(&pictures, watch)?;
        let grid = Grid::of_picture(request.width, request.height);
        let schedule = self.schedule(grid, request.steps, watch)?;
        let noise = self.draw_noise(grid, request.seed, watch);
        let latent = self.denoise(noise, grid, &schedule, &prompts, references, watch)?;
        self.decode(latent, grid, watch)
    }

    fn encode_prompts(
        &self,
        request: &Request,
        watch: &mut Watch<'_>,
    ) -> Result<Prompts, EngineError> {
        watch.report(Progress::Encoding)?;
        let began = Instant::now();
        let tokens = self.tokenizer.encode(&request.prompt)?;
        let shape = [1, tokens.ids.len()];
        watch.show_host("input_ids", &shape, TensorData::I64(&tokens.ids));
        watch.show_host("attention_mask", &shape, TensorData::I64(&tokens.mask));
        let positive = self.text_encoder.encode(&tokens)?;
        watch.show("prompt_embeds", || positive.clone().unsqueeze::<3>())?;
        let guided = request.guidance > 1.0;
        let negative = if self.info.is_distilled {
            if guided || request.negative.is_some() {
                warn!("a distilled model ignores guidance and the negative prompt");
            }
            None
        } else if guided {
            let tokens = self
                .tokenizer
                .encode(request.negative.as_deref().unwrap_or_default())?;
            Some((self.text_encoder.encode(&tokens)?, request.guidance))
        } else {
            None
        };
        debug!(
            seconds = began.elapsed().as_secs_f64(),
            "encoded the prompt"
        );
        Ok(Prompts { positive, negative })
    }

    fn encode_references(
        &self,
        pictures: &[RgbImage],
        watch: &mut Watch<'_>,
    ) -> Result<References, EngineError> {
        let began = Instant::now();
        let total = pictures.len();
        let mut references = References {
            tokens: Vec::new(),
            grids: Vec::new(),
        };
        for (done, picture) in pictures.iter().enumerate() {
            watch.report(Progress::References { done, total })?;
            let (width, height) = picture.dimensions();
            let shape = [1, 3, height as usize, width as usize];
            let pixels = upload(reference::to_chw(picture), shape, &self.device);
            references
                .tokens
                .push(latent::to_tokens(self.vae.encode(pixels)));
            references.grids.push(Grid::of_picture(width, height));
        }
        debug!(
            total,
            seconds = began.elapsed().as_secs_f64(),
            "encoded the references"
        );
        Ok(references)
    }

    fn schedule(
        &self,
        grid: Grid,
        steps: u32,
        watch: &mut Watch<'_>,
    ) -> Result<Schedule, EngineError> {
        let schedule = Schedule::new(grid.tokens(), steps as usize, &self.scheduler)?;
        let sigmas = schedule.sigmas();
        watch.show_host("sigmas", &[sigmas.len()], TensorData::F32(sigmas));
        Ok(schedule)
    }

    fn draw_noise(&self, grid: Grid, seed: u64, watch: &mut Watch<'_>) -> Tensor<2> {
        let shape = grid.shape(4 * self.info.architecture.latent_channels);
        let values = seed::randn(seed, shape.iter().product());
        watch.show_host("noise", &shape, TensorData::F32(&values));
        latent::to_tokens(upload(values, shape, &self.device))
    }

    fn denoise(
        &self,
        noise: Tensor<2>,
        grid: Grid,
        schedule: &Schedule,
        prompts: &Prompts,
        references: References,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor<2>, EngineError> {
        let began = Instant::now();
        let places = latent::places(prompts.positive.dims()[0], grid, &references.grids);
        let condition = |prompt: &Tensor<2>| self.transformer.condition(prompt.clone(), &places);
        let denoiser = Denoiser {
            transformer: &self.transformer,
            schedule,
            prompt: condition(&prompts.positive),
            guidance: prompts
                .negative
                .as_ref()
                .map(|(prompt, g)| (condition(prompt), *g)),
            references: references.tokens,
        };
        let latent = denoiser.run(noise, watch)?;
        debug!(seconds = began.elapsed().as_secs_f64(), "denoised");
        Ok(latent)
    }

    fn decode(
        &self,
        latent: Tensor<2>,
        grid: Grid,
        watch: &mut Watch<'_>,
    ) -> Result<RgbImage, EngineError> {
        watch.report(Progress::Decoding)?;
        let began = Instant::now();
        let latent = self.vae.restore(latent::to_patches(latent, grid));
        watch.show("latents", || latent.clone())?;
        let values = self.vae.decode(latent);
        watch.show("image", || values.clone())?;
        let picture = picture::from_chw(grid, &download(values)?)?;
        debug!(seconds = began.elapsed().as_secs_f64(), "decoded");
        Ok(picture)
    }
}

/// Scales and crops all references before anything costly starts.
fn fit_references(pictures: &[RgbImage]) -> Result<Vec<RgbImage>, EngineError> {
    let fit = |(number, picture)| {
        reference::fit(picture, PixelCap::default())
            .map_err(|source| EngineError::Reference { number, source })
    };
    (1..).zip(pictures).map(fit).collect()
}
