//! The target of a request: the user and the operation that its path names.

use crate::graph::HAS_BATCH;
use crate::graph::context::Context;
use crate::graph::error::{Error, Field};
use crate::graph::request::uri::{Decoded, Segments, is, until, without_authority};
use crate::id::UserId;

/// An operation on a presence, as the end of a path names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Operation {
    /// `GET …/presence`
    Get,
    /// `POST …/setPresence`
    SetPresence,
    /// `POST …/clearPresence`
    ClearPresence,
    /// `POST …/setUserPreferredPresence`
    SetUserPreferredPresence,
    /// `POST …/clearUserPreferredPresence`
    ClearUserPreferredPresence,
    /// `POST …/setStatusMessage`. Feature `details`.
    #[cfg(feature = "details")]
    SetStatusMessage,
    /// `POST …/setManualLocation`. Feature `details`.
    #[cfg(feature = "details")]
    SetManualLocation,
    /// `POST …/setAutomaticLocation`. Feature `details`.
    #[cfg(feature = "details")]
    SetAutomaticLocation,
    /// `POST …/clearAutomaticLocation`. Feature `details`.
    #[cfg(feature = "details")]
    ClearAutomaticLocation,
    /// `POST …/clearLocation`. Feature `details`.
    #[cfg(feature = "details")]
    ClearLocation,
}

impl Operation {
    /// The operations that have a name in the path.
    const ACTIONS: &'static [(&'static str, Self)] = &[
        ("setPresence", Self::SetPresence),
        ("clearPresence", Self::ClearPresence),
        ("setUserPreferredPresence", Self::SetUserPreferredPresence),
        ("clearUserPreferredPresence", Self::ClearUserPreferredPresence),
        #[cfg(feature = "details")]
        ("setStatusMessage", Self::SetStatusMessage),
        #[cfg(feature = "details")]
        ("setManualLocation", Self::SetManualLocation),
        #[cfg(feature = "details")]
        ("setAutomaticLocation", Self::SetAutomaticLocation),
        #[cfg(feature = "details")]
        ("clearAutomaticLocation", Self::ClearAutomaticLocation),
        #[cfg(feature = "details")]
        ("clearLocation", Self::ClearLocation),
    ];

    /// Reads the segments after `presence`.
    fn read(segments: &mut Segments<'_>) -> Option<Self> {
        let Some(action) = segments.next() else { return Some(Self::Get) };
        Self::ACTIONS.iter().find(|(name, _)| is(action, name)).map(|(_, operation)| *operation)
    }
}

/// The user that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum UserRef<'a> {
    /// `/me`: the caller's user.
    Me,
    /// An id or a user principal name, percent-encoded as it was sent.
    Named(&'a str),
}

/// The meaning of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Target<'a> {
    /// One user's presence.
    Presence(UserRef<'a>, Operation),
    /// `/communications/getPresencesByUserId`
    PresencesByUserId,
    /// `/$batch`
    Batch,
}

impl<'a> Target<'a> {
    /// Parses the target of a request; the query is ignored.
    ///
    /// A path may begin with `/v1.0` or `/beta`. Segments are percent-decoded after splitting. With feature `batch` a whole URL
    /// is accepted too, as some clients send in batches; only its path counts.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPath`] for any other path.
    ///
    /// ```
    /// use presence_core::graph::{Operation, Target, UserRef};
    ///
    /// let target = Target::parse("/v1.0/me/presence/clearPresence?x=y");
    /// assert_eq!(target, Ok(Target::Presence(UserRef::Me, Operation::ClearPresence)));
    /// ```
    pub fn parse(target: &'a str) -> Result<Self, Error> {
        Self::read(until(target, b"?#")).ok_or(Error::UnknownPath)
    }

