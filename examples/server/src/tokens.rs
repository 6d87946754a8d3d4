//! Bearer tokens, which identify the caller of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use presence_core::UserId;
use presence_core::graph::{Caller, Permissions};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::str::FromStr;

/// The caller that a token identifies, with the permissions that Graph does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The caller, with Graph's permissions.
    pub caller: Caller,
    /// `Presence.Explain.All`
    explains_all: bool,
    /// `Presence.Admin.All`
    is_admin: bool,
}

impl Identity {
    /// Reports whether this is a developer, who may do everything.
    pub const fn is_trusted(&self) -> bool {
        matches!(self.caller, Caller::Trusted { .. })
    }

    /// Reports whether the caller may list, erase and sign out users: never an application for a signed-in user.
    pub const fn is_admin(&self) -> bool {
        self.is_trusted() || self.is_admin && matches!(self.caller, Caller::Application { .. })
    }

    /// Reports whether the caller may know why this user's presence is what it is.
    ///
    /// That tells who appears offline, and which applications run: it is for the user, and for applications by themselves that
    /// were given it.
    pub fn may_explain(&self, user: UserId) -> bool {
        match self.caller {
            Caller::Trusted { .. } => true,
            Caller::Application { .. } => self.explains_all,
            Caller::Delegated { user: own, .. } => own == user && (self.explains_all || self.caller.may_read(user)),
        }
    }
}

/// A token, with the caller it stands for. Shown without the token.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    token: String,
    /// What stands behind the token.
    scope: String,
    identity: Identity,
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)?;
        if self.scope.is_empty() { Ok(()) } else { write!(f, "={}", self.scope) }
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What is shown in place of a token.
pub const HIDDEN: &str = "(hidden)";

/// The text of an option that is no grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantError(&'static str);

impl std::fmt::Display for GrantError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for GrantError {}

impl Grant {
    /// The least characters of a token that other machines could guess.
    pub const MIN_TOKEN: usize = 20;

    /// Reports whether the token is too short for addresses that other machines can reach.
    pub const fn is_short(&self) -> bool {
        self.token.len() < Self::MIN_TOKEN
    }

    /// Parses `TOKEN=APPLICATION_ID[:PERMISSION,…]`, the grant of an application without a user.
    pub fn application(text: &str) -> Result<Self, GrantError> {
        let (token, rest) = split(text)?;
        let (application, granted) = Granted::behind(rest, Permissions::READ_ALL.union(Permissions::READ_WRITE_ALL))?;
        let application = guid(application, "the application id is no GUID")?;
        Ok(granted.grant(token, rest, |permissions| Caller::Application { application, permissions }))
    }

    /// Parses `TOKEN=APPLICATION_ID/USER_ID[:PERMISSION,…]`, the grant of an application on behalf of a signed-in user.
    pub fn delegated(text: &str) -> Result<Self, GrantError> {
        let (token, rest) = split(text)?;
        let (ids, granted) = Granted::behind(rest, Permissions::READ_ALL.union(Permissions::READ_WRITE))?;
        let (application, user) = ids.split_once('/').ok_or(GrantError("expected APPLICATION_ID/USER_ID"))?;
        let application = guid(application, "the application id is no GUID")?;
        let user = guid::<UserId>(user, "the user id is no GUID")?;
        Ok(granted.grant(token, rest, |permissions| Caller::Delegated { application, user, permissions }))
    }

    /// Parses `TOKEN`, the grant of a developer, who may do everything.
    pub fn development(text: &str) -> Result<Self, GrantError> {
        Ok(Granted::default().grant(token(text)?, "", |_| Caller::Trusted { me: None }))
    }
}

/// The permissions of a grant: Graph's, and this server's own.
#[derive(Clone, Copy, Default)]
struct Granted {
    permissions: Permissions,
    explains_all: bool,
    is_admin: bool,
}

impl Granted {
    /// Splits `IDS[:PERMISSION,…]`; without a list the permissions are these.
    fn behind(text: &str, otherwise: Permissions) -> Result<(&str, Self), GrantError> {
        let mut granted = Self::default();
        let Some((ids, names)) = text.split_once(':') else {
            granted.permissions = otherwise;
            return Ok((text, granted));
        };
        for name in names.split(',') {
            match name {
                "Presence.Explain.All" => granted.explains_all = true,
                "Presence.Admin.All" => granted.is_admin = true,
                _ => {
                    let permission = Permissions::from_name(name).ok_or(GrantError(UNKNOWN_PERMISSION))?;
                    granted.permissions = granted.permissions.union(permission);
                }
            }
        }
        Ok((ids, granted))
    }

