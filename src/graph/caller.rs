//! The sender of a request.

use crate::graph::permissions::Permissions;
use crate::id::{SessionId, UserId};

/// The sender of a request, as the application's authentication established it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Caller {
    /// A local program that feeds a device: may do everything, in the name of every session.
    Trusted {
        /// The user that `/me` stands for.
        me: Option<UserId>,
    },
    /// An application that acts by itself: may write its own session only.
    Application {
        /// The application's (client) id, which is its session id.
        application: SessionId,
        /// The permissions granted to it.
        permissions: Permissions,
    },
    /// An application that acts for a signed-in user: may write its own session, and that user's presence only.
    Delegated {
        /// The application's (client) id, which is its session id.
        application: SessionId,
        /// The signed-in user.
        user: UserId,
        /// The permissions granted to it.
        permissions: Permissions,
    },
}

impl Caller {
    /// Returns the user that `/me` stands for.
    #[must_use]
    pub const fn me(&self) -> Option<UserId> {
        match self.me_ref() {
            Some(user) => Some(*user),
            None => None,
        }
    }

    /// Returns a reference to the user that `/me` stands for.
    #[inline(always)]
    pub(super) const fn me_ref(&self) -> Option<&UserId> {
        match self {
            Self::Trusted { me } => me.as_ref(),
            Self::Application { .. } => None,
            Self::Delegated { user, .. } => Some(user),
        }
    }
}
