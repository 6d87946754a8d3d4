//! The time that work took, without the time in which another process had the processor.

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

    /// Returns nanoseconds on the processor where the kernel tells and the stretch was long, on the wall otherwise.
    pub fn nanoseconds(&self) -> f64 {
        let wall = self.start.elapsed().as_nanos() as u64;
        let ours = || Some(on_processor()? - self.on_processor?);
        let taken = if wall < LONG { wall } else { ours().unwrap_or(wall) };
        taken as f64
    }
}

/// Returns the nanoseconds that this thread has had the processor.
fn on_processor() -> Option<u64> {
    account(0)
}

/// Returns the nanoseconds for which this thread waited for the processor; zero where the kernel does not tell.
pub fn waited() -> u64 {
    account(1).unwrap_or(0)
}

/// Returns one number of the kernel's account of this thread, which Linux has.
fn account(number: usize) -> Option<u64> {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    account.split_ascii_whitespace().nth(number)?.parse().ok()
}
