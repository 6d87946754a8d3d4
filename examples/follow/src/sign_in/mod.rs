//! Signing in, and staying signed in. `presence_core` decides; here are the requests, the browser and the file.

mod browser;
mod device_code;
mod endpoints;
mod hints;
mod options;
#[cfg(test)]
mod tests;

pub use endpoints::Endpoints;
pub use options::AccountOptions;

use crate::http::{Answer, Http, Request};
use crate::tokens::{Stored, TokenFile};
use crate::{Clock, Console, Stop};
use browser::Redirected;
use presence_core::Instant;
use presence_core::client::{DeviceAnswer, Form, OAuthError, SignIn, SignInEnd, SignInStep, TokenAnswer};

/// The way in which a person signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In a browser on this computer, which is opened if the program may.
    Browser {
        /// True if a browser is opened; otherwise the address is shown alone.
        opens: bool,
    },
    /// With a code, in any browser.
    DeviceCode,
}

/// An account at an issuer, with its tokens.
pub struct Account {
    options: AccountOptions,
    issuer: String,
    file: TokenFile,
    http: Http,
    clock: Clock,
    console: Console,
    endpoints: Option<Endpoints>,
    machine: SignIn,
    /// The value of the header `Authorization`; empty before the first.
    authorization: String,
    /// Empty if there is none.
    refresh_token: String,
    /// The refresh token that the file had when it was last looked at: an older one, if the newer one could not be stored.
    on_file: String,
    device_code: String,
    redirected: Option<Redirected>,
    /// What the issuer said of its latest refusal.
    reason: String,
    /// The failures in a row.
    failures: u32,
}

impl Account {
    /// Creates an account, with the refresh token that is stored for it.
    ///
    /// # Errors
    ///
    /// A sentence, if the options or the file cannot be used.
    pub fn new(options: &AccountOptions, http: Http, clock: Clock, console: Console) -> Result<Self, String> {
        let mut account = Self {
            issuer: options.issuer()?,
            file: options.token_file()?,
            options: options.clone(),
            http,
            clock,
            console,
            endpoints: None,
            machine: SignIn::new(),
            authorization: String::new(),
            refresh_token: String::new(),
            on_file: String::new(),
            device_code: String::new(),
            redirected: None,
            reason: String::new(),
            failures: 0,
        };
        account.reload()?;
        Ok(account)
    }

