//! A transformer that runs as programs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor};

use super::machine::{Host, Machine, Owner, number};
use super::network::Network;
use super::rooms::Tokens;
use super::{Laid, Purpose};
use crate::config::TransformerConfig;
use crate::device::Precision;
use crate::error::EngineError;
use crate::host::{download, upload};
use crate::lora::Adapters;
use crate::rope;
use crate::transformer::time::{self, GUIDANCE_SCALE};
use crate::weights::{Weights, WeightsError};

/// A transformer on a host.
#[derive(Debug)]
pub(crate) struct Runner {
    network: Network,
    host: Arc<Host>,
    owner: Owner,
    /// Where tensors come from and go to.
    device: Device,
    programs: Mutex<HashMap<(Tokens, Purpose), Arc<Laid>>>,
    /// Which conditioning is on the device, and on which machine.
    written: Mutex<(u64, u64)>,
    /// Which references are.
    remembered: Mutex<(u64, u64)>,
}

/// What stays the same over the steps of a picture.
#[derive(Debug)]
pub(crate) struct Conditioning {
    number: u64,
    /// `[prompt tokens, context width]`.
    prompt: Vec<f32>,
    prompt_tokens: usize,
    /// `[tokens, head width / 2]`.
    cos: Vec<f32>,
    sin: Vec<f32>,
    guidance: f32,
}

impl Conditioning {
    pub(crate) fn prompt_tokens(&self) -> usize {
        self.prompt_tokens
    }
}

/// References of which keys and values are kept on the device.
#[derive(Debug, Clone)]
pub(crate) struct Remembered(Arc<References>);

/// All that reading them takes: what is kept of them leaves the device with the network, and is read again then.
#[derive(Debug)]
struct References {
    number: u64,
    /// `[tokens, channels]`.
    image: Vec<f32>,
    tokens: usize,
    /// `[tokens, head width / 2]`.
    cos: Vec<f32>,
    sin: Vec<f32>,
    time: f32,
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.host.release(self.owner);
    }
}

impl Runner {
    /// Finds all weights; reads none.
    ///
    /// # Errors
    /// A missing tensor, a shape that the config does not imply.
    pub(crate) fn load(
        config: TransformerConfig,
        weights: &Weights,
        adapters: &Adapters,
        host: &Arc<Host>,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let arithmetic = host.arithmetic(precision);
        Ok(Self {
            network: Network::load(config, weights, adapters, arithmetic)?,
            host: Arc::clone(host),
            owner: Owner::new(),
            device: device.clone(),
            programs: Mutex::default(),
            written: Mutex::default(),
            remembered: Mutex::default(),
        })
    }

    /// Prepares a prompt, `[prompt tokens, context width]`, for tokens at these places.
    ///
    /// # Errors
    /// `compute-failed` if the device failed.
    pub(crate) fn condition(
        &self,
        prompt: Tensor<2>,
        places: &[[u32; 4]],
        guidance: f32,
    ) -> Result<Conditioning, EngineError> {
        let [prompt_tokens, _] = prompt.dims();
        let [cos, sin] = self.turns(places);
        Ok(Conditioning {
            number: number(),
            prompt: download(prompt)?,
            prompt_tokens,
            cos,
            sin,
            guidance,
        })
    }

    /// Reads references by themselves, `[tokens, channels]`, and keeps what steps see of them; the steps are of so
    /// many tokens of the prompt and of the output.
    ///
    /// # Errors
    /// As of [`predict`](Self::predict).
    pub(crate) fn remember(
        &self,
        references: Tensor<2>,
        places: &[[u32; 4]],
        time: f32,
        [prompt, output]: [usize; 2],
    ) -> Result<Remembered, EngineError> {
        let [tokens, _] = references.dims();
        let [cos, sin] = self.turns(places);
        let references = References {
            number: number(),
            image: download(references)?,
            tokens,
            cos,
            sin,
            time,
        };
        // What the steps compute in is taken now: a larger arena later would need room beside the one with what is
        // kept, and networks that make room take that with them.
        let step = Tokens {
            prompt,
            image: output,
            predicted: output,
            kept: tokens,
        };
        let bytes = self.room(step);
        self.host
            .with(self.owner, &self.network.bank, bytes, |machine| {
                machine.reserve(bytes)?;
                self.read(machine, &references)
            })?;
        Ok(Remembered(Arc::new(references)))
    }

