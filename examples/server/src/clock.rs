//! The server's clock: instants are Unix milliseconds.

use presence_core::{Duration, Instant};
use std::sync::atomic::{AtomicU64, Ordering};

/// The server's clock, which never goes back while the server runs.
///
/// A virtual clock never goes back across restarts either. A wall clock does not start before anything stored; but due
/// transitions after that are shown and not stored, so they repeat if the machine's clock was set back before a restart.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock at the start, advanced by a monotonic clock. Setting the machine's clock reorders nothing.
    Wall {
        /// The instant at the start.
        from: Instant,
        /// The same instant of the monotonic clock.
        started: std::time::Instant,
    },
    /// A clock that only `POST /dev/advance` moves.
    Virtual(AtomicU64),
}

impl Clock {
    /// Starts a clock at or after the latest stored instant; a virtual one also after the stored virtual clock.
    pub fn start(newest: Instant, virtual_now: Option<Instant>, is_virtual: bool) -> Self {
        let wall = wall_clock();
        if let Some(at) = virtual_now.filter(|_| is_virtual) {
            return Self::virtual_at(at.max(newest));
        }
        if newest > wall {
            let ahead = newest.saturating_duration_since(wall).as_millis() / 1000;
            tracing::warn!("the data is {ahead} s ahead of the wall clock, and so is the server");
        }
        let from = newest.max(wall);
        if is_virtual { Self::virtual_at(from) } else { Self::Wall { from, started: std::time::Instant::now() } }
    }

    /// Creates a virtual clock at this instant.
    pub const fn virtual_at(at: Instant) -> Self {
        Self::Virtual(AtomicU64::new(at.as_millis()))
    }

    /// Returns the current instant.
    pub fn now(&self) -> Instant {
        match self {
            Self::Wall { from, started } => from.saturating_add(Duration::from(started.elapsed())),
            Self::Virtual(millis) => Instant::from_millis(millis.load(Ordering::Acquire)),
        }
    }

    /// Reports whether the clock is virtual.
    pub const fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    /// Sets a virtual clock; does nothing to a wall clock.
    pub fn set(&self, to: Instant) {
        if let Self::Virtual(millis) = self {
            millis.store(to.as_millis(), Ordering::Release);
        }
    }
}

/// Returns the instant of the machine's clock.
pub fn wall_clock() -> Instant {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Instant::ZERO.saturating_add(Duration::from(since_epoch))
}

/// Formats an instant in whole seconds, as `2026-11-24T17:05:33Z`.
pub fn date(at: Instant) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Converts an instant to jiff's type, at most its greatest value.
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
    fn no_clock_starts_before_a_stored_instant() {
        let wall = wall_clock();
        let hour = Duration::from_secs(3600);
        for (stored, stood, expected) in [
            (Instant::ZERO, None, wall),
            (wall.saturating_add(hour), None, wall.saturating_add(hour)),
            // An earlier virtual clock, which a wall clock ignores.
            (Instant::from_secs(1), Some(Instant::from_secs(1)), wall),
        ] {
            let started = Clock::start(stored, stood, false);
            assert!((expected..expected.saturating_add(hour)).contains(&started.now()), "{started:?}");
            let first = started.now();
            std::thread::sleep(std::time::Duration::from_millis(5));
            assert!(started.now() > first, "it advances by itself");
        }
        for (stored, stood, expected) in [(7, 9, 9), (9, 7, 9)] {
            let [stored, stood, expected] = [stored, stood, expected].map(Instant::from_secs);
            assert_eq!(Clock::start(stored, Some(stood), true).now(), expected);
        }
        let began = Clock::start(Instant::ZERO, None, true);
        assert!(began.is_virtual() && began.now() >= wall);
    }

    #[test]
    fn a_virtual_clock_moves_only_when_it_is_set() {
        let clock = Clock::virtual_at(Instant::from_secs(7));
        assert_eq!(clock.now(), Instant::from_secs(7));
        clock.set(Instant::from_secs(9));
        assert_eq!(clock.now(), Instant::from_secs(9));
        assert!(clock.is_virtual());
    }
}
