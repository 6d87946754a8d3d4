//! Conversion of a board's counter to [`Instant`]s.
//!
//! A counter has a rate of its own and wraps after minutes or hours. [`Clock`] converts it to whole milliseconds in 32 bits,
//! which wrap after 49.7 days, and the library's [`TickExtender`] extends those to 64 bits. All arithmetic is 32-bit, for
//! small processors.

use core::num::NonZeroU32;
use presence_core::{Duration, Instant, TickExtender};

/// The first tick, five minutes before the wrap.
///
/// So each device crosses the wrap whenever it is switched on, and not for the first time after seven weeks of use.
pub const FIRST_TICK: u32 = u32::MAX - 5 * 60_000 + 1;

/// The rate of a counter: counts per milliseconds, as a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    counts: NonZeroU32,
    millis: NonZeroU32,
}

impl Rate {
    /// Creates a rate of `counts` in `millis` milliseconds. Returns `None` if either is zero.
    #[must_use]
    pub const fn new(counts: u16, millis: u16) -> Option<Self> {
        match (NonZeroU32::new(counts as u32), NonZeroU32::new(millis as u32)) {
            (Some(counts), Some(millis)) => Some(Self { counts, millis }),
            _ => None,
        }
    }

    /// Returns the longest sleep in milliseconds: at most a quarter of the counter's period, so that no wrap is missed, and short
    /// enough for 32-bit arithmetic.
    const fn longest_sleep(self) -> u32 {
        MAX_STEP_BACK / self.counts.get()
    }
}

/// The most counts by which a reading may lie behind the newest one: a quarter of the period. More counts as a wrap.
const MAX_STEP_BACK: u32 = u32::MAX >> 2;

/// The clock of a board.
#[derive(Clone, Debug)]
pub struct Clock {
    rate: Rate,
    /// The counter at the latest reading.
    counter: u32,
    /// The time of the latest reading past the tick, in counts times [`Rate::millis`].
    remainder: u32,
    tick: u32,
    extender: TickExtender,
}

impl Clock {
    /// The instant at which every clock starts. Events on the line count from here.
    pub const START: Instant = Instant::from_millis(FIRST_TICK as u64);

    /// Returns the instant at which the device has run for so many milliseconds, for boards that count those in 64 bits.
    #[must_use]
    pub const fn at_uptime(millis: u64) -> Instant {
        Self::START.saturating_add(Duration::from_millis(millis))
    }

    /// Returns for how many milliseconds the device has run at an instant.
    #[must_use]
    pub const fn uptime_at(instant: Instant) -> u64 {
        instant.saturating_duration_since(Self::START).as_millis()
    }

    /// Creates a clock that starts at this reading of the counter.
    #[must_use]
    pub fn new(rate: Rate, counter: u32) -> Self {
        let mut extender = TickExtender::new();
        extender.extend(FIRST_TICK);
        Self { rate, counter, remainder: 0, tick: FIRST_TICK, extender }
    }

    /// Returns the instant of a reading, at most three quarters of the counter's period after the one before.
    ///
    /// A reading that is a little behind, as when a counter of two halves is read during a carry, leaves the clock as it is.
    pub fn at(&mut self, counter: u32) -> Instant {
        let (counts, millis) = (self.rate.counts, self.rate.millis.get());
        let elapsed = counter.wrapping_sub(self.counter);
        if self.counter.wrapping_sub(counter) <= MAX_STEP_BACK {
            return self.extender.extend(self.tick);
        }
        self.counter = counter;
        // Less than 2^32: `counts` and `millis` are less than 2^16, both remainders less than `counts`.
        let remainder = elapsed % counts * millis + self.remainder;
        let ticks = (elapsed / counts).wrapping_mul(millis).wrapping_add(remainder / counts);
        self.remainder = remainder % counts;
        self.tick = self.tick.wrapping_add(ticks);
        self.extender.extend(self.tick)
    }

    /// Returns the latest tick, in milliseconds.
    #[must_use]
    pub const fn tick(&self) -> u32 {
        self.tick
    }

    /// Returns the counts from the latest reading, `now`, to the deadline, limited so that no wrap is missed.
    #[must_use]
    pub fn counts_until(&self, now: Instant, deadline: Option<Instant>) -> u32 {
        let longest = self.rate.longest_sleep();
        let wait = deadline.map_or(u64::MAX, |deadline| deadline.saturating_duration_since(now).as_millis());
        let wait = u32::try_from(wait).unwrap_or(u32::MAX).min(longest);
        // Rounded up: a device that wakes just before a deadline wakes twice.
        (wait * self.rate.counts.get()).saturating_sub(self.remainder).div_ceil(self.rate.millis.get())
    }
}

