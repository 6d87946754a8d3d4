//! Conversions from and to the ticks of other crates' clocks, features `embassy-time` and `fugit`.
//!
//! From ticks, milliseconds are cut off: a deadline is not due before its moment. To ticks they are rounded up: a sleep does not
//! end before its deadline. What is too large saturates, and the greatest values (`NEVER`, `MAX`) become each other.

use super::{Duration, Instant};

/// A clock whose tick lasts `seconds.0 / seconds.1` seconds.
#[derive(Clone, Copy)]
struct Clock {
    /// A tick lasts `millis / ticks` milliseconds, in lowest terms.
    millis: u64,
    ticks: u64,
}

impl Clock {
    const fn new(numerator: u32, denominator: u64) -> Self {
        let millis = (numerator as u64).saturating_mul(1000);
        let divisor = greatest_common_divisor(millis, denominator);
        let (Some(millis), Some(ticks)) = (millis.checked_div(divisor), denominator.checked_div(divisor)) else {
            return Self { millis: 0, ticks: 0 };
        };
        Self { millis, ticks }
    }

    #[inline]
    fn millis_of(self, ticks: u64) -> u64 {
        scale(ticks, self.millis, self.ticks, 0)
    }

    #[inline]
    fn ticks_of(self, millis: u64) -> u64 {
        scale(millis, self.ticks, self.millis, self.millis.saturating_sub(1))
    }
}

/// Returns the divisor of both that is greatest; zero only if both are.
const fn greatest_common_divisor(mut one: u64, mut other: u64) -> u64 {
    while let Some(rest) = one.checked_rem(other) {
        (one, other) = (other, rest);
    }
    one
}

/// Returns `(number * multiplier + round) / divisor` for `round < divisor`, exactly.
///
/// Saturates at `u64::MAX`, which stays as it is.
#[inline]
fn scale(number: u64, multiplier: u64, divisor: u64, round: u64) -> u64 {
    let (Some(whole), Some(rest)) = (number.checked_div(divisor), number.checked_rem(divisor)) else { return u64::MAX };
    if number == u64::MAX {
        return u64::MAX;
    }
    // The rest is less than the divisor. The rate is known when the program is built, and so is whether 64 bits are enough.
    let part = match multiplier.saturating_add(1).checked_mul(divisor) {
        Some(_) => rest.saturating_mul(multiplier).saturating_add(round).checked_div(divisor),
        None => u128::from(rest)
            .saturating_mul(multiplier.into())
            .saturating_add(round.into())
            .checked_div(divisor.into())
            // Less than the multiplier, or the multiplier itself.
            .map(|part| part as u64),
    };
    match part {
        Some(part) => whole.saturating_mul(multiplier).saturating_add(part),
        None => u64::MAX,
    }
}

#[cfg(feature = "embassy-time")]
mod embassy {
    use super::{Clock, Duration, Instant};

    const CLOCK: Clock = Clock::new(1, embassy_time::TICK_HZ);

    impl From<embassy_time::Instant> for Instant {
        /// Cuts off anything finer than a millisecond; `Instant::MAX` becomes [`Instant::NEVER`].
        fn from(instant: embassy_time::Instant) -> Self {
            Self(CLOCK.millis_of(instant.as_ticks()))
        }
    }

    impl From<Instant> for embassy_time::Instant {
        /// Rounds up to whole ticks; [`Instant::NEVER`] becomes `Instant::MAX`.
        fn from(instant: Instant) -> Self {
            Self::from_ticks(CLOCK.ticks_of(instant.0))
        }
    }

    impl From<embassy_time::Duration> for Duration {
        /// Cuts off anything finer than a millisecond; `Duration::MAX` becomes [`Duration::MAX`].
        fn from(duration: embassy_time::Duration) -> Self {
            Self(CLOCK.millis_of(duration.as_ticks()))
        }
    }

    impl From<Duration> for embassy_time::Duration {
        /// Rounds up to whole ticks; [`Duration::MAX`] becomes `Duration::MAX`.
        fn from(duration: Duration) -> Self {
            Self::from_ticks(CLOCK.ticks_of(duration.0))
        }
    }
}

#[cfg(feature = "fugit")]
mod fugit {
    use super::{Clock, Duration, Instant};

    /// The clock of fugit's type parameters.
    struct Rate<const NOM: u32, const DENOM: u32>;

    impl<const NOM: u32, const DENOM: u32> Rate<NOM, DENOM> {
        const CLOCK: Clock = Clock::new(NOM, DENOM as u64);
    }

    impl<const NOM: u32, const DENOM: u32> From<fugit::Instant<u64, NOM, DENOM>> for Instant {
        /// Cuts off anything finer than a millisecond; the greatest instant becomes [`Instant::NEVER`].
        fn from(instant: fugit::Instant<u64, NOM, DENOM>) -> Self {
            Self(Rate::<NOM, DENOM>::CLOCK.millis_of(instant.ticks()))
        }
    }

    impl<const NOM: u32, const DENOM: u32> From<Instant> for fugit::Instant<u64, NOM, DENOM> {
        /// Rounds up to whole ticks, and saturates; [`Instant::NEVER`] becomes the greatest instant.
        fn from(instant: Instant) -> Self {
            Self::from_ticks(Rate::<NOM, DENOM>::CLOCK.ticks_of(instant.0))
        }
    }

    impl<const NOM: u32, const DENOM: u32> From<fugit::Duration<u64, NOM, DENOM>> for Duration {
        /// Cuts off anything finer than a millisecond, and saturates.
        fn from(duration: fugit::Duration<u64, NOM, DENOM>) -> Self {
            Self(Rate::<NOM, DENOM>::CLOCK.millis_of(duration.ticks()))
        }
    }

    impl<const NOM: u32, const DENOM: u32> From<Duration> for fugit::Duration<u64, NOM, DENOM> {
        /// Rounds up to whole ticks, and saturates.
        fn from(duration: Duration) -> Self {
            Self::from_ticks(Rate::<NOM, DENOM>::CLOCK.ticks_of(duration.0))
        }
    }

    impl<const NOM: u32, const DENOM: u32> From<fugit::Duration<u32, NOM, DENOM>> for Duration {
        /// Cuts off anything finer than a millisecond.
        fn from(duration: fugit::Duration<u32, NOM, DENOM>) -> Self {
            Self(Rate::<NOM, DENOM>::CLOCK.millis_of(duration.ticks().into()))
        }
    }

    impl<const NOM: u32, const DENOM: u32> From<Duration> for fugit::Duration<u32, NOM, DENOM> {
        /// Rounds up to whole ticks, and saturates. A timer that sleeps this long wakes early, and sleeps again.
        fn from(duration: Duration) -> Self {
            let ticks = Rate::<NOM, DENOM>::CLOCK.ticks_of(duration.0);
            Self::from_ticks(u32::try_from(ticks).unwrap_or(u32::MAX))
        }
    }
}
