//! Who asks, and whether they may. Rule H1, the permissions of section 7.

use crate::graph::error::Error;
use crate::graph::request::Request;
use crate::id::{SessionId, UserId};
use crate::user::Command;

/// The permissions of a caller. Section 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Permissions {
    /// `Presence.Read.All`
    pub read_all: bool,
    /// `Presence.ReadWrite.All`
    pub read_write_all: bool,
}

impl Permissions {
    /// Both.
    pub const ALL: Self = Self { read_all: true, read_write_all: true };
}

/// Who sends a request, as whoever checked its token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Caller {
    /// Whoever feeds a device on a desk: may do everything, and name every session.
    Trusted {
        /// Who `/me` is.
        me: Option<UserId>,
    },
    /// An application by itself: names its own session only.
    Application {
        /// The application's (client) id, which is its session id.
        application: SessionId,
        /// What it may do.
        permissions: Permissions,
    },
    /// An application on behalf of a signed-in user: names its own session only, and writes that user's presence only.
    Delegated {
        /// The application's (client) id, which is its session id.
        application: SessionId,
        /// The signed-in user.
        user: UserId,
        /// What it may do.
        permissions: Permissions,
    },
}

impl Caller {
    /// Who `/me` is. O(1).
    #[must_use]
    pub const fn me(&self) -> Option<UserId> {
        match self {
            Self::Trusted { me } => *me,
            Self::Application { .. } => None,
            Self::Delegated { user, .. } => Some(*user),
        }
    }

    /// The same, in its place.
    pub(super) const fn me_ref(&self) -> Option<&UserId> {
        match self {
            Self::Trusted { me } => me.as_ref(),
            Self::Application { .. } => None,
            Self::Delegated { user, .. } => Some(user),
        }
    }

    /// Whether the caller may make this request. Rule H1, section 7. O(1).
    ///
    /// # Errors
    ///
    /// [`Error::OtherUser`] (401), [`Error::MissingPermission`] and [`Error::OtherSession`] (403).
    ///
    /// ```
    /// use presence_core::graph::{Caller, Permissions, Error, Request};
    /// use presence_core::{Command, SessionId, UserId};
    ///
    /// let application = SessionId::from_bytes([0x22; 16]);
    /// let caller = Caller::Application { application, permissions: Permissions::ALL };
    /// let clear = |session| {
    ///     let user = UserId::from_bytes([0x11; 16]);
    ///     caller.authorise(&Request::Execute { user, command: Command::ClearPresence { session } })
    /// };
    /// assert_eq!(clear(application), Ok(()));
    /// assert_eq!(clear(SessionId::from_bytes([0x33; 16])), Err(Error::OtherSession));
    /// ```
    pub fn authorise(&self, request: &Request<'_>) -> Result<(), Error> {
        let (application, own, permissions) = match self {
            // The elements of a batch are authorised one by one.
            Self::Trusted { .. } => return Ok(()),
            Self::Application { application, permissions } => (application, None, permissions),
            Self::Delegated { application, user, permissions } => (application, Some(user), permissions),
        };
        match request {
            Request::Batch(_) => Ok(()),
            Request::Get { .. } | Request::GetPresences(_) if !permissions.read_all => Err(Error::MissingPermission),
            Request::Get { .. } | Request::GetPresences(_) => Ok(()),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { user, .. } if own.is_some_and(|own| own != user) => Err(Error::OtherUser),
            // Nobody but a user, through an application or not, says where the user works.
            #[cfg(feature = "details")]
            Request::ExecuteDetails { action, .. } if own.is_none() && action.is_about_location() => {
                Err(Error::MissingPermission)
            }
            #[cfg(feature = "details")]
            Request::ExecuteDetails { .. } if !permissions.read_write_all => Err(Error::MissingPermission),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { .. } => Ok(()),
            Request::Execute { user, .. } if own.is_some_and(|own| own != user) => Err(Error::OtherUser),
            Request::Execute { .. } if !permissions.read_write_all => Err(Error::MissingPermission),
            Request::Execute { command, .. } => match command {
                Command::SetPresence { session, .. } | Command::ClearPresence { session } if session != application => {
                    Err(Error::OtherSession)
                }
                _ => Ok(()),
            },
        }
    }
}
