//! The program's clock.

use presence_core::Instant;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A moment of a clock that goes on while the computer sleeps.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
struct Moment(Duration);

#[cfg(target_os = "linux")]
impl Moment {
    fn now() -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let (secs, nanos) = (now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0));
        Self(Duration::new(secs, nanos))
    }

    fn elapsed_millis(self) -> u64 {
        Self::now().0.saturating_sub(self.0).as_millis().try_into().unwrap_or(u64::MAX)
    }
}

/// A moment of the clock that the system has: on Windows it goes on while the computer sleeps.
#[cfg(not(target_os = "linux"))]
#[derive(Clone, Copy, Debug)]
struct Moment(std::time::Instant);

#[cfg(not(target_os = "linux"))]
impl Moment {
    fn now() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed_millis(self) -> u64 {
        self.0.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }
}

/// A clock that starts at zero and never goes back. Its clones tell the same time.
///
/// The time for which the computer sleeps counts, where the system tells it: on Linux and Windows.
#[derive(Clone, Debug)]
pub struct Clock {
    /// `None` for a clock that stands still.
    start: Option<Moment>,
    /// The milliseconds that it was set forward: none, but in tests.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Starts a clock.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Some(Moment::now()), ahead: Arc::default() }
    }

    /// Creates a clock that only [`skip`](Self::skip) moves, for tests.
    #[must_use]
    pub fn stopped() -> Self {
        Self { start: None, ahead: Arc::default() }
    }

    /// Returns the time since the start.
    #[must_use]
    pub fn now(&self) -> Instant {
        let elapsed = self.start.map_or(0, Moment::elapsed_millis);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_tell_the_same_time_which_never_goes_back() {
        let clock = Clock::start();
        let (first, other) = (clock.now(), clock.clone());
        other.skip(presence_core::Duration::from_hours(8));
        let later = clock.now();
        assert!(later >= first + presence_core::Duration::from_hours(8) && other.now() >= later);
        assert_eq!(clock.until(first), Duration::ZERO);
        let stopped = Clock::stopped();
        assert_eq!((stopped.now(), stopped.until(Instant::from_secs(5))), (Instant::ZERO, Duration::from_secs(5)));
    }
}
