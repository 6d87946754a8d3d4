//! What time it is: instants are Unix milliseconds.

use presence_core::{Duration, Instant};
use std::sync::atomic::{AtomicU64, Ordering};

/// The server's clock. It never goes back: what happens later has a later instant, also after a restart.
#[derive(Debug)]
pub enum Clock {
    /// The wall clock at start, carried on by a monotonic one, so that a wall clock that is set reorders nothing.
    Wall {
        /// The instant at start.
        from: Instant,
        /// The same moment on the monotonic clock.
        started: std::time::Instant,
    },
    /// Stands still but for `POST /dev/advance`.
    Virtual(AtomicU64),
}

impl Clock {
    /// A clock that goes by itself, from this instant on.
    pub fn wall(from: Instant) -> Self {
        Self::Wall { from, started: std::time::Instant::now() }
    }

    /// A clock that stands still at this instant.
    pub const fn still(at: Instant) -> Self {
        Self::Virtual(AtomicU64::new(at.as_millis()))
    }

    /// Now.
    pub fn now(&self) -> Instant {
        match self {
            Self::Wall { from, started } => from.saturating_add(Duration::from(started.elapsed())),
            Self::Virtual(millis) => Instant::from_millis(millis.load(Ordering::Acquire)),
        }
    }

    /// Whether only `POST /dev/advance` moves it.
    pub const fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    /// Moves a virtual clock. A wall clock cannot be moved.
    pub fn set(&self, to: Instant) {
        if let Self::Virtual(millis) = self {
            millis.store(to.as_millis(), Ordering::Release);
        }
    }
}

/// The wall clock of the machine.
pub fn wall_clock() -> Instant {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Instant::ZERO.saturating_add(Duration::from(since_epoch))
}

/// An instant as text: `2026-11-24T17:05:33Z`.
pub fn date(at: Instant) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An instant as jiff knows it; the greatest one if it is too far off.
pub fn timestamp(at: Instant) -> jiff::Timestamp {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_utc_in_seconds() {
        assert_eq!(date(Instant::from_millis(1_764_090_333_207)), "2025-11-25T17:05:33Z");
        assert_eq!(date(Instant::NEVER), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn a_virtual_clock_moves_only_when_it_is_set() {
        let clock = Clock::still(Instant::from_secs(7));
        assert_eq!(clock.now(), Instant::from_secs(7));
        clock.set(Instant::from_secs(9));
        assert_eq!(clock.now(), Instant::from_secs(9));
        assert!(clock.is_virtual());
    }
}
