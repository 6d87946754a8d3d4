//! Authorisation: the permissions that a request needs, and the sessions that a caller may name.

use crate::graph::caller::Caller;
use crate::graph::error::Error;
use crate::graph::request::Request;
use crate::user::Command;

impl Caller {
    /// Checks that the caller may make this request, by [section 7](crate::rules#section-7).
    ///
    /// # Errors
    ///
    /// - [`Error::OtherUser`] (401): a delegated caller writes another user's presence.
    /// - [`Error::MissingPermission`] (403): the caller lacks the permission.
    /// - [`Error::OtherSession`] (403): an application names a session that is not its own.
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
            Self::Trusted { .. } => return Ok(()),
            Self::Application { application, permissions } => (application, None, permissions),
            Self::Delegated { application, user, permissions } => (application, Some(user), permissions),
        };
        match request {
            // The elements of a batch are authorised one by one.
            Request::Batch(_) => Ok(()),
            Request::Get { .. } | Request::GetPresences(_) if !permissions.read_all => Err(Error::MissingPermission),
            Request::Get { .. } | Request::GetPresences(_) => Ok(()),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { user, .. } if own.is_some_and(|own| own != user) => Err(Error::OtherUser),
            // Only a user, through an application or not, sets where the user works.
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
