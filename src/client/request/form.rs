//! The form-encoded requests of sign-in.

use super::encode::write_encoded;
use super::written::{display, written_text};
use crate::buffer::BufferFull;
use crate::graph::Writer;
use core::fmt::{Display, Formatter};

/// A request of sign-in: a form, written or displayed as the body of a `POST`.
///
/// `AuthorizationUrl` is the query of the address that a browser opens instead.
///
/// ```
/// use presence_core::client::Form;
///
/// let form = Form::DeviceAuthorization { client_id: "7", scope: "Presence.Read offline_access" };
/// let mut buffer = [0; 64];
/// assert_eq!(form.write(&mut buffer)?, "client_id=7&scope=Presence.Read%20offline_access");
/// assert_eq!(form.to_string(), "client_id=7&scope=Presence.Read%20offline_access");
/// # Ok::<(), presence_core::BufferFull>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form<'a> {
    /// Asks the device authorization endpoint for a code to show (RFC 8628).
    DeviceAuthorization {
        /// The application's id.
        client_id: &'a str,
        /// The permissions, separated by spaces.
        scope: &'a str,
    },
    /// Asks the token endpoint whether the user has entered the code (RFC 8628).
    DeviceCode {
        /// The application's id.
        client_id: &'a str,
        /// The device code of the answer to [`DeviceAuthorization`](Self::DeviceAuthorization).
        device_code: &'a str,
    },
    /// Asks the token endpoint for new tokens (RFC 6749).
    Refresh {
        /// The application's id.
        client_id: &'a str,
        /// The refresh token.
        refresh_token: &'a str,
        /// The permissions, separated by spaces; as before if it is empty.
        scope: &'a str,
    },
    /// The query of the address that a browser opens, for a code with PKCE (RFC 7636).
    AuthorizationUrl {
        /// The application's id.
        client_id: &'a str,
        /// The permissions, separated by spaces.
        scope: &'a str,
        /// The address that the browser is sent to with the code: a loopback address (RFC 8252).
        redirect_uri: &'a str,
        /// A random text that comes back with the code, and shows that it answers this request.
        state: &'a str,
        /// The SHA-256 of the verifier in base64url without padding.
        code_challenge: &'a str,
    },
    /// Asks the token endpoint for the tokens of a code that the browser brought (RFC 6749, RFC 7636).
    AuthorizationCode {
        /// The application's id.
        client_id: &'a str,
        /// The code.
        code: &'a str,
        /// The same address as in [`AuthorizationUrl`](Self::AuthorizationUrl).
        redirect_uri: &'a str,
        /// The verifier, of 43 to 128 unreserved characters.
        code_verifier: &'a str,
    },
}

impl<'a> Form<'a> {
    /// The media type.
    pub const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";

    /// Returns names and values, not encoded; a value may be empty.
    const fn fields(&self) -> [(&'static str, &'a str); 7] {
        const NONE: (&str, &str) = ("", "");
        match *self {
            Self::DeviceAuthorization { client_id, scope } => {
                [("client_id", client_id), ("scope", scope), NONE, NONE, NONE, NONE, NONE]
            }
            Self::DeviceCode { client_id, device_code } => [
                ("client_id", client_id),
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("device_code", device_code),
                NONE,
                NONE,
                NONE,
                NONE,
            ],
            Self::Refresh { client_id, refresh_token, scope } => [
                ("client_id", client_id),
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token),
                ("scope", scope),
                NONE,
                NONE,
                NONE,
            ],
            Self::AuthorizationUrl { client_id, scope, redirect_uri, state, code_challenge } => [
                ("client_id", client_id),
                ("response_type", "code"),
                ("redirect_uri", redirect_uri),
                ("scope", scope),
                ("state", state),
                ("code_challenge", code_challenge),
                ("code_challenge_method", "S256"),
            ],
            Self::AuthorizationCode { client_id, code, redirect_uri, code_verifier } => [
                ("client_id", client_id),
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect_uri),
                ("code_verifier", code_verifier),
                NONE,
                NONE,
            ],
        }
    }
}

impl Form<'_> {
    /// Writes the form, percent-encoded, to the beginning of a buffer, and returns it; fields that are empty are left out.
    ///
    /// It is what is displayed, for devices that do without formatting.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; 100 bytes and three for each byte of the fields suffice.
    pub fn write<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferFull> {
        written_text(buffer, |writer| self.write_fields(writer))
    }

    fn write_fields(&self, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        let mut opening: &[u8] = b"";
        for (name, value) in self.fields() {
            if !value.is_empty() {
                writer.write(opening)?;
                writer.write(name.as_bytes())?;
                writer.write(b"=")?;
                write_encoded(writer, value)?;
                opening = b"&";
            }
        }
        Ok(())
    }
}

impl Display for Form<'_> {
    /// Displays what [`write`](Self::write) writes.
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        display(f, |writer| self.write_fields(writer))
    }
}

/// Names the kind alone: codes and tokens are secrets, and do not belong in logs.
impl core::fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::DeviceAuthorization { .. } => "DeviceAuthorization",
            Self::DeviceCode { .. } => "DeviceCode",
            Self::Refresh { .. } => "Refresh",
            Self::AuthorizationUrl { .. } => "AuthorizationUrl",
            Self::AuthorizationCode { .. } => "AuthorizationCode",
        })
    }
}
