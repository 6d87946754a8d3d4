//! A user from foreign hands, a store or a text: taken in only if applying transitions could have made it.

use super::{Absence, Preferred, Session, User};
use crate::presence::Presence;
use crate::time::Instant;

/// The fields of a [`User`], not yet believed.
#[cfg_attr(feature = "serde", derive(::serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename = "User", bound(deserialize = "S: ::serde::Deserialize<'de>")))]
pub(crate) struct Unchecked<S, const SESSIONS: usize> {
    pub(crate) sessions: heapless::Vec<Session<S>, SESSIONS, u16>,
    pub(crate) preferred: Option<Preferred>,
    pub(crate) since: Instant,
    pub(crate) absence: Absence,
    pub(crate) revision: u64,
    pub(crate) version: u64,
}

/// What contradicts the rules of a user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contradiction {
    SessionIds,
    Fades,
    Version,
}

impl Contradiction {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::SessionIds => "the sessions are not in the order of their ids, or two have the same",
            Self::Fades => "a session fades that was not set to Available",
            Self::Version => "the version is ahead of the revision",
        }
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> Unchecked<S, SESSIONS> {
    /// The user, if it is one: the only way in for whatever was not made by applying transitions.
    pub(crate) fn check(self) -> Result<User<S, SESSIONS>, Contradiction> {
        let Self { sessions, preferred, since, absence, revision, version } = self;
        if !sessions.is_sorted_by(|one, next| one.id < next.id) {
            return Err(Contradiction::SessionIds);
        }
        // Only a session that was set to Available fades.
        let fades_wrongly = |session: &Session<S>| {
            session.faded > 0 && session.presence > Presence::Available
                || session.faded == 0 && session.fades_at != Instant::NEVER && session.presence != Presence::Available
        };
        if sessions.iter().any(fades_wrongly) {
            return Err(Contradiction::Fades);
        }
        if version > revision {
            return Err(Contradiction::Version);
        }
        let mut user = User { sessions, since, absence, version, ..User::starting_at(revision) };
        user.prefer(preferred);
        Ok(user)
    }
}
