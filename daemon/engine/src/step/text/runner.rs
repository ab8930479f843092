//! An encoder on a host.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::TextNetwork;
use super::build::{Ports, View, build};
use crate::config::TextEncoderConfig;
use crate::device::Precision;
use crate::error::EngineError;
use crate::host::upload;
use crate::rope;
use crate::step::Program;
use crate::step::machine::{Host, Machine, Owner};
use crate::weights::{Weights, WeightsError};

/// The layers of a text encoder as a program.
#[derive(Debug)]
pub(crate) struct TextRunner {
    network: TextNetwork,
    host: Arc<Host>,
    owner: Owner,
}

impl Drop for TextRunner {
    fn drop(&mut self) {
        self.host.release(self.owner);
    }
}

impl TextRunner {
    /// Finds all weights below `prefix`; reads none.
    ///
    /// # Errors
    /// A missing tensor, or a shape that the config does not imply.
    pub(crate) fn load(
        config: TextEncoderConfig,
        weights: &Weights,
        prefix: &str,
        host: &Arc<Host>,
        precision: Precision,
    ) -> Result<Self, WeightsError> {
        let arithmetic = host.arithmetic(precision);
        Ok(Self {
            network: TextNetwork::load(config, weights, prefix, arithmetic)?,
            host: Arc::clone(host),
            owner: Owner::new(),
        })
    }

    /// The states that are listened to, side by side, `[tokens, 3 · hidden width]`, of embedded tokens. The first
    /// `blind` of them see nothing; of those after them the first `keys` are seen, and stand at `first` and on.
    ///
    /// # Errors
    /// `device-memory` where there is no room, `compute-failed` if the device failed.
    pub(crate) fn encode(
        &self,
        embedded: &[f32],
        first: usize,
        blind: usize,
        keys: usize,
        device: &Device,
    ) -> Result<Tensor<2>, EngineError> {
        let hidden = self.network.config.hidden_size;
        let tokens = embedded.len() / hidden;
        let view = View {
            tokens,
            blind,
            keys,
        };
        let (ops, ports, bytes) = build(&self.network, view);
        let program = Program { ops, bytes };
        let frequencies: Vec<_> = self
            .network
            .config
            .frequencies()
            .map(|rate| (0, rate))
            .collect();
        let places: Vec<[u32; 1]> = (0_u32..)
            .skip(first)
            .take(tokens - blind)
            .map(|at| [at])
            .collect();
        let [cos, sin] = rope::turns(&places, &frequencies);
        let states = self
            .host
            .with(self.owner, &self.network.bank, program.bytes, |machine| {
                machine.write(&program, &ports.x, embedded)?;
                machine.write(&program, &ports.cos, &cos)?;
                machine.write(&program, &ports.sin, &sin)?;
                machine.run(&program)?;
                read(machine, &ports)
            })?;
        let states = states
            .into_iter()
            .map(|state| upload(state, [tokens, hidden], device));
        Ok(Tensor::cat(states.collect(), 1))
    }
}

fn read(machine: &mut dyn Machine, ports: &Ports) -> Result<Vec<Vec<f32>>, EngineError> {
    ports
        .states
        .iter()
        .map(|state| machine.read(state))
        .collect()
}
