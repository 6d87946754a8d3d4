//! Bearer tokens, which identify the caller of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use presence_core::UserId;
use presence_core::graph::{Caller, Permissions};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::str::FromStr;

/// A token, with the caller it stands for.
#[derive(Clone, Debug)]
pub struct Grant {
    token: String,
    caller: Caller,
}

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
    /// Parses `TOKEN=APPLICATION_ID[:PERMISSION,…]`, the grant of an application without a user.
    pub fn application(text: &str) -> Result<Self, GrantError> {
        let (token, rest) = split(text)?;
        let (application, permissions) = permissions(rest)?;
        let application = guid(application, "the application id is no GUID")?;
        Ok(Self { token, caller: Caller::Application { application, permissions } })
    }

    /// Parses `TOKEN=APPLICATION_ID/USER_ID[:PERMISSION,…]`, the grant of an application on behalf of a signed-in user.
    pub fn delegated(text: &str) -> Result<Self, GrantError> {
        let (token, rest) = split(text)?;
        let (ids, permissions) = permissions(rest)?;
        let (application, user) = ids.split_once('/').ok_or(GrantError("expected APPLICATION_ID/USER_ID"))?;
        let application = guid(application, "the application id is no GUID")?;
        let user = guid::<UserId>(user, "the user id is no GUID")?;
        Ok(Self { token, caller: Caller::Delegated { application, user, permissions } })
    }

    /// Parses `TOKEN`, the grant of a developer, who may do everything.
    pub fn development(text: &str) -> Result<Self, GrantError> {
        Ok(Self { token: token(text)?, caller: Caller::Trusted { me: None } })
    }
}

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

fn permissions(text: &str) -> Result<(&str, Permissions), GrantError> {
    let Some((ids, names)) = text.split_once(':') else { return Ok((text, Permissions::ALL)) };
    let mut permissions = Permissions::default();
    for name in names.split(',') {
        match name {
            "Presence.Read.All" => permissions.read_all = true,
            "Presence.ReadWrite.All" => permissions.read_write_all = true,
            _ => return Err(GrantError("a permission is Presence.Read.All or Presence.ReadWrite.All")),
        }
    }
    Ok((ids, permissions))
}

/// The known tokens.
///
/// They are looked up by digest, so that the time of a look-up does not reveal how much of a guess is right.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<[u8; 32], Caller>);

/// The error of a token that is given for two callers.
#[derive(Debug, PartialEq, Eq)]
pub struct DuplicateTokenError;

impl std::fmt::Display for DuplicateTokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the same token is given twice")
    }
}

impl std::error::Error for DuplicateTokenError {}

impl Tokens {
    /// Collects the tokens of these grants.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> Result<Self, DuplicateTokenError> {
        let mut tokens = HashMap::new();
        for Grant { token, caller } in grants {
            if tokens.insert(digest(token.as_bytes()), caller).is_some() {
                return Err(DuplicateTokenError);
            }
        }
        Ok(Self(tokens))
    }

    /// Returns the caller, if the headers have exactly one `Authorization: Bearer TOKEN` with a known token.
    pub fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return None;
        }
        self.0.get(&digest(token.trim_ascii())).copied()
    }
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Reports whether a caller may read every user's presence.
pub const fn may_read_all(caller: &Caller) -> bool {
    match caller {
        Caller::Trusted { .. } => true,
        Caller::Application { permissions, .. } | Caller::Delegated { permissions, .. } => permissions.read_all,
    }
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
        let tokens = Tokens::new([app, delegated, Grant::development("dev").unwrap()]).unwrap();
        let application = APPLICATION.parse().unwrap();
        let caller = |value| tokens.caller(&headers(&[value]));
        assert_eq!(caller("Bearer a=b=="), Some(Caller::Application { application, permissions: Permissions::ALL }));
        assert_eq!(
            caller("bearer user"),
            Some(Caller::Delegated {
                application,
                user: USER.parse().unwrap(),
                permissions: Permissions { read_all: true, read_write_all: false },
            })
        );
        assert_eq!(caller("Bearer  dev "), Some(Caller::Trusted { me: None }));
        for unknown in ["Bearer", "Bearer ", "Bearer de", "Bearer devx", "Basic dev", "dev", ""] {
            assert_eq!(caller(unknown), None, "{unknown}");
        }
        assert_eq!(tokens.caller(&headers(&[])), None);
        assert_eq!(tokens.caller(&headers(&["Bearer dev", "Bearer dev"])), None);
    }

    #[test]
    fn malformed_grants_are_rejected() {
        for text in
            ["", "x", "x=", "=22553876-f5ab-4529-bffb-cfe50aa89f87", "x=7", "a b=22553876-f5ab-4529-bffb-cfe50aa89f87"]
        {
            assert!(Grant::application(text).is_err(), "{text}");
            assert!(Grant::delegated(text).is_err(), "{text}");
        }
        assert!(Grant::application(&format!("x={APPLICATION}:Presence.Write")).is_err());
        assert!(Grant::delegated(&format!("x={APPLICATION}")).is_err());
        assert!(Grant::development("").is_err());
        let duplicates = ["x", "x"].map(|token| Grant::development(token).unwrap());
        assert_eq!(Tokens::new(duplicates).err(), Some(DuplicateTokenError));
    }
}
