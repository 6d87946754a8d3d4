//! Baseline 3, an expert's choice: a fast map, users inline, and a heap with one entry a user that may be early. A keep-alive
//! touches no heap; an entry that comes up early is put back under the deadline that holds then.
//!
//! It is lazy about two things: the first entry of the heap may be earlier than any deadline, so that the caller wakes up
//! for nothing; and users who change at one instant do so in the order of the heap, not of their ids, only by chance.

use super::inline::{Key, User};
use crate::engine::{Change, Engine, SetCall};
use core::cmp::Reverse;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use presence_core::{Presence, SessionId, UserId};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// The deadline of a user's valid entry in the heap; others of that user are old.
struct Queued(u64);

impl Default for Queued {
    fn default() -> Self {
        Self(u64::MAX)
    }
}

pub struct LazyHeap<const SESSIONS: usize> {
    users: HashMap<Key, User<Queued, SESSIONS>>,
    deadlines: BinaryHeap<Reverse<(u64, Key)>>,
}

impl<const SESSIONS: usize> Engine for LazyHeap<SESSIONS> {
    fn for_users(users: usize) -> Self {
        Self { users: HashMap::with_capacity(users), deadlines: BinaryHeap::with_capacity(users) }
    }

    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change)) {
        let key = Key::from(call.user);
        let user = self.users.entry(key).or_default();
        let due = user.set(call);
        user.publish(call.user, call.now, changes);
        if due < user.timer.0 {
            user.timer.0 = due;
            self.deadlines.push(Reverse((due, key)));
        }
    }

    fn clear(&mut self, now: u64, id: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool {
        let Entry::Occupied(mut entry) = self.users.entry(id.into()) else { return false };
        let user = entry.get_mut();
        let found = user.clear(now, session);
        user.publish(id, now, changes);
        if user.is_empty() {
            entry.remove();
        }
        found
    }

    fn prefer(&mut self, now: u64, id: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change)) {
        let key = Key::from(id);
        let user = self.users.entry(key).or_default();
        let until = now + u64::from(duration);
        user.prefer(presence, until);
        user.publish(id, now, changes);
        if until < user.timer.0 {
            user.timer.0 = until;
            self.deadlines.push(Reverse((until, key)));
        }
    }

    fn unprefer(&mut self, now: u64, id: UserId, changes: &mut impl FnMut(Change)) {
        let Entry::Occupied(mut entry) = self.users.entry(id.into()) else { return };
        let user = entry.get_mut();
        user.unprefer();
        user.publish(id, now, changes);
        if user.is_empty() {
            entry.remove();
        }
    }

    fn read(&self, _: u64, user: UserId) -> Presence {
        self.users.get(&Key::from(user)).map_or(Presence::Offline, |user| user.published)
    }

    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool {
        let Some(mut first) = self.deadlines.peek_mut() else { return false };
        let Reverse((at, key)) = *first;
        if at > now {
            return false;
        }
        let Entry::Occupied(mut entry) = self.users.entry(key) else {
            PeekMut::pop(first);
            return true;
        };
        let user = entry.get_mut();
        if user.timer.0 != at {
            PeekMut::pop(first);
            return true;
        }
        user.expire(at);
        user.publish(key.user(), at, changes);
        user.timer.0 = user.deadline_from(at + 1);
        if user.timer.0 == u64::MAX {
            PeekMut::pop(first);
        } else {
            *first = Reverse((user.timer.0, key));
        }
        if user.is_empty() {
            entry.remove();
        }
        true
    }
}