    /// Takes the stored refresh token, if somebody has stored another one, and returns true if so.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub fn reload(&mut self) -> Result<bool, String> {
        let Some(stored) = self.file.load(&self.issuer, self.options.client_id())? else { return Ok(false) };
        if stored.refresh_token == self.on_file {
            return Ok(false);
        }
        self.on_file.clone_from(&stored.refresh_token);
        self.refresh_token = stored.refresh_token;
        if self.machine.end().is_some() {
            self.machine = SignIn::with_refresh_token();
        }
        Ok(true)
    }

    /// Begins to sign a person in.
    ///
    /// With a browser it waits until the browser comes back, or `stop` is requested.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub fn begin(&mut self, way: Way, stop: &Stop) -> Result<(), String> {
        match way {
            Way::DeviceCode => self.machine.begin(),
            Way::Browser { opens } => {
                let endpoints = self.endpoints()?;
                let (client_id, scope) = (self.options.client_id(), self.options.scope());
                let redirected = browser::ask(&endpoints.authorization, client_id, scope, opens, &self.console, stop)?;
                self.redirected = Some(redirected);
                self.machine.begin_with_authorization_code();
            }
        }
        Ok(())
    }

    /// Does what is due, and returns when to call it again.
    ///
    /// # Errors
    ///
    /// The reason for which a person has to sign in.
    pub fn step(&mut self) -> Result<Instant, SignInEnd> {
        loop {
            match self.machine.next(self.clock.now(), random()) {
                SignInStep::Wait(until) => return Ok(until),
                SignInStep::End(end) => return Err(end),
                step => {
                    if let Err(reason) = self.ask(step) {
                        self.fail(&reason);
                        self.machine.failed(self.clock.now());
                    }
                }
            }
        }
    }

    /// Returns the value of the header `Authorization`; `None` if there is no token that is good now.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.machine.is_signed_in(self.clock.now()).then_some(&self.authorization)
    }

    /// Reports whether the issuer has not answered twice in a row.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.failures >= 2
    }

    /// Takes the status of an answer to a request with the token.
    pub fn answered(&mut self, status: u16) {
        if status == 401 { self.machine.unauthorized() } else { self.machine.authorized() }
    }

    /// Returns a sentence that says why a person has to sign in, and what to do.
    #[must_use]
    pub fn explain(&self, end: SignInEnd) -> String {
        hints::explain(end, &self.reason)
    }

    /// Sends the request of a step. An error is that of a failure, which says nothing about the person.
    fn ask(&mut self, step: SignInStep) -> Result<(), String> {
        // Held until the new token is stored.
        let _lock = if step == SignInStep::Renew {
            let lock = self.file.lock()?;
            self.reload()?;
            if !self.on_file.is_empty() && self.file.is_missing() {
                self.forget();
                return Ok(());
            }
            Some(lock)
        } else {
            None
        };
        let endpoints = self.endpoints()?;
        let (client_id, scope) = (self.options.client_id(), self.options.scope());
        let (url, form) = match (step, &self.redirected) {
            (SignInStep::AskCode, _) => {
                let missing = || "this issuer has no sign-in with a code".to_string();
                (endpoints.device_authorization.ok_or_else(missing)?, Form::DeviceAuthorization { client_id, scope })
            }
            (SignInStep::AskWithDeviceCode, _) => {
                (endpoints.token, Form::DeviceCode { client_id, device_code: &self.device_code })
            }
            (SignInStep::AskWithAuthorizationCode, Some(redirected)) => (endpoints.token, redirected.form(client_id)),
            // With the permissions that it has: an issuer may have granted fewer than were asked for, and refuses others.
            _ => (endpoints.token, Form::Refresh { client_id, refresh_token: &self.refresh_token, scope: "" }),
        };
        let headers = [("Content-Type", Form::CONTENT_TYPE), ("Accept", "application/json")];
        self.console.detail(|| format!("asking the issuer: {form:?}"));
        let body = form.to_string();
        let answer =
            self.http.send(&Request { method: "POST", url: &url, headers: &headers, body: body.as_bytes() })?;
        let taken = if step == SignInStep::AskCode { self.take_code(&answer) } else { self.take_tokens(&answer) };
        let Err(error) = taken else {
            self.failures = 0;
            return Ok(());
        };
        self.reason = hints::description(&answer.body);
        self.console.detail(|| format!("the issuer says: {error}. {}", self.reason));
        self.machine.rejected(self.clock.now(), error, answer.retry_after);
        if matches!(error, OAuthError::AuthorizationPending | OAuthError::SlowDown) || self.machine.end().is_some() {
            self.failures = 0;
        } else {
            self.fail(&format!("it answers {}: {error}. {}", answer.status, self.reason));
        }
        Ok(())
    }

    /// Ends the sign-in here as well: the person has signed out, and would find the file again if it were renewed.
    fn forget(&mut self) {
        self.machine = SignIn::new();
        for text in [&mut self.authorization, &mut self.refresh_token, &mut self.on_file, &mut self.reason] {
            text.clear();
        }
    }

    /// Counts a failure, after which the same is asked again; the second in a row is told.
    fn fail(&mut self, reason: &str) {
        self.failures = self.failures.saturating_add(1);
        if self.failures == 2 {
            self.console.say(&format!("No token from {}: {reason} It is asked again.", self.issuer));
        } else {
            self.console.detail(|| reason.to_string());
        }
    }

    fn take_code(&mut self, answer: &Answer) -> Result<(), OAuthError> {
        let code = DeviceAnswer::read(answer.status, &answer.body)?;
        self.device_code = text(code.device_code);
        device_code::show(&code, &self.console);
        self.machine.code(self.clock.now(), &code);
        Ok(())
    }

    fn take_tokens(&mut self, answer: &Answer) -> Result<(), OAuthError> {
        let tokens = TokenAnswer::read(answer.status, &answer.body)?;
        self.authorization = format!("Bearer {}", text(tokens.access_token));
        let is_new = self.machine.granted(self.clock.now(), &tokens, &self.refresh_token);
        self.redirected = None;
        if let Some(token) = tokens.refresh_token.filter(|_| is_new) {
            self.refresh_token = text(token);
            let (issuer, client_id) = (self.issuer.clone(), self.options.client_id().to_string());
            let stored = Stored { issuer, client_id, refresh_token: self.refresh_token.clone() };
            match self.file.save(&stored) {
                Ok(()) => self.on_file = stored.refresh_token,
                Err(error) => {
                    self.console.say(&format!("{error} Somebody has to sign in again after this program has ended."))
                }
            }
        }
        Ok(())
    }

    /// Returns the issuer's addresses, which are asked for once.
    fn endpoints(&mut self) -> Result<Endpoints, String> {
        if self.endpoints.is_none() {
            self.endpoints = Some(Endpoints::ask(&self.http, &self.issuer)?);
        }
        self.endpoints.clone().ok_or_else(String::new)
    }
}

/// Returns a token or a code, which the library has checked.
fn text(value: presence_core::graph::json::Value<'_>) -> String {
    let mut buffer = [0; TokenAnswer::MAX_TOKEN_LEN];
    value.text_start(&mut buffer).unwrap_or_default().into()
}

/// Returns a number by chance, for pauses.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or_default()
}
