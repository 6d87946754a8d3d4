//! The program's clock.

use presence_core::Instant;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as StdInstant};

/// A clock that starts at zero and never goes back. Its clones tell the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    /// `None` for a clock that stands still.
    start: Option<StdInstant>,
    /// The milliseconds that it was set forward: none, but in tests.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Starts a clock.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Some(StdInstant::now()), ahead: Arc::default() }
    }

    /// Creates a clock that only [`skip`](Self::skip) moves, for tests.
    #[must_use]
    pub fn stopped() -> Self {
        Self { start: None, ahead: Arc::default() }
    }

    /// Returns the time since the start.
    #[must_use]
    pub fn now(&self) -> Instant {
        let elapsed = self.start.map_or(0, |start| start.elapsed().as_millis().try_into().unwrap_or(u64::MAX));
        Instant::from_millis(elapsed.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Sets the clock forward, for tests.
    pub fn skip(&self, time: presence_core::Duration) {
        self.ahead.fetch_add(time.as_millis(), Ordering::Relaxed);
    }

    /// Returns the time until a moment: zero if it is past.
    #[must_use]
    pub fn until(&self, moment: Instant) -> Duration {
        Duration::from_millis(moment.saturating_duration_since(self.now()).as_millis())
    }
}
