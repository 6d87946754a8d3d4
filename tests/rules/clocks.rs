//! Conversions from and to the clocks of `embassy-time` and `fugit`: nothing is due early, and no sleep ends early.

use presence_core::{Duration, Instant};
use proptest::prelude::*;

#[cfg(feature = "embassy-time")]
mod embassy {
    use super::*;

    const PER_MILLI: u64 = embassy_time::TICK_HZ / 1000;

    #[test]
    fn c3_the_ends_become_each_other() {
        assert_eq!(embassy_time::Instant::from(Instant::NEVER), embassy_time::Instant::MAX);
        assert_eq!(Instant::from(embassy_time::Instant::MAX), Instant::NEVER);
        assert_eq!(embassy_time::Duration::from(Duration::MAX), embassy_time::Duration::MAX);
        assert_eq!(Duration::from(embassy_time::Duration::MAX), Duration::MAX);
        assert_eq!(embassy_time::Instant::from(Instant::from_millis(u64::MAX - 1)), embassy_time::Instant::MAX);
    }

    #[test]
    fn ticks_are_cut_to_milliseconds() {
        let ticks = |ticks| Instant::from(embassy_time::Instant::from_ticks(ticks)).as_millis();
        assert_eq!([ticks(0), ticks(PER_MILLI - 1), ticks(PER_MILLI), ticks(5 * PER_MILLI)], [0, 0, 1, 5]);
    }

    proptest! {
        #[test]
        fn milliseconds_come_back(millis in 0..u64::MAX / PER_MILLI) {
            let (moment, length) = (Instant::from_millis(millis), Duration::from_millis(millis));
            let there = embassy_time::Instant::from(moment);
            prop_assert_eq!(there.as_ticks(), millis * PER_MILLI);
            prop_assert_eq!(Instant::from(there), moment);
            prop_assert_eq!(Duration::from(embassy_time::Duration::from(length)), length);
        }
    }
}

#[cfg(feature = "fugit")]
mod fugits {
    use super::*;

    /// Asserts the conversions of a clock against 128-bit arithmetic.
    fn check<const NOM: u32, const DENOM: u32>(number: u64) {
        let (nom, denom) = (u128::from(NOM) * 1000, u128::from(DENOM));
        let saturated = |exact: u128| u64::try_from(exact).unwrap_or(u64::MAX);
        let is_end = number == u64::MAX;
        let millis = if is_end { u64::MAX } else { saturated(u128::from(number) * nom / denom) };
        let ticks = if is_end { u64::MAX } else { saturated((u128::from(number) * denom).div_ceil(nom)) };

        let moment = fugit::Instant::<u64, NOM, DENOM>::from_ticks(number);
        assert_eq!(Instant::from(moment), Instant::from_millis(millis), "{number} at {NOM}/{DENOM}");
        let length = fugit::Duration::<u64, NOM, DENOM>::from_ticks(number);
        assert_eq!(Duration::from(length), Duration::from_millis(millis), "{number} at {NOM}/{DENOM}");

        let moment = fugit::Instant::<u64, NOM, DENOM>::from(Instant::from_millis(number));
        assert_eq!(moment.ticks(), ticks, "{number} ms at {NOM}/{DENOM}");
        let length = fugit::Duration::<u64, NOM, DENOM>::from(Duration::from_millis(number));
        assert_eq!(length.ticks(), ticks, "{number} ms at {NOM}/{DENOM}");

        let short = fugit::Duration::<u32, NOM, DENOM>::from(Duration::from_millis(number));
        assert_eq!(short.ticks(), u32::try_from(ticks).unwrap_or(u32::MAX));
        let short = fugit::Duration::<u32, NOM, DENOM>::from_ticks(number as u32);
        assert_eq!(Duration::from(short).as_millis(), saturated(u128::from(number as u32) * nom / denom));
    }

    fn check_all(number: u64) {
        check::<1, 1000>(number);
        check::<1, 1_000_000>(number);
        check::<1, 32_768>(number);
        check::<1, 1>(number);
        check::<60, 1>(number);
        check::<1, 4_000_000_000>(number);
        check::<4_294_967_291, 4_294_967_279>(number);
    }

    #[test]
    fn the_ends_and_small_numbers_are_exact() {
        for number in (0..2000).chain([u32::MAX.into(), u64::MAX / 1000, u64::MAX / 2, u64::MAX - 1, u64::MAX]) {
            check_all(number);
        }
    }

    /// A timer of 32,768 Hz that sleeps until a deadline wakes at it, not a tick before.
    #[test]
    fn s4_a_sleep_does_not_end_before_its_deadline() {
        for millis in 0..5000 {
            let deadline = Instant::from_millis(millis);
            let woken = fugit::Instant::<u64, 1, 32_768>::from(deadline);
            assert!(deadline.is_due(woken.into()));
            assert_eq!(Instant::from(woken), deadline);
        }
    }

    proptest! {
        #[test]
        fn any_number_is_exact(number: u64) {
            check_all(number);
        }
    }
}
