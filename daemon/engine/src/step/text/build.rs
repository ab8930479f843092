//! From the encoder and the places of a prompt to the operations.

use super::{Layer, TextNetwork};
use crate::rope::Pairing;
use crate::step::emit::{Bench, Emitter, Rows};
use crate::step::op::{Attend, By, Heads, Inner, Op, Span};
use crate::step::place::{Arena, Kind, Matrix};

/// Which of the tokens see, and which are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct View {
    /// All tokens that are computed.
    pub(super) tokens: usize,
    /// Those at the start that see nothing.
    pub(super) blind: usize,
    /// Those after them that are seen.
    pub(super) keys: usize,
}

/// What is written before the program runs, and read after it.
#[derive(Debug, Clone)]
pub(super) struct Ports {
    /// f32 `[tokens, hidden width]`.
    pub(super) x: Matrix,
    /// f32 `[tokens that see, head width / 2]`.
    pub(super) cos: Matrix,
    pub(super) sin: Matrix,
    /// The states that are listened to, each as `x`.
    pub(super) states: Vec<Matrix>,
}

/// All places.
struct Rooms {
    ports: Ports,
    bench: Bench,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    attended: Matrix,
    bytes: usize,
}

impl Rooms {
    fn of(network: &TextNetwork, view: View) -> Self {
        let config = &network.config;
        let (hidden, inner, width) = (
            config.hidden_size,
            config.intermediate_size,
            config.head_dim,
        );
        let queries = config.num_attention_heads * width;
        let keys = config.num_key_value_heads * width;
        let numbers = network.arithmetic.weights.product();
        let mut arena = Arena::default();
        let sees = view.tokens - view.blind;
        let operand = hidden.max(inner).max(queries);
        let product = (queries + 2 * keys).max(2 * inner).max(hidden);
        let scratch = network.arithmetic.scratch(network.weights());
        let tokens = [view.tokens, hidden];
        let bench = Bench::new(&mut arena, tokens, operand, product, numbers, scratch);
        Self {
            ports: Ports {
                x: bench.x,
                cos: arena.matrix(sees, width / 2, Kind::F32),
                sin: arena.matrix(sees, width / 2, Kind::F32),
                states: (0..config.family.taps().len())
                    .map(|_| arena.matrix(view.tokens, hidden, Kind::F32))
                    .collect(),
            },
            query: arena.matrix(sees, queries, numbers),
            key: arena.matrix(sees, keys, numbers),
            value: arena.matrix(sees, keys, numbers),
            attended: arena.matrix(sees, queries, numbers),
            bench,
            bytes: arena.bytes(),
        }
    }
}

/// The encoder's operations, for tokens of this view.
pub(super) fn build(network: &TextNetwork, view: View) -> (Vec<Op>, Ports, usize) {
    let rooms = Rooms::of(network, view);
    let eps = network.config.rms_norm_eps;
    let mut builder = Builder {
        network,
        rooms: &rooms,
        view,
        emit: Emitter::new(rooms.bench, network.arithmetic, eps),
    };
    let taps = network.config.family.taps();
    let all = builder.all();
    for (number, layer) in (1..).zip(&network.layers) {
        builder.emit.ops.push(Op::Enter(layer.group));
        builder.layer(layer);
        builder.emit.leave(layer.group);
        if let Some(tap) = taps.iter().position(|&tap| tap == number) {
            builder.emit.settle(all);
            let (from, to) = (rooms.bench.x, rooms.ports.states[tap]);
            builder.emit.ops.push(Op::Copy { from, to });
        }
    }
    let ops = builder.emit.ops;
    (ops, rooms.ports, rooms.bytes)
}

struct Builder<'a> {
    network: &'a TextNetwork,
    rooms: &'a Rooms,
    view: View,
    emit: Emitter,
}

impl Builder<'_> {
    fn all(&self) -> Rows {
        Rows {
            first: 0,
            count: self.view.tokens,
        }
    }

    fn layer(&mut self, layer: &Layer) {
        let config = &self.network.config;
        let (all, inner) = (self.all(), config.intermediate_size);
        let seeing = Rows {
            first: self.view.blind,
            count: self.view.tokens - self.view.blind,
        };
        // What does not see is not read before the feed-forward, and what waits for it lies where products go.
        self.emit.settle(Rows {
            first: 0,
            count: self.view.blind,
        });
        if seeing.count > 0 {
            let by = By::Rms {
                weight: layer.attention_norm,
            };
            let operand = self.emit.normed(seeing, by, layer.fused_in);
            let y = self.emit.product(seeing, operand, layer.fused_in);
            self.look(layer, y);
            let front = Some(self.rooms.attended);
            let y = self.emit.gated(seeing, front, None, layer.out);
            self.emit.later(seeing, y, None);
        }
        let by = By::Rms {
            weight: layer.feed_forward_norm,
        };
        let operand = self.emit.normed(all, by, layer.gate_up);
        let y = self.emit.product(all, operand, layer.gate_up);
        let inside = Inner {
            y,
            gate: 0,
            value: inner,
            width: inner,
        };
        let y = self.emit.gated(all, None, Some(inside), layer.down);
        self.emit.later(all, y, None);
    }

    fn look(&mut self, layer: &Layer, y: crate::step::place::Raw) {
        let config = &self.network.config;
        let (width, rooms) = (config.head_dim, self.rooms);
        let queries = config.num_attention_heads;
        let keys = config.num_key_value_heads;
        let span = |first: usize, heads, norm, out| Span {
            column: first * width,
            heads,
            norm,
            out,
        };
        let [query_norm, key_norm] = layer.norms.map_or([None; 2], |norms| norms.map(Some));
        #[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is meant")]
        let eps = config.rms_norm_eps as f32;
        self.emit.ops.push(Op::Heads(Heads {
            y,
            queries: Some(span(0, queries, query_norm, rooms.query)),
            keys: Some(span(queries, keys, key_norm, rooms.key)),
            values: Some(span(queries + keys, keys, None, rooms.value)),
            width,
            eps,
            cos: rooms.ports.cos.at,
            sin: rooms.ports.sin.at,
            halves: config.pairing == Pairing::Halves,
        }));
        self.emit.ops.push(Op::Attend(Attend {
            query: rooms.query,
            key: rooms.key.rows(0, self.view.keys),
            value: rooms.value.rows(0, self.view.keys),
            out: rooms.attended,
            width,
            causal: true,
        }));
    }
}
