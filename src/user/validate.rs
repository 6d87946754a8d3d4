//! Validation of untrusted users against the invariants that later operations rely on.
//!
//! Revisions, versions and times are trusted: no check can tell whether so much has happened.

use super::{Absence, Preferred, Session, User};
use crate::presence::Presence;
use crate::time::Instant;

/// A user that is not validated yet.
pub(crate) struct Untrusted<S, const SESSIONS: usize> {
    user: User<S, SESSIONS>,
}

/// The proof that a user is valid. Apart from the user, which a small device would copy with it.
pub(crate) struct Trusted(());

/// The invariant that an untrusted user breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvariantError {
    SessionIds,
    Fades,
    VersionAhead,
}

impl InvariantError {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::SessionIds => "the sessions are not in the order of their ids, or two have the same",
            Self::Fades => "a session fades that was not set to Available",
            Self::VersionAhead => "the version is ahead of the revision",
        }
    }
}

impl<S, const SESSIONS: usize> Untrusted<S, SESSIONS> {
    /// Creates a user without sessions and without a preferred presence.
    pub(crate) const fn new(revision: u64, version: u64, since: Instant, absence: Absence) -> Self {
        let mut user = User::with_version(revision);
        user.version = version;
        user.since = since;
        user.absence = absence;
        Self { user }
    }

    pub(crate) const fn prefer(&mut self, preferred: Option<Preferred>) {
        self.user.prefer(preferred);
    }

    /// Appends a session, if there is room.
    pub(crate) fn push(&mut self, session: Session<S>) {
        let _ = self.user.sessions.push(session);
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> Untrusted<S, SESSIONS> {
    /// Checks the invariants.
    pub(crate) fn check(&self) -> Result<Trusted, InvariantError> {
        let sessions = &self.user.sessions;
        if !sessions.is_sorted_by(|one, next| one.id < next.id) {
            return Err(InvariantError::SessionIds);
        }
        // Only a session that was set to Available fades.
        let fades_wrongly = |session: &Session<S>| {
            session.faded > 0 && session.presence > Presence::Available
                || session.faded == 0 && session.fades_at != Instant::NEVER && session.presence != Presence::Available
        };
        if sessions.iter().any(fades_wrongly) {
            return Err(InvariantError::Fades);
        }
        if self.user.version > self.user.revision {
            return Err(InvariantError::VersionAhead);
        }
        Ok(Trusted(()))
    }

    /// Removes the sessions after a gap of unknown length; see [`User::lose_sessions`].
    pub(crate) fn lose_sessions(&mut self, now: Instant, version_gap: u64) {
        self.user.lose_sessions(now, version_gap);
    }

    /// Returns the user: the only way to one that was not made by applying transitions.
    pub(crate) fn into_user(self, _: Trusted) -> User<S, SESSIONS> {
        self.user
    }
}
