//! Devices that are opened for a moment are no call, and one that is closed for a moment is no end of it.

use presence_core::{Duration, Instant};

/// Follows a value, but only once it has lasted.
#[derive(Clone, Copy, Debug)]
pub struct Delay<T> {
    time: Duration,
    settled: T,
    /// Another value, and since when it has lasted.
    pending: Option<(T, Instant)>,
}

impl<T: Copy + PartialEq> Delay<T> {
    /// Creates a delay that begins with a value.
    pub const fn new(time: Duration, settled: T) -> Self {
        Self { time, settled, pending: None }
    }

    /// Takes a value as of now, and returns the one that has lasted.
    pub fn settle(&mut self, value: T, now: Instant) -> T {
        let since = match self.pending {
            Some((pending, since)) if pending == value => since,
            _ => now,
        };
        self.pending = (value != self.settled).then_some((value, since));
        if self.pending.is_some() && now.saturating_duration_since(since) >= self.time {
            (self.settled, self.pending) = (value, None);
        }
        self.settled
    }
}
