//! The longest single call: five minutes after as many keep-alives as there are users, and when all users are due at one
//! instant.

use crate::engine::{Change, Engine, SetCall};
use crate::histogram::{Histogram, Stopwatch};
use crate::random::scrambled;
use crate::trace::{session_id, user_id};
use presence_core::Presence;
use std::hint::black_box;
use std::time::Instant;

#[derive(Clone, Default)]
pub struct Stalls {
    /// Steps when nothing is due, but every deadline that the engine may have kept is stale.
    pub stale: Histogram,
    /// Steps when every user fades at the same millisecond.
    pub at_once: Histogram,
}

const MINUTE: u64 = 60_000;

/// Sets all users to Available at zero and again in the fifth minute: then the first deadlines are all stale. In the tenth
/// minute all users are set at one instant, and fade at one.
pub fn stalls<E: Engine>(users: u32) -> Stalls {
    let mut engine = E::for_users(users as usize);
    for number in 0..users {
        let second = scrambled(number.into()) % 60_000;
        set(&mut engine, number, second);
    }
    for number in 0..users {
        set(&mut engine, number, 4 * MINUTE + u64::from(number) % 60_000);
    }
    let mut stalls = Stalls::default();
    steps(&mut engine, 6 * MINUTE, &mut stalls.stale);
    for number in 0..users {
        set(&mut engine, number, 8 * MINUTE);
    }
    steps(&mut engine, 12 * MINUTE, &mut Histogram::default());
    steps(&mut engine, 13 * MINUTE, &mut stalls.at_once);
    stalls
}

fn set<E: Engine>(engine: &mut E, number: u32, now: u64) {
    let (user, session) = (user_id(number), session_id(number, 0));
    engine.set(&SetCall { now, user, session, presence: Presence::Available, lease: 3_600_000 }, &mut |_| {});
}

fn steps<E: Engine>(engine: &mut E, now: u64, histogram: &mut Histogram) {
    let stopwatch = Stopwatch::new();
    let mut seen = 0u64;
    let mut changes = |change: Change| seen += change.at;
    loop {
        let start = Instant::now();
        let went_on = engine.step(now, &mut changes);
        histogram.add(stopwatch.since(start));
        if !went_on {
            break;
        }
    }
    black_box(seen);
}
