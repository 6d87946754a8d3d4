//! Throttling: requests beyond a limit get 429, and a time to come back ([H2](../../../../docs/behaviour.md#h2)).
//!
//! The [pools](super::shares) are those of requests in flight, of memory, and of readers of changes; beside them there is a
//! [rate](super::rates). [`retry`](super::retry) decides when rejected clients are to come back.

use super::account::Account;
use super::response::RequestError;
use super::response_body::PERMIT;
use super::shares::{Share, ShareError, most};
use super::{App, RetrySchedule};
use crate::metrics::ThrottledLabels;
use std::sync::PoisonError;
use std::time::Instant;

/// A limit on what callers take of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Requests in flight.
    Requests,
    /// The memory of bodies and responses.
    Memory,
    /// Readers of changes.
    Readers,
    /// The queue of a shard.
    Queue,
    /// Requests in a time.
    Rate,
}

/// A request beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    limit: Limit,
    /// The account that has its share; `None` if the whole server has no more.
    account: Option<Account>,
    /// The seconds after which to come back, if they are known.
    seconds: Option<u8>,
}

impl Throttled {
    /// A request to a shard whose queue is full.
    pub const QUEUE: Self = Self { limit: Limit::Queue, account: None, seconds: None };

    /// Returns the message of the error.
    pub fn message(self) -> String {
        let Some(account) = self.account else { return "Too many requests.".to_owned() };
        let kind = account.kind();
        let what = match self.limit {
            Limit::Rate => return format!("Too many requests: this {kind} sends more than its rate allows."),
            Limit::Requests | Limit::Queue => "requests in flight",
            Limit::Memory => "memory for bodies and responses",
            Limit::Readers => "readers of changes",
        };
        format!("Too many requests: this {kind} has its share of the server's {what}.")
    }

    const fn labels(self) -> ThrottledLabels {
        let limit = match self.limit {
            Limit::Requests => "requests",
            Limit::Memory => "memory",
            Limit::Readers => "readers",
            Limit::Queue => "queue",
            Limit::Rate => "rate",
        };
        let scope = match self.account {
            Some(account) => account.kind(),
            None => "server",
        };
        ThrottledLabels { limit, scope }
    }
}

impl Limit {
    /// Returns the error of a caller that gets no more of a pool.
    pub fn reached(self, error: ShareError) -> RequestError {
        let account = match error {
            ShareError::Exhausted => None,
            ShareError::Beyond(account) => Some(account),
        };
        RequestError::Throttled(Throttled { limit: self, account, seconds: None })
    }
}

impl App {
    /// Checks that the server could serve a request of anybody, before the token is looked at.
    ///
    /// # Errors
    ///
    /// [`RequestError::Throttled`] if it serves as many as it can.
    pub fn check_overload(&self) -> Result<(), RequestError> {
        let is_overloaded = self.limits.in_flight.free() == 0;
        if is_overloaded { Err(Limit::Requests.reached(ShareError::Exhausted)) } else { Ok(()) }
    }

    /// Counts a request for the rates of its caller.
    ///
    /// # Errors
    ///
    /// [`RequestError::Throttled`] beyond a rate.
    pub fn count(&self, account: Account) -> Result<(), RequestError> {
        let beyond = |error: super::rates::RateError| {
            let (account, seconds) = (Some(error.account), Some(error.seconds));
            RequestError::Throttled(Throttled { limit: Limit::Rate, account, seconds })
        };
        self.current().rates.count(account).map_err(beyond)
    }

    /// Checks that a request of this caller would not be one too many in flight, before its body has come.
    ///
    /// # Errors
    ///
    /// [`RequestError::Throttled`] if it would.
    pub fn check_in_flight(&self, account: Account) -> Result<(), RequestError> {
        self.limits.in_flight.check(account).map_err(|error| Limit::Requests.reached(error))
    }

    /// Counts a request as in flight until the result is dropped.
    ///
    /// # Errors
    ///
    /// [`RequestError::Throttled`] if too many requests are in flight.
    pub fn enter(&self, account: Account) -> Result<InFlight<'_>, RequestError> {
        let share = self.limits.in_flight.take(account, 1).map_err(|error| Limit::Requests.reached(error))?;
        self.metrics.in_flight.inc();
        Ok(InFlight { app: self, since: Instant::now(), _share: share })
    }

    /// Reserves memory for a body or a response.
    ///
    /// # Errors
    ///
    /// [`RequestError::Throttled`] if the caller has its share of the memory, or all of it is reserved.
    pub fn reserve(&self, account: Account, bytes: usize) -> Result<Memory, RequestError> {
        let share = self.limits.buffers.take(account, bytes.div_ceil(PERMIT));
        share.map(Memory).map_err(|error| Limit::Memory.reached(error))
    }

    /// Counts a throttled request, and returns the seconds after which its client is to come back.
    pub fn throttle(&self, throttled: Throttled) -> u8 {
        self.metrics.throttled.get_or_create(&throttled.labels()).inc();
        throttled.seconds.unwrap_or_else(|| self.retry_after(throttled.account, 1))
    }

    /// Returns the seconds after which the client of a rejected element is to come back, if that would help, and counts it.
    pub fn come_back(&self, error: RequestError) -> Option<u8> {
        match error {
            RequestError::Throttled(throttled) => Some(self.throttle(throttled)),
            _ => error.retry_after().map(|least| self.retry_after(None, least)),
        }
    }

    /// Returns the seconds after which a client that is rejected now is to come back, `least` if few are.
    pub fn retry_after(&self, account: Option<Account>, least: u8) -> u8 {
        let now = self.limits.started.elapsed();
        // When the whole server is full, as many as of one application come back at a time.
        let places = most(self.limits.places, account.unwrap_or(Account::Developer));
        let mut retries = self.limits.retries.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = retries.next(account, places, now);
        least.saturating_add(turn - 1).min(RetrySchedule::LONGEST)
    }

    /// Records that a request took its place from `since` on, until now.
    fn record_held(&self, since: Instant) {
        self.limits.retries.lock().unwrap_or_else(PoisonError::into_inner).record(since.elapsed());
    }
}

/// Memory that is reserved until this is dropped, in units of [`PERMIT`] bytes.
#[derive(Debug)]
pub struct Memory(Share);

impl Memory {
    /// Returns the number of bytes.
    pub const fn bytes(&self) -> usize {
        self.0.count() * PERMIT
    }

    /// Reserves more bytes.
    ///
    /// # Errors
    ///
    /// Those of [`App::reserve`]. What was reserved before stays.
    pub fn grow(&mut self, more: usize) -> Result<(), RequestError> {
        self.0.grow(more.div_ceil(PERMIT)).map_err(|error| Limit::Memory.reached(error))
    }

    /// Reserves what so many bytes need in all, if it is more.
    ///
    /// # Errors
    ///
    /// Those of [`grow`](Self::grow).
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), RequestError> {
        self.grow(bytes.saturating_sub(self.bytes()))
    }

    /// Releases all but what so many bytes need.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.0.shrink_to(bytes.div_ceil(PERMIT));
    }
}

/// A request in flight.
pub struct InFlight<'a> {
    app: &'a App,
    since: Instant,
    _share: Share,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.app.metrics.in_flight.dec();
        self.app.record_held(self.since);
    }
}
