//! Two lanes whose work is done in any order that marks and waits allow.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;

use proptest::prelude::*;

use super::*;

/// Something on a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// A block is on its way to a slot from the first to the second.
    Begin(usize, usize),
    End(usize, usize),
    /// Numbers of the block in this slot are read.
    Use(usize, usize),
    /// Nothing goes on before so much of the other lane is done.
    Wait(usize),
}

/// A lane that only notes what it is given; marks are how much that was.
#[derive(Debug, Default)]
struct Noted(RefCell<Vec<Work>>);

impl Lane for Noted {
    type Mark = usize;

    fn mark(&self) -> Result<usize, EngineError> {
        Ok(self.0.borrow().len())
    }

    fn wait(&self, mark: &usize) -> Result<(), EngineError> {
        self.0.borrow_mut().push(Work::Wait(*mark));
        Ok(())
    }
}

/// The block of this place in the order; groups between are none of the ring's.
fn group(block: usize) -> usize {
    3 * block + 1
}

/// What steps of so many blocks put on both lanes, each block being read so often.
fn noted(blocks: usize, steps: usize, reads: usize) -> [Vec<Work>; 2] {
    let (side, compute) = (Noted::default(), Noted::default());
    let mut turns = Turns::new((0..blocks).map(group).collect());
    let bring = |turns: &mut Turns<usize>| {
        turns
            .bring(&side, |block, slot| {
                let way = [Work::Begin(block, slot), Work::End(block, slot)];
                side.0.borrow_mut().extend(way);
                Ok(())
            })
            .unwrap();
    };
    for _ in 0..SLOTS {
        bring(&mut turns);
    }
    for _ in 0..steps {
        for block in 0..blocks {
            let slot = turns.enter(group(block), &compute).unwrap().unwrap();
            let all = std::iter::repeat_n(Work::Use(block, slot), reads);
            compute.0.borrow_mut().extend(all);
            // One that stays is none of its business.
            assert_eq!(turns.enter(0, &compute).unwrap(), None);
            assert!(!turns.leave(0, &compute).unwrap());
            assert!(turns.leave(group(block), &compute).unwrap());
            bring(&mut turns);
        }
    }
    [side.0.into_inner(), compute.0.into_inner()]
}

/// Does the work, choosing at each moment between the lanes that may go on; gives the first fault.
fn run(lanes: &[Vec<Work>; 2], mut prefers: impl FnMut() -> usize) -> Result<(), String> {
    let mut done = [0, 0];
    let mut slots = [None; SLOTS];
    loop {
        let may = |lane: usize| match lanes[lane].get(done[lane]) {
            None => false,
            Some(Work::Wait(mark)) => done[1 - lane] >= *mark,
            Some(_) => true,
        };
        let first = prefers();
        let Some(lane) = [first, 1 - first].into_iter().find(|&lane| may(lane)) else {
            break;
        };
        match lanes[lane][done[lane]] {
            // What is there is lost when the copy begins, and what comes is there when it ends.
            Work::Begin(_, slot) => slots[slot] = None,
            Work::End(block, slot) => slots[slot] = Some(block),
            Work::Use(block, slot) if slots[slot] != Some(block) => {
                return Err(format!(
                    "{:?} is in {slot} in place of {block}",
                    slots[slot]
                ));
            }
            Work::Use(..) | Work::Wait(_) => {}
        }
        done[lane] += 1;
    }
    let ends = [lanes[0].len(), lanes[1].len()];
    match done == ends {
        true => Ok(()),
        false => Err(format!("stuck at {done:?} of {ends:?}")),
    }
}

proptest! {
    /// Whatever runs ahead, what is read is the block that is due, and nobody waits for ever.
    #[test]
    fn a_block_is_there_while_it_is_read(
        blocks in 1_usize..7,
        steps in 1_usize..4,
        reads in 1_usize..4,
        choices in prop::collection::vec(0_usize..2, 200),
    ) {
        let lanes = noted(blocks, steps, reads);
        let mut choices = choices.into_iter().cycle();
        let outcome = run(&lanes, || choices.next().unwrap_or(0));
        prop_assert_eq!(outcome, Ok(()));
    }
}

/// Each wait is needed: without any one of them some order reads what is not there.
#[test]
fn without_a_wait_there_is_an_order_that_reads_another_block() {
    let lanes = noted(3, 2, 2);
    let orders = |lanes: &[Vec<Work>; 2]| [0, 1].map(|lane| run(lanes, || lane));
    assert!(orders(&lanes).iter().all(Result::is_ok));
    let mut waits = [0, 0];
    for lane in [0, 1] {
        for at in 0..lanes[lane].len() {
            if matches!(lanes[lane][at], Work::Wait(_)) {
                let mut fewer = lanes.clone();
                fewer[lane][at] = Work::Wait(0);
                assert!(
                    orders(&fewer).iter().any(Result::is_err),
                    "lane {lane}, {at}"
                );
                waits[lane] += 1;
            }
        }
    }
    // One for each block that is used, on either lane.
    assert_eq!(waits, [6, 6]);
}

/// While a block is read, the one after it comes: it waits for the block before, and for no more, also from one
/// step to the next.
#[test]
fn the_next_block_comes_while_one_is_read() {
    let [side, _] = noted(4, 2, 1);
    // Both slots are filled before anything is computed.
    let way = |block, slot| [Work::Begin(block, slot), Work::End(block, slot)];
    assert_eq!(side[..4], [way(0, 0), way(1, 1)].concat());
    // A block that is used is a wait and a use.
    for (number, brought) in side[4..].chunks(3).enumerate() {
        let block = number + SLOTS;
        let [begin, end] = way(block % 4, block % SLOTS);
        assert_eq!(brought, [Work::Wait(2 * (number + 1)), begin, end]);
    }
    assert_eq!(side.len(), 4 + 3 * 8);
}

#[test]
fn another_block_than_the_one_that_is_due_is_refused() {
    let compute = Noted::default();
    let turns = Turns::<usize>::new(vec![4, 7]);
    assert_eq!(
        turns.enter(7, &compute).unwrap_err().code(),
        "compute-failed"
    );
    assert_eq!(turns.enter(4, &compute).unwrap(), Some(0));
}
