//! The engines: ours, and the structures to write or choose instead.

pub mod delay_queue;
pub mod heapless_map;
pub mod inline;
pub mod lazy_heap;
pub mod nested;
pub mod no_timers;
pub mod ours;
pub mod std_btree;
pub mod std_heap;

use crate::engine::Engine;
use presence_core::Presence;

/// The names of the engines: ours, then the baselines by their numbers.
pub const NAMES: [&str; ENGINES] = [
    "Directory",
    "1 std HashMap, BinaryHeap",
    "2 std HashMap, BTreeSet",
    "3 hashbrown, lazy heap",
    "4 hashbrown, DelayQueue",
    "5 heapless",
    "6 no timers",
];
pub const ENGINES: usize = 7;
pub const OURS: usize = 0;
pub const MAPS_AND_HEAP: usize = 1;
pub const EXPERT: usize = 3;
pub const TOKIO: usize = 4;
pub const NO_TIMERS: usize = 6;

/// A task with an engine of any type.
pub trait Visitor {
    fn visit<E: Engine>(&mut self, engine: usize);
}

/// Calls a task with every engine that can hold so many users. `PLACES` and `ENTRIES` are the sizes of the heapless one.
pub fn visit_all<const SESSIONS: usize, const PLACES: usize, const ENTRIES: usize>(
    users: u32,
    visitor: &mut impl Visitor,
) {
    visitor.visit::<ours::Ours<SESSIONS>>(OURS);
    visitor.visit::<std_heap::StdHeap>(MAPS_AND_HEAP);
    visitor.visit::<std_btree::StdBTree>(2);
    visitor.visit::<lazy_heap::LazyHeap<SESSIONS>>(EXPERT);
    visitor.visit::<delay_queue::TokioQueue<SESSIONS>>(TOKIO);
    if users as usize <= PLACES {
        visitor.visit::<heapless_map::HeaplessMap<SESSIONS, PLACES, ENTRIES>>(5);
    }
    visitor.visit::<no_timers::NoTimers<SESSIONS>>(NO_TIMERS);
}

/// The fades of a session set to Available, as rule S3 says.
const INACTIVE_AFTER: u64 = 5 * 60_000;
const AWAY_AFTER: u64 = 10 * 60_000;

/// Returns the presence of a session that was set so long ago.
fn faded(presence: Presence, age: u64) -> Presence {
    if presence != Presence::Available || age < INACTIVE_AFTER {
        presence
    } else if age < AWAY_AFTER {
        Presence::AvailableInactive
    } else {
        Presence::Away
    }
}

/// Returns the age at which a session of this age fades next.
fn next_fade(presence: Presence, age: u64) -> Option<u64> {
    if presence != Presence::Available || age >= AWAY_AFTER {
        None
    } else {
        Some(if age < INACTIVE_AFTER { INACTIVE_AFTER } else { AWAY_AFTER })
    }
}
