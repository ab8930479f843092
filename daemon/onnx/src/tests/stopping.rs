//! Runs that end early.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::forge;
use super::{floats, models_of};
use crate::{Limits, Tensor, Trouble};

fn x() -> Vec<Tensor> {
    vec![floats("x", &[1, 2], &[0.1, 0.2])]
}

#[test]
fn it_stops_between_two_nodes() {
    let (_folder, models) = models_of(&forge::chain(50), Limits::default());
    let asked = AtomicUsize::new(0);
    let counting = |limit| {
        asked.store(0, Ordering::Relaxed);
        models.run("it", x(), &|| {
            asked.fetch_add(1, Ordering::Relaxed) >= limit
        })
    };
    let answer = counting(20);
    assert!(matches!(answer, Err(Trouble::Stopped { .. })), "{answer:?}");
    assert_eq!(
        asked.load(Ordering::Relaxed),
        21,
        "it is asked once more at most"
    );

    counting(usize::MAX).unwrap();
    let times = asked.load(Ordering::Relaxed);
    assert!(times >= 50, "asked {times} times for 50 nodes");
}

#[test]
fn it_stops_when_its_time_is_over() {
    let limits = Limits {
        seconds: 0.0,
        ..Limits::default()
    };
    let (_folder, models) = models_of(&forge::chain(50), limits);
    let answer = models.run("it", x(), &|| false);
    assert_eq!(
        answer.unwrap_err().to_string(),
        "model \"it\" was stopped: it may take 0 s and was not done by then"
    );
}

#[test]
fn after_a_stop_it_runs_again() {
    let (_folder, models) = models_of(&forge::affine(), Limits::default());
    let stopped = models.run("it", x(), &|| true);
    assert!(
        matches!(stopped, Err(Trouble::Stopped { .. })),
        "{stopped:?}"
    );
    models.run("it", x(), &|| false).unwrap();
    assert_eq!(models.loads(), 1);
}