    fn read(target: &'a str) -> Option<Self> {
        let mut segments = Segments::new(if HAS_BATCH { without_authority(target) } else { target });
        let mut first = segments.next()?;
        if is(first, "v1.0") || is(first, "beta") {
            first = segments.next()?;
        }
        let target = if HAS_BATCH && is(first, "$batch") {
            Self::Batch
        } else if is(first, "me") {
            segments.require("presence")?;
            Self::Presence(UserRef::Me, Operation::read(&mut segments)?)
        } else if is(first, "users") {
            let user = UserRef::read(&mut segments)?;
            segments.require("presence")?;
            Self::Presence(user, Operation::read(&mut segments)?)
        } else if is(first, "communications") {
            let name = segments.next()?;
            if HAS_BATCH && is(name, "getPresencesByUserId") {
                Self::PresencesByUserId
            } else if is(name, "presences") {
                Self::Presence(UserRef::read(&mut segments)?, Operation::read(&mut segments)?)
            } else {
                return None;
            }
        } else {
            return None;
        };
        if segments.next().is_none() { Some(target) } else { None }
    }

    /// Parses a method and a target, and checks first the path, then the method.
    pub(super) fn route(
        method: &str,
        target: &'a str,
        me: Option<&UserId>,
        context: &Context<'_>,
    ) -> Result<Self, Error> {
        let target = Self::parse(target)?;
        if let Self::Presence(user, _) = target {
            user.check(me, context)?;
        }
        if method.eq_ignore_ascii_case(target.method()) { Ok(target) } else { Err(Error::MethodNotAllowed) }
    }

    /// Returns the method of this target: the value of the `Allow` header of a 405.
    #[must_use]
    pub const fn method(self) -> &'static str {
        if matches!(self, Self::Presence(_, Operation::Get)) { "GET" } else { "POST" }
    }
}

impl<'a> UserRef<'a> {
    fn read(segments: &mut Segments<'a>) -> Option<Self> {
        segments.next().filter(|id| !id.is_empty()).map(Self::Named)
    }

    /// Checks that `/me` stands for a user, and that a user principal name is known.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPath`].
    fn check(self, me: Option<&UserId>, context: &Context<'_>) -> Result<(), Error> {
        let is_known = match self {
            Self::Me => me.is_some(),
            Self::Named(segment) if is_principal_name(segment) => user_named(segment, context).is_some(),
            Self::Named(_) => true,
        };
        if is_known { Ok(()) } else { Err(Error::UnknownPath) }
    }

    /// Returns the user's id.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPath`] for `/me` without a user, and an unknown name. [`Error::Malformed`] for an id that is not a GUID.
    pub(super) fn user(self, me: Option<&UserId>, context: &Context<'_>) -> Result<UserId, Error> {
        match self {
            Self::Me => me.copied().ok_or(Error::UnknownPath),
            Self::Named(segment) if cfg!(feature = "details") && is_principal_name(segment) => {
                user_named(segment, context).ok_or(Error::UnknownPath)
            }
            Self::Named(segment) => {
                // A GUID in braces takes 38 bytes.
                let mut text = heapless::Vec::<u8, 38>::new();
                for byte in Decoded::new(segment.as_bytes()) {
                    text.push(byte).map_err(|_| Error::Malformed(Field::User))?;
                }
                UserId::parse_ascii(&text).map_err(|_| Error::Malformed(Field::User))
            }
        }
    }
}

fn is_principal_name(segment: &str) -> bool {
    Decoded::new(segment.as_bytes()).any(|byte| byte == b'@')
}

