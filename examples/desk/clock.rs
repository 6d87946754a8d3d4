//! The clock of a desk in real time: instants are counted from its start.
//!
//! A suspended machine stops the monotonic clock, and so does a paused virtual one; the wall clock shows afterwards how long it
//! was. What the wall clock goes forward beyond the monotonic one is counted, therefore. What it goes back is not: no time is
//! counted twice, and none is taken back. The standard library cannot tell a wall clock that was set forward from a sleep,
//! because it does not read the boot-time clock; so setting it forward also ends sessions.

use presence_core::{Duration, Instant};
use std::time::SystemTime;

/// The difference of the two clocks between two readings from which on it is a sleep.
const STEP: Duration = Duration::from_secs(1);

/// A reading of the two clocks.
#[derive(Clone, Copy)]
struct Reading {
    /// The time since the epoch; none before it.
    wall: Duration,
    /// The time since the start by the monotonic clock.
    monotonic: Duration,
}

/// The time since a start.
struct Elapsed {
    last: Reading,
    /// The time that the monotonic clock has missed.
    slept: Duration,
}

impl Elapsed {
    const fn new(start: Reading) -> Self {
        Self { last: start, slept: Duration::ZERO }
    }

    /// Returns the instant at this reading.
    fn at(&mut self, now: Reading) -> Instant {
        let by_wall = now.wall.saturating_sub(self.last.wall);
        let by_monotonic = now.monotonic.saturating_sub(self.last.monotonic);
        let missed = by_wall.saturating_sub(by_monotonic);
        if missed >= STEP {
            self.slept += missed;
        }
        self.last = now;
        Instant::ZERO + now.monotonic + self.slept
    }
}

/// The machine's clocks since a start.
pub(crate) struct Clock {
    started: std::time::Instant,
    elapsed: Elapsed,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let started = std::time::Instant::now();
        Self { started, elapsed: Elapsed::new(read(started)) }
    }

    /// Returns the current instant.
    pub(crate) fn now(&mut self) -> Instant {
        self.elapsed.at(read(self.started))
    }
}

fn read(started: std::time::Instant) -> Reading {
    let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Reading { wall: wall.into(), monotonic: started.elapsed().into() }
}

#[cfg(test)]
mod tests;
