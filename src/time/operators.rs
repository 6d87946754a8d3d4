//! The operators of instants and durations. They saturate.

use super::{Duration, Instant};
use core::ops::{Add, AddAssign, Sub, SubAssign};

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at [`Instant::NEVER`].
    fn add(self, duration: Duration) -> Self {
        self.saturating_add(duration)
    }
}

impl AddAssign<Duration> for Instant {
    /// Saturates at [`Instant::NEVER`].
    fn add_assign(&mut self, duration: Duration) {
        *self = self.saturating_add(duration);
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// Saturates at [`Instant::ZERO`].
    fn sub(self, duration: Duration) -> Self {
        self.saturating_sub(duration)
    }
}

impl SubAssign<Duration> for Instant {
    /// Saturates at [`Instant::ZERO`].
    fn sub_assign(&mut self, duration: Duration) {
        *self = self.saturating_sub(duration);
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// Returns zero if `earlier` is later than this instant.
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl Add for Duration {
    type Output = Self;

    /// Saturates at [`Duration::MAX`].
    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl AddAssign for Duration {
    /// Saturates at [`Duration::MAX`].
    fn add_assign(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

impl Sub for Duration {
    type Output = Self;

    /// Saturates at [`Duration::ZERO`].
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl SubAssign for Duration {
    /// Saturates at [`Duration::ZERO`].
    fn sub_assign(&mut self, other: Self) {
        *self = self.saturating_sub(other);
    }
}
