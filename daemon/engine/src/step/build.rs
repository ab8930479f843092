//! From a network and numbers of tokens to the operations of a step.

use super::Program;
use super::bank::Weight;
use super::emit::{Emitter, Rows};
use super::network::{Double, Embedder, Network, Single, Stream};
use super::op::{Attend, By, Heads, Inner, Op, Span, Vector};
use super::place::{Address, Matrix, Operand, Raw};
use super::rooms::{Ports, Rooms, Tokens};

#[cfg(test)]
mod tests;

/// A transformer's program, and where its inputs and outputs are.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) program: Program,
    pub(super) ports: Ports,
}

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// The velocity of the output's tokens.
    Predict,
    /// Keys and values of references, which are the image's tokens and read by themselves.
    Remember,
}

impl Laid {
    pub(super) fn new(network: &Network, tokens: Tokens, purpose: Purpose) -> Self {
        let rooms = Rooms::of(network, tokens);
        let mut builder = Builder {
            network,
            rooms: &rooms,
            tokens,
            purpose,
            emit: Emitter::new(rooms.bench, network.arithmetic, network.config.eps),
        };
        builder.build();
        let ops = builder.emit.ops;
        Self {
            program: Program {
                ops,
                bytes: rooms.bytes(),
            },
            ports: rooms.ports,
        }
    }
}

/// Shift, scale and gate of a sub-layer.
#[derive(Debug, Clone, Copy)]
struct Modulation {
    shift: Address,
    scale: Address,
    gate: Address,
}

struct Builder<'a> {
    network: &'a Network,
    rooms: &'a Rooms,
    tokens: Tokens,
    purpose: Purpose,
    emit: Emitter,
}

