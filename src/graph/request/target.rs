//! The target of a request: the user and the operation that its path names.

use crate::graph::HAS_BATCH;
use crate::graph::context::Context;
use crate::graph::error::{Error, Field};
use crate::graph::request::uri::{Decoded, Segments, is, is_action, key, until, without_authority};
use crate::id::UserId;
#[cfg(feature = "details")]
use core::str::Bytes;

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

    /// Returns the name in the path; `None` of a read.
    #[cfg(feature = "client")]
    pub(crate) fn name(self) -> Option<&'static str> {
        Self::ACTIONS.iter().find(|(_, operation)| *operation == self).map(|(name, _)| *name)
    }

    /// Reads the segments after `presence`.
    fn read(segments: &mut Segments<'_>) -> Option<Self> {
        let Some(action) = segments.next() else { return Some(Self::Get) };
        Self::ACTIONS.iter().find(|(name, _)| is_action(action, name)).map(|(_, operation)| *operation)
    }
}

/// The user that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UserRef<'a> {
    /// `/me`: the caller's user.
    Me,
    /// An id or a user principal name, percent-encoded as it was sent.
    Named(&'a str),
    /// The same out of a key in parentheses, in which a quotation mark is written twice. Feature `details`.
    #[cfg(feature = "details")]
    Quoted(&'a str),
}

/// The meaning of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Target<'a> {
    /// One user's presence.
    Presence(UserRef<'a>, Operation),
    /// One user: `/me`, `/users/{id}`. Feature `details`.
    #[cfg(feature = "details")]
    User(UserRef<'a>),
    /// `/communications/presences`, the collection. See [H8](crate::rules#h8).
    Presences,
    /// `/communications/getPresencesByUserId`
    PresencesByUserId,
    /// `/$batch`
    Batch,
}

impl<'a> Target<'a> {
    /// Parses the target of a request; the query is ignored.
    ///
    /// A path may begin with `/v1.0` or `/beta`. Segments are percent-decoded after splitting, and names may be written in any
    /// way that [H7](crate::rules#h7) lists. With feature `batch` a whole URL is accepted too, as some clients send in batches;
    /// only its path counts.
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
    /// let target = Target::parse("/Users('adele@contoso.com')/presence/microsoft.graph.clearPresence/");
    /// assert_eq!(target, Ok(Target::Presence(UserRef::Named("adele@contoso.com"), Operation::ClearPresence)));
    /// ```
    pub fn parse(target: &'a str) -> Result<Self, Error> {
        Self::read(until(target, b"?#")).ok_or(Error::UnknownPath)
    }

    /// Removes the last segment of a target's path, if it is the name of this action; the query goes with it.
    ///
    /// An application that has actions of its own reads their paths as all others are read ([H7](crate::rules#h7)): parse what
    /// is left.
    ///
    /// ```
    /// use presence_core::graph::{Operation, Target, UserRef};
    ///
    /// let presence = Target::strip_action("/v1.0/me/presence/explain?x=y", "explain");
    /// assert_eq!(presence, Some("/v1.0/me/presence"));
    /// assert_eq!(presence.map(Target::parse), Some(Ok(Target::Presence(UserRef::Me, Operation::Get))));
    /// assert_eq!(Target::strip_action("/me/presence", "explain"), None);
    /// ```
    #[must_use]
    pub fn strip_action(target: &'a str, action: &str) -> Option<&'a str> {
        let path = until(target, b"?#");
        let path = path.strip_suffix('/').unwrap_or(path);
        let slash = path.bytes().rposition(|byte| byte == b'/')?;
        let (before, last) = path.split_at_checked(slash)?;
        // A slash at the end is ignored, but not two in the middle.
        (is_action(last.get(1..)?, action) && !before.ends_with('/')).then_some(before)
    }

    /// Reports whether a target's path is this one; the query is ignored.
    ///
    /// An application that has paths of its own reads them as all others are read ([H7](crate::rules#h7)): with a version before
    /// them or without, names in any case and percent-encoded, a slash at the end or none.
    ///
    /// ```
    /// use presence_core::graph::Target;
    ///
    /// assert!(Target::is_path("/v1.0/Device/settings/?x=y", "/device/settings"));
    /// assert!(!Target::is_path("/device/settings/x", "/device/settings"));
    /// ```
    #[must_use]
    pub fn is_path(target: &str, path: &str) -> bool {
        let target = until(target, b"?#");
        let mut segments = Segments::new(if HAS_BATCH { without_authority(target) } else { target });
        let mut segment = segments.next();
        if segment.is_some_and(|first| is(first, "v1.0") || is(first, "beta")) {
            segment = segments.next();
        }
        let mut names = Segments::new(path);
        loop {
            match (segment, names.next()) {
                (None, None) => return true,
                (Some(segment), Some(name)) if is(segment, name) => {}
                _ => return false,
            }
            segment = segments.next();
        }
    }

    fn read(target: &'a str) -> Option<Self> {
        let mut segments = Segments::new(if HAS_BATCH { without_authority(target) } else { target });
        let mut first = segments.next()?;
        if is(first, "v1.0") || is(first, "beta") {
            first = segments.next()?;
        }
        let target = if HAS_BATCH && is(first, "$batch") {
            Self::Batch
        } else if is(first, "communications") {
            let name = segments.next()?;
            if HAS_BATCH && is_action(name, "getPresencesByUserId") {
                Self::PresencesByUserId
            } else if HAS_BATCH && segments.is_at_end() && is(name, "presences") {
                Self::Presences
            } else {
                let user = UserRef::read(name, "presences", &mut segments)?;
                Self::Presence(user, Operation::read(&mut segments)?)
            }
        } else {
            let is_me = is(first, "me");
            let user = if is_me { UserRef::Me } else { UserRef::read(first, "users", &mut segments)? };
            #[cfg(feature = "details")]
            if segments.is_at_end() {
                return Some(Self::User(user));
            }
            segments.require("presence")?;
            Self::Presence(user, Operation::read(&mut segments)?)
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
        match target {
            Self::Presence(user, _) => user.check(me, context)?,
            #[cfg(feature = "details")]
            Self::User(user) => user.check(me, context)?,
            _ => {}
        }
        if method.eq_ignore_ascii_case(target.method()) { Ok(target) } else { Err(Error::MethodNotAllowed) }
    }

    /// Returns the method of this target. Over HTTP `HEAD` is allowed where `GET` is.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Presence(_, Operation::Get) | Self::Presences => "GET",
            #[cfg(feature = "details")]
            Self::User(_) => "GET",
            _ => "POST",
        }
    }
}

impl<'a> UserRef<'a> {
    /// Reads the key behind the name of a collection, or the segment after it.
    fn read(segment: &'a str, collection: &str, segments: &mut Segments<'a>) -> Option<Self> {
        let rest = Decoded::new(segment).skip(collection)?;
        let is_key = !rest.is_at_end();
        let id = if is_key { key(segment, rest)? } else { segments.next()? };
        if id.is_empty() {
            return None;
        }
        #[cfg(feature = "details")]
        if is_key && Decoded::new(id).any(|byte| byte == b'\'') {
            return Some(Self::Quoted(id));
        }
        Some(Self::Named(id))
    }

    /// Checks that `/me` stands for a user, and that a user principal name is known.
    ///
    /// # Errors
    ///
    /// [`Error::NoSignedInUser`] for `/me` without a user, [`Error::UnknownPath`] for an unknown name.
    fn check(self, me: Option<&UserId>, context: &Context<'_>) -> Result<(), Error> {
        match self {
            Self::Me if me.is_none() => Err(Error::NoSignedInUser),
            Self::Me => Ok(()),
            _ if self.is_principal_name() && self.user_named(context).is_none() => Err(Error::UnknownPath),
            _ => Ok(()),
        }
    }

    /// Returns the user's id.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check), and [`Error::Malformed`] for an id that is not a GUID.
    pub(super) fn user(self, me: Option<&UserId>, context: &Context<'_>) -> Result<UserId, Error> {
        match self {
            Self::Me => me.copied().ok_or(Error::NoSignedInUser),
            _ if cfg!(feature = "details") && self.is_principal_name() => {
                self.user_named(context).ok_or(Error::UnknownPath)
            }
            _ => user_id(self.text()).ok_or(Error::Malformed(Field::User)),
        }
    }

    /// Returns the bytes of an id or a name, decoded.
    fn text(self) -> impl Iterator<Item = u8> {
        let text = Decoded::new(match self {
            Self::Me => "",
            Self::Named(text) => text,
            #[cfg(feature = "details")]
            Self::Quoted(text) => text,
        });
        #[cfg(feature = "details")]
        let text = without_double_quotes(text, matches!(self, Self::Quoted(_)));
        text
    }

    fn is_principal_name(self) -> bool {
        self.text().any(|byte| byte == b'@')
    }

    /// Returns the user with a user principal name; without feature `details` there are no names.
    fn user_named(self, context: &Context<'_>) -> Option<UserId> {
        #[cfg(feature = "details")]
        {
            // The longest there can be: 64 bytes, an at, and 255.
            let mut name = heapless::Vec::<u8, 320>::new();
            for byte in self.text() {
                name.push(byte).ok()?;
            }
            context.user_named(core::str::from_utf8(&name).ok()?)
        }
        #[cfg(not(feature = "details"))]
        {
            let _ = context;
            None
        }
    }
}

/// Returns the text of a key: where two quotation marks follow each other, they stand for one.
#[cfg(feature = "details")]
fn without_double_quotes(text: Decoded<Bytes<'_>>, is_key: bool) -> impl Iterator<Item = u8> {
    let mut is_first = false;
    text.filter(move |byte| {
        let is_quote = is_key && *byte == b'\'';
        is_first = is_quote && !is_first;
        is_first || !is_quote
    })
}

/// Returns the GUID of these bytes.
pub(super) fn user_id(bytes: impl Iterator<Item = u8>) -> Option<UserId> {
    // One in braces takes 38.
    let mut text = heapless::Vec::<u8, 38>::new();
    for byte in bytes {
        text.push(byte).ok()?;
    }
    UserId::parse_ascii(&text).ok()
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
                    #[cfg(feature = "details")]
                    Ok(Target::User(UserRef::Me)) => Some(("me alone", None)),
                    #[cfg(feature = "details")]
                    Ok(Target::User(UserRef::Named("7"))) => Some(("user", None)),
                    Ok(Target::Presences) => Some(("collection", None)),
                    Ok(Target::PresencesByUserId) => Some(("bulk", None)),
                    Ok(Target::Batch) => Some(("batch", None)),
                    other => {
                        assert_eq!(other, Err(Error::UnknownPath));
                        None
                    }
                }
            };
            assert_eq!(parse("/me/presence"), Some(("me", Some(Operation::Get))));
            assert_eq!(parse("/users/7/presence"), Some(("id", Some(Operation::Get))));
            assert_eq!(parse("/communications/presences/7"), Some(("id", Some(Operation::Get))));
            assert_eq!(parse("/communications/presences"), HAS_BATCH.then_some(("collection", None)));
            assert_eq!(parse("/communications/presences/?$filter=x"), HAS_BATCH.then_some(("collection", None)));
            assert_eq!(parse("/communications/getPresencesByUserId"), HAS_BATCH.then_some(("bulk", None)));
            let has_users = cfg!(feature = "details");
            assert_eq!(parse("/me"), has_users.then_some(("me alone", None)));
            assert_eq!(parse("/Me/?$select=id"), has_users.then_some(("me alone", None)));
            for user in ["/users/7", "/users/7/", "/Users('7')?$select=id"] {
                assert_eq!(parse(user), has_users.then_some(("user", None)));
            }
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
                "/me//",
                "/me/x",
                "/microsoft.graph.me",
                "/me/presence//",
                "/me/presence/x",
                "/me/presence/setPresence/x",
                "/users",
                "/users/",
                "/users//",
                "/users/7//",
                "/users/7/presences",
                "/communications",
                "/communications/presences//",
                "/x",
                "/communications/presences/7/x",
                "//me/presence",
                "/users//presence",
                "/me//presence",
                "/$batch/x",
                "/communications/getPresencesByUserId/x",
                "/me('7')/presence",
                "/me/microsoft.graph.presence",
                "/me/presence/microsoft.graph",
                "/me/presence/microsoft.graph.",
                "/me/presence/microsoft.graph.microsoft.graph.setPresence",
                "/me/presence/graph.setPresence",
                "/microsoft.graph.users/7/presence",
                "/communications/microsoft.graph.presences/7",
                "/users()/presence",
                "/users('')/presence",
                "/users(7)/presence",
                "/users('7/presence",
                "/users('7'/presence",
                "/users(7')/presence",
                "/users('7')x/presence",
                "/users('7')/7/presence",
                "/users'7'/presence",
                "/users(\"7\")/presence",
                "/communications/presences('7')/presence",
            ] {
                assert_eq!(parse(unknown), None, "{unknown}");
            }
        }
    }

    #[test]
    fn h7_an_action_of_an_application_is_stripped_in_every_form() {
        for (target, expected) in [
            ("/me/presence/explain", Some("/me/presence")),
            ("/v1.0/users('7')/presence/Microsoft.Graph.EXPLAIN/?x=/y#/z", Some("/v1.0/users('7')/presence")),
            ("https://x/communications/presences/7/%65xplain#x", Some("https://x/communications/presences/7")),
            ("/explain", Some("")),
            ("explain", None),
            ("", None),
            ("/", None),
            ("/me/presence", None),
            ("/me/presence/explainx", None),
            ("/me/presence/explain/x", None),
            ("/me/presence/explain//", None),
            ("/me/presence//explain", None),
            ("/me/presence?x=/explain", None),
        ] {
            assert_eq!(Target::strip_action(target, "explain"), expected, "{target}");
        }
    }

    #[test]
    fn h7_a_path_of_an_application_is_read_in_every_form() {
        for (target, expected) in [
            ("/device", true),
            ("/device/", true),
            ("device", true),
            ("/v1.0/DEVICE?x=/y", true),
            ("/beta/%64evice#x", true),
            ("https://x/device", HAS_BATCH),
            ("", false),
            ("/", false),
            ("//device", false),
            ("/device//", false),
            ("/device/x", false),
            ("/devices", false),
            ("/devic", false),
            ("/v1.0", false),
            ("/v1.0/beta/device", false),
            ("/v2.0/device", false),
            ("/microsoft.graph.device", false),
        ] {
            assert_eq!(Target::is_path(target, "/device"), expected, "{target}");
        }
        assert!(Target::is_path("/a/b/c", "/a/b/c") && !Target::is_path("/a/b", "/a/b/c"));
        assert!(!Target::is_path("/a/b/c", "/a/b") && !Target::is_path("/a/x/c", "/a/b/c"));
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
        assert_eq!(UserRef::Me.check(None, &context), Err(Error::NoSignedInUser));
        assert_eq!(UserRef::Me.user(Some(&user), &context), Ok(user));
    }
}
