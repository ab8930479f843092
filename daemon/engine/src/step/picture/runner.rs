//! One half of the autoencoder on a host.

use std::sync::Arc;

use super::build::{BAND, Laid};
use super::network::{self, Network, Side};
use super::padded;
use crate::config::VaeConfig;
use crate::device::Precision;
use crate::error::EngineError;
use crate::step::machine::{Host, Owner};
use crate::weights::{Weights, WeightsError};

/// A half that runs as programs.
#[derive(Debug)]
pub(crate) struct PictureRunner {
    network: Network,
    host: Arc<Host>,
    owner: Owner,
    /// As [`BAND`].
    pub(super) band: usize,
}

impl Drop for PictureRunner {
    fn drop(&mut self) {
        self.host.release(self.owner);
    }
}

impl PictureRunner {
    /// Whether kernels take the channels of such an autoencoder.
    pub(crate) fn suits(config: &VaeConfig) -> bool {
        network::suits(config)
    }

    /// Finds the weights of a half; reads none.
    ///
    /// # Errors
    /// A missing tensor, a shape that the config does not imply.
    pub(crate) fn load(
        side: Side,
        config: &VaeConfig,
        weights: &Weights,
        host: &Arc<Host>,
        precision: Precision,
    ) -> Result<Self, WeightsError> {
        let numbers = host.arithmetic(precision).weights.product();
        Ok(Self {
            network: Network::load(side, config, weights, numbers)?,
            host: Arc::clone(host),
            owner: Owner::new(),
            band: BAND,
        })
    }

    /// What the half makes of a picture of this height and width, `[channels, height, width]` both.
    ///
    /// # Errors
    /// `device-memory` where there is no room, `compute-failed` if the device failed.
    pub(crate) fn run(&self, planes: &[f32], size: [usize; 2]) -> Result<Vec<f32>, EngineError> {
        let laid = Laid::new(&self.network, size, self.band);
        let rows = to_rows(planes, self.network.inputs, laid.input.columns);
        let (program, bank) = (&laid.program, &self.network.bank);
        self.host.with(self.owner, bank, program.bytes, |machine| {
            machine.write(program, &laid.input, &rows)?;
            machine.run(program)?;
            machine.read(&laid.output)
        })
    }

    /// Bytes of the host that [`run`](Self::run) takes on a picture of this size beside the weights, both pictures
    /// included, and the arena where that is the host's.
    pub(crate) fn host_bytes(&self, size: [usize; 2]) -> u64 {
        const F32: usize = 4;
        let laid = Laid::new(&self.network, size, self.band);
        let pixels = size[0] * size[1];
        // Planes, rows, and the rows as they are held.
        let given = pixels * F32 * (self.network.inputs + 2 * padded(self.network.inputs));
        // As they are read, and as numbers.
        let made = 2 * laid.output.bytes();
        let beside = if self.host.has_own_memory() {
            0
        } else {
            laid.program.bytes
        };
        (given.max(made) + beside) as u64
    }
}

/// Planes of channels as rows of pixels, with zeros where there are fewer channels than columns.
fn to_rows(planes: &[f32], channels: usize, columns: usize) -> Vec<f32> {
    let pixels = planes.len() / channels.max(1);
    let mut rows = vec![0.0; pixels * columns];
    for (channel, plane) in planes.chunks_exact(pixels.max(1)).enumerate() {
        let places = rows.iter_mut().skip(channel).step_by(columns);
        places.zip(plane).for_each(|(place, value)| *place = *value);
    }
    rows
}
