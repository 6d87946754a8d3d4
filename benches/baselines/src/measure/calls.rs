//! The trace again, every call timed by itself; and what is held and allocated.

use crate::counting;
use crate::engine::{Engine, perform};
use crate::histogram::{Histogram, Stopwatch};
use crate::trace::{Kind, Operation, Trace, is_mass_event};
use std::hint::black_box;
use std::time::Instant;

#[derive(Clone, Default)]
pub struct Calls {
    /// By kind of operation.
    pub kinds: [Histogram; Kind::ALL.len()],
    /// Single steps of what is due: in a mass event, and otherwise.
    pub steps_in_mass_event: Histogram,
    pub steps: Histogram,
    /// Bytes held when every session is there, and after the last hour.
    pub bytes_filled: usize,
    pub bytes_after: usize,
    /// Allocations in the traffic, for each operation.
    pub allocations: f64,
}

pub fn calls<E: Engine>(users: u32, trace: &Trace) -> Calls {
    let (mut calls, mut unmeasured) = (Calls::default(), Calls::default());
    let stopwatch = Stopwatch::new();
    let before = counting::bytes();
    let mut engine = E::for_users(users as usize);
    for operation in trace.fill() {
        one(&mut engine, operation, &stopwatch, &mut unmeasured);
    }
    calls.bytes_filled = counting::bytes() - before;
    let allocations = counting::allocations();
    for operation in trace.traffic() {
        one(&mut engine, operation, &stopwatch, &mut calls);
    }
    calls.allocations = (counting::allocations() - allocations) as f64 / trace.traffic().len() as f64;
    calls.bytes_after = counting::bytes() - before;
    calls
}

/// Plays one operation, after what is due at its moment.
#[inline(never)]
fn one<E: Engine>(engine: &mut E, operation: &Operation, stopwatch: &Stopwatch, calls: &mut Calls) {
    let mut seen = 0u64;
    let mut changes = |change: crate::engine::Change| seen += change.at;
    let steps = if is_mass_event(operation.at) { &mut calls.steps_in_mass_event } else { &mut calls.steps };
    loop {
        let start = Instant::now();
        let went_on = engine.step(u64::from(operation.at), &mut changes);
        let took = stopwatch.since(start);
        if !went_on {
            break;
        }
        steps.add(took);
    }
    let start = Instant::now();
    let answer = perform(engine, operation, &mut changes);
    calls.kinds[operation.kind as usize].add(stopwatch.since(start));
    black_box((answer, seen));
}
