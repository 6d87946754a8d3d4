//! Baseline 5, the embedded choice: heapless's `IndexMap` and `BinaryHeap`, of a size fixed when it is compiled. As in
//! baseline 3, an entry of the heap may be early; when the heap is full of old ones, it is built again.

use super::inline::{Key, User};
use crate::engine::{Change, Engine, SetCall};
use heapless::binary_heap::{BinaryHeap, Min};
use heapless::index_map::FnvIndexMap;
use presence_core::{Presence, SessionId, UserId};

/// The deadline of a user's valid entry in the heap; others of that user are old.
struct Queued(u64);

impl Default for Queued {
    fn default() -> Self {
        Self(u64::MAX)
    }
}

struct State<const SESSIONS: usize, const USERS: usize, const ENTRIES: usize> {
    users: FnvIndexMap<Key, User<Queued, SESSIONS>, USERS>,
    deadlines: BinaryHeap<(u64, Key), Min, ENTRIES>,
}

/// `USERS` must be a power of two; twice as many `ENTRIES` leave room for old ones.
pub struct HeaplessMap<const SESSIONS: usize, const USERS: usize, const ENTRIES: usize>(
    Box<State<SESSIONS, USERS, ENTRIES>>,
);

impl<const SESSIONS: usize, const USERS: usize, const ENTRIES: usize> State<SESSIONS, USERS, ENTRIES> {
    fn user(&mut self, key: Key) -> &mut User<Queued, SESSIONS> {
        let place = self.users.entry(key).or_default();
        place.ok().expect("a vacancy for every user of the trace")
    }

    /// Records a user's next deadline, in the heap too if it is earlier than the entry there.
    fn queue(&mut self, key: Key, due: u64) {
        let user = self.user(key);
        if due >= user.timer.0 {
            return;
        }
        user.timer.0 = due;
        if self.deadlines.push((due, key)).is_err() {
            self.deadlines.clear();
            for (&key, user) in self.users.iter().filter(|(_, user)| user.timer.0 != u64::MAX) {
                let _ = self.deadlines.push((user.timer.0, key));
            }
        }
    }

    fn publish(&mut self, key: Key, now: u64, changes: &mut impl FnMut(Change)) {
        let Some(user) = self.users.get_mut(&key) else { return };
        user.publish(key.user(), now, changes);
        if user.is_empty() {
            self.users.swap_remove(&key);
        }
    }
}

impl<const SESSIONS: usize, const USERS: usize, const ENTRIES: usize> Engine for HeaplessMap<SESSIONS, USERS, ENTRIES> {
    fn for_users(_: usize) -> Self {
        Self(Box::new(State { users: FnvIndexMap::new(), deadlines: BinaryHeap::new() }))
    }

    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change)) {
        let key = Key::from(call.user);
        let user = self.0.user(key);
        let due = user.set(call);
        user.publish(call.user, call.now, changes);
        if due < user.timer.0 {
            self.0.queue(key, due);
        }
    }

    fn clear(&mut self, now: u64, user: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool {
        let key = Key::from(user);
        let found = self.0.users.get_mut(&key).is_some_and(|user| user.clear(now, session));
        self.0.publish(key, now, changes);
        found
    }

    fn prefer(&mut self, now: u64, user: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change)) {
        let (key, until) = (Key::from(user), now + u64::from(duration));
        let record = self.0.user(key);
        record.prefer(presence, until);
        record.publish(user, now, changes);
        self.0.queue(key, until);
    }

    fn unprefer(&mut self, now: u64, user: UserId, changes: &mut impl FnMut(Change)) {
        let key = Key::from(user);
        if let Some(user) = self.0.users.get_mut(&key) {
            user.unprefer();
        }
        self.0.publish(key, now, changes);
    }

    fn read(&self, _: u64, user: UserId) -> Presence {
        self.0.users.get(&Key::from(user)).map_or(Presence::Offline, |user| user.published)
    }

    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool {
        let state = &mut *self.0;
        let Some(&(at, key)) = state.deadlines.peek().filter(|first| first.0 <= now) else { return false };
        state.deadlines.pop();
        let Some(user) = state.users.get_mut(&key).filter(|user| user.timer.0 == at) else { return true };
        user.expire(at);
        user.publish(key.user(), at, changes);
        user.timer.0 = user.deadline_from(at + 1);
        if user.timer.0 != u64::MAX {
            let _ = state.deadlines.push((user.timer.0, key));
        }
        if user.is_empty() {
            state.users.swap_remove(&key);
        }
        true
    }
}