/// Returns how many of `counts` from a reading on are left at a counter: 0 if the sleep is over.
#[must_use]
pub const fn counts_left(from: u32, counts: u32, counter: u32) -> u32 {
    counts.saturating_sub(counter.wrapping_sub(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the rates of the boards: nRF51 at 31.25 kHz, SysTick at 12.5 MHz, a prescaled 25 MHz timer, a 10 MHz timer.
    fn rates() -> [Rate; 5] {
        [(125, 4), (12_500, 1), (3_125, 32), (10_000, 1), (1, 1)]
            .map(|(counts, millis)| Rate::new(counts, millis).unwrap())
    }

    fn exact(rate: Rate, counts: u64) -> Instant {
        let millis = counts * u64::from(rate.millis.get()) / u64::from(rate.counts.get());
        Clock::START.saturating_add(Duration::from_millis(millis))
    }

    #[test]
    fn readings_at_any_interval_add_up_to_exact_time() {
        for rate in rates() {
            let start = 0xFFFF_FF00_u32;
            let mut clock = Clock::new(rate, start);
            let (mut counted, mut step) = (0u64, 1u64);
            // 200 readings, from one count to half a period apart: many wraps of the counter, and some of the tick.
            for _ in 0..200 {
                counted += step;
                step = (step * 7 + 3) % (1 << 31);
                let reading = start.wrapping_add(counted as u32);
                assert_eq!(clock.at(reading), exact(rate, counted), "{rate:?}");
            }
        }
    }

    #[test]
    fn the_tick_wraps_five_minutes_after_the_start_and_time_goes_on() {
        let mut clock = Clock::new(Rate::new(1, 1).unwrap(), 0);
        let before = clock.at(299_999);
        assert_eq!(clock.tick(), u32::MAX);
        let after = clock.at(300_001);
        assert_eq!(clock.tick(), 1);
        assert_eq!(after.saturating_duration_since(before), Duration::from_millis(2));
        assert_eq!(after, Instant::from_millis(0x1_0000_0001));
    }

    #[test]
    fn a_reading_that_lies_behind_leaves_the_clock() {
        for rate in rates() {
            let mut clock = Clock::new(rate, 0xFFFF_0000);
            let now = clock.at(0x0100_0000);
            assert_eq!(clock.at(0x00FF_FFFF), now, "one count");
            assert_eq!(clock.at(0x0000_0001), now, "a carry of 24 bits");
            assert_eq!(clock.at(0x0100_0000), now);
            assert_eq!(clock.at(0x0110_0000), exact(rate, 0x0111_0000));
        }
    }

    #[test]
    fn a_sleep_of_these_counts_ends_at_the_deadline_and_no_earlier() {
        for rate in rates() {
            for late in 0..2_000u32 {
                let mut clock = Clock::new(rate, 0);
                let now = clock.at(late);
                for wait in [0, 1, 2, 7, 1_000, 60_000] {
                    let deadline = now.saturating_add(Duration::from_millis(wait));
                    let counts = clock.counts_until(now, Some(deadline));
                    assert_eq!(clock.clone().at(late + counts), deadline, "{rate:?} {late} {wait}");
                    if counts > 0 {
                        assert!(clock.clone().at(late + counts - 1) < deadline);
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_deadline_the_counter_is_read_before_it_wraps() {
        for rate in rates() {
            let clock = Clock::new(rate, 0);
            for deadline in [None, Some(Instant::NEVER), Some(Clock::START.saturating_add(Duration::from_days(300)))] {
                let counts = clock.counts_until(Clock::START, deadline);
                assert!((1 << 16..=1 << 31).contains(&counts), "{rate:?}: {counts}");
            }
        }
    }

    #[test]
    fn counts_are_left_across_the_wrap_until_the_sleep_is_over() {
        for from in [0, 1, 1 << 31, u32::MAX - 3, u32::MAX] {
            let left = |passed: u32| counts_left(from, 5, from.wrapping_add(passed));
            assert_eq!([0, 1, 4, 5, 6, 1 << 31].map(left), [5, 4, 1, 0, 0, 0], "{from}");
        }
    }

    #[test]
    fn an_uptime_counts_from_the_start() {
        assert_eq!(Clock::at_uptime(0), Clock::START);
        assert_eq!(Clock::at_uptime(300_000), Instant::from_millis(1 << 32));
        assert_eq!(Clock::at_uptime(u64::MAX), Instant::NEVER);
        for uptime in [0, 1, 299_999, 300_001, 400 * 86_400_000] {
            assert_eq!(Clock::uptime_at(Clock::at_uptime(uptime)), uptime);
        }
        assert_eq!(Clock::uptime_at(Instant::ZERO), 0);
    }
}
