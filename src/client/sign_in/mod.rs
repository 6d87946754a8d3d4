//! Sign-in by OAuth 2.0, and staying signed in.

mod answers;
mod redirect;

pub use redirect::RedirectError;

use super::answer::OAuthError;
use super::wait::Pause;
use crate::time::{Duration, Instant};

/// The time to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The next thing to do for a [`SignIn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SignInStep {
    /// Ask the device authorization endpoint for a code, and call [`code`](SignIn::code).
    AskCode,
    /// Ask the token endpoint with the device code. The person is to be shown the user code and the address.
    AskWithDeviceCode,
    /// Ask the token endpoint with the authorization code of the browser's redirect.
    AskWithAuthorizationCode,
    /// Ask the token endpoint with the refresh token.
    Renew,
    /// Send nothing, and ask again at this moment, or after what is received before it.
    Wait(Instant),
    /// Send nothing: a person has to sign in, beginning with [`begin`](SignIn::begin).
    End(SignInEnd),
}

/// The reason for which a person has to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SignInEnd {
    /// It has not begun.
    NotBegun,
    /// The person declined: `access_denied` or `authorization_declined`.
    Declined,
    /// The code was not used in time: `expired_token`, or its lifetime is over.
    CodeExpired,
    /// The issuer does not know the code: `bad_verification_code`, or `invalid_grant`.
    BadCode,
    /// The issuer rejects the request itself, such as that of a client it does not know.
    Rejected(OAuthError),
    /// The refresh token is good no more: `invalid_grant`.
    Revoked,
    /// The issuer wants to see the person: `interaction_required`.
    InteractionRequired,
    /// A new access token was answered 401 as well, or there is no refresh token.
    Unauthorized,
}

