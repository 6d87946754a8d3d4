//! The redirect of the authorization code grant: what a browser brings back to a loopback address.

use super::SignIn;
use crate::buffer::BufferFull;
use crate::client::answer::OAuthError;
use crate::graph::{percent_decoded, until};

/// The error of a redirect without a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RedirectError {
    /// The `state` is missing, or another than the one that was sent: the redirect belongs to another sign-in.
    OtherState,
    /// The issuer tells an error.
    Issuer(OAuthError),
    /// There is no code, or more than one.
    NoCode,
    /// The code is longer than the buffer.
    TooLong,
}

impl core::fmt::Display for RedirectError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::OtherState => "the redirect belongs to another sign-in",
            Self::Issuer(error) => return error.fmt(f),
            Self::NoCode => "the issuer gave no code",
            Self::TooLong => "the code is too long",
        })
    }
}

impl core::error::Error for RedirectError {}

impl SignIn {
    /// Reads the code from the target of a browser's request to a loopback address (RFC 8252, section 7.3).
    ///
    /// `state` is the text that the caller made up for this sign-in. The code is decoded into `buffer`, for the request of
    /// [`AskWithAuthorizationCode`](super::SignInStep::AskWithAuthorizationCode), which also carries the verifier (PKCE).
    ///
    /// ```
    /// use presence_core::client::{RedirectError, SignIn};
    ///
    /// let mut buffer = [0; 64];
    /// let code = SignIn::read_redirect("/?code=0.AX%2bY&state=af0i", "af0i", &mut buffer);
    /// assert_eq!(code, Ok("0.AX+Y"));
    /// let code = SignIn::read_redirect("/?code=0.AX&state=other", "af0i", &mut buffer);
    /// assert_eq!(code, Err(RedirectError::OtherState));
    /// ```
    ///
    /// # Errors
    ///
    /// [`RedirectError`]. The state is checked first.
    pub fn read_redirect<'b>(target: &str, state: &str, buffer: &'b mut [u8]) -> Result<&'b str, RedirectError> {
        let has_state = value(target, "state").is_some_and(|text| decoded(text).eq(state.bytes()));
        if !has_state {
            return Err(RedirectError::OtherState);
        }
        if let Some(error) = value(target, "error") {
            // One that is longer than those that are known is another.
            let mut buffer = [0; 32];
            let code = copy(decoded(error), &mut buffer).unwrap_or_default();
            return Err(RedirectError::Issuer(OAuthError::from_code(core::str::from_utf8(code).unwrap_or_default())));
        }
        let code = value(target, "code").filter(|code| !code.is_empty()).ok_or(RedirectError::NoCode)?;
        let bytes = copy(decoded(code), buffer).map_err(|BufferFull| RedirectError::TooLong)?;
        core::str::from_utf8(bytes).map_err(|_| RedirectError::NoCode)
    }
}

/// Returns the value of a query's parameter, still encoded; `None` if it is missing, or there are two.
// By bytes: splitting at characters links a panic.
fn value<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let query = target.get(until(target, b"?").len().saturating_add(1)..)?;
    let mut rest = until(query, b"#");
    let mut found = None;
    loop {
        let pair = until(rest, b"&");
        let value = pair.strip_prefix(name).and_then(|behind| behind.strip_prefix("="));
        if value.is_some() && found.replace(value).is_some() {
            return None;
        }
        match rest.get(pair.len().saturating_add(1)..) {
            Some(behind) => rest = behind,
            None => return found.flatten(),
        }
    }
}

/// Returns the bytes of a form's value.
fn decoded(text: &str) -> impl Iterator<Item = u8> + Clone + '_ {
    percent_decoded(text.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }))
}

fn copy(bytes: impl Iterator<Item = u8>, buffer: &mut [u8]) -> Result<&[u8], BufferFull> {
    let mut len: usize = 0;
    for byte in bytes {
        *buffer.get_mut(len).ok_or(BufferFull)? = byte;
        len = len.saturating_add(1);
    }
    buffer.get(..len).ok_or(BufferFull)
}