impl Builder<'_> {
    fn build(&mut self) {
        self.emit.ops.push(Op::Enter(self.network.common));
        self.embed_time();
        self.enter_tokens();
        for (number, block) in self.network.doubles.iter().enumerate() {
            self.emit.ops.push(Op::Enter(block.group));
            self.double(block, number);
            self.emit.leave(block.group);
        }
        let before = self.network.doubles.len();
        for (number, block) in self.network.singles.iter().enumerate() {
            self.emit.ops.push(Op::Enter(block.group));
            self.single(block, before + number);
            self.emit.leave(block.group);
        }
        if self.purpose == Purpose::Predict {
            self.predict();
        }
        self.emit.ops.push(Op::Leave(self.network.common));
    }

    fn embed_time(&mut self) {
        let network = self.network;
        let rooms = self.rooms;
        self.embed(network.time, rooms.ports.time.at, false);
        if let (Some(embedder), Purpose::Predict) = (network.guidance, self.purpose) {
            self.embed(embedder, rooms.ports.guidance.at, true);
        }
        for (weight, out) in [
            (network.double_image, rooms.for_image),
            (network.double_text, rooms.for_text),
            (network.single, rooms.for_single),
            (network.last, rooms.last),
        ] {
            self.vector(weight, rooms.time[1], out, true, false);
        }
    }

    fn embed(&mut self, embedder: Embedder, wave: Address, add: bool) {
        let [inner, out] = self.rooms.time;
        self.vector(embedder.first, wave, inner, false, false);
        self.vector(embedder.second, inner, out, true, add);
    }

    fn vector(&mut self, weight: Weight, x: Address, out: Address, silu: bool, add: bool) {
        self.emit.ops.push(Op::Vector(Vector {
            weight: weight.values,
            scales: weight.scales,
            x,
            out,
            silu,
            add,
        }));
    }

    fn text(&self) -> Rows {
        Rows {
            first: 0,
            count: self.tokens.prompt,
        }
    }

    fn image(&self) -> Rows {
        Rows {
            first: self.tokens.prompt,
            count: self.tokens.image,
        }
    }

    fn enter_tokens(&mut self) {
        let ports = self.rooms.ports;
        let sides = [
            (self.text(), ports.prompt, self.network.text_in),
            (self.image(), ports.image, self.network.image_in),
        ];
        for (rows, given, weight) in sides.into_iter().filter(|side| side.0.count > 0) {
            self.emit.ops.push(Op::Product {
                a: given,
                b: weight.values,
                out: self.rooms.bench.x.rows(rows.first, rows.count),
            });
        }
    }

    fn modulations<const N: usize>(&self, at: Address) -> [Modulation; N] {
        let hidden = self.network.config.hidden();
        std::array::from_fn(|number| {
            let part = |chunk| at.f32((3 * number + chunk) * hidden);
            Modulation {
                shift: part(0),
                scale: part(1),
                gate: part(2),
            }
        })
    }

    fn double(&mut self, block: &Double, number: usize) {
        let mut streams = vec![
            (
                self.text(),
                &block.text,
                self.modulations::<2>(self.rooms.for_text),
            ),
            (
                self.image(),
                &block.image,
                self.modulations(self.rooms.for_image),
            ),
        ];
        streams.retain(|(rows, ..)| rows.count > 0);
        // Both streams' operands before any product: what waits to be added lies where products go.
        let operands: Vec<_> = streams
            .iter()
            .map(|(rows, stream, [attention, _])| self.modulated(*rows, attention, stream.qkv))
            .collect();
        for ((rows, stream, _), operand) in streams.iter().zip(operands) {
            let y = self.emit.product(*rows, operand, stream.qkv);
            self.split(*rows, y, stream.query_norm, stream.key_norm);
        }
        self.attend(number);
        for (rows, stream, [attention, feed_forward]) in &streams {
            self.leave(*rows, stream, attention, feed_forward);
        }
    }

    fn leave(
        &mut self,
        rows: Rows,
        stream: &Stream,
        attention: &Modulation,
        feed_forward: &Modulation,
    ) {
        let inner = self.network.config.feed_forward();
        let front = self.rooms.attended.rows(rows.first, rows.count);
        let y = self
            .emit
            .gated(rows, Some(front), None, stream.attention_out);
        self.emit.later(rows, y, Some(attention.gate));
        let operand = self.modulated(rows, feed_forward, stream.feed_forward_in);
        let y = self.emit.product(rows, operand, stream.feed_forward_in);
        let inside = Inner {
            y,
            gate: 0,
            value: inner,
            width: inner,
        };
        let y = self
            .emit
            .gated(rows, None, Some(inside), stream.feed_forward_out);
        self.emit.later(rows, y, Some(feed_forward.gate));
    }

    fn single(&mut self, block: &Single, number: usize) {
        let (hidden, inner) = (
            self.network.config.hidden(),
            self.network.config.feed_forward(),
        );
        let [modulation] = self.modulations(self.rooms.for_single);
        let all = Rows {
            first: 0,
            count: self.tokens.all(),
        };
        let operand = self.modulated(all, &modulation, block.fused_in);
        let y = self.emit.product(all, operand, block.fused_in);
        self.split(all, y, block.query_norm, block.key_norm);
        self.attend(number);
        let inside = Inner {
            y,
            gate: 3 * hidden,
            value: 3 * hidden + inner,
            width: inner,
        };
        let y = self.emit.gated(
            all,
            Some(self.rooms.attended),
            Some(inside),
            block.fused_out,
        );
        self.emit.later(all, y, Some(modulation.gate));
    }

    fn predict(&mut self) {
        let rows = Rows {
            first: self.tokens.prompt,
            count: self.tokens.predicted,
        };
        let hidden = self.network.config.hidden();
        // Here the scale comes first.
        let by = By::Layer {
            scale: self.rooms.last,
            shift: self.rooms.last.f32(hidden),
        };
        let weight = self.network.out;
        let operand = self.emit.normed(rows, by, weight);
        self.emit.ops.push(Op::Product {
            a: operand.values,
            b: weight.values,
            out: self.rooms.ports.velocity,
        });
    }

    /// Rows of x, normalised and modulated, as a weight's operand.
    fn modulated(&mut self, rows: Rows, modulation: &Modulation, weight: Weight) -> Operand {
        let by = By::Layer {
            shift: modulation.shift,
            scale: modulation.scale,
        };
        self.emit.normed(rows, by, weight)
    }

    fn split(&mut self, rows: Rows, y: Raw, query_norm: Address, key_norm: Address) {
        let config = &self.network.config;
        let (hidden, heads) = (config.hidden(), config.num_attention_heads);
        let rooms = self.rooms;
        let kept = self.tokens.kept * usize::from(self.purpose == Purpose::Predict);
        let span = |number: usize, norm, out: Matrix, before| Span {
            column: number * hidden,
            heads,
            norm,
            out: out.rows(before + rows.first, rows.count),
        };
        self.emit.ops.push(Op::Heads(Heads {
            y,
            queries: Some(span(0, Some(query_norm), rooms.query, 0)),
            keys: Some(span(1, Some(key_norm), rooms.key, kept)),
            values: Some(span(2, None, rooms.value, kept)),
            width: config.attention_head_dim,
            #[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is meant")]
            eps: config.eps as f32,
            cos: rooms.ports.cos.rows(rows.first, rows.count).at,
            sin: rooms.ports.sin.rows(rows.first, rows.count).at,
            halves: false,
        }));
    }

    fn attend(&mut self, number: usize) {
        let rooms = self.rooms;
        let (mut seen, mut kept) = (self.tokens.all(), 0);
        if let Some(places) = rooms.kept.get(number) {
            let own = [rooms.key, rooms.value].map(|all| all.rows(0, self.tokens.kept));
            for (kept, own) in places.iter().zip(own) {
                let (from, to) = match self.purpose {
                    Purpose::Predict => (*kept, own),
                    Purpose::Remember => (own, *kept),
                };
                self.emit.ops.push(Op::Copy { from, to });
            }
            kept = self.tokens.kept;
        }
        if self.purpose == Purpose::Predict {
            seen += kept;
        }
        self.emit.ops.push(Op::Attend(Attend {
            query: rooms.query,
            key: rooms.key.rows(0, seen),
            value: rooms.value.rows(0, seen),
            out: rooms.attended,
            width: self.network.config.attention_head_dim,
            causal: false,
        }));
    }
}
