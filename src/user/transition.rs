//! What may happen to a user, as a small value: looked at, logged, journalled, sent or thrown away before it is applied.

use super::session::{Preferred, Session};
use crate::id::SessionId;
use crate::presence::Presence;
use crate::time::Instant;

/// What happens to a user's record: cause and resulting record in one, so that no cause comes with another's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Change<S> {
    /// An application set its session, which is now so. Rule S1.
    Set(Session<S>),
    /// An application cleared its session. Rule S5.
    Cleared(S),
    /// A session weakened and is now so. Rule S3.
    Faded(Session<S>),
    /// A session's lease ran out. Rule S2.
    Expired(S),
    /// The preferred presence is now so. Rule U1.
    PreferredSet(Preferred),
    /// The preferred presence was cleared. Rule U4.
    PreferredCleared,
    /// The preferred presence's time ran out. Rule U5.
    PreferredExpired,
}

/// Why a transition happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Cause {
    /// A session was set. Rule S1.
    Set,
    /// A session was cleared. Rule S5.
    Cleared,
    /// A session faded. Rule S3.
    Faded,
    /// A session expired. Rule S2.
    Expired,
    /// A preferred presence was set. Rule U1.
    PreferredSet,
    /// The preferred presence was cleared. Rule U4.
    PreferredCleared,
    /// The preferred presence expired. Rule U5.
    PreferredExpired,
}

impl Cause {
    /// A name for logs and events, in the camel case of the wire: `preferredSet`. O(1).
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
        f.write_str(self.name())
    }
}

/// What a decision decided: what was published before and will be after, at which instant, and the resulting record, so
/// that [`User::apply`](super::User::apply) needs no policy and no clock.
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
    /// The first deadline of the resulting record: the only one of the user's that can have moved nearer.
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
    /// The revision of the user it was decided about. Rule V2. O(1).
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// When it happens: the moment of the command, or the deadline itself, however late time is advanced. O(1).
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// What was published before. O(1).
    #[must_use]
    pub const fn before(&self) -> Presence {
        self.before
    }

    /// What is published after. O(1).
    #[must_use]
    pub const fn after(&self) -> Presence {
        self.after
    }

    /// The resulting record. O(1).
    #[must_use]
    pub const fn change(&self) -> Change<S> {
        self.change
    }

    /// Why it happens. O(1).
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

    /// Whether anyone can see it: what is published changes. A lamp redraws, a server notifies, only then. O(1).
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.before != self.after
    }
}
