//! Baseline 2: a map of maps, and an ordered set of deadlines that is exact, because what no longer holds is taken out.

use super::nested::{Deadline, Session, User};
use crate::engine::{Change, Engine, SetCall};
use presence_core::{Presence, SessionId, UserId};
use std::collections::{BTreeSet, HashMap};

#[derive(Default)]
pub struct StdBTree {
    users: HashMap<UserId, User>,
    deadlines: BTreeSet<Deadline>,
}

impl Engine for StdBTree {
    fn for_users(_: usize) -> Self {
        Self::default()
    }

    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change)) {
        let user = self.users.entry(call.user).or_default();
        let session = Session::new(call);
        let due = session.due;
        let old = user.sessions.insert(call.session, session).map(|old| old.due);
        if old != Some(due) {
            if let Some(old) = old {
                self.deadlines.remove(&(old, call.user, Some(call.session)));
            }
            self.deadlines.insert((due, call.user, Some(call.session)));
        }
        user.publish(call.user, call.now, changes);
    }

    fn clear(&mut self, now: u64, id: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool {
        let Some(user) = self.users.get_mut(&id) else { return false };
        let Some(old) = user.sessions.remove(&session) else { return false };
        self.deadlines.remove(&(old.due, id, Some(session)));
        user.publish(id, now, changes);
        if user.is_empty() {
            self.users.remove(&id);
        }
        true
    }

    fn prefer(&mut self, now: u64, id: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change)) {
        let user = self.users.entry(id).or_default();
        let until = now + u64::from(duration);
        if let Some((_, old)) = user.preferred.replace((presence, until)) {
            self.deadlines.remove(&(old, id, None));
        }
        self.deadlines.insert((until, id, None));
        user.publish(id, now, changes);
    }

    fn unprefer(&mut self, now: u64, id: UserId, changes: &mut impl FnMut(Change)) {
        let Some(user) = self.users.get_mut(&id) else { return };
        if let Some((_, old)) = user.preferred.take() {
            self.deadlines.remove(&(old, id, None));
        }
        user.publish(id, now, changes);
        if user.is_empty() {
            self.users.remove(&id);
        }
    }

    fn read(&self, _: u64, user: UserId) -> Presence {
        self.users.get(&user).map_or(Presence::Offline, |user| user.published)
    }

    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool {
        let Some(&(at, id, _)) = self.deadlines.first().filter(|first| first.0 <= now) else { return false };
        let mut user = self.users.get_mut(&id);
        // All that is due for one user at one instant is one change.
        while let Some(&(_, _, whose)) = self.deadlines.first().filter(|first| (first.0, first.1) == (at, id)) {
            self.deadlines.pop_first();
            if let Some(next) = user.as_mut().and_then(|user| user.fall_due(at, whose)) {
                self.deadlines.insert((next, id, whose));
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
