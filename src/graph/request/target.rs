//! The target of a request: which presence, or what else, its path means. Rules H2, section 7.

#[cfg(feature = "details")]
use crate::details::LocationLayer;
use crate::graph::HAS_BATCH;
use crate::graph::error::{Error, Field};
use crate::graph::request::World;
use crate::id::{UserId, hex_value};

/// Whose presence a path means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum UserRef<'a> {
    /// `/me`: the caller.
    Me,
    /// An id, percent-encoded as it was sent.
    Named(&'a str),
}

/// What a path asks to be done with a presence.
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
    /// Something about a user's details.
    #[cfg(feature = "details")]
    Details(DetailsOperation),
}

impl Operation {
    /// The operations that have a name in the path.
    const ACTIONS: [(&'static str, Self); 4] = [
        ("setPresence", Self::SetPresence),
        ("clearPresence", Self::ClearPresence),
        ("setUserPreferredPresence", Self::SetUserPreferredPresence),
        ("clearUserPreferredPresence", Self::ClearUserPreferredPresence),
    ];
}

/// What a path asks to be done with a user's details. Section 7.
#[cfg(feature = "details")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DetailsOperation {
    /// `POST …/setStatusMessage`
    SetStatusMessage,
    /// `POST …/setManualLocation`, `POST …/setAutomaticLocation`
    SetLocation(LocationLayer),
    /// `POST …/clearAutomaticLocation`
    ClearAutomaticLocation,
    /// `POST …/clearLocation`
    ClearLocation,
}

#[cfg(feature = "details")]
impl DetailsOperation {
    /// The operations and their names in the path.
    const ACTIONS: [(&'static str, Self); 5] = [
        ("setStatusMessage", Self::SetStatusMessage),
        ("setManualLocation", Self::SetLocation(LocationLayer::Manual)),
        ("setAutomaticLocation", Self::SetLocation(LocationLayer::Automatic)),
        ("clearAutomaticLocation", Self::ClearAutomaticLocation),
        ("clearLocation", Self::ClearLocation),
    ];
}

/// What a path means.
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
    /// What a request's target means: a path, or, with feature `batch`, a whole URL, of which only the path counts, for some
    /// clients send that in batches; `/v1.0` and `/beta` alike, or neither; segments percent-decoded after splitting; the
    /// query is not looked at. O(bytes).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPath`] for any other path.
    ///
    /// ```
    /// use presence_core::graph::{Operation, UserRef, Target};
    ///
    /// let target = Target::parse("/v1.0/me/presence/clearPresence?x=y");
    /// assert_eq!(target, Ok(Target::Presence(UserRef::Me, Operation::ClearPresence)));
    /// ```
    pub fn parse(target: &'a str) -> Result<Self, Error> {
        Self::read(until(target, b"?#")).ok_or(Error::UnknownPath)
    }

    fn read(target: &'a str) -> Option<Self> {
        let path = if HAS_BATCH { without_authority(target) } else { target };
        let mut segments = Segments(Some(path.strip_prefix("/").unwrap_or(path)));
        let mut first = segments.next()?;
        if is(first, "v1.0") || is(first, "beta") {
            first = segments.next()?;
        }
        let target = if HAS_BATCH && is(first, "$batch") {
            Self::Batch
        } else if is(first, "me") {
            segments.require("presence")?;
            Self::Presence(UserRef::Me, segments.operation()?)
        } else if is(first, "users") {
            let owner = segments.owner()?;
            segments.require("presence")?;
            Self::Presence(owner, segments.operation()?)
        } else if is(first, "communications") {
            let name = segments.next()?;
            if HAS_BATCH && is(name, "getPresencesByUserId") {
                Self::PresencesByUserId
            } else if is(name, "presences") {
                Self::Presence(segments.owner()?, segments.operation()?)
            } else {
                return None;
            }
        } else {
            return None;
        };
        if segments.next().is_none() { Some(target) } else { None }
    }

    /// What a method and a target ask for: path before method. Rule H2.
    pub(in crate::graph) fn route(
        method: &str,
        target: &'a str,
        has_me: bool,
        world: &World<'_>,
    ) -> Result<Self, Error> {
        let target = Self::parse(target)?;
        if let Self::Presence(owner, _) = target {
            owner.check(has_me, world)?;
        }
        if method.eq_ignore_ascii_case(target.method()) { Ok(target) } else { Err(Error::MethodNotAllowed) }
    }

    /// The method that goes with it, the value of the `Allow` header of a 405. O(1).
    #[must_use]
    pub const fn method(self) -> &'static str {
        if matches!(self, Self::Presence(_, Operation::Get)) { "GET" } else { "POST" }
    }
}

