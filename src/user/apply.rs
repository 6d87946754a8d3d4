//! The only thing that changes a user: carrying out a transition, wholly or not at all.

use super::transition::{Change, Transition};
use super::{Absence, Due, Session, User};
use crate::presence::Presence;
use crate::time::Instant;

/// Why a transition was not applied. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ApplyError {
    /// It was decided about another state of this user: decide again. Rule V2.
    Stale,
    /// No decision about this user made it: before and after do not follow from its record, or the record does not fit.
    Invalid,
    /// It is about a user new to a directory that has no room for another.
    Full,
}

impl core::fmt::Display for ApplyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Stale => "stale transition: the user has changed since",
            Self::Invalid => "invalid transition: it does not follow from this user",
            Self::Full => "no room for another user",
        })
    }
}

impl core::error::Error for ApplyError {}

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// Carries out a transition. It needs no policy and no clock, and so does the same everywhere and at any time.
    /// O(`SESSIONS`).
    ///
    /// # Errors
    ///
    /// [`ApplyError::Stale`] when this user has changed since the decision, [`ApplyError::Invalid`] when no decision about
    /// this user can have made it. Nothing is changed then.
    pub fn apply(&mut self, transition: &Transition<S>) -> Result<(), ApplyError> {
        if transition.revision != self.revision {
            return Err(ApplyError::Stale);
        }
        let before = self.presence();
        let follows = transition.before == before
            && transition.after == self.presence_after(&transition.change)
            && self.fits(transition);
        if !follows {
            return Err(ApplyError::Invalid);
        }
        self.carry_out(transition);
        Ok(())
    }

    /// Carries out a transition that was decided about this very state, as nobody outside can know.
    pub(crate) fn carry_out(&mut self, transition: &Transition<S>) {
        match transition.change {
            Change::Set(session) | Change::Faded(session) => self.put(session),
            Change::Cleared(id) => self.remove(id, Absence::Cleared),
            Change::Expired(id) => self.remove(id, Absence::Expired),
            Change::PreferredSet(preferred) => self.prefer(Some(preferred)),
            Change::PreferredCleared | Change::PreferredExpired => self.prefer(None),
        }
        self.revision = self.revision.wrapping_add(1);
        if transition.is_visible() {
            self.since = transition.at;
            self.version = self.version.saturating_add(1);
        }
        crate::log::trace!("{}: {} -> {}", transition.cause(), transition.before, transition.after);
    }

    /// Whether a decision about this user could have made this change at this moment.
    fn fits(&self, transition: &Transition<S>) -> bool {
        let Transition { at, change, .. } = *transition;
        let first = self.first_due();
        // A command is carried out when nothing is overdue; time carries out what is due first.
        let is_current = !first.is_some_and(|(deadline, _)| deadline.is_due(at));
        let due = first.and_then(|(deadline, due)| (deadline == at).then_some(due));
        match change {
            Change::Set(session) => {
                let has_room = !self.sessions.is_full() || self.session(session.id).is_some();
                let may_fade = session.presence == Presence::Available || session.fades_at == Instant::NEVER;
                is_current
                    && has_room
                    && may_fade
                    && at <= session.expires_at
                    && at <= session.fades_at
                    && session.faded == 0
            }
            Change::Cleared(id) => is_current && self.session(id).is_some(),
            Change::PreferredSet(preferred) => is_current && at <= preferred.expires_at,
            Change::PreferredCleared => is_current && self.preferred.is_some(),
            Change::PreferredExpired => matches!(due, Some(Due::Preferred)),
            Change::Expired(id) => {
                matches!(due, Some(Due::Session(old)) if old.id == id && old.expires_at == at)
            }
            Change::Faded(new) => {
                let fades = |old: Session<S>| {
                    old.id == new.id
                        && old.fades_at == at
                        && old.expires_at > at
                        && new.expires_at == old.expires_at
                        && new.fades_at > at
                        && new.presence <= old.presence
                        && new.faded == old.faded.saturating_add(1)
                };
                matches!(due, Some(Due::Session(old)) if fades(old))
            }
        }
    }

    /// Replaces the session with this id, or inserts it in its place: there is room, or nobody would have decided so.
    fn put(&mut self, session: Session<S>) {
        if let Some(slot) = self.sessions.iter_mut().find(|slot| slot.id == session.id) {
            *slot = session;
            return;
        }
        let mut carried = session;
        for slot in &mut self.sessions {
            if slot.id > carried.id {
                core::mem::swap(slot, &mut carried);
            }
        }
        let _ = self.sessions.push(carried);
    }

    /// Removes the session with this id and closes the gap.
    fn remove(&mut self, id: S, how: Absence) {
        self.absence = how;
        let Some(mut carried) = self.sessions.pop() else { return };
        for slot in self.sessions.iter_mut().rev() {
            if carried.id == id {
                return;
            }
            core::mem::swap(slot, &mut carried);
        }
    }
}
