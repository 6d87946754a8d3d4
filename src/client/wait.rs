//! Pauses between requests: how long, and whether they are over.

use crate::time::{Duration, Instant};

/// The longest pause after failures, before chance adds to it: with it, five minutes.
const LONGEST: Duration = Duration::from_mins(4);
/// The longest `Retry-After` that is kept to. A longer one is no instruction but a fault, which must not end everything.
const LONGEST_ASKED_FOR: Duration = Duration::from_days(1);

/// A pause that began at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Pause {
    end: Instant,
    length: Duration,
}

impl Pause {
    /// A pause that is over.
    pub(super) const NONE: Self = Self { end: Instant::ZERO, length: Duration::ZERO };
    /// A pause that does not end by itself.
    pub(super) const ENDLESS: Self = Self { end: Instant::NEVER, length: Duration::MAX };

    pub(super) const fn new(begin: Instant, length: Duration) -> Self {
        Self { end: begin.saturating_add(length), length }
    }

    /// Reports whether the pause is over: also if the clock went back further than it is long, which would lengthen it.
    pub(super) fn is_over(self, now: Instant) -> bool {
        let left = self.end.saturating_duration_since(now);
        self.end.is_due(now) || left > self.length.saturating_add(self.length)
    }

    /// Returns the end of the pause.
    pub(super) const fn end(self) -> Instant {
        self.end
    }

    /// Returns the pause of the two that ends later.
    pub(super) fn later(self, other: Self) -> Self {
        if other.end > self.end { other } else { self }
    }

    /// Returns the pause that a `Retry-After` asks for, a day at most.
    pub(super) fn asked_for(now: Instant, length: Duration) -> Self {
        Self::new(now, length.min(LONGEST_ASKED_FOR))
    }
}

/// Returns the pause after so many failures: `first`, doubled with each more, up to four minutes or `first` if that is longer,
/// and up to a quarter of it by chance.
pub(super) fn back_off(first: Duration, failures: u8, random: u32) -> Duration {
    let longest = LONGEST.max(first);
    let mut length = first;
    for _ in 1..failures {
        length = length.saturating_add(length).min(longest);
    }
    length.saturating_add(part(quarter(length), random))
}

/// Returns half of a duration.
pub(super) const fn half(length: Duration) -> Duration {
    Duration::from_millis(length.as_millis() >> 1)
}

/// Returns a quarter of a duration.
pub(super) const fn quarter(length: Duration) -> Duration {
    Duration::from_millis(length.as_millis() >> 2)
}

/// Returns a part of a duration: all of it for the greatest number.
fn part(whole: Duration, random: u32) -> Duration {
    let millis = whole.as_millis().min(u32::MAX.into());
    Duration::from_millis(millis.saturating_mul(random.into()) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn f1_pauses_double_up_to_five_minutes_with_chance() {
        let interval = Duration::from_secs(30);
        let lengths = [1, 2, 3, 4, 5, 200, u8::MAX].map(|failures| back_off(interval, failures, 0).as_secs());
        assert_eq!(lengths, [30, 60, 120, 240, 240, 240, 240]);
        for failures in 0..=u8::MAX {
            let (least, most) = (back_off(interval, failures, 0), back_off(interval, failures, u32::MAX));
            assert!(interval <= least && least < most && most <= Duration::from_mins(5), "{failures}: {least}, {most}");
        }
        assert_eq!(back_off(Duration::from_hours(1), 9, 0), Duration::from_hours(1));
        assert_eq!(back_off(Duration::MAX, 9, u32::MAX), Duration::MAX);
    }

    #[test]
    fn f1_what_chance_adds_is_even() {
        let sum: u64 = (0..1000u32).map(|step| part(SECOND, step.wrapping_mul(0x9E37_79B9)).as_millis()).sum();
        assert!((480_000..520_000).contains(&sum), "{sum}");
        assert_eq!((part(SECOND, 0), part(SECOND, u32::MAX)), (Duration::ZERO, Duration::from_millis(999)));
    }

    #[test]
    fn f1_a_clock_that_goes_back_far_ends_a_pause() {
        let at = Instant::from_secs(1000);
        let pause = Pause::new(at, SECOND);
        assert!(!pause.is_over(at) && pause.is_over(Instant::from_secs(1001)));
        // Two tasks may read the clock out of order.
        assert!(!pause.is_over(Instant::from_millis(999_990)));
        assert!(pause.is_over(Instant::from_secs(998)));
        assert!(Pause::NONE.is_over(Instant::ZERO));
        assert!(!Pause::ENDLESS.is_over(Instant::ZERO) && !Pause::ENDLESS.is_over(Instant::NEVER));
    }
}
