//! The measurements of one engine at one size.

pub mod batch;
pub mod calls;
pub mod floor;
pub mod reads;
pub mod single;
pub mod stalls;

use crate::clock::Stretch;
use crate::engine::{Engine, play};
use crate::histogram::Histogram;
use crate::trace::Trace;
use std::hint::black_box;

/// The measurements of one engine at one size. Times are nanoseconds.
#[derive(Clone)]
pub struct Measurements {
    pub engine: usize,
    /// For each operation of the fill and of the traffic, the fastest of the rounds.
    pub fill: f64,
    pub mixed: f64,
    pub calls: calls::Calls,
    pub single: single::Single,
    pub stalls: stalls::Stalls,
}

impl Measurements {
    pub fn of(engine: usize) -> Self {
        let (calls, single, stalls) = Default::default();
        Self { engine, fill: f64::INFINITY, mixed: f64::INFINITY, calls, single, stalls }
    }
}

/// Plays one round through the trace, and returns the time of an operation of the fill and of the traffic.
pub fn round<E: Engine>(users: u32, trace: &Trace) -> (f64, f64) {
    let mut engine = E::for_users(users as usize);
    let timed = |engine: &mut E, operations| {
        let start = Stretch::start();
        black_box(play(engine, operations));
        start.nanoseconds() / operations.len() as f64
    };
    let fill = timed(&mut engine, trace.fill());
    (fill, timed(&mut engine, trace.traffic()))
}

/// Returns the quantiles of the report and the longest.
pub fn summary(histogram: &Histogram) -> [u64; 4] {
    let [half, most, nearly_all] = [500, 990, 999].map(|per_mille| histogram.per_mille(per_mille));
    [half, most, nearly_all, histogram.longest]
}
