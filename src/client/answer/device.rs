//! Device codes.

use super::error::AnswerError;
use super::oauth::OAuthError;
use super::read::{seconds, string};
use super::token::token;
use crate::graph::json::Value;
use crate::time::Duration;

/// The answer of a device authorization endpoint (RFC 8628): what to show to the user, and how to ask for the tokens.
///
/// ```
/// use presence_core::Duration;
/// use presence_core::client::DeviceAnswer;
///
/// let body = br#"{"user_code":"FJC3Q9", "device_code":"FAQ", "verification_uri":"https://microsoft.com/devicelogin", "expires_in":900}"#;
/// let answer = DeviceAnswer::read(200, body)?;
/// assert!(answer.user_code.is_text("FJC3Q9"));
/// assert_eq!((answer.interval, answer.expires_in), (Duration::from_secs(5), Duration::from_mins(15)));
/// # Ok::<(), presence_core::client::OAuthError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceAnswer<'a> {
    /// The code that the device sends, a JSON string of visible ASCII; the user does not see it.
    pub device_code: Value<'a>,
    /// The code that the user enters, a JSON string.
    pub user_code: Value<'a>,
    /// The address where the user enters it, a JSON string.
    pub verification_uri: Value<'a>,
    /// The address with the code in it, a JSON string, to show as a picture.
    pub verification_uri_complete: Option<Value<'a>>,
    /// Entra's sentence for the user, a JSON string.
    pub message: Option<Value<'a>>,
    /// The time after which the codes are no longer valid.
    pub expires_in: Duration,
    /// The time between two questions for the tokens; 5 seconds where the answer says nothing.
    pub interval: Duration,
}

impl<'a> DeviceAnswer<'a> {
    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// The code of the answer, or [`OAuthError::Unreadable`].
    pub fn read(status: u16, body: &'a [u8]) -> Result<Self, OAuthError> {
        let answer = OAuthError::check(status, body)?;
        let needed = |name| string(answer, name)?.ok_or(AnswerError::Missing(name));
        Ok(Self {
            device_code: token(answer, "device_code")?.ok_or(AnswerError::Missing("device_code"))?,
            user_code: needed("user_code")?,
            verification_uri: needed("verification_uri")?,
            verification_uri_complete: string(answer, "verification_uri_complete")?,
            message: string(answer, "message")?,
            expires_in: seconds(answer, "expires_in")?.ok_or(AnswerError::Missing("expires_in"))?,
            interval: seconds(answer, "interval")?.unwrap_or(Duration::from_secs(5)),
        })
    }
}

/// Shows the times alone: codes do not belong in logs.
impl core::fmt::Debug for DeviceAnswer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut shown = f.debug_struct("DeviceAnswer");
        shown.field("expires_in", &self.expires_in).field("interval", &self.interval).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for DeviceAnswer<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "DeviceAnswer {{ expires_in: {}, interval: {}, .. }}", self.expires_in, self.interval);
    }
}
