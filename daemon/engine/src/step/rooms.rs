//! The places of a step's numbers.
//!
//! All are known before the first step, so a step allocates nothing. A place that is written before it is read in
//! every block serves all blocks, and what products give, the largest by far, is one place for all products.

use super::emit::Bench;
use super::network::Network;
use super::place::{Address, Arena, Kind, Matrix, Operand};

/// How many tokens of each sort a step has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tokens {
    /// The prompt's; none where references are read by themselves.
    pub(crate) prompt: usize,
    /// The output's and those of references beside it.
    pub(crate) image: usize,
    /// Those of the image's that are predicted: its first.
    pub(crate) predicted: usize,
    /// Tokens of references that were read before, of which keys and values are kept.
    pub(crate) kept: usize,
}

impl Tokens {
    pub(crate) fn all(&self) -> usize {
        self.prompt + self.image
    }
}

/// What is written before a step begins, and read after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    /// `[image tokens, channels]`, of the kind of the weight that takes them.
    pub(crate) image: Matrix,
    /// `[prompt tokens, context width]`, likewise.
    pub(crate) prompt: Matrix,
    /// The sinusoid of the time, f32, one row.
    pub(crate) time: Matrix,
    /// That of the guidance, where the network takes it.
    pub(crate) guidance: Matrix,
    /// f32 `[tokens, head width / 2]`.
    pub(crate) cos: Matrix,
    pub(crate) sin: Matrix,
    /// f32 `[predicted tokens, channels]`.
    pub(crate) velocity: Matrix,
}

/// All places.
#[derive(Debug)]
pub(crate) struct Rooms {
    pub(crate) ports: Ports,
    pub(super) bench: Bench,
    /// Vectors of f32: of the time, twice, then of the modulations.
    pub(crate) time: [Address; 2],
    pub(crate) for_image: Address,
    pub(crate) for_text: Address,
    pub(crate) for_single: Address,
    pub(crate) last: Address,
    /// Queries, and keys and values with those kept before their own.
    pub(crate) query: Matrix,
    pub(crate) key: Matrix,
    pub(crate) value: Matrix,
    pub(crate) attended: Matrix,
    /// Keys and values of references, for each block, if they are kept.
    pub(crate) kept: Vec<[Matrix; 2]>,
    bytes: usize,
}

impl Rooms {
    /// Lays out a step.
    pub(crate) fn of(network: &Network, tokens: Tokens) -> Self {
        let config = &network.config;
        let (hidden, inner) = (config.hidden(), config.feed_forward());
        let all = tokens.all();
        let numbers = network.arithmetic.weights.product();
        let mut arena = Arena::default();
        // First what is kept from one program to the next: where it lies depends on nothing else.
        let blocks = network.doubles.len() + network.singles.len();
        let mut keep = || arena.matrix(tokens.kept, hidden, numbers);
        let kept = match tokens.kept {
            0 => Vec::new(),
            _ => (0..blocks).map(|_| [keep(), keep()]).collect(),
        };
        let half = config.attention_head_dim / 2;
        let ports = Ports {
            image: arena.matrix(
                tokens.image,
                config.in_channels,
                network.image_in.values.kind,
            ),
            prompt: arena.matrix(
                tokens.prompt,
                config.joint_attention_dim,
                network.text_in.values.kind,
            ),
            time: arena.matrix(1, config.timestep_guidance_channels, Kind::F32),
            guidance: arena.matrix(1, config.timestep_guidance_channels, Kind::F32),
            cos: arena.matrix(all, half, Kind::F32),
            sin: arena.matrix(all, half, Kind::F32),
            velocity: arena.matrix(tokens.predicted, config.output(), Kind::F32),
        };
        let seen = tokens.kept + all;
        let product = 3 * hidden + 2 * inner;
        let scratch = network.scratch();
        Self {
            ports,
            bench: Bench::new(
                &mut arena,
                [all, hidden],
                hidden + inner,
                product,
                numbers,
                scratch,
            ),
            time: [arena.vector(hidden), arena.vector(hidden)],
            for_image: arena.vector(6 * hidden),
            for_text: arena.vector(6 * hidden),
            for_single: arena.vector(3 * hidden),
            last: arena.vector(2 * hidden),
            query: arena.matrix(all, hidden, numbers),
            key: arena.matrix(seen, hidden, numbers),
            value: arena.matrix(seen, hidden, numbers),
            attended: arena.matrix(all, hidden, numbers),
            kept,
            bytes: arena.bytes(),
        }
    }

    /// Bytes of the arena.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Operand {
    /// `count` rows from `first` on.
    pub(crate) fn rows(self, first: usize, count: usize) -> Self {
        Self {
            values: self.values.rows(first, count),
            scales: self.scales.map(|scales| scales.f32(first)),
        }
    }
}
