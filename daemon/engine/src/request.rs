//! What is asked of a pipeline, and which of it is refused before any work.

use image::RgbImage;

use crate::error::EngineError;
use crate::init::Init;
use crate::latent::TOKEN_PIXELS;
use crate::lora::Lora;
use crate::reference::ReferenceCap;
use crate::schedule;

/// The shortest side of a picture in pixels.
const MIN_SIDE: u32 = 64;
/// The most pixels of a picture: the model was trained up to 2048².
const MAX_AREA: u64 = 2048 * 2048;
/// The most that one side may exceed the other.
const MAX_ASPECT: u32 = 8;
/// Where more steps change nothing that can be seen.
const MAX_STEPS: u32 = 200;
/// Far beyond any guidance that gives a picture.
const MAX_GUIDANCE: f32 = 100.0;
/// The most references; the model tells them apart by a place of their own.
const MAX_REFERENCES: usize = 10;

/// One picture to make.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the picture shows; references are "image 1", "image 2" and so on.
    pub prompt: String,
    /// What the picture should not show, with models that are guided by a second pass; left out, it is
    /// the empty prompt. Distilled models ignore it.
    pub negative: Option<String>,
    /// Width in pixels: a multiple of 16, at least 64.
    pub width: u32,
    /// Height in pixels: a multiple of 16, at least 64; both together at most 2048² pixels, and
    /// neither more than 8 times the other.
    pub height: u32,
    /// Denoising steps, 1 to 200.
    pub steps: u32,
    /// How strongly the prompt pulls, 0 to 100. Distilled models ignore it; with others a guidance of 1
    /// or less saves the second pass.
    pub guidance: f32,
    /// The seed of the noise, 0 to 2^63 − 1, as of PyTorch's CPU generator.
    pub seed: u64,
    /// At most 10 pictures to go by, each side at least 64 pixels and at most 8 times the other. They
    /// are scaled and cropped as [`reference::fit`](crate::reference::fit) says.
    pub references: Vec<RgbImage>,
    /// At most 8 LoRA files, which all apply at once.
    pub loras: Vec<Lora>,
    /// The area above which a reference is scaled down.
    pub reference_cap: ReferenceCap,
    /// A picture to begin from, instead of from noise alone; of `width`×`height` pixels.
    pub init: Option<Init>,
}

impl Default for Request {
    /// An empty prompt at 1024×1024 in 4 steps without guidance, from the seed 0.
    fn default() -> Self {
        Self {
            prompt: String::new(),
            negative: None,
            width: 1024,
            height: 1024,
            steps: 4,
            guidance: 1.0,
            seed: 0,
            references: Vec::new(),
            loras: Vec::new(),
            reference_cap: ReferenceCap::default(),
            init: None,
        }
    }
}

impl Request {
    /// Checks all fields but the references' sizes, which are checked when a picture is rendered.
    ///
    /// # Errors
    /// `request-invalid`, naming the first field that is out of range.
    pub fn check(&self) -> Result<(), EngineError> {
        for (field, side) in [("width", self.width), ("height", self.height)] {
            if side < MIN_SIDE || !side.is_multiple_of(TOKEN_PIXELS) {
                return Err(EngineError::request(
                    field,
                    format!("{side} is not a multiple of {TOKEN_PIXELS} from {MIN_SIDE} up"),
                ));
            }
        }
        let (width, height) = (self.width, self.height);
        if u64::from(width) * u64::from(height) > MAX_AREA {
            return Err(EngineError::request(
                "width",
                format!("{width}×{height} is more than {MAX_AREA} pixels"),
            ));
        }
        if u64::from(width.max(height)) > u64::from(width.min(height)) * u64::from(MAX_ASPECT) {
            return Err(EngineError::request(
                "width",
                format!("{width}×{height} is more than {MAX_ASPECT} times longer one way"),
            ));
        }
        if !(1..=MAX_STEPS).contains(&self.steps) {
            return Err(EngineError::request(
                "steps",
                format!("{} is not between 1 and {MAX_STEPS}", self.steps),
            ));
        }
        if !(0.0..=MAX_GUIDANCE).contains(&self.guidance) {
            return Err(EngineError::request(
                "guidance",
                format!("{} is not between 0 and {MAX_GUIDANCE}", self.guidance),
            ));
        }
        if i64::try_from(self.seed).is_err() {
            return Err(EngineError::request(
                "seed",
                format!("{} is more than 2^63 − 1", self.seed),
            ));
        }
        if self.references.len() > MAX_REFERENCES {
            return Err(EngineError::request(
                "references",
                format!("{} are more than {MAX_REFERENCES}", self.references.len()),
            ));
        }
        Lora::check(&self.loras)?;
        self.init
            .as_ref()
            .map_or(Ok(()), |init| self.check_init(init))
    }

