//! Time as an argument: instants and durations in whole milliseconds, and their texts. Nothing here reads a clock.

mod iso8601;
mod operators;
mod tick;
#[cfg(any(feature = "embassy-time", feature = "fugit"))]
mod ticks;

pub use iso8601::{IsoDuration, ParseDurationError};
pub use tick::TickExtender;

use crate::padded::pad;

/// A moment: milliseconds since an epoch that the caller chooses.
///
/// A server whose users outlive its process takes Unix time, `Instant::ZERO + SystemTime::now().duration_since(UNIX_EPOCH)?.into()`;
/// a program whose users do not, the time since its start, `Instant::ZERO + start.elapsed().into()`; a device its tick, through a
/// [`TickExtender`].
///
/// Arithmetic and operators saturate, so nothing panics. The greatest instant, [`Instant::NEVER`], is a deadline that never
/// falls due ([C3](crate::rules#c3)). `Display` shows seconds and milliseconds.
///
/// ```
/// use presence_core::{Duration, Instant};
///
/// let noon = Instant::from_secs(43_200);
/// assert_eq!((noon + Duration::from_millis(5)).to_string(), "43200.005 s");
/// assert_eq!(noon - Instant::from_secs(43_000), Duration::from_secs(200));
/// assert_eq!(Instant::ZERO - noon, Duration::ZERO);
/// assert_eq!(Instant::NEVER + Duration::from_secs(1), Instant::NEVER);
/// assert_eq!(Instant::NEVER.to_string(), "never");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Instant(u64);

impl Instant {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);
    /// The greatest instant: a deadline here never falls due.
    pub const NEVER: Self = Self(u64::MAX);

    /// Creates the instant this many milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Creates the instant this many seconds after the epoch. Saturates at [`Instant::NEVER`].
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Returns the milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the whole seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        Duration(self.0).as_secs()
    }

    /// Returns the instant a duration later, or `None` if it is beyond [`Instant::NEVER`].
    #[must_use]
    pub const fn checked_add(self, duration: Duration) -> Option<Self> {
        match self.0.checked_add(duration.0) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Returns the instant a duration earlier, or `None` if it is before the epoch.
    #[must_use]
    pub const fn checked_sub(self, duration: Duration) -> Option<Self> {
        match self.0.checked_sub(duration.0) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Returns the instant a duration later. Saturates at [`Instant::NEVER`]; so does the operator `+`.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// Returns the instant a duration earlier. Saturates at [`Instant::ZERO`]; so does the operator `-`.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }

    /// Returns the time since `earlier`, or `None` if that is later.
    #[must_use]
    pub const fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        match self.0.checked_sub(earlier.0) {
            Some(millis) => Some(Duration(millis)),
            None => None,
        }
    }

    /// Returns the time since `earlier`, or zero if that is later; so does the operator `-`.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// Reports whether this deadline has passed at `now`: `now >= deadline`, and never for [`Instant::NEVER`].
    #[must_use]
    pub const fn is_due(self, now: Self) -> bool {
        now.0 >= self.0 && self.0 != u64::MAX
    }

    /// Converts to a clock that calls the moment `from` by the name `to` ([C2](crate::rules#c2)).
    ///
    /// [`Instant::NEVER`] stays as it is.
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

/// A length of time in whole milliseconds. Arithmetic and operators saturate.
///
/// [`core::time::Duration`] counts nanoseconds, and its conversion to milliseconds takes 128-bit arithmetic: kilobytes on a
/// small device. `From` converts from it and to it. `Display` and `FromStr` speak ISO 8601.
///
/// ```
/// use presence_core::Duration;
///
/// let lease = Duration::from_hours(1) + Duration::from_mins(5);
/// assert_eq!(lease.to_string(), "PT1H5M");
/// assert_eq!("PT1H5M".parse(), Ok(lease));
/// assert_eq!(lease - Duration::from_days(1), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest duration.
    pub const MAX: Self = Self(u64::MAX);

    /// Creates a duration of this many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Creates a duration of this many seconds. Saturates at [`Duration::MAX`].
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Creates a duration of this many minutes. Saturates at [`Duration::MAX`].
    #[must_use]
    pub const fn from_mins(mins: u64) -> Self {
        Self::from_secs(mins.saturating_mul(60))
    }

    /// Creates a duration of this many hours. Saturates at [`Duration::MAX`].
    #[must_use]
    pub const fn from_hours(hours: u64) -> Self {
        Self::from_mins(hours.saturating_mul(60))
    }

    /// Creates a duration of this many days of 24 hours. Saturates at [`Duration::MAX`].
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        Self::from_hours(days.saturating_mul(24))
    }

    /// Returns the number of milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the number of whole seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        divide::<1000>(self.0).0
    }

    /// Returns the milliseconds beyond the whole seconds: 0 to 999.
    #[must_use]
    pub const fn subsec_millis(self) -> u32 {
        divide::<1000>(self.0).1
    }

    /// Reports whether this is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the sum, or `None` if it is longer than [`Duration::MAX`].
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Returns the difference, or `None` if `other` is longer.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Returns the sum. Saturates at [`Duration::MAX`]; so does the operator `+`.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Returns the difference, or zero if `other` is longer; so does the operator `-`.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<core::time::Duration> for Duration {
    /// Converts to whole milliseconds: cuts off anything finer, and saturates at [`Duration::MAX`].
    fn from(duration: core::time::Duration) -> Self {
        Self(duration.as_secs().saturating_mul(1000).saturating_add(duration.subsec_millis().into()))
    }
}

