//! One kind of operation alone: keep-alives, reads, and everything expiring.

use crate::clock::Stretch;
use crate::engine::{Change, Engine, SetCall};
use crate::random::{Random, scrambled};
use crate::trace::{session_id, user_id};
use presence_core::Presence;
use std::hint::black_box;

/// Nanoseconds for each.
#[derive(Clone, Copy, Default)]
pub struct Single {
    pub keep_alive: f64,
    pub read: f64,
    /// Nanoseconds for each session, when all leases have run out.
    pub expiry: f64,
}

/// The number of operations of one kind that are timed.
const COUNT: usize = 2_000_000;

/// Returns the users in random order, the same for everything that is compared.
pub fn order(users: u32) -> Vec<u32> {
    let mut random = Random::new(11);
    (0..COUNT).map(|_| random.below(users)).collect()
}

/// Returns the request of a keep-alive: a presence that does not fade, for five minutes to an hour.
fn call(user: u32, session: u8, now: u64) -> SetCall {
    let minutes = 5 + scrambled(u64::from(user) << 8 | u64::from(session)) % 56;
    let lease = minutes as u32 * 60_000 + user % 60_000;
    SetCall { now, user: user_id(user), session: session_id(user, session), presence: Presence::InACall, lease }
}

/// Creates an engine in which every user has every session, set at zero.
pub fn filled<E: Engine>(users: u32, sessions: u8) -> E {
    let mut engine = E::for_users(users as usize);
    for session in 0..sessions {
        for user in 0..users {
            engine.set(&call(user, session, 0), &mut |_| {});
        }
    }
    engine
}

/// Plays half a minute of keep-alives from a moment on.
pub fn keep_alives(sessions: u8, order: &[u32], from: u64) -> impl Iterator<Item = SetCall> {
    let mut session = 0;
    order.iter().zip(0u64..).map(move |(&user, turn)| {
        session = if session + 1 < sessions { session + 1 } else { 0 };
        call(user, session, from + turn / 64)
    })
}

pub fn single<E: Engine>(users: u32, sessions: u8, order: &[u32]) -> Single {
    let mut engine = filled::<E>(users, sessions);
    let mut seen = 0u64;
    let mut changes = |change: Change| seen += change.at;
    let (mut keep_alive, mut read) = (f64::INFINITY, f64::INFINITY);
    for minute in 1..=3u64 {
        let start = Stretch::start();
        keep_alive_all(&mut engine, keep_alives(sessions, order, minute * 60_000), &mut changes);
        keep_alive = keep_alive.min(start.nanoseconds() / order.len() as f64);
        let start = Stretch::start();
        black_box(reads(&engine, order, minute * 60_000));
        read = read.min(start.nanoseconds() / order.len() as f64);
    }
    // Afresh: so many keep-alives in so short a time would be an unfair burden to those who drop old deadlines late.
    drop(engine);
    let mut engine = filled::<E>(users, sessions);
    let start = Stretch::start();
    expire(&mut engine, &mut changes);
    let expiry = start.nanoseconds() / f64::from(users * u32::from(sessions));
    black_box(seen);
    Single { keep_alive, read, expiry }
}

#[inline(never)]
fn keep_alive_all<E: Engine>(engine: &mut E, calls: impl Iterator<Item = SetCall>, changes: &mut impl FnMut(Change)) {
    for call in calls {
        engine.set(&call, changes);
    }
}

#[inline(never)]
fn reads<E: Engine>(engine: &E, order: &[u32], now: u64) -> u64 {
    order.iter().fold(0, |sum, &user| sum + u64::from(engine.read(now, user_id(user)).as_byte()))
}

/// Measures expiry: without further operations, time is advanced once, when all leases have run out.
#[inline(never)]
fn expire<E: Engine>(engine: &mut E, changes: &mut impl FnMut(Change)) {
    while engine.step(3 * 3_600_000, changes) {}
}
