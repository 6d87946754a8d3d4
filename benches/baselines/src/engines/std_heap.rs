//! Baseline 1, the first thing to write: a map of maps, and a heap of deadlines. Every set pushes a deadline; an old one is
//! recognised and dropped when it comes up.

use super::nested::{Deadline, Session, User};
use crate::engine::{Change, Engine, SetCall};
use presence_core::{Presence, SessionId, UserId};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

#[derive(Default)]
pub struct StdHeap {
    users: HashMap<UserId, User>,
    deadlines: BinaryHeap<Reverse<Deadline>>,
}

impl Engine for StdHeap {
    fn for_users(_: usize) -> Self {
        Self::default()
    }

    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change)) {
        let user = self.users.entry(call.user).or_default();
        let session = Session::new(call);
        self.deadlines.push(Reverse((session.due, call.user, Some(call.session))));
        user.sessions.insert(call.session, session);
        user.publish(call.user, call.now, changes);
    }

    fn clear(&mut self, now: u64, id: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool {
        let Some(user) = self.users.get_mut(&id) else { return false };
        if user.sessions.remove(&session).is_none() {
            return false;
        }
        user.publish(id, now, changes);
        if user.is_empty() {
            self.users.remove(&id);
        }
        true
    }

    fn prefer(&mut self, now: u64, id: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change)) {
        let user = self.users.entry(id).or_default();
        let until = now + u64::from(duration);
        self.deadlines.push(Reverse((until, id, None)));
        user.preferred = Some((presence, until));
        user.publish(id, now, changes);
    }

    fn unprefer(&mut self, now: u64, id: UserId, changes: &mut impl FnMut(Change)) {
        let Some(user) = self.users.get_mut(&id) else { return };
        user.preferred = None;
        user.publish(id, now, changes);
        if user.is_empty() {
            self.users.remove(&id);
        }
    }

    fn read(&self, _: u64, user: UserId) -> Presence {
        self.users.get(&user).map_or(Presence::Offline, |user| user.published)
    }

    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool {
        let Some(&Reverse((at, id, _))) = self.deadlines.peek().filter(|first| first.0.0 <= now) else { return false };
        let mut user = self.users.get_mut(&id);
        // All that is due for one user at one instant is one change.
        while let Some(&Reverse((_, _, whose))) =
            self.deadlines.peek().filter(|first| (first.0.0, first.0.1) == (at, id))
        {
            self.deadlines.pop();
            if let Some(next) = user.as_mut().and_then(|user| user.fall_due(at, whose)) {
                self.deadlines.push(Reverse((next, id, whose)));
            }
        }
        if let Some(user) = user {
            user.publish(id, at, changes);
            if user.is_empty() {
                self.users.remove(&id);
            }
        }
        true
    }
}