impl UserRef<'_> {
    /// Whether this can be a user here at all: `/me` only where somebody is, and a user principal name only where somebody
    /// knows whose it is.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPath`].
    pub(in crate::graph) fn check(self, has_me: bool, world: &World<'_>) -> Result<(), Error> {
        let is_known = match self {
            Self::Me => has_me,
            Self::Named(segment) if is_principal_name(segment) => named(segment, world).is_some(),
            Self::Named(_) => true,
        };
        if is_known { Ok(()) } else { Err(Error::UnknownPath) }
    }

    /// Who that is.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for an id that is not a GUID.
    pub(in crate::graph) fn user(self, me: Option<&UserId>, world: &World<'_>) -> Result<UserId, Error> {
        match self {
            Self::Me => me.copied().ok_or(Error::UnknownPath),
            Self::Named(segment) if cfg!(feature = "details") && is_principal_name(segment) => {
                named(segment, world).ok_or(Error::UnknownPath)
            }
            Self::Named(segment) => {
                // A GUID in braces takes 38 bytes.
                let mut text = heapless::Vec::<u8, 38>::new();
                for byte in Decoded(segment.as_bytes()) {
                    text.push(byte).map_err(|_| Error::Malformed(Field::User))?;
                }
                UserId::parse_ascii(&text).map_err(|_| Error::Malformed(Field::User))
            }
        }
    }
}

fn is_principal_name(segment: &str) -> bool {
    Decoded(segment.as_bytes()).any(|byte| byte == b'@')
}

/// Who has this user principal name; nobody where there is no directory of names.
fn named(segment: &str, world: &World<'_>) -> Option<UserId> {
    #[cfg(feature = "details")]
    {
        // The longest there can be: 64 bytes, an at, and 255.
        let mut name = heapless::Vec::<u8, 320>::new();
        for byte in Decoded(segment.as_bytes()) {
            name.push(byte).ok()?;
        }
        world.user(core::str::from_utf8(&name).ok()?)
    }
    #[cfg(not(feature = "details"))]
    {
        let _ = (segment, world);
        None
    }
}

/// The value of an option of a target's query, still percent-encoded, where it is there.
#[cfg(feature = "details")]
pub(in crate::graph) fn query_option<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let target = until(target, b"#");
    let query = target.get(until(target, b"?").len().saturating_add(1)..)?;
    let mut options = query.split('&').map(|option| {
        let key = until(option, b"=");
        (key, option.get(key.len().saturating_add(1)..).unwrap_or_default())
    });
    let is_named = |key: &str| {
        Decoded(key.as_bytes())
            .map(|byte| byte.to_ascii_lowercase())
            .eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    };
    options.find(|(key, _)| is_named(key)).map(|(_, value)| value)
}

/// The path of a whole URL; of a path, all of it.
fn without_authority(target: &str) -> &str {
    let is_url = |scheme: &str| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let Some(scheme) = ["https://", "http://"].into_iter().find(|scheme| is_url(scheme)) else { return target };
    let behind = target.get(scheme.len()..).unwrap_or_default();
    behind.get(until(behind, b"/").len()..).unwrap_or_default()
}

/// What stands before the first of these bytes, each ASCII: everything, if there is none.
pub(in crate::graph) fn until<'a>(text: &'a str, ends: &[u8]) -> &'a str {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The segments of a path that are left.
struct Segments<'a>(Option<&'a str>);

impl<'a> Segments<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        let segment = until(rest, b"/");
        self.0 = rest.get(segment.len().saturating_add(1)..);
        Some(segment)
    }

    fn require(&mut self, name: &str) -> Option<()> {
        if is(self.next()?, name) { Some(()) } else { None }
    }

    fn owner(&mut self) -> Option<UserRef<'a>> {
        self.next().filter(|id| !id.is_empty()).map(UserRef::Named)
    }

    fn operation(&mut self) -> Option<Operation> {
        let Some(action) = self.next() else { return Some(Operation::Get) };
        #[cfg(feature = "details")]
        if let Some((_, operation)) = DetailsOperation::ACTIONS.iter().find(|(name, _)| is(action, name)) {
            return Some(Operation::Details(*operation));
        }
        Operation::ACTIONS.iter().find(|(name, _)| is(action, name)).map(|(_, operation)| *operation)
    }
}

/// The bytes of a segment, percent-decoded; what is not an escape stands for itself.
pub(in crate::graph) struct Decoded<'a>(&'a [u8]);

#[cfg(feature = "details")]
impl<'a> Decoded<'a> {
    pub(in crate::graph) const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, after @ ..] = self.0
            && let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low))
        {
            self.0 = after;
            return Some((high << 4) | low);
        }
        let (first, after) = self.0.split_first()?;
        self.0 = after;
        Some(*first)
    }
}

fn is(segment: &str, name: &str) -> bool {
    Decoded(segment.as_bytes()).eq(name.bytes())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

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
                    Err(refusal) => {
                        assert_eq!(refusal, Error::UnknownPath);
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
            for (name, operation) in Operation::ACTIONS {
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
        assert_eq!(UserRef::Named(guid).user(None, &World::NOTHING), Ok(user));
        assert_eq!(UserRef::Named("%7BFA8BF3DC-ECA7-46B7-BAD1-DB199B62AFC3%7d").user(None, &World::NOTHING), Ok(user));
        assert_eq!(UserRef::Named("fa8bf3dc%2Deca7-46b7-bad1-db199b62afc3").user(None, &World::NOTHING), Ok(user));
        assert_eq!(UserRef::Named("7").user(None, &World::NOTHING), Err(Error::Malformed(Field::User)));
        assert_eq!(UserRef::Named("a%40b.com").check(false, &World::NOTHING), Err(Error::UnknownPath));
        assert_eq!(UserRef::Me.check(false, &World::NOTHING), Err(Error::UnknownPath));
        assert_eq!(UserRef::Me.user(Some(&user), &World::NOTHING), Ok(user));
    }
}