/// Returns the user with a user principal name; without feature `details` there are no names.
fn user_named(segment: &str, context: &Context<'_>) -> Option<UserId> {
    #[cfg(feature = "details")]
    {
        // The longest there can be: 64 bytes, an at, and 255.
        let mut name = heapless::Vec::<u8, 320>::new();
        for byte in Decoded::new(segment.as_bytes()) {
            name.push(byte).ok()?;
        }
        context.user_named(core::str::from_utf8(&name).ok()?)
    }
    #[cfg(not(feature = "details"))]
    {
        let _ = (segment, context);
        None
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::graph::caller::Caller;
    use crate::time::Instant;

    #[test]
    fn section_7_every_path_and_its_aliases() {
        for prefix in ["", "/v1.0", "/beta"] {
            let parse = |path: &str| {
                let mut target = heapless::String::<200>::new();
                target.push_str(prefix).unwrap();
                target.push_str(path).unwrap();
                match Target::parse(&target) {
                    Ok(Target::Presence(UserRef::Me, operation)) => Some(("me", Some(operation))),
                    Ok(Target::Presence(UserRef::Named(id), operation)) => {
                        assert_eq!(id, "7");
                        Some(("id", Some(operation)))
                    }
                    Ok(Target::PresencesByUserId) => Some(("bulk", None)),
                    Ok(Target::Batch) => Some(("batch", None)),
                    Err(error) => {
                        assert_eq!(error, Error::UnknownPath);
                        None
                    }
                }
            };
            assert_eq!(parse("/me/presence"), Some(("me", Some(Operation::Get))));
            assert_eq!(parse("/users/7/presence"), Some(("id", Some(Operation::Get))));
            assert_eq!(parse("/communications/presences/7"), Some(("id", Some(Operation::Get))));
            assert_eq!(parse("/communications/getPresencesByUserId"), HAS_BATCH.then_some(("bulk", None)));
            assert_eq!(parse("/$batch"), HAS_BATCH.then_some(("batch", None)));
            assert_eq!(parse("/%24batch"), HAS_BATCH.then_some(("batch", None)));
            for &(name, operation) in Operation::ACTIONS {
                for (path, owner) in
                    [("/me/presence/", "me"), ("/users/7/presence/", "id"), ("/communications/presences/7/", "id")]
                {
                    let mut target = heapless::String::<200>::new();
                    target.push_str(path).unwrap();
                    target.push_str(name).unwrap();
                    assert_eq!(parse(&target), Some((owner, Some(operation))));
                    target.push_str("?$select=x").unwrap();
                    assert_eq!(parse(&target), Some((owner, Some(operation))));
                }
            }
            let url = [prefix, "/me/presence?x=http://y/"].concat();
            for scheme in ["http://", "HTTPS://localhost:8080", "https://graph.microsoft.com"] {
                let target = [scheme, &url].concat();
                assert_eq!(Target::parse(&target).is_ok(), HAS_BATCH, "{target}");
            }
            for unknown in [
                "",
                "http:/me/presence",
                "ftp://x/me/presence",
                "http://",
                "http://me/presence",
                "/",
                "/me",
                "/me/",
                "/me/presence/",
                "/me/presence/x",
                "/me/presence/setPresence/x",
                "/users",
                "/users/7",
                "/users/7/presences",
                "/communications",
                "/communications/presences",
                "/communications/presences/",
                "/x",
                "/communications/presences/7/x",
                "//me/presence",
                "/users//presence",
                "/me//presence",
                "/$batch/x",
                "/communications/getPresencesByUserId/x",
            ] {
                assert_eq!(parse(unknown), None, "{unknown}");
            }
        }
    }

    #[test]
    fn ids_are_decoded_after_splitting() {
        let guid = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
        let user = UserId::parse(guid).unwrap();
        let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
        let named = |segment| UserRef::Named(segment).user(None, &context);
        assert_eq!(named(guid), Ok(user));
        assert_eq!(named("%7BFA8BF3DC-ECA7-46B7-BAD1-DB199B62AFC3%7d"), Ok(user));
        assert_eq!(named("fa8bf3dc%2Deca7-46b7-bad1-db199b62afc3"), Ok(user));
        assert_eq!(named("7"), Err(Error::Malformed(Field::User)));
        assert_eq!(UserRef::Named("a%40b.com").check(None, &context), Err(Error::UnknownPath));
        assert_eq!(UserRef::Me.check(None, &context), Err(Error::UnknownPath));
        assert_eq!(UserRef::Me.user(Some(&user), &context), Ok(user));
    }
}
