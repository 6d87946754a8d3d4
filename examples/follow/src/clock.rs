//! The program's clock.

use presence_core::Instant;
use std::time::{Duration, Instant as StdInstant};

/// A clock that starts at zero and never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: StdInstant,
}

impl Clock {
    /// Starts a clock.
    #[must_use]
    pub fn start() -> Self {
        Self { start: StdInstant::now() }
    }

    /// Returns the time since the start.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_millis(self.start.elapsed().as_millis().try_into().unwrap_or(u64::MAX))
    }

    /// Returns the time until a moment: zero if it is past.
    #[must_use]
    pub fn until(&self, moment: Instant) -> Duration {
        Duration::from_millis(moment.saturating_duration_since(self.now()).as_millis())
    }
}
