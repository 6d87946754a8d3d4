//! What a user holds: sessions and a preferred presence.

use crate::presence::Presence;
use crate::time::Instant;

/// What one application says of a user, and until when. Rules M2, S1 to S3.
///
/// It stores deadlines, not the moment it was set, so that what is left of it survives any shift of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Session<S> {
    pub(crate) id: S,
    pub(crate) expires_at: Instant,
    /// The next fade; never when there is none.
    pub(crate) fades_at: Instant,
    pub(crate) presence: Presence,
    /// How many fades are behind it.
    pub(crate) faded: u8,
}

impl<S: Copy> Session<S> {
    /// Whose session it is: the application. O(1).
    #[must_use]
    pub const fn id(&self) -> S {
        self.id
    }

    /// What it says now, fades included. Rule S3. O(1).
    #[must_use]
    pub const fn presence(&self) -> Presence {
        self.presence
    }

    /// When it will be gone unless it is set again. Rule S2. O(1).
    #[must_use]
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// When it will weaken unless it is set again; `None` when it will not before it expires. Rules S3, S4. O(1).
    #[must_use]
    pub fn fades_at(&self) -> Option<Instant> {
        (self.fades_at < self.expires_at).then_some(self.fades_at)
    }
}

impl<S> Session<S> {
    /// Its first deadline, fade or expiry.
    pub(super) fn deadline(&self) -> Instant {
        self.fades_at.min(self.expires_at)
    }
}

/// What a user wants to be seen as, over every session, and until when. Rules A2, U1 to U5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Preferred {
    pub(crate) presence: Presence,
    pub(crate) expires_at: Instant,
}

impl Preferred {
    /// What is preferred. O(1).
    #[must_use]
    pub const fn presence(&self) -> Presence {
        self.presence
    }

    /// When the sessions decide again. Rule U5. O(1).
    #[must_use]
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }
}