    fn check_init(&self, init: &Init) -> Result<(), EngineError> {
        let size = (self.width, self.height);
        let mask = init.mask.as_ref().map(|mask| ("mask", mask.dimensions()));
        for (field, found) in [("init", init.picture.dimensions())]
            .into_iter()
            .chain(mask)
        {
            if found != size {
                let ((width, height), (wide, high)) = (size, found);
                return Err(EngineError::request(
                    field,
                    format!("it is {wide}×{high}, not {width}×{height} as the picture to be made"),
                ));
            }
        }
        if !(init.strength > 0.0 && init.strength <= 1.0)
            || schedule::first_step(self.steps as usize, init.strength) >= self.steps as usize
        {
            return Err(EngineError::request(
                "strength",
                format!("{} is not more than 0 and at most 1", init.strength),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use image::GrayImage;

    use super::*;

    fn request() -> Request {
        Request {
            width: 1024,
            height: 768,
            ..Request::default()
        }
    }

    fn lora(scale: f32) -> Lora {
        Lora {
            path: "style.safetensors".into(),
            scale,
        }
    }

    fn init(strength: f64) -> Option<Init> {
        Some(Init {
            picture: RgbImage::new(1024, 768),
            strength,
            mask: None,
        })
    }

    #[test]
    fn what_is_in_range_passes() {
        let edges = [
            Request {
                width: 64,
                height: 64,
                ..request()
            },
            Request {
                width: 2048,
                height: 2048,
                ..request()
            },
            Request {
                width: 4096,
                height: 1024,
                ..request()
            },
            Request {
                width: 512,
                height: 64,
                ..request()
            },
            Request {
                steps: 200,
                guidance: 0.0,
                seed: i64::MAX as u64,
                ..request()
            },
            Request {
                references: vec![RgbImage::new(64, 64); 10],
                loras: vec![lora(-10.0), lora(0.0)],
                ..request()
            },
            Request {
                init: init(1.0),
                ..request()
            },
            Request {
                init: init(1e-3),
                ..request()
            },
        ];
        for request in edges {
            request.check().unwrap();
        }
    }

    #[test]
    fn what_is_out_of_range_names_its_field() {
        for (wrong, field) in [
            (
                Request {
                    width: 0,
                    ..request()
                },
                "width",
            ),
            (
                Request {
                    width: 48,
                    ..request()
                },
                "width",
            ),
            (
                Request {
                    height: 100,
                    ..request()
                },
                "height",
            ),
            (
                Request {
                    width: 2048,
                    height: 2064,
                    ..request()
                },
                "width",
            ),
            (
                Request {
                    width: 4_294_967_280,
                    height: 4_294_967_280,
                    ..request()
                },
                "width",
            ),
            (
                Request {
                    width: 528,
                    height: 64,
                    ..request()
                },
                "width",
            ),
            (
                Request {
                    steps: 0,
                    ..request()
                },
                "steps",
            ),
            (
                Request {
                    steps: 201,
                    ..request()
                },
                "steps",
            ),
            (
                Request {
                    guidance: f32::NAN,
                    ..request()
                },
                "guidance",
            ),
            (
                Request {
                    guidance: -1.0,
                    ..request()
                },
                "guidance",
            ),
            (
                Request {
                    seed: 1 << 63,
                    ..request()
                },
                "seed",
            ),
            (
                Request {
                    references: vec![RgbImage::new(64, 64); 11],
                    ..request()
                },
                "references",
            ),
            (
                Request {
                    loras: vec![lora(1.0); 9],
                    ..request()
                },
                "loras",
            ),
            (
                Request {
                    loras: vec![lora(1.0), lora(10.1)],
                    ..request()
                },
                "loras",
            ),
            (
                Request {
                    loras: vec![lora(f32::NAN)],
                    ..request()
                },
                "loras",
            ),
            (
                Request {
                    width: 1008,
                    init: init(0.5),
                    ..request()
                },
                "init",
            ),
            (
                Request {
                    init: init(0.5).map(|init| Init {
                        mask: Some(GrayImage::new(1024, 752)),
                        ..init
                    }),
                    ..request()
                },
                "mask",
            ),
            (
                Request {
                    init: init(0.0),
                    ..request()
                },
                "strength",
            ),
            (
                Request {
                    init: init(1e-30),
                    ..request()
                },
                "strength",
            ),
            (
                Request {
                    init: init(f64::NAN),
                    ..request()
                },
                "strength",
            ),
        ] {
            let error = wrong.check().unwrap_err();
            assert_eq!(error.code(), "request-invalid");
            assert!(
                matches!(error, EngineError::Request { field: found, .. } if found == field),
                "{error}"
            );
        }
    }
}
