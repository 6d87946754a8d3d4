//! The rules' pauses once more, in milliseconds, and the moments at which things happen in histories.

use presence_core::Instant;
use proptest::prelude::*;

pub const SECOND: u64 = 1000;
pub const MINUTE: u64 = 60 * SECOND;
pub const DAY: u64 = 24 * 60 * MINUTE;
pub const NEVER: u64 = u64::MAX;

pub fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// The pause after so many failures in a row: the first one doubled with each, four minutes at most if it is not longer itself,
/// and up to a quarter more by chance.
pub fn after_failures(first: u64, failures: u32, random: u32) -> u64 {
    let longest = first.max(4 * MINUTE);
    let length = (0..failures.saturating_sub(1)).fold(first, |length, _| (2 * length).min(longest));
    length + (u128::from(length / 4) * u128::from(random) / (1 << 32)) as u64
}

/// The time until the next step of a history.
#[derive(Clone, Copy, Debug)]
pub enum Time {
    Passes(u64),
    /// Until what was waited for last, and so much longer or shorter.
    UntilDue(i64),
}

impl Time {
    pub fn after(self, now: u64, due: u64) -> u64 {
        match self {
            Self::Passes(millis) => now + millis,
            // A day, where nothing is due.
            Self::UntilDue(late) => due.min(now + DAY).saturating_add_signed(late).max(now),
        }
    }
}

pub fn time() -> impl Strategy<Value = Time> {
    prop_oneof![
        4 => Just(Time::Passes(0)),
        2 => prop::sample::select(vec![1, 999, SECOND, 9 * SECOND, 19 * SECOND, MINUTE, 89 * SECOND, 10 * MINUTE])
            .prop_map(Time::Passes),
        6 => prop::sample::select(vec![0, 0, 0, -1, 1]).prop_map(Time::UntilDue),
    ]
}