    fn grant(self, token: String, scope: &str, caller: impl FnOnce(Permissions) -> Caller) -> Grant {
        let Self { permissions, explains_all, is_admin } = self;
        let identity = Identity { caller: caller(permissions), explains_all, is_admin };
        Grant { token, scope: scope.to_owned(), identity }
    }
}

const UNKNOWN_PERMISSION: &str = "a permission is Presence.Read, Presence.Read.All, Presence.ReadWrite, \
                                  Presence.ReadWrite.All, Presence.Explain.All or Presence.Admin.All";

fn guid<T: FromStr>(text: &str, problem: &'static str) -> Result<T, GrantError> {
    text.parse().map_err(|_| GrantError(problem))
}

/// Splits an option at its last `=`. Tokens may contain `=`, ids and permissions cannot.
fn split(text: &str) -> Result<(String, &str), GrantError> {
    let (before, rest) = text.rsplit_once('=').ok_or(GrantError("expected TOKEN=…"))?;
    Ok((token(before)?, rest))
}

fn token(text: &str) -> Result<String, GrantError> {
    // A header can carry these as one word.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(GrantError("a token is one or more visible ASCII characters"));
    }
    Ok(text.to_owned())
}

/// The known tokens.
///
/// They are looked up by digest, so that the time of a look-up does not reveal how much of a guess is right.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<Digested, Identity>);

/// The digest of a token.
pub type Digested = [u8; 32];

/// The error of a token that is given in two places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateTokenError {
    first: String,
    second: String,
}

impl std::fmt::Display for DuplicateTokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the same token is given twice: by {} and by {}", self.first, self.second)
    }
}

impl std::error::Error for DuplicateTokenError {}

impl Tokens {
    /// Collects the tokens of these grants, each with the place where it is given.
    pub fn new<'a>(grants: impl IntoIterator<Item = (&'a Grant, &'a str)>) -> Result<Self, DuplicateTokenError> {
        let (mut tokens, mut places) = (HashMap::new(), HashMap::new());
        for (Grant { token, identity, .. }, place) in grants {
            let digest = digest(token.as_bytes());
            if let Some(first) = places.insert(digest, place) {
                return Err(DuplicateTokenError { first: first.to_owned(), second: place.to_owned() });
            }
            tokens.insert(digest, *identity);
        }
        Ok(Self(tokens))
    }

    /// Returns the callers of all tokens.
    pub fn callers(&self) -> impl Iterator<Item = &Caller> {
        self.0.values().map(|identity| &identity.caller)
    }

    /// Returns the caller, if the headers have exactly one `Authorization: Bearer TOKEN` with a known token.
    pub fn identify(&self, headers: &HeaderMap) -> Option<Identity> {
        self.of(&bearer(headers)?)
    }

    /// Returns the caller of a token, by its digest.
    pub fn of(&self, digest: &Digested) -> Option<Identity> {
        self.0.get(digest).copied()
    }
}

/// Returns the digest of the token, if the headers have exactly one `Authorization: Bearer TOKEN`.
pub fn bearer(headers: &HeaderMap) -> Option<Digested> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| digest(token.trim_ascii()))
}

