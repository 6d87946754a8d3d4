//! The application of a transition: the only change of a user besides a rebase.

use super::decide::is_same;
use super::transition::{Change, Transition};
use super::{Absence, Session, User};
use crate::presence::Presence;
use crate::time::Instant;

/// The error of [`User::apply`]. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ApplyError {
    /// The transition was decided about another state of this user: decide again.
    Stale,
    /// No decision about this user can have made the transition.
    Invalid,
    /// The user is new, and the directory has no room for another.
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
    /// Applies a transition, wholly or not at all.
    ///
    /// It is independent of policy and clock. Validate untrusted transitions with
    /// [`Policy::check_session`](crate::Policy::check_session) or [`Policy::check_preferred`](crate::Policy::check_preferred)
    /// first.
    ///
    /// # Errors
    ///
    /// - [`ApplyError::Stale`] if this user has changed since the decision ([V2](crate::rules#v2)).
    /// - [`ApplyError::Invalid`] if no decision about this user, under any policy, can have made the transition.
    ///
    /// ```
    /// use presence_core::{ApplyError, Instant, Policy, Presence, User, set_presence};
    ///
    /// let mut user: User<u8, 4> = User::new();
    /// let one = set_presence(user.at(Instant::ZERO)?, 1, Presence::Away, None, &Policy::GRAPH)?;
    /// let other = set_presence(user.at(Instant::ZERO)?, 2, Presence::InACall, None, &Policy::GRAPH)?;
    /// assert_eq!(user.apply(&one), Ok(()));
    /// assert_eq!(user.apply(&other), Err(ApplyError::Stale)); // decided before `one` was applied: decide again
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn apply(&mut self, transition: &Transition<S>) -> Result<(), ApplyError> {
        if transition.revision != self.revision {
            return Err(ApplyError::Stale);
        }
        // The session of the transition, if it has one, with the presence it will show, and the preferred presence.
        let (old, present, preferred) = match &transition.change {
            Change::Set(new) | Change::Faded(new) => (self.session(new.id), Some(new.presence), self.preferred),
            Change::Cleared(id) | Change::Expired(id) => (self.session(*id), None, self.preferred),
            Change::PreferredSet(preferred) => (None, None, Some(preferred.presence)),
            Change::PreferredCleared | Change::PreferredExpired => (None, None, None),
        };
        let follows = transition.before == self.presence()
            && transition.after == self.presence_with(old, present, preferred)
            && self.fits(transition, old);
        if !follows {
            return Err(ApplyError::Invalid);
        }
        self.apply_unchecked(transition);
        Ok(())
    }

    /// Applies a transition that was decided about this very state, which only the crate itself can know.
    pub(crate) fn apply_unchecked(&mut self, transition: &Transition<S>) {
        match &transition.change {
            Change::Set(session) | Change::Faded(session) => self.put(session),
            Change::Cleared(id) => self.remove(*id, Absence::Cleared),
            Change::Expired(id) => self.remove(*id, Absence::Expired),
            Change::PreferredSet(preferred) => self.prefer(Some(*preferred)),
            Change::PreferredCleared | Change::PreferredExpired => self.prefer(None),
        }
        self.count(transition);
    }

    /// Counts a transition whose change has been made.
    #[inline(always)]
    pub(super) fn count(&mut self, transition: &Transition<S>) {
        self.revision = self.revision.saturating_add(1);
        if transition.is_visible() {
            self.since = transition.at;
            self.version = self.version.saturating_add(1);
        }
        crate::log::trace!("{}: {} -> {}", transition.cause(), transition.before, transition.after);
    }

    /// Reports whether a decision about this user could have made this change of `old`.
    fn fits(&self, transition: &Transition<S>, old: Option<&Session<S>>) -> bool {
        let at = transition.at;
        let deadline = self.first_deadline();
        match &transition.change {
            // What is due first comes first.
            Change::Expired(_) | Change::Faded(_) | Change::PreferredExpired => {
                let is_first = deadline == at && at != Instant::NEVER;
                is_first
                    && match (self.due_at(at), &transition.change) {
                        (None, Change::PreferredExpired) => true,
                        (Some(due), Change::Expired(_)) => is_same(old, due) && due.expires_at == at,
                        (Some(due), Change::Faded(new)) => {
                            is_same(old, due)
                                && due.expires_at > at
                                && new.expires_at == due.expires_at
                                && new.fades_at > at
                                && new.presence <= due.presence
                                && new.faded == due.faded.saturating_add(1)
                        }
                        _ => false,
                    }
            }
            // Nothing is overdue when a command is decided.
            _ if deadline.is_due(at) => false,
            Change::Set(new) => {
                let has_room = !self.sessions.is_full() || old.is_some();
                let may_fade = new.presence == Presence::Available || new.fades_at == Instant::NEVER;
                has_room && may_fade && at <= new.deadline() && new.faded == 0
            }
            Change::Cleared(_) => old.is_some(),
            Change::PreferredSet(preferred) => at <= preferred.expires_at,
            Change::PreferredCleared => self.preferred.is_some(),
        }
    }

    /// Replaces the session with this id, or inserts it in the order of ids. Every decision has made sure that there is room.
    fn put(&mut self, session: &Session<S>) {
        if let Some(slot) = self.sessions.iter_mut().find(|slot| slot.id == session.id) {
            slot.become_like(session);
        } else {
            self.insert(session);
        }
    }

    /// Inserts a session in the order of ids.
    #[inline(always)]
    pub(super) fn insert(&mut self, session: &Session<S>) {
        let Session { id, expires_at, fades_at, presence, faded } = *session;
        let _ = self.sessions.push(Session { id, expires_at, fades_at, presence, faded });
        let mut rest = self.sessions.as_mut_slice();
        while let Some((last, others)) = rest.split_last_mut() {
            match others.last() {
                Some(before) if before.id > id => last.become_like(before),
                _ => {
                    last.become_like(session);
                    return;
                }
            }
            rest = others;
        }
    }

    /// Removes the session with this id and closes the gap.
    fn remove(&mut self, id: S, how: Absence) {
        self.absence = how;
        let Some(index) = self.sessions.iter().position(|session| session.id == id) else { return };
        let mut rest = self.sessions.get_mut(index..).unwrap_or_default();
        while let Some((first, others)) = rest.split_first_mut() {
            if let Some(next) = others.first() {
                first.become_like(next);
            }
            rest = others;
        }
        self.sessions.truncate(self.sessions.len().saturating_sub(1));
    }
}
