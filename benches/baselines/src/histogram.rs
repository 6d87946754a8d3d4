//! A histogram of the times of calls, with steps of three per cent, and the longest exactly.

use crate::clock;
use core::cell::Cell;
use std::time::Instant;

/// Buckets in each power of two.
const STEPS: usize = 32;

#[derive(Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    pub count: u64,
    pub total: u64,
    /// In nanoseconds, as everything here.
    pub longest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; STEPS * 64], count: 0, total: 0, longest: 0 }
    }
}

impl Histogram {
    pub fn add(&mut self, nanoseconds: u64) {
        self.buckets[bucket(nanoseconds)] += 1;
        self.count += 1;
        self.total += nanoseconds;
        self.longest = self.longest.max(nanoseconds);
    }

    /// Returns a time that so many per mille of the calls did not exceed.
    pub fn per_mille(&self, per_mille: u64) -> u64 {
        let wanted = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, &count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return end(bucket).min(self.longest);
            }
        }
        self.longest
    }
}

fn bucket(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let power = value.ilog2() as usize - STEPS.ilog2() as usize;
    (power + 1) * STEPS + ((value >> power) as usize - STEPS)
}

/// Returns the greatest value of a bucket.
fn end(bucket: usize) -> u64 {
    let (power, step) = (bucket / STEPS, bucket % STEPS);
    if power == 0 { step as u64 } else { (((STEPS + step + 1) as u64) << (power - 1)) - 1 }
}

/// The time above which a call is checked for time that another process had the processor.
const LONG: u64 = 10_000;

/// A clock for single calls. It takes off its own cost, and the time for which another process had the processor.
pub struct Stopwatch {
    overhead: u64,
    /// The time that this thread had waited for the processor when last asked.
    waited: Cell<u64>,
}

impl Stopwatch {
    pub fn new() -> Self {
        let mut histogram = Histogram::default();
        for _ in 0..100_000 {
            let start = Instant::now();
            histogram.add(start.elapsed().as_nanos() as u64);
        }
        Self { overhead: histogram.per_mille(500), waited: Cell::new(clock::waited()) }
    }

    pub fn since(&self, start: Instant) -> u64 {
        let took = (start.elapsed().as_nanos() as u64).saturating_sub(self.overhead);
        if took < LONG {
            return took;
        }
        let waited = clock::waited();
        took.saturating_sub(waited - self.waited.replace(waited))
    }
}
