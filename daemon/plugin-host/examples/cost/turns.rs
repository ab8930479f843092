//! Two ways of the same work, in turns, so that whatever else the machine does hits both.

use std::time::Instant;

/// Medians, in seconds.
pub(crate) struct Pair {
    pub(crate) inside: f64,
    pub(crate) outside: f64,
}

/// Times `count` turns, after a tenth as many that do not count.
pub(crate) fn in_turns<A, B>(
    count: usize,
    mut inside: impl FnMut() -> A,
    mut outside: impl FnMut() -> B,
) -> Pair {
    let (mut within, mut without) = (Vec::new(), Vec::new());
    for turn in 0..count + count / 10 {
        let took = timed(&mut inside);
        let other = timed(&mut outside);
        if turn >= count / 10 {
            within.push(took);
            without.push(other);
        }
    }
    Pair {
        inside: median(within),
        outside: median(without),
    }
}

fn timed<T>(work: &mut impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    let made = std::hint::black_box(work());
    let took = start.elapsed().as_secs_f64();
    drop(made);
    took
}

pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