fn digest(token: &[u8]) -> Digested {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const APPLICATION: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
    const USER: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_token_identifies_the_caller_it_was_given_for() {
        let app = Grant::application(&format!("a=b==={APPLICATION}")).unwrap();
        let delegated = Grant::delegated(&format!("user={APPLICATION}/{USER}:Presence.Read.All")).unwrap();
        let grants = [app, delegated, Grant::development("dev").unwrap()];
        let tokens = Tokens::new(grants.iter().map(|grant| (grant, ""))).unwrap();
        let application = APPLICATION.parse().unwrap();
        let caller = |value| tokens.identify(&headers(&[value])).map(|identity| identity.caller);
        let all = Permissions::READ_ALL.union(Permissions::READ_WRITE_ALL);
        assert_eq!(caller("Bearer a=b=="), Some(Caller::Application { application, permissions: all }));
        assert_eq!(
            caller("bearer user"),
            Some(Caller::Delegated { application, user: USER.parse().unwrap(), permissions: Permissions::READ_ALL })
        );
        assert_eq!(caller("Bearer  dev "), Some(Caller::Trusted { me: None }));
        for unknown in ["Bearer", "Bearer ", "Bearer de", "Bearer devx", "Basic dev", "dev", ""] {
            assert_eq!(caller(unknown), None, "{unknown}");
        }
        assert_eq!(tokens.identify(&headers(&[])), None);
        assert_eq!(tokens.identify(&headers(&["Bearer dev", "Bearer dev"])), None);
    }

    /// Section 7: what each name allows is the library's, but for the two that only this server has.
    #[test]
    fn a_token_has_the_permissions_of_its_list() {
        let (own, other) = (USER.parse().unwrap(), UserId::from_bytes([7; 16]));
        let rights = |grant: Grant| {
            let identity = grant.identity;
            let caller = identity.caller;
            let explains = (identity.may_explain(own), identity.may_explain(other));
            ((caller.may_read(own), caller.may_read(other)), explains, identity.is_admin())
        };
        let application = |list: &str| rights(Grant::application(&format!("x={APPLICATION}{list}")).unwrap());
        let delegated = |list: &str| rights(Grant::delegated(&format!("x={APPLICATION}/{USER}{list}")).unwrap());
        let (yes, no) = ((true, true), (false, false));
        let of_own = (true, false);
        for (list, by_itself, for_user) in [
            ("", (yes, no, false), (yes, of_own, false)),
            (":Presence.Read", (no, no, false), (of_own, of_own, false)),
            (":Presence.Read.All", (yes, no, false), (yes, of_own, false)),
            (":Presence.ReadWrite", (no, no, false), (of_own, of_own, false)),
            (":Presence.ReadWrite.All", (yes, no, false), (of_own, of_own, false)),
            (":Presence.Explain.All", (no, yes, false), (no, of_own, false)),
            (":Presence.Admin.All", (no, no, true), (no, no, false)),
            (":Presence.Read.All,Presence.Explain.All,Presence.Admin.All", (yes, yes, true), (yes, of_own, false)),
        ] {
            assert_eq!((application(list), delegated(list)), (by_itself, for_user), "{list}");
        }
        assert_eq!(rights(Grant::development("x").unwrap()), (yes, yes, true));
        let signed_in = Grant::delegated(&format!("x={APPLICATION}/{USER}")).unwrap().identity.caller;
        let permissions = Permissions::READ_ALL.union(Permissions::READ_WRITE);
        assert_eq!(signed_in, Caller::Delegated { application: APPLICATION.parse().unwrap(), user: own, permissions });
        for list in [":", ":Presence", ":presence.read.all", ":Presence.Read,", ":Presence.Read Presence.Read.All"] {
            assert!(Grant::application(&format!("x={APPLICATION}{list}")).is_err(), "{list}");
            assert!(Grant::delegated(&format!("x={APPLICATION}/{USER}{list}")).is_err(), "{list}");
        }
    }

    #[test]
    fn a_grant_is_shown_without_its_token() {
        for (grant, shown) in [
            (
                Grant::application(&format!("secret=={APPLICATION}:Presence.Read.All")),
                format!("={APPLICATION}:Presence.Read.All"),
            ),
            (Grant::delegated(&format!("secret={APPLICATION}/{USER}")), format!("={APPLICATION}/{USER}")),
            (Grant::development("secret"), String::new()),
        ] {
            let grant = grant.unwrap();
            assert_eq!([grant.to_string(), format!("{grant:?}")], [(); 2].map(|()| format!("(hidden){shown}")));
        }
    }

    #[test]
    fn malformed_grants_are_rejected() {
        for text in
            ["", "x", "x=", "=22553876-f5ab-4529-bffb-cfe50aa89f87", "x=7", "a b=22553876-f5ab-4529-bffb-cfe50aa89f87"]
        {
            assert!(Grant::application(text).is_err(), "{text}");
            assert!(Grant::delegated(text).is_err(), "{text}");
        }
        assert!(Grant::delegated(&format!("x={APPLICATION}")).is_err());
        assert!(Grant::development("").is_err());
        let duplicates = ["x", "x"].map(|token| Grant::development(token).unwrap());
        let error = Tokens::new(duplicates.iter().zip(["--dev-token", "tokens:3"])).unwrap_err();
        assert_eq!(error.to_string(), "the same token is given twice: by --dev-token and by tokens:3");
    }
}
