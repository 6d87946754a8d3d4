//! The issuer's answers, those of the server that the token is for, and what they mean.

use super::{INTERVAL, SignIn, SignInEnd, Stage, Token};
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
    /// Takes a device code that lasts for `lifetime`, and the interval at which to ask with it: five seconds if the issuer says
    /// none.
    ///
    /// The caller keeps the code itself, and shows the person the user code and the address.
    pub fn code(&mut self, now: Instant, lifetime: Duration, interval: Option<Duration>) {
        if self.stage != Stage::Beginning {
            return;
        }
        let interval = interval.unwrap_or(INTERVAL).max(LEAST_INTERVAL);
        (self.waiting, self.failures) = (None, 0);
        self.stage = Stage::Code { lifetime: Pause::new(now, lifetime), interval };
        self.pause = Pause::new(now, interval);
    }

    /// Takes tokens, and returns true if the refresh token is worth storing: it is another than the one `held`.
    ///
    /// An issuer may take the old one back when the new one is used, so store it before the next renewal. An access token
    /// without a lifetime is good until a 401. An answer without a refresh token leaves the one that is held good.
    #[must_use]
    pub fn granted(
        &mut self,
        now: Instant,
        lifetime: Option<Duration>,
        held: Option<&str>,
        refresh_token: Option<&str>,
    ) -> bool {
        if self.stage == Stage::Beginning {
            return false;
        }
        let is_renewal = self.stage == Stage::In;
        let is_renewable = refresh_token.is_some() || (is_renewal && self.token.is_renewable);
        (self.stage, self.waiting, self.failures) = (Stage::In, None, 0);
        self.token.is_renewable = is_renewable;
        match lifetime {
            Some(lifetime) => {
                self.token.lifetime = Pause::new(now, lifetime);
                self.pause = Pause::new(now, renewal_after(lifetime));
            }
            None => (self.token.lifetime, self.pause) = (Pause::ENDLESS, Pause::ENDLESS),
        }
        refresh_token.is_some() && refresh_token != held
    }

    /// Takes the code of an error that the issuer has answered with a status from 400 to 499, but 429.
    ///
    /// A status of 429 or from 500 is no decision: that is [`unavailable`](Self::unavailable), whatever the body says.
    pub fn rejected(&mut self, now: Instant, error: &str) {
        self.waiting = None;
        let end = match (self.stage, error) {
            (Stage::Code { lifetime, interval }, "authorization_pending" | "slow_down") => {
                let slower = if error == "slow_down" { SLOWER } else { Duration::ZERO };
                self.ask_again(now, lifetime, interval.saturating_add(slower));
                return;
            }
            (Stage::Code { .. } | Stage::Redeeming, "access_denied" | "authorization_declined") => SignInEnd::Declined,
            (Stage::Code { .. }, "expired_token") => SignInEnd::CodeExpired,
            (Stage::Code { .. } | Stage::Redeeming, "bad_verification_code" | "invalid_grant") => SignInEnd::BadCode,
            (Stage::In, "invalid_grant") => SignInEnd::Revoked,
            (Stage::In, "interaction_required") => SignInEnd::InteractionRequired,
            // Another error does not say that the token is bad.
            (Stage::In, _) | (_, "temporarily_unavailable" | "server_error") => return self.unavailable(now, None),
            (Stage::Out(_), _) => return,
            (Stage::Beginning | Stage::Code { .. } | Stage::Redeeming, _) => SignInEnd::Rejected,
        };
        self.stage = Stage::Out(end);
    }

    /// Records that the issuer can do nothing now: 429 or 5xx, with the time that `Retry-After` asks to wait, or an answer that
    /// is not understood.
    pub fn unavailable(&mut self, now: Instant, retry_after: Option<Duration>) {
        self.waiting = None;
        self.failures = self.failures.saturating_add(1);
        self.pause = match self.stage {
            Stage::Code { interval, .. } => Pause::new(now, interval),
            _ => Pause::new(now, back_off(FIRST_PAUSE, self.failures, self.random)),
        };
        if let Some(asked_for) = retry_after {
            self.pause = self.pause.later(Pause::asked_for(now, asked_for));
        }
    }

    /// Records that no answer came. It doubles the interval at which a device code is asked with (RFC 8628, section 3.5).
    pub fn failed(&mut self, now: Instant) {
        match self.stage {
            Stage::Code { lifetime, interval } => {
                self.waiting = None;
                self.ask_again(now, lifetime, interval.saturating_add(interval));
            }
            _ => self.unavailable(now, None),
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

/// Returns the time after which an access token of this lifetime is renewed.
fn renewal_after(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(half(lifetime).min(MARGIN)).max(FIRST_PAUSE)
}