/// The sign-in of a device or a program: by a device code, or by a browser beside it; and the renewal of its tokens
/// ([F3](crate::rules#f3)).
///
/// It keeps times and decisions; codes and tokens are in the caller's memory, and stored by the caller. So one sign-in works
/// with any issuer, whatever its addresses. An access token is renewed five minutes before it ends, or after half of a
/// lifetime that is shorter than ten. Failures of the issuer are repeated after pauses of five seconds up to five minutes, and
/// never end a sign-in.
///
/// ```
/// use presence_core::client::{DeviceAnswer, OAuthError, SignIn, SignInEnd, SignInStep, TokenAnswer};
/// use presence_core::{Duration, Instant};
///
/// let mut sign_in = SignIn::new();
/// let mut now = Instant::ZERO;
/// assert_eq!(sign_in.next(now, 0), SignInStep::End(SignInEnd::NotBegun));
/// sign_in.begin();
/// // Sends the request, and shows the person the code and the address that come back.
/// assert_eq!(sign_in.next(now, 0), SignInStep::AskCode);
/// let body = br#"{"device_code":"d","user_code":"FJC3Q9","verification_uri":"https://a.b/c","expires_in":900}"#;
/// sign_in.code(now, &DeviceAnswer::read(200, body)?);
///
/// // Five seconds later, and again, as long as the person has done nothing.
/// assert_eq!(sign_in.next(now, 0), SignInStep::Wait(Instant::from_secs(5)));
/// now = Instant::from_secs(5);
/// assert_eq!(sign_in.next(now, 0), SignInStep::AskWithDeviceCode);
/// sign_in.rejected(now, OAuthError::AuthorizationPending, None);
/// now = Instant::from_secs(10);
/// assert_eq!(sign_in.next(now, 0), SignInStep::AskWithDeviceCode);
/// let body = br#"{"token_type":"Bearer","access_token":"a","refresh_token":"r","expires_in":3600}"#;
/// let is_new = sign_in.granted(now, &TokenAnswer::read(200, body)?, "");
/// assert!(is_new && sign_in.is_signed_in(now)); // stores the refresh token, and uses the access token
///
/// // Nothing to do for 55 minutes.
/// now += Duration::from_mins(55);
/// assert_eq!(sign_in.next(Instant::from_secs(11), 0), SignInStep::Wait(now));
/// assert_eq!(sign_in.next(now, 0), SignInStep::Renew);
/// # Ok::<(), OAuthError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SignIn {
    stage: Stage,
    /// The pause before the next request.
    pause: Pause,
    /// The time in which the newest request must be answered; `None` if it is.
    waiting: Option<Pause>,
    /// The failures since the issuer answered.
    failures: u8,
    random: u32,
    /// The lifetime of the access token.
    token: Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Stage {
    /// A person has to sign in.
    Out(SignInEnd),
    /// A device code is to be asked for.
    Beginning,
    /// A device code is shown.
    Code { lifetime: Pause, interval: Duration },
    /// The browser has come back with a code.
    Redeeming,
    /// There is a refresh token, or an access token, or both.
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Token {
    lifetime: Pause,
    is_renewable: bool,
    /// True from a renewal that a 401 has caused until a request is authorised.
    is_renewed_for_401: bool,
}

impl Default for SignIn {
    fn default() -> Self {
        Self::new()
    }
}

impl SignIn {
    /// Creates a sign-in that has not begun.
    #[must_use]
    pub const fn new() -> Self {
        Self::at(Stage::Out(SignInEnd::NotBegun), false)
    }

    /// Continues with a refresh token that was stored: its first step is to renew.
    #[must_use]
    pub const fn with_refresh_token() -> Self {
        Self::at(Stage::In, true)
    }

    const fn at(stage: Stage, is_renewable: bool) -> Self {
        let token = Token { lifetime: Pause::NONE, is_renewable, is_renewed_for_401: false };
        Self { stage, pause: Pause::NONE, waiting: None, failures: 0, random: 0, token }
    }

    /// Begins to sign a person in by a device code (RFC 8628). What was before is void.
    pub const fn begin(&mut self) {
        *self = Self::at(Stage::Beginning, false);
    }

    /// Begins to sign a person in by the authorization code that a browser has brought back (RFC 6749, section 4.1). What was
    /// before is void.
    pub const fn begin_with_authorization_code(&mut self) {
        *self = Self::at(Stage::Redeeming, false);
    }

    /// Returns the reason for which a person has to sign in; `None` if there is none.
    #[must_use]
    pub const fn end(&self) -> Option<SignInEnd> {
        match self.stage {
            Stage::Out(end) => Some(end),
            _ => None,
        }
    }

    /// Reports whether there is an access token that is good at `now`.
    #[must_use]
    pub fn is_signed_in(&self, now: Instant) -> bool {
        self.stage == Stage::In && !self.token.lifetime.is_over(now)
    }

    /// Returns what to do at `now`. `random` is any number, for the pauses after failures.
    ///
    /// An answer that does not come within 20 seconds is noticed here.
    pub fn next(&mut self, now: Instant, random: u32) -> SignInStep {
        self.random = random;
        if let Some(waiting) = self.waiting {
            if !waiting.is_over(now) {
                return SignInStep::Wait(waiting.end());
            }
            self.failed(now);
        }
        if let Stage::Code { lifetime, .. } = self.stage
            && lifetime.is_over(now)
        {
            self.stage = Stage::Out(SignInEnd::CodeExpired);
        }
        let step = match self.stage {
            Stage::Out(end) => return SignInStep::End(end),
            Stage::Beginning => SignInStep::AskCode,
            Stage::Code { .. } => SignInStep::AskWithDeviceCode,
            Stage::Redeeming => SignInStep::AskWithAuthorizationCode,
            Stage::In if self.token.is_renewable => SignInStep::Renew,
            Stage::In => return self.until_the_end(now),
        };
        if !self.pause.is_over(now) {
            let end = self.pause.end();
            return SignInStep::Wait(match self.stage {
                // An issuer may ask for an interval that is longer than its code lasts.
                Stage::Code { lifetime, .. } => end.min(lifetime.end()),
                _ => end,
            });
        }
        self.waiting = Some(Pause::new(now, PATIENCE));
        step
    }

    /// Returns what to do with an access token alone: nothing, until it ends.
    fn until_the_end(&mut self, now: Instant) -> SignInStep {
        if !self.token.lifetime.is_over(now) {
            return SignInStep::Wait(self.token.lifetime.end());
        }
        self.stage = Stage::Out(SignInEnd::Unauthorized);
        SignInStep::End(SignInEnd::Unauthorized)
    }
}
