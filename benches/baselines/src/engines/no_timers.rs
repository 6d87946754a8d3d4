//! Baseline 6: no timers at all. A read computes a session's presence from its age. Fades and ends are not reported, and a
//! user who never comes back keeps its memory for ever. The hard baseline for reads.

use super::inline::{Key, User};
use crate::engine::{Change, Engine, SetCall};
use hashbrown::HashMap;
use presence_core::{Presence, SessionId, UserId};

pub struct NoTimers<const SESSIONS: usize>(HashMap<Key, User<(), SESSIONS>>);

impl<const SESSIONS: usize> Engine for NoTimers<SESSIONS> {
    fn for_users(users: usize) -> Self {
        Self(HashMap::with_capacity(users))
    }

    fn set(&mut self, call: &SetCall, _: &mut impl FnMut(Change)) {
        self.0.entry(call.user.into()).or_default().set(call);
    }

    fn clear(&mut self, now: u64, user: UserId, session: SessionId, _: &mut impl FnMut(Change)) -> bool {
        self.0.get_mut(&Key::from(user)).is_some_and(|user| user.clear(now, session))
    }

    fn prefer(&mut self, now: u64, user: UserId, presence: Presence, duration: u32, _: &mut impl FnMut(Change)) {
        self.0.entry(user.into()).or_default().prefer(presence, now + u64::from(duration));
    }

    fn unprefer(&mut self, _: u64, user: UserId, _: &mut impl FnMut(Change)) {
        if let Some(user) = self.0.get_mut(&Key::from(user)) {
            user.unprefer();
        }
    }

    fn read(&self, now: u64, user: UserId) -> Presence {
        self.0.get(&Key::from(user)).map_or(Presence::Offline, |user| user.presence(now))
    }

    fn step(&mut self, _: u64, _: &mut impl FnMut(Change)) -> bool {
        false
    }
}
