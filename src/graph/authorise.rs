//! Authorisation: the permissions that a request needs, and the sessions that a caller may name.

use crate::graph::caller::Caller;
use crate::graph::error::Error;
use crate::graph::permissions::Permissions;
use crate::graph::request::Request;
use crate::id::{SessionId, UserId};
use crate::user::Command;

impl Caller {
    /// Checks that the caller may make this request, by [section 7](crate::rules#permissions).
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
        let Some((application, own, permissions)) = self.grant() else { return Ok(()) };
        let is_writer = permissions.intersects(if own.is_some() { WRITES_OWN } else { Permissions::READ_WRITE_ALL });
        match request {
            // The elements of a batch are authorised one by one.
            Request::Batch(_) => Ok(()),
            #[cfg(feature = "details")]
            Request::GetUser { .. } if permissions.is_empty() => Err(Error::MissingPermission),
            #[cfg(feature = "details")]
            Request::GetUser { .. } => Ok(()),
            Request::Get { user, .. } if !reads(permissions, own, Some(user)) => Err(Error::MissingPermission),
            Request::GetPresences(_) if !reads(permissions, own, None) => Err(Error::MissingPermission),
            Request::Get { .. } | Request::GetPresences(_) => Ok(()),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { user, .. } if own.is_some_and(|own| own != user) => Err(Error::OtherUser),
            // Only a user, through an application or not, sets where the user works.
            #[cfg(feature = "details")]
            Request::ExecuteDetails { action, .. } if own.is_none() && action.is_about_location() => {
                Err(Error::MissingPermission)
            }
            #[cfg(feature = "details")]
            Request::ExecuteDetails { .. } if !is_writer => Err(Error::MissingPermission),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { .. } => Ok(()),
            Request::Execute { user, .. } if own.is_some_and(|own| own != user) => Err(Error::OtherUser),
            Request::Execute { .. } if !is_writer => Err(Error::MissingPermission),
            Request::Execute { command, .. } => match command {
                Command::SetPresence { session, .. } | Command::ClearPresence { session } if session != application => {
                    Err(Error::OtherSession)
                }
                _ => Ok(()),
            },
        }
    }

    /// Reports whether the caller may read the presence of every user, as a bulk read or a feed of changes does.
    #[must_use]
    pub fn may_read_all(&self) -> bool {
        self.grant().is_none_or(|(_, own, permissions)| reads(permissions, own, None))
    }

    /// Reports whether the caller may read the presence of this user.
    #[must_use]
    pub fn may_read(&self, user: UserId) -> bool {
        self.grant().is_none_or(|(_, own, permissions)| reads(permissions, own, Some(&user)))
    }

    /// Returns the application, the user that is signed in, and the permissions; `None` for a trusted caller.
    const fn grant(&self) -> Option<(&SessionId, Option<&UserId>, Permissions)> {
        match self {
            Self::Trusted { .. } => None,
            Self::Application { application, permissions } => Some((application, None, *permissions)),
            Self::Delegated { application, user, permissions } => Some((application, Some(user), *permissions)),
        }
    }
}

const WRITES_OWN: Permissions = Permissions::READ_WRITE.union(Permissions::READ_WRITE_ALL);

/// Reports whether permissions allow to read a user, or every user.
fn reads(permissions: Permissions, own: Option<&UserId>, user: Option<&UserId>) -> bool {
    let sufficient = match own {
        None => Permissions::READ_ALL.union(Permissions::READ_WRITE_ALL),
        // Each permission allows at least that.
        Some(_) if user == own => Permissions::ALL,
        Some(_) => Permissions::READ_ALL,
    };
    permissions.intersects(sufficient)
}
