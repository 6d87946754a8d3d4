//! Reads of our own taken apart: waiting, and overlapped.

use super::single;
use crate::clock::Stretch;
use crate::engine::Engine;
use crate::engines::inline::Key;
use crate::engines::ours::Ours;
use crate::random::scrambled;
use crate::trace::user_id;
use hashbrown::HashMap;
use presence_core::{Instant, UserId};
use std::hint::black_box;

/// Nanoseconds for each read: each waiting for the answer of the one before, or each by itself, so that the processor
/// overlaps as many as it can.
#[derive(Clone, Copy, Default)]
pub struct Reads {
    pub waiting: f64,
    pub probe_waiting: f64,
    pub overlapped: f64,
    pub probe_overlapped: f64,
    /// By handle, without a lookup.
    pub handle_waiting: f64,
    pub handle_overlapped: f64,
    /// By `read_batch`, 64 at a time.
    pub batched: f64,
}

/// Returns the time of a step in the fastest of a few walks.
fn fastest(steps: usize, mut walk: impl FnMut() -> u64) -> f64 {
    let once = |_| {
        let start = Stretch::start();
        black_box(walk());
        start.nanoseconds() / steps as f64
    };
    (0..3).map(once).fold(f64::INFINITY, f64::min)
}

/// A map whose values are as large as the record of one user.
fn map<const WORDS: usize>(users: u32) -> HashMap<Key, [u64; WORDS]> {
    let mut map = HashMap::with_capacity(users as usize);
    for user in 0..users {
        map.insert(user_id(user).into(), [scrambled(user.into()); WORDS]);
    }
    map
}

fn probes<const WORDS: usize>(users: u32, order: &[u32], nothing: u32, reads: &mut Reads) {
    let map = map::<WORDS>(users);
    let get = |user: u32| map.get(&Key::from(user_id(user))).map_or(0, |value| value[0]);
    reads.probe_overlapped =
        fastest(order.len(), || order.iter().fold(0, |sum: u64, &user| sum.wrapping_add(get(user))));
    reads.probe_waiting =
        fastest(order.len(), || order.iter().fold(0, |last: u64, &user| get(user ^ (last as u32 & nothing))));
}

pub fn reads<const SESSIONS: usize>(users: u32, order: &[u32], record: usize) -> Reads {
    let engine = single::filled::<Ours<SESSIONS>>(users, SESSIONS as u8);
    let mut reads = Reads::default();
    // Always zero, but the compiler does not know: so the next read must wait for the answer.
    let nothing = black_box(0u32);
    match record.div_ceil(8) {
        0..14 => probes::<13>(users, order, nothing, &mut reads),
        14..19 => probes::<18>(users, order, nothing, &mut reads),
        19..22 => probes::<21>(users, order, nothing, &mut reads),
        22..28 => probes::<27>(users, order, nothing, &mut reads),
        _ => probes::<32>(users, order, nothing, &mut reads),
    }
    let now = 60_000;
    let read = |user: u32| u64::from(engine.read(now, user_id(user)).as_byte());
    reads.overlapped = fastest(order.len(), || order.iter().fold(0, |sum: u64, &user| sum + read(user)));
    reads.waiting =
        fastest(order.len(), || order.iter().fold(0, |last: u64, &user| read(user ^ (last as u32 & nothing))));
    let handles: Vec<_> =
        order.iter().map(|&user| engine.0.handle(user_id(user)).expect("every user has one")).collect();
    let published =
        |place: usize| engine.0.by_handle(handles[place]).map_or(0, |(_, user)| u64::from(user.presence().as_byte()));
    reads.handle_overlapped = fastest(order.len(), || (0..handles.len()).fold(0, |sum, place| sum + published(place)));
    reads.handle_waiting = fastest(order.len(), || {
        (0..handles.len()).fold(0, |last: u64, place| published(place ^ (last as u32 & nothing) as usize))
    });
    let ids: Vec<UserId> = order.iter().map(|&user| user_id(user)).collect();
    reads.batched = fastest(order.len(), || {
        let mut sum = 0;
        for some in ids.chunks(64) {
            engine.0.read_batch(Instant::from_millis(now), some, |_, user| sum += u64::from(user.presence().as_byte()));
        }
        sum
    });
    reads
}
