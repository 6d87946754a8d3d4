//! A user as an expert writes it: sessions inline in 32 bytes each, their fades computed from their age, the published
//! presence cached, and the most-read fields in front. Shared by baselines 3 to 6.

use super::{faded, next_fade};
use crate::engine::{Change, SetCall};
use arrayvec::ArrayVec;
use core::hash::{Hash, Hasher};
use presence_core::{Presence, SessionId, UserId};

/// A GUID as two words, which hash and compare faster than sixteen bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u64; 2]);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
        state.write_u64(self.0[1]);
    }
}

const fn words(bytes: [u8; 16]) -> [u64; 2] {
    let both = u128::from_ne_bytes(bytes);
    [(both >> 64) as u64, both as u64]
}

impl Key {
    pub const fn user(self) -> UserId {
        UserId::from_bytes((((self.0[0] as u128) << 64) | self.0[1] as u128).to_ne_bytes())
    }
}

impl From<UserId> for Key {
    fn from(id: UserId) -> Self {
        Self(words(id.to_bytes()))
    }
}

impl From<SessionId> for Key {
    fn from(id: SessionId) -> Self {
        Self(words(id.to_bytes()))
    }
}

#[derive(Clone, Copy)]
struct Session {
    id: Key,
    set_at: u64,
    lease: u32,
    set_to: Presence,
}

impl Session {
    const fn ends_at(&self) -> u64 {
        self.set_at + self.lease as u64
    }

    /// Returns the first deadline at `now` or later.
    fn deadline_from(&self, now: u64) -> u64 {
        // A fade at this very moment counts, hence the age of a millisecond before.
        let age = now.saturating_sub(self.set_at).saturating_sub(1);
        next_fade(self.set_to, age).map_or(self.ends_at(), |fade| self.ends_at().min(self.set_at + fade))
    }
}

/// One user. In the order written, so that a read stays in the cache line of the key.
#[repr(C)]
pub struct User<T, const SESSIONS: usize> {
    /// The engine's own data about the user's deadline.
    pub timer: T,
    preferred_until: u64,
    preferred: Presence,
    pub published: Presence,
    sessions: ArrayVec<Session, SESSIONS>,
}

impl<T: Default, const SESSIONS: usize> Default for User<T, SESSIONS> {
    fn default() -> Self {
        Self {
            timer: T::default(),
            preferred_until: u64::MAX,
            preferred: Presence::Unknown,
            published: Presence::Offline,
            sessions: ArrayVec::new_const(),
        }
    }
}

impl<T, const SESSIONS: usize> User<T, SESSIONS> {
    /// Sets a session, and returns its next deadline.
    pub fn set(&mut self, call: &SetCall) -> u64 {
        let session = Session { id: call.session.into(), set_at: call.now, lease: call.lease, set_to: call.presence };
        match self.sessions.iter_mut().find(|old| old.id == session.id) {
            Some(old) => *old = session,
            None => self.sessions.push(session),
        }
        session.deadline_from(call.now)
    }

    pub fn clear(&mut self, now: u64, id: SessionId) -> bool {
        let id = Key::from(id);
        let Some(place) = self.sessions.iter().position(|session| session.id == id) else { return false };
        self.sessions.swap_remove(place).ends_at() > now
    }

    pub fn prefer(&mut self, presence: Presence, until: u64) {
        (self.preferred, self.preferred_until) = (presence, until);
    }

    pub fn unprefer(&mut self) {
        self.prefer(Presence::Unknown, u64::MAX);
    }

    /// Removes expired sessions.
    pub fn expire(&mut self, now: u64) {
        let mut place = 0;
        while let Some(session) = self.sessions.get(place) {
            if session.ends_at() <= now {
                self.sessions.swap_remove(place);
            } else {
                place += 1;
            }
        }
        if self.preferred_until <= now {
            self.unprefer();
        }
    }

    /// Returns the published presence at `now`, whether or not expired sessions were removed.
    pub fn presence(&self, now: u64) -> Presence {
        let lasting = self.sessions.iter().filter(|session| session.ends_at() > now);
        match lasting.map(|session| faded(session.set_to, now - session.set_at)).max() {
            None => Presence::Offline,
            Some(_) if self.preferred != Presence::Unknown && self.preferred_until > now => self.preferred,
            Some(strongest) => strongest,
        }
    }

    /// Computes the published presence, and reports a change.
    pub fn publish(&mut self, user: UserId, at: u64, changes: &mut impl FnMut(Change)) {
        let after = self.presence(at);
        let before = core::mem::replace(&mut self.published, after);
        if before != after {
            changes(Change { user, at, before, after });
        }
    }

    /// Returns the first deadline at `now` or later; the greatest number when there is none.
    pub fn deadline_from(&self, now: u64) -> u64 {
        self.sessions.iter().map(|session| session.deadline_from(now)).fold(self.preferred_until, u64::min)
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.preferred == Presence::Unknown
    }
}
