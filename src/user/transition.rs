//! Transitions: decided changes of a user as small values.

use super::session::{Preferred, Session};
use crate::id::SessionId;
use crate::presence::Presence;
use crate::time::Instant;

/// The change of a transition: cause and resulting record in one, so that they fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Change<S> {
    /// An application set its session to this.
    Set(Session<S>),
    /// An application cleared its session.
    Cleared(S),
    /// A session faded to this.
    Faded(Session<S>),
    /// The lease of a session ended.
    Expired(S),
    /// The preferred presence was set to this.
    PreferredSet(Preferred),
    /// The preferred presence was cleared.
    PreferredCleared,
    /// The time of the preferred presence ended.
    PreferredExpired,
}

/// The cause of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Cause {
    /// A session was set or renewed.
    Set,
    /// A session was cleared.
    Cleared,
    /// A session faded.
    Faded,
    /// A session expired.
    Expired,
    /// A preferred presence was set.
    PreferredSet,
    /// The preferred presence was cleared.
    PreferredCleared,
    /// The preferred presence expired.
    PreferredExpired,
}

impl Cause {
    /// Returns the name for logs and events, in the camel case of the wire: `preferredSet`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Cleared => "cleared",
            Self::Faded => "faded",
            Self::Expired => "expired",
            Self::PreferredSet => "preferredSet",
            Self::PreferredCleared => "preferredCleared",
            Self::PreferredExpired => "preferredExpired",
        }
    }
}

impl core::fmt::Display for Cause {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// A decided change of a user: presence before and after, the instant, and the resulting record.
///
/// So [`User::apply`](super::User::apply) needs neither policy nor clock. It is a small value to log, store, send or drop.
///
/// ```
/// use presence_core::{Cause, Instant, Policy, Presence, User, set_presence};
///
/// let user: User = User::new();
/// let session = "22553876-f5ab-4529-bffb-cfe50aa89f87".parse()?;
/// let transition = set_presence(user.at(Instant::ZERO)?, session, Presence::Available, None, &Policy::GRAPH)?;
/// assert_eq!((transition.before(), transition.after()), (Presence::Offline, Presence::Available));
/// assert_eq!(transition.cause(), Cause::Set);
/// assert!(transition.is_visible());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "a decision changes nothing until it is applied"]
pub struct Transition<S = SessionId> {
    pub(super) revision: u64,
    pub(super) at: Instant,
    pub(super) before: Presence,
    pub(super) after: Presence,
    pub(super) change: Change<S>,
}

impl<S> Transition<S> {
    /// Returns the first deadline of the resulting record. No other deadline of the user can have become earlier.
    pub(crate) fn deadline(&self) -> Instant {
        match &self.change {
            Change::Set(session) | Change::Faded(session) => session.deadline(),
            Change::PreferredSet(preferred) => preferred.expires_at,
            Change::Cleared(_) | Change::Expired(_) | Change::PreferredCleared | Change::PreferredExpired => {
                Instant::NEVER
            }
        }
    }
}

impl<S: Copy> Transition<S> {
    /// Returns the revision of the user that it was decided about.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the moment of the command, or the deadline itself, however late it is applied.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Returns the presence published before.
    #[must_use]
    pub const fn before(&self) -> Presence {
        self.before
    }

    /// Returns the presence published after.
    #[must_use]
    pub const fn after(&self) -> Presence {
        self.after
    }

    /// Returns the resulting record.
    #[must_use]
    pub const fn change(&self) -> Change<S> {
        self.change
    }

    /// Returns the cause without the record.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self.change {
            Change::Set(_) => Cause::Set,
            Change::Cleared(_) => Cause::Cleared,
            Change::Faded(_) => Cause::Faded,
            Change::Expired(_) => Cause::Expired,
            Change::PreferredSet(_) => Cause::PreferredSet,
            Change::PreferredCleared => Cause::PreferredCleared,
            Change::PreferredExpired => Cause::PreferredExpired,
        }
    }

    /// Reports whether the published presence changes: only then a lamp redraws, and a server notifies.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.before != self.after
    }
}
