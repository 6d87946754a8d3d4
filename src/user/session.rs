//! The records of a user: sessions and a preferred presence.

use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;

/// A session: the presence that one application gives a user, and until when.
///
/// It stores deadlines instead of the moment it was set, so that the remaining time survives any shift of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Session<S> {
    pub(crate) id: S,
    pub(crate) expires_at: Instant,
    /// The next fade; `NEVER` if there is none.
    pub(crate) fades_at: Instant,
    pub(crate) presence: Presence,
    /// The number of fades so far.
    pub(crate) faded: u8,
}

impl<S: Copy> Session<S> {
    /// Returns the id of the session: the application.
    #[must_use]
    pub const fn id(&self) -> S {
        self.id
    }

    /// Returns its presence as of the latest applied transition, fades included.
    #[must_use]
    pub const fn presence(&self) -> Presence {
        self.presence
    }

    /// Returns when the session expires unless it is set again.
    #[must_use]
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// Returns when the session fades unless it is set again; `None` if it does not.
    #[must_use]
    pub fn fades_at(&self) -> Option<Instant> {
        (self.fades_at < self.expires_at).then_some(self.fades_at)
    }
}

impl<S> Session<S> {
    /// Returns its first deadline, fade or expiry.
    pub(super) fn deadline(&self) -> Instant {
        self.fades_at.min(self.expires_at)
    }
}

impl<S> Session<S> {
    /// Returns its presence at a moment and its next deadline; `None` once expired.
    ///
    /// Deadlines of that very moment have passed.
    pub(super) fn seen_at(&self, moment: Instant, policy: &Policy) -> Option<(Presence, Instant)> {
        if self.expires_at.is_due(moment) {
            return None;
        }
        let mut fading = self.fading();
        // It ends: fades are finitely many.
        while fading.at.is_due(moment) {
            fading = fading.next(policy);
        }
        Some((fading.presence, fading.at.min(self.expires_at)))
    }

    /// Returns how far it has faded.
    pub(super) const fn fading(&self) -> Fading {
        Fading { at: self.fades_at, presence: self.presence, faded: self.faded }
    }
}

impl<S: Copy> Session<S> {
    /// Copies member by member, because copying the whole would call `memcpy`.
    pub(super) const fn become_like(&mut self, other: &Self) {
        self.id = other.id;
        self.expires_at = other.expires_at;
        self.fades_at = other.fades_at;
        self.presence = other.presence;
        self.faded = other.faded;
    }
}

/// The members of a session that a fade changes.
#[derive(Clone, Copy)]
pub(super) struct Fading {
    pub(super) at: Instant,
    pub(super) presence: Presence,
    pub(super) faded: u8,
}

impl Fading {
    /// Returns the members after the next fade.
    pub(super) fn next(self, policy: &Policy) -> Self {
        let faded = self.faded.saturating_add(1);
        // Another policy than the one it was set under may have no such fade, or a stronger one: then the presence stays, because
        // fades only weaken.
        let becomes = policy.fades.get(self.faded).map_or(self.presence, |fade| fade.becomes);
        Self { at: policy.fades.deadline(faded, self.at), presence: becomes.min(self.presence), faded }
    }
}

/// The preferred presence: what a user wants to be seen as, over every session, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Preferred {
    pub(crate) presence: Presence,
    pub(crate) expires_at: Instant,
}

impl Preferred {
    /// Returns the presence to be seen as.
    #[must_use]
    pub const fn presence(&self) -> Presence {
        self.presence
    }

    /// Returns when it expires, and the sessions decide again.
    #[must_use]
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }
}
