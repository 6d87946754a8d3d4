//! Errors of sign-in.

use super::error::AnswerError;
use super::read::{member, object};
use crate::graph::json::Value;

/// The reason for which sign-in has not succeeded, or not yet: the codes of RFC 6749 and RFC 8628, and Entra's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum OAuthError {
    /// The user has not entered the code yet: ask again after the interval.
    AuthorizationPending,
    /// As [`AuthorizationPending`](Self::AuthorizationPending), with an interval that is 5 seconds longer from now on.
    SlowDown,
    /// The user has declined.
    AccessDenied,
    /// The user has declined, as Entra says it.
    AuthorizationDeclined,
    /// The device code has expired.
    ExpiredToken,
    /// The device code was not recognised, as Entra says it.
    BadVerificationCode,
    /// The code or the refresh token is not valid, or not any more.
    InvalidGrant,
    /// The user has to sign in again, as Entra says it.
    InteractionRequired,
    /// The application is not known, or may not sign in so.
    InvalidClient,
    /// The application may not use this kind of sign-in.
    UnauthorizedClient,
    /// The server does not know this kind of sign-in.
    UnsupportedGrantType,
    /// The permissions are not known.
    InvalidScope,
    /// The request is not as it should be.
    InvalidRequest,
    /// The server cannot answer now: a status of 429, or of 500 and more.
    Unavailable,
    /// Another code.
    Other,
    /// The answer is not understood.
    Unreadable(AnswerError),
}

/// The codes, as servers write them.
const CODES: [(&str, OAuthError); 15] = [
    ("authorization_pending", OAuthError::AuthorizationPending),
    ("slow_down", OAuthError::SlowDown),
    ("access_denied", OAuthError::AccessDenied),
    ("authorization_declined", OAuthError::AuthorizationDeclined),
    ("expired_token", OAuthError::ExpiredToken),
    ("bad_verification_code", OAuthError::BadVerificationCode),
    ("invalid_grant", OAuthError::InvalidGrant),
    ("interaction_required", OAuthError::InteractionRequired),
    ("invalid_client", OAuthError::InvalidClient),
    ("unauthorized_client", OAuthError::UnauthorizedClient),
    ("unsupported_grant_type", OAuthError::UnsupportedGrantType),
    ("invalid_scope", OAuthError::InvalidScope),
    ("invalid_request", OAuthError::InvalidRequest),
    ("temporarily_unavailable", OAuthError::Unavailable),
    ("server_error", OAuthError::Unavailable),
];

impl OAuthError {
    /// Returns the error of a code, as a redirect to a loopback address brings it.
    ///
    /// ```
    /// use presence_core::client::OAuthError;
    ///
    /// assert_eq!(OAuthError::from_code("access_denied"), OAuthError::AccessDenied);
    /// assert_eq!(OAuthError::from_code("out_of_cheese"), OAuthError::Other);
    /// ```
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        CODES.iter().find(|(known, _)| *known == code).map_or(Self::Other, |(_, error)| *error)
    }

    /// Returns the code, as servers write it; `None` where there is none.
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        CODES.iter().find(|(_, error)| *error == self).map(|(code, _)| *code)
    }

    /// Reads an answer: the object of a success, or the error.
    ///
    /// Some servers answer an error with 200, and proxies answer pages.
    pub(super) fn check(status: u16, body: &[u8]) -> Result<Value<'_>, Self> {
        let is_unavailable = status == 429 || status >= 500;
        let unreadable = |error| if is_unavailable { Self::Unavailable } else { Self::Unreadable(error) };
        let answer = object(body).map_err(unreadable)?;
        let code = member(answer, "error").map_err(unreadable)?;
        let error = match code {
            Some(code) if code.is_string() => {
                CODES.iter().find(|(known, _)| code.is_text(known)).map_or(Self::Other, |(_, error)| *error)
            }
            Some(_) => unreadable(AnswerError::Malformed("error")),
            None if (200..300).contains(&status) => return Ok(answer),
            None => unreadable(AnswerError::Missing("error")),
        };
        // A gateway's word for it is no word about the user.
        let is_pending = matches!(error, Self::AuthorizationPending | Self::SlowDown);
        Err(if is_unavailable && !is_pending { Self::Unavailable } else { error })
    }
}

impl From<AnswerError> for OAuthError {
    fn from(error: AnswerError) -> Self {
        Self::Unreadable(error)
    }
}

impl core::fmt::Display for OAuthError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            _ => f.write_str(self.code().unwrap_or("another error")),
        }
    }
}

impl core::error::Error for OAuthError {}
