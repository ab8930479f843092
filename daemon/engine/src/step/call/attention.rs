//! The calls of attention.

use super::{Arguments, Call, Unit, count};
use crate::step::op::Attend;
use crate::step::place::{Address, Kind};

const BF16_ATTENTION: &str = "attend_bf16";
/// Keys of a tile of it and stages of its ring, as `attention.cu` has them, and where shared memory is little.
const TILES: [usize; 2] = [64, 3];
pub(crate) const SMALL_TILES: [usize; 2] = [32, 2];
/// Bytes of shared memory that the system takes for each block.
const RESERVED: u32 = 1 << 10;

/// Bytes of its shared memory: 128 queries, and the stages of keys or values.
fn flash_bytes(width: usize, [keys, stages]: [usize; 2]) -> usize {
    (128 + stages * keys) * width * Kind::Bf16.bytes()
}

/// Queries of a block, its threads, and its shared memory for heads of this width, as `attention.cu` has them.
#[derive(Debug, Clone, Copy)]
struct Flash {
    queries: usize,
    shared: usize,
}

impl Flash {
    fn of(kind: Kind, width: usize) -> Self {
        match kind {
            Kind::F32 => Self {
                queries: 64,
                shared: 512 * width + 8192,
            },
            _ => Self {
                queries: 128,
                shared: flash_bytes(width, TILES),
            },
        }
    }
}

impl Call {
    /// The same for a card whose multiprocessors have so many bytes of shared memory each. What hides the latency of
    /// attention's loads is another block beside it: where two do not fit, tiles are smaller. FlashAttention-2 takes
    /// such tiles for heads of 128 on cards of 100 KB, for the same reason.
    pub(crate) fn fitted(self, multiprocessor: u32) -> Self {
        let Unit::Attention(width) = self.unit else {
            return self;
        };
        if self.kernel != BF16_ATTENTION || 2 * (self.shared + RESERVED) <= multiprocessor {
            return self;
        }
        Self {
            unit: Unit::SmallAttention(width),
            shared: count(flash_bytes(width as usize, SMALL_TILES)),
            ..self
        }
    }
}

pub(super) fn of_attend(attend: &Attend, place: &dyn Fn(Address) -> u64) -> Call {
    let kind = attend.query.kind;
    let flash = Flash::of(kind, attend.width);
    let arguments = Arguments::new(place)
        .pointer(attend.query.at)
        .pointer(attend.key.at)
        .pointer(attend.value.at)
        .pointer(attend.out.at)
        .size(attend.query.rows)
        .size(attend.key.rows)
        .size(attend.heads())
        .size(attend.shared())
        .size(usize::from(attend.causal))
        .number(attend.scale());
    Call {
        unit: Unit::Attention(count(attend.width)),
        kernel: match kind {
            Kind::F32 => "attend_f32",
            _ => BF16_ATTENTION,
        },
        grid: [
            count(attend.query.rows.div_ceil(flash.queries)),
            count(attend.heads()),
            1,
        ],
        threads: 128,
        shared: count(flash.shared),
        arguments: arguments.words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By bytes that two blocks take, the system's share included: 164 KB on sm_80, 228 on sm_90, 100 on sm_86, sm_89
    /// and sm_120.
    #[test]
    fn attention_has_two_blocks_on_every_multiprocessor() {
        let of = |width: usize, kernel, shared| Call {
            unit: Unit::Attention(count(width)),
            kernel,
            grid: [3, 2, 1],
            threads: 128,
            shared: count(shared),
            arguments: vec![1, 2],
        };
        for width in [16, 32, 64, 128] {
            for kilobytes in [100, 164, 228] {
                let call = of(width, "attend_bf16", flash_bytes(width, TILES));
                let fitted = call.clone().fitted(kilobytes << 10);
                assert!(
                    2 * (fitted.shared + RESERVED) <= kilobytes << 10,
                    "{fitted:?}"
                );
                let smaller = width == 128 && kilobytes == 100;
                assert_eq!(fitted.unit == Unit::SmallAttention(count(width)), smaller);
                assert_eq!(fitted == call, !smaller);
                assert_eq!(fitted.grid, call.grid);
            }
        }
        // The kernel of f32 has tiles of its own.
        let single = of(128, "attend_f32", Flash::of(Kind::F32, 128).shared);
        assert_eq!(single.clone().fitted(100 << 10), single);
    }
}
