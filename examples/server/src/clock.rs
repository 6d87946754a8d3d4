//! What time it is: instants are Unix milliseconds.

use presence_core::{Duration, Instant};
use std::sync::atomic::{AtomicU64, Ordering};

/// The server's clock. While the server runs it never goes back: what happens later has a later instant.
///
/// A virtual one never goes back at all. One of the wall does not start before anything that is stored; but what time alone
/// did after that was told and is not stored, so a wall clock that was set back before a restart has it happen again.
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
    /// A clock that goes on from the latest moment that is stored, and where a virtual one stood, in whichever way it is to go.
    pub fn start(newest: Instant, virtual_now: Option<Instant>, is_virtual: bool) -> Self {
        let wall = wall_clock();
        if let Some(at) = virtual_now.filter(|_| is_virtual) {
            return Self::still(at.max(newest));
        }
        if newest > wall {
            let ahead = newest.saturating_duration_since(wall).as_millis() / 1000;
            tracing::warn!("the data is {ahead} s ahead of the wall clock, and so is the server");
        }
        let from = newest.max(wall);
        if is_virtual { Self::still(from) } else { Self::Wall { from, started: std::time::Instant::now() } }
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
    fn no_clock_starts_before_what_is_stored() {
        let wall = wall_clock();
        let hour = Duration::from_secs(3600);
        for (stored, stood, expected) in [
            (Instant::ZERO, None, wall),
            (wall.saturating_add(hour), None, wall.saturating_add(hour)),
            // Of a virtual clock that stood behind, which the wall's does not heed.
            (Instant::from_secs(1), Some(Instant::from_secs(1)), wall),
        ] {
            let started = Clock::start(stored, stood, false);
            assert!((expected..expected.saturating_add(hour)).contains(&started.now()), "{started:?}");
            let first = started.now();
            std::thread::sleep(std::time::Duration::from_millis(5));
            assert!(started.now() > first, "it goes by itself");
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
        let clock = Clock::still(Instant::from_secs(7));
        assert_eq!(clock.now(), Instant::from_secs(7));
        clock.set(Instant::from_secs(9));
        assert_eq!(clock.now(), Instant::from_secs(9));
        assert!(clock.is_virtual());
    }
}
