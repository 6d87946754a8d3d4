//! A user as first written: a map of sessions, and the cached published presence. Shared by baselines 1 and 2.

use super::{faded, next_fade};
use crate::engine::{Change, SetCall};
use presence_core::{Presence, SessionId, UserId};
use std::collections::HashMap;

/// A deadline: when, whose, and of which session; without one, of the preferred presence.
pub type Deadline = (u64, UserId, Option<SessionId>);

pub struct Session {
    set_to: Presence,
    presence: Presence,
    set_at: u64,
    ends_at: u64,
    /// Its next deadline, fade or end.
    pub due: u64,
}

impl Session {
    pub fn new(call: &SetCall) -> Self {
        let ends_at = call.now + u64::from(call.lease);
        let due = next_fade(call.presence, 0).map_or(ends_at, |fade| ends_at.min(call.now + fade));
        Self { set_to: call.presence, presence: call.presence, set_at: call.now, ends_at, due }
    }
}

#[derive(Default)]
pub struct User {
    pub sessions: HashMap<SessionId, Session>,
    /// The preferred presence, and its end.
    pub preferred: Option<(Presence, u64)>,
    pub published: Presence,
}

impl User {
    /// Handles a deadline of this user: an old one does nothing; otherwise the session fades or ends, and its next deadline
    /// is returned, if it has one.
    pub fn fall_due(&mut self, now: u64, whose: Option<SessionId>) -> Option<u64> {
        let Some(id) = whose else {
            self.preferred = self.preferred.filter(|&(_, until)| until != now);
            return None;
        };
        let session = self.sessions.get_mut(&id).filter(|session| session.due == now)?;
        if session.ends_at == now {
            self.sessions.remove(&id);
            return None;
        }
        let age = now - session.set_at;
        session.presence = faded(session.set_to, age);
        session.due =
            next_fade(session.set_to, age).map_or(session.ends_at, |fade| session.ends_at.min(session.set_at + fade));
        Some(session.due)
    }

    /// Computes the published presence, and reports a change.
    pub fn publish(&mut self, user: UserId, at: u64, changes: &mut impl FnMut(Change)) {
        let after = match self.sessions.values().map(|session| session.presence).max() {
            None => Presence::Offline,
            Some(strongest) => self.preferred.map_or(strongest, |(presence, _)| presence),
        };
        let before = std::mem::replace(&mut self.published, after);
        if before != after {
            changes(Change { user, at, before, after });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.preferred.is_none()
    }
}