    /// Has a machine keep what steps see of references.
    fn read(&self, machine: &mut dyn Machine, references: &References) -> Result<(), EngineError> {
        let laid = self.reading(references.tokens);
        let (program, ports) = (&laid.program, &laid.ports);
        // This lies where a conditioning's places do.
        *lock(&self.written) = (0, 0);
        machine.write(program, &ports.cos, &references.cos)?;
        machine.write(program, &ports.sin, &references.sin)?;
        machine.write(program, &ports.image, &references.image)?;
        self.write_wave(machine, &laid, references.time, None)?;
        machine.run(program)?;
        *lock(&self.remembered) = (references.number, machine.epoch());
        Ok(())
    }

    /// The velocity of the output's tokens, which are the first `predicted` of the image's, `[tokens, channels]`.
    ///
    /// # Errors
    /// `device-memory` where there is no room, `compute-failed` if the device failed.
    pub(crate) fn predict(
        &self,
        image: Tensor<2>,
        predicted: usize,
        remembered: Option<&Remembered>,
        time: f32,
        conditioning: &Conditioning,
    ) -> Result<Tensor<2>, EngineError> {
        let tokens = Tokens {
            prompt: conditioning.prompt_tokens,
            image: image.dims()[0],
            predicted,
            kept: remembered.map_or(0, |Remembered(kept)| kept.tokens),
        };
        let laid = self.laid(tokens, Purpose::Predict);
        let (program, ports) = (&laid.program, &laid.ports);
        let bytes = self.room(tokens);
        let image = download(image)?;
        let values = self
            .host
            .with(self.owner, &self.network.bank, bytes, |machine| {
                if let Some(Remembered(references)) = remembered
                    && *lock(&self.remembered) != (references.number, machine.epoch())
                {
                    machine.reserve(bytes)?;
                    self.read(machine, references)?;
                }
                let own = (conditioning.number, machine.epoch());
                if std::mem::take(&mut *lock(&self.written)) != own {
                    machine.write(program, &ports.cos, &conditioning.cos)?;
                    machine.write(program, &ports.sin, &conditioning.sin)?;
                    machine.write(program, &ports.prompt, &conditioning.prompt)?;
                }
                machine.write(program, &ports.image, &image)?;
                self.write_wave(machine, &laid, time, Some(conditioning.guidance))?;
                machine.run(program)?;
                let values = machine.read(&ports.velocity)?;
                *lock(&self.written) = own;
                Ok(values)
            })?;
        let channels = self.network.config.output();
        Ok(upload(values, [predicted, channels], &self.device))
    }

    fn write_wave(
        &self,
        machine: &mut dyn Machine,
        Laid { program, ports }: &Laid,
        time: f32,
        guidance: Option<f32>,
    ) -> Result<(), EngineError> {
        let channels = self.network.config.timestep_guidance_channels;
        machine.write(program, &ports.time, &time::sinusoid(time, channels))?;
        match guidance {
            Some(guidance) if self.network.guidance.is_some() => {
                let wave = time::sinusoid(GUIDANCE_SCALE * guidance, channels);
                machine.write(program, &ports.guidance, &wave)
            }
            _ => Ok(()),
        }
    }

    /// The program that reads so many tokens of references by themselves.
    fn reading(&self, tokens: usize) -> Arc<Laid> {
        let alone = Tokens {
            prompt: 0,
            image: tokens,
            predicted: 0,
            kept: tokens,
        };
        self.laid(alone, Purpose::Remember)
    }

    /// Bytes that a step computes in, and reading what it sees of references where that is kept.
    fn room(&self, step: Tokens) -> usize {
        let bytes = self.laid(step, Purpose::Predict).program.bytes;
        match step.kept {
            0 => bytes,
            kept => bytes.max(self.reading(kept).program.bytes),
        }
    }

    fn laid(&self, tokens: Tokens, purpose: Purpose) -> Arc<Laid> {
        let mut programs = lock(&self.programs);
        // A queue of jobs has a few sizes; what was laid out for others is made again in no time.
        const KEPT: usize = 16;
        if programs.len() >= KEPT && !programs.contains_key(&(tokens, purpose)) {
            programs.clear();
        }
        let program = programs
            .entry((tokens, purpose))
            .or_insert_with(|| Arc::new(Laid::new(&self.network, tokens, purpose)));
        Arc::clone(program)
    }

    /// Cosines and sines of all tokens' angles.
    fn turns(&self, places: &[[u32; 4]]) -> [Vec<f32>; 2] {
        let config = &self.network.config;
        let axes = config.axes_dims_rope.iter().enumerate();
        let pairs: Vec<_> = axes
            .flat_map(|(axis, &width)| {
                rope::frequencies(width, config.rope_theta).map(move |rate| (axis, rate))
            })
            .collect();
        rope::turns(places, &pairs)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
