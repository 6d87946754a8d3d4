//! The issuer's answers, those of the server that the token is for, and what they mean.

use super::{SignIn, SignInEnd, Stage, Token};
use crate::client::answer::{DeviceAnswer, OAuthError, TokenAnswer};
use crate::client::wait::{Pause, back_off, half};
use crate::time::{Duration, Instant};

/// The time before the end of an access token at which it is renewed.
const MARGIN: Duration = Duration::from_mins(5);
/// The first pause after a failure, and the least time between a token and its renewal.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The least interval that an issuer can ask for: none would be a loop.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
/// The time that `slow_down` adds to the interval.
const SLOWER: Duration = Duration::from_secs(5);

impl SignIn {
    /// Takes a device code: its lifetime, and the interval at which to ask with it.
    ///
    /// The caller keeps the device code, and shows the person the user code and the address.
    pub fn code(&mut self, now: Instant, answer: &DeviceAnswer<'_>) {
        if self.stage != Stage::Beginning {
            return;
        }
        (self.waiting, self.failures) = (None, 0);
        self.ask_again(now, Pause::new(now, answer.expires_in), answer.interval.max(LEAST_INTERVAL));
    }

    /// Takes tokens, and returns true if there is a refresh token that is worth storing: another than the one that is `held`,
    /// which is empty if there is none.
    ///
    /// An issuer may take the old one back when the new one is used, so store it before the next renewal. An access token
    /// without a lifetime is good until a 401. An answer without a refresh token leaves the one that is held good.
    #[must_use]
    pub fn granted(&mut self, now: Instant, answer: &TokenAnswer<'_>, held: &str) -> bool {
        if self.stage == Stage::Beginning {
            return false;
        }
        let was_renewable = self.stage == Stage::In && self.token.is_renewable;
        (self.stage, self.waiting, self.failures) = (Stage::In, None, 0);
        self.token.is_renewable = was_renewable || answer.refresh_token.is_some();
        (self.token.lifetime, self.pause) = match answer.expires_in {
            Some(lifetime) => (Pause::new(now, lifetime), Pause::new(now, renewal_after(lifetime))),
            None => (Pause::ENDLESS, Pause::ENDLESS),
        };
        answer.refresh_token.is_some_and(|token| !token.is_text(held))
    }

    /// Takes an error of the issuer, and the time that `Retry-After` asks to wait.
    ///
    /// That it can answer nothing now is no decision, nor is an answer that is not understood: the request is repeated.
    pub fn rejected(&mut self, now: Instant, error: OAuthError, retry_after: Option<Duration>) {
        self.waiting = None;
        match self.stage.ended_by(error) {
            Some(end) => self.stage = Stage::Out(end),
            None => self.repeat(now, error),
        }
        if let Some(asked_for) = retry_after {
            self.pause = self.pause.later(Pause::asked_for(now, asked_for));
        }
    }

    /// Repeats the request after a pause.
    fn repeat(&mut self, now: Instant, error: OAuthError) {
        if let Stage::Code { lifetime, interval } = self.stage {
            let slower = if error == OAuthError::SlowDown { SLOWER } else { Duration::ZERO };
            return self.ask_again(now, lifetime, interval.saturating_add(slower));
        }
        self.failures = self.failures.saturating_add(1);
        self.pause = Pause::new(now, back_off(FIRST_PAUSE, self.failures, self.random));
    }

    /// Records that no answer came. It doubles the interval at which a device code is asked with (RFC 8628, section 3.5).
    pub fn failed(&mut self, now: Instant) {
        self.waiting = None;
        match self.stage {
            Stage::Code { lifetime, interval } => self.ask_again(now, lifetime, interval.saturating_add(interval)),
            _ => self.repeat(now, OAuthError::Unavailable),
        }
    }

    fn ask_again(&mut self, now: Instant, lifetime: Pause, interval: Duration) {
        self.stage = Stage::Code { lifetime, interval };
        self.pause = Pause::new(now, interval);
    }

    /// Records a 401 to a request that carried the present access token.
    ///
    /// It is renewed at once. If a renewed one is answered 401 as well, a person has to sign in.
    pub fn unauthorized(&mut self) {
        if self.stage != Stage::In || self.waiting.is_some() {
            return;
        }
        if self.token.is_renewed_for_401 || !self.token.is_renewable {
            self.stage = Stage::Out(SignInEnd::Unauthorized);
            return;
        }
        self.token = Token { lifetime: Pause::NONE, is_renewed_for_401: true, ..self.token };
        // One that has failed is repeated when its pause is over.
        if self.failures == 0 {
            self.pause = Pause::NONE;
        }
    }

    /// Records that a request with the present access token was authorised, whatever else its answer says.
    pub fn authorized(&mut self) {
        self.token.is_renewed_for_401 = false;
    }
}

impl Stage {
    /// Returns the end of a sign-in that an error means; `None` if the request is to be repeated.
    const fn ended_by(self, error: OAuthError) -> Option<SignInEnd> {
        match (self, error) {
            (Self::Out(end), _) => Some(end),
            (_, OAuthError::Unavailable | OAuthError::Unreadable(_)) => None,
            (Self::In, OAuthError::InvalidGrant) => Some(SignInEnd::Revoked),
            (Self::In, OAuthError::InteractionRequired) => Some(SignInEnd::InteractionRequired),
            // No other error says that the refresh token is bad.
            (Self::In, _) | (Self::Code { .. }, OAuthError::AuthorizationPending | OAuthError::SlowDown) => None,
            (_, OAuthError::AccessDenied | OAuthError::AuthorizationDeclined) => Some(SignInEnd::Declined),
            (Self::Code { .. }, OAuthError::ExpiredToken) => Some(SignInEnd::CodeExpired),
            (Self::Code { .. } | Self::Redeeming, OAuthError::BadVerificationCode | OAuthError::InvalidGrant) => {
                Some(SignInEnd::BadCode)
            }
            (Self::Beginning | Self::Code { .. } | Self::Redeeming, error) => Some(SignInEnd::Rejected(error)),
        }
    }
}

/// Returns the time after which an access token of this lifetime is renewed.
fn renewal_after(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(half(lifetime).min(MARGIN)).max(FIRST_PAUSE)
}
