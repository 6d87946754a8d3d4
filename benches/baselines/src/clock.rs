//! How long work took, without the time in which somebody else had the processor.

use std::time::Instant;

/// Below this, the kernel's account of our own time, which it brings up to date every few milliseconds, is too coarse.
const LONG: u64 = 200_000_000;

pub struct Stretch {
    start: Instant,
    on_processor: Option<u64>,
}

impl Stretch {
    pub fn start() -> Self {
        Self { on_processor: on_processor(), start: Instant::now() }
    }

    /// Nanoseconds on the processor where the kernel tells and the stretch was long, on the wall otherwise.
    pub fn nanoseconds(&self) -> f64 {
        let wall = self.start.elapsed().as_nanos() as u64;
        let ours = || Some(on_processor()? - self.on_processor?);
        let taken = if wall < LONG { wall } else { ours().unwrap_or(wall) };
        taken as f64
    }
}

/// Nanoseconds that this thread has had the processor.
fn on_processor() -> Option<u64> {
    account(0)
}

/// Nanoseconds for which this thread could have run, but somebody else did; zero where the kernel does not tell.
pub fn waited() -> u64 {
    account(1).unwrap_or(0)
}

/// One number of the kernel's account of this thread. Linux has one.
fn account(number: usize) -> Option<u64> {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    account.split_ascii_whitespace().nth(number)?.parse().ok()
}
