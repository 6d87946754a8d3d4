//! Time as an input: instants and durations in whole milliseconds, the ISO 8601 durations of the wire, and the extension
//! of a wrapping 32-bit tick. Nothing here reads a clock.

mod iso8601;
mod tick;

pub use iso8601::{IsoDuration, ParseDurationError};
pub use tick::TickExtender;

/// A moment: milliseconds since an epoch of the caller's choice. Rules C1 to C3.
///
/// Instants saturate. The greatest one, [`Instant::NEVER`], is not a moment that comes: a deadline there never falls due.
///
/// ```
/// use presence_core::{Duration, Instant};
///
/// let noon = Instant::from_millis(43_200_000);
/// assert_eq!(noon.saturating_add(Duration::from_secs(1)), Instant::from_millis(43_201_000));
/// assert_eq!(Instant::NEVER.saturating_add(Duration::from_secs(1)), Instant::NEVER);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Instant(u64);

impl Instant {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);
    /// The greatest instant: a deadline here never comes. Rule C3.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment this many milliseconds after the epoch. O(1).
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The moment this many seconds after the epoch, or [`Instant::NEVER`] if that is too far away. Rule C3. O(1).
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch. O(1).
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment a duration later, or [`Instant::NEVER`] if that is too far away. Rule C3. O(1).
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// The moment a duration earlier, or [`Instant::ZERO`] if that lies before the epoch. Rule C3. O(1).
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }

    /// How long after `earlier` this is; zero if it is not after it. O(1).
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// Whether a deadline here has happened at `now`: `now >= deadline`, and never for [`Instant::NEVER`]. Rules S4, C3.
    /// O(1).
    #[must_use]
    pub const fn is_due(self, now: Self) -> bool {
        now.0 >= self.0 && self.0 != u64::MAX
    }

    /// This instant on a clock that calls the moment `from` by the name `to`. Never stays never. Rules C2, C3.
    /// O(1).
    #[must_use]
    pub const fn rebased(self, from: Self, to: Self) -> Self {
        if self.0 == u64::MAX {
            self
        } else if self.0 >= from.0 {
            to.saturating_add(self.saturating_duration_since(from))
        } else {
            to.saturating_sub(from.saturating_duration_since(self))
        }
    }
}

/// A length of time in whole milliseconds. It saturates.
///
/// [`core::time::Duration`] counts nanoseconds and turning it into milliseconds takes 128-bit arithmetic, which small
/// devices pay for in kilobytes; hence this one, with a `From` from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest duration.
    pub const MAX: Self = Self(u64::MAX);

    /// This many milliseconds. O(1).
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// This many seconds, or [`Duration::MAX`] if they are too many. O(1).
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// This many minutes, or [`Duration::MAX`] if they are too many. O(1).
    #[must_use]
    pub const fn from_mins(mins: u64) -> Self {
        Self::from_secs(mins.saturating_mul(60))
    }

    /// This many hours, or [`Duration::MAX`] if they are too many. O(1).
    #[must_use]
    pub const fn from_hours(hours: u64) -> Self {
        Self::from_mins(hours.saturating_mul(60))
    }

    /// This many days of 24 hours, or [`Duration::MAX`] if they are too many. O(1).
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        Self::from_hours(days.saturating_mul(24))
    }

    /// The milliseconds. O(1).
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The difference, or zero if `other` is longer. O(1).
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<core::time::Duration> for Duration {
    /// Whole milliseconds; what is finer is cut off, what is longer saturates. O(1), and a division of 32 bits.
    fn from(duration: core::time::Duration) -> Self {
        Self(duration.as_secs().saturating_mul(1000).saturating_add(duration.subsec_millis().into()))
    }
}

impl From<Duration> for core::time::Duration {
    /// Exact. O(1), and a division of 64 bits, which a small device pays for in code.
    fn from(duration: Duration) -> Self {
        Self::from_millis(duration.0)
    }
}

/// A range of durations, both ends included. Rules S2, U2.
///
/// ```
/// use presence_core::{Duration, DurationRange};
///
/// let leases = DurationRange { shortest: Duration::from_mins(5), longest: Duration::from_hours(4) };
/// assert!(leases.contains(Duration::from_hours(4)));
/// assert!(!leases.contains(Duration::from_secs(299)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DurationRange {
    /// The shortest duration inside.
    pub shortest: Duration,
    /// The longest duration inside.
    pub longest: Duration,
}

impl DurationRange {
    /// Whether the duration is neither shorter than the shortest nor longer than the longest. Rules S2, U2. O(1).
    #[must_use]
    pub const fn contains(self, duration: Duration) -> bool {
        self.shortest.0 <= duration.0 && duration.0 <= self.longest.0
    }
}

/// How long after setting a session a well-behaved application should send its keep-alive: two thirds of the lease, so
/// that one lost request does not lose the session. Rules S1, S2. O(1).
///
/// ```
/// use presence_core::{Duration, keep_alive_interval};
///
/// assert_eq!(keep_alive_interval(Duration::from_mins(5)), Duration::from_secs(200));
/// ```
#[must_use]
pub const fn keep_alive_interval(lease: Duration) -> Duration {
    lease.saturating_sub(third(lease))
}

/// A third, rounded down, by long division in base 2¹⁶: a 64-bit division would link a kilobyte into a small device.
const fn third(duration: Duration) -> Duration {
    let mut quotient: u64 = 0;
    let mut remainder: u32 = 0;
    let mut shift = 64u32;
    while let Some(next) = shift.checked_sub(16) {
        shift = next;
        let digit = (remainder << 16) | ((duration.0 >> shift) & 0xFFFF) as u32;
        quotient = (quotient << 16) | (digit / 3) as u64;
        remainder = digit % 3;
    }
    Duration(quotient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_is_exact() {
        for millis in (0..1000).chain([300_000, u32::MAX.into(), u64::MAX / 2, u64::MAX - 1, u64::MAX]) {
            assert_eq!(third(Duration(millis)).0, millis / 3);
        }
    }

    #[test]
    fn c2_rebasing_keeps_what_is_left() {
        let (from, to) = (Instant(1000), Instant(10));
        assert_eq!(Instant(1500).rebased(from, to), Instant(510));
        assert_eq!(Instant(995).rebased(from, to), Instant(5));
        assert_eq!(Instant(1).rebased(from, to), Instant::ZERO);
        assert_eq!(Instant::NEVER.rebased(from, to), Instant::NEVER);
        assert_eq!(Instant(u64::MAX - 1).rebased(to, from), Instant::NEVER);
    }
}