impl From<Duration> for core::time::Duration {
    /// Converts exactly. It divides 64-bit numbers, which costs a small device a kilobyte of code.
    fn from(duration: Duration) -> Self {
        Self::from_millis(duration.0)
    }
}

/// A range of durations, both ends included.
///
/// `Display` shows both ends: `PT5M to PT4H`.
///
/// ```
/// use presence_core::{Duration, DurationRange};
///
/// let leases = DurationRange { shortest: Duration::from_mins(5), longest: Duration::from_hours(4) };
/// assert!(leases.contains(Duration::from_hours(4)));
/// assert!(!leases.contains(Duration::from_secs(299)));
/// assert_eq!(leases.to_string(), "PT5M to PT4H");
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
    /// Reports whether the duration is inside, ends included.
    #[must_use]
    pub const fn contains(self, duration: Duration) -> bool {
        self.shortest.0 <= duration.0 && duration.0 <= self.longest.0
    }
}

impl core::fmt::Display for DurationRange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        pad::<64>(f, format_args!("{} to {}", self.shortest, self.longest))
    }
}

impl core::fmt::Display for Instant {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::NEVER => f.pad("never"),
            Self(millis) => {
                let (secs, millis) = divide::<1000>(millis);
                pad::<32>(f, format_args!("{secs}.{millis:03} s"))
            }
        }
    }
}

/// Returns the interval at which an application should repeat `setPresence`: two thirds of the lease.
///
/// So one lost request does not lose the session.
///
/// ```
/// use presence_core::{Duration, keep_alive_interval};
///
/// assert_eq!(keep_alive_interval(Duration::from_mins(5)), Duration::from_secs(200));
/// ```
#[must_use]
pub const fn keep_alive_interval(lease: Duration) -> Duration {
    lease.saturating_sub(Duration(divide::<3>(lease.0).0))
}

/// Returns quotient and remainder, by long division in base 2¹⁶.
///
/// Dividing 64-bit numbers would link a kilobyte into a small device.
const fn divide<const DIVISOR: u16>(number: u64) -> (u64, u32) {
    let divisor = DIVISOR as u32;
    let mut quotient: u64 = 0;
    let mut remainder: u32 = 0;
    let mut shift = 64u32;
    while let Some(next) = shift.checked_sub(16) {
        shift = next;
        let part = (remainder << 16) | ((number >> shift) & 0xFFFF) as u32;
        let (Some(digit), Some(rest)) = (part.checked_div(divisor), part.checked_rem(divisor)) else { break };
        quotient = (quotient << 16) | digit as u64;
        remainder = rest;
    }
    (quotient, remainder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_division_is_exact() {
        for number in (0..3000).chain([300_000, u32::MAX.into(), u64::MAX / 2, u64::MAX - 1, u64::MAX]) {
            assert_eq!(divide::<3>(number), (number / 3, (number % 3) as u32));
            assert_eq!(divide::<1000>(number), (number / 1000, (number % 1000) as u32));
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
