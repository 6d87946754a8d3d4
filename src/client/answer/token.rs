//! Tokens.

use super::error::AnswerError;
use super::oauth::OAuthError;
use super::read::{seconds, string};
use crate::buffer::BufferFull;
use crate::graph::json::Value;
use crate::time::Duration;

/// The answer of a token endpoint; its tokens are borrowed from it.
///
/// ```
/// use presence_core::Duration;
/// use presence_core::client::{OAuthError, TokenAnswer};
///
/// let answer = TokenAnswer::read(200, br#"{"token_type":"Bearer","access_token":"eyJ0","refresh_token":"0.AX","expires_in":3599}"#)?;
/// assert_eq!(answer.authorization(&mut [0; 64])?, "Bearer eyJ0");
/// assert_eq!(answer.expires_in, Some(Duration::from_secs(3599)));
/// let pending = TokenAnswer::read(400, br#"{"error":"authorization_pending"}"#);
/// assert_eq!(pending.unwrap_err(), OAuthError::AuthorizationPending);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenAnswer<'a> {
    /// The access token, a JSON string of at most [`MAX_TOKEN_LEN`](Self::MAX_TOKEN_LEN) visible ASCII characters.
    pub access_token: Value<'a>,
    /// The refresh token, likewise, if there is a new one: it is worth storing.
    pub refresh_token: Option<Value<'a>>,
    /// The time for which the access token is valid.
    pub expires_in: Option<Duration>,
    /// The permissions that were granted, a JSON string, separated by spaces.
    pub scope: Option<Value<'a>>,
}

impl<'a> TokenAnswer<'a> {
    /// The length of the longest token that is accepted, in bytes.
    pub const MAX_TOKEN_LEN: usize = 4096;

    /// The length of the longest value of the header `Authorization`, in bytes.
    pub const MAX_AUTHORIZATION_LEN: usize = SCHEME.len() + Self::MAX_TOKEN_LEN;

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// The code of the answer, or [`OAuthError::Unreadable`]: with [`AnswerError::TooLong`] for a token that is too long.
    pub fn read(status: u16, body: &'a [u8]) -> Result<Self, OAuthError> {
        let answer = OAuthError::check(status, body)?;
        let kind = string(answer, "token_type")?;
        // A token that is not shown as it came needs a key that is not here.
        if kind
            .is_some_and(|kind| !kind.text_start(&mut [0; 8]).is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")))
        {
            return Err(AnswerError::Malformed("token_type").into());
        }
        Ok(Self {
            access_token: token(answer, "access_token")?.ok_or(AnswerError::Missing("access_token"))?,
            refresh_token: token(answer, "refresh_token")?,
            expires_in: seconds(answer, "expires_in")?,
            scope: string(answer, "scope")?,
        })
    }

    /// Writes the value of the header `Authorization` to the beginning of a buffer, and returns it.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; [`MAX_AUTHORIZATION_LEN`](Self::MAX_AUTHORIZATION_LEN) bytes suffice.
    pub fn authorization<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferFull> {
        let (scheme, token) = buffer.split_at_mut_checked(SCHEME.len()).ok_or(BufferFull)?;
        scheme.copy_from_slice(SCHEME);
        if self.access_token.is_text_longer_than(token.len()) {
            return Err(BufferFull);
        }
        let len = self.access_token.text_start(token).map_or(0, str::len).saturating_add(SCHEME.len());
        Ok(core::str::from_utf8(buffer.get(..len).unwrap_or_default()).unwrap_or_default())
    }
}

const SCHEME: &[u8] = b"Bearer ";

/// Returns a token: visible ASCII, so that it can neither end a header nor be cut.
pub(super) fn token<'a>(answer: Value<'a>, name: &'static str) -> Result<Option<Value<'a>>, AnswerError> {
    let Some(token) = string(answer, name)? else { return Ok(None) };
    if token.is_text_longer_than(TokenAnswer::MAX_TOKEN_LEN) {
        return Err(AnswerError::TooLong(name));
    }
    let is_token = token.text_bytes().next().is_some() && token.text_bytes().all(|byte| matches!(byte, 0x21..=0x7E));
    if is_token { Ok(Some(token)) } else { Err(AnswerError::Malformed(name)) }
}

/// Shows the lifetime alone: tokens do not belong in logs.
impl core::fmt::Debug for TokenAnswer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TokenAnswer").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for TokenAnswer<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "TokenAnswer {{ expires_in: {}, .. }}", self.expires_in);
    }
}
