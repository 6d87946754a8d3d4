//! The server's clock: instants are Unix milliseconds.
//!
//! Reading order: [`readings`] reads the machine's clocks; the [`timekeeper`] decides what time that makes; a [`Shift`] says
//! by how much stored instants differ from it; [`follow`] looks every second whether the wall clock has stepped.

pub mod follow;
mod readings;
mod shift;
mod timekeeper;

pub use readings::wall_clock;
pub use shift::Shift;
pub use timekeeper::Time;

use presence_core::{Duration, Instant};
use readings::{Reading, boot_clock};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use timekeeper::{Step, Timekeeper};

/// The server's clock. It goes back only by a [`Shift`], which shifts all stored instants as well.
///
/// A virtual clock never goes back, across restarts either. A wall clock does not start before anything stored; but due
/// transitions after that are shown and not stored, so they repeat if the machine's clock was set back before a restart.
#[derive(Debug)]
pub enum Clock {
    /// The boot-time clock, corrected by the wall clock.
    Wall(RwLock<Timekeeper>),
    /// A clock that only `POST /dev/advance` moves.
    Virtual {
        /// The current instant, in milliseconds.
        millis: AtomicU64,
        /// The shift of the data, which does not change.
        shift: Shift,
    },
}

/// The instants that the data say the clock had reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoredClock {
    /// The newest stored instant.
    pub newest: Instant,
    /// The virtual clock, if there was one.
    pub virtual_now: Option<Instant>,
    /// The steps back that the server has followed.
    pub shift: Shift,
}

impl Clock {
    /// Starts a clock at or after the latest stored instant; a virtual one also after the stored virtual clock.
    pub fn start(stored: StoredClock, is_virtual: bool) -> Self {
        let StoredClock { newest, virtual_now, shift } = stored;
        let reading = Reading::take();
        if is_virtual {
            let now = virtual_now.unwrap_or(reading.wall).max(newest);
            return Self::Virtual { millis: AtomicU64::new(now.as_millis()), shift };
        }
        let ahead = newest.saturating_duration_since(reading.wall);
        if !ahead.is_zero() {
            let ahead = amount(ahead);
            tracing::warn!(
                "the data is {ahead} ahead of the wall clock, and so is the server; --reset-clock shifts it"
            );
        }
        Self::Wall(RwLock::new(Timekeeper::start(reading, newest, shift)))
    }

    /// Creates a virtual clock at this instant.
    pub fn virtual_at(at: Instant) -> Self {
        Self::Virtual { millis: AtomicU64::new(at.as_millis()), shift: Shift::default() }
    }

    /// Returns the current instant.
    pub fn now(&self) -> Instant {
        self.time().now
    }

    /// Returns the current instant and shift.
    pub fn time(&self) -> Time {
        match self {
            Self::Wall(timekeeper) => timekeeper.read().unwrap_or_else(PoisonError::into_inner).time(boot_clock()),
            Self::Virtual { millis, shift } => {
                Time { now: Instant::from_millis(millis.load(Ordering::Acquire)), shift: *shift }
            }
        }
    }

    /// Compares the machine's clocks, and follows a step of the wall clock; does nothing to a virtual clock.
    fn observe(&self) -> Option<Step> {
        let Self::Wall(timekeeper) = self else { return None };
        timekeeper.write().unwrap_or_else(PoisonError::into_inner).observe(Reading::take())
    }

    /// Returns by how much the clock is ahead of the wall clock; a virtual one never is.
    pub fn ahead(&self) -> Duration {
        let ahead = self.now().saturating_duration_since(wall_clock());
        if self.is_virtual() { Duration::ZERO } else { ahead }
    }

    /// Reports whether the clock is virtual.
    pub const fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }

    /// Sets a virtual clock; does nothing to a wall clock.
    pub fn set(&self, to: Instant) {
        if let Self::Virtual { millis, .. } = self {
            millis.store(to.as_millis(), Ordering::Release);
        }
    }
}

/// Formats a length of time, rounded to seconds, as `28830 s (8h 30s)`.
pub fn amount(length: Duration) -> String {
    let length = length.saturating_add(Duration::from_millis(500));
    let days = length.as_secs() / 86_400;
    let rest = jiff::SignedDuration::from_secs((length.as_secs() % 86_400).cast_signed());
    let text = match (days, rest.is_zero()) {
        (0, _) => format!("{rest:#}"),
        (days, true) => format!("{days}d"),
        (days, false) => format!("{days}d {rest:#}"),
    };
    format!("{} s ({text})", length.as_secs())
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
mod tests;
