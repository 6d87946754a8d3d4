//! Rates: the requests that applications and signed-in users may send, by the crate `governor`. Without an option there is no limit.
//!
//! Each account has a bucket of N requests that refills evenly in so many seconds (GCRA). Accounts are those of the known
//! tokens, so the buckets are created with these, and are as many as tokens at most.

use super::account::Account;
use super::retry::RetrySchedule;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use presence_core::graph::Caller;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A number of requests for a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Quota);

impl FromStr for Rate {
    type Err = &'static str;

    /// Parses `N/SECONDS`. One request comes back within the longest time that clients wait.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (requests, seconds) = text.split_once('/').ok_or("expected N/SECONDS")?;
        let requests: NonZeroU32 = requests.parse().map_err(|_| "N is a number of requests, at least 1")?;
        let seconds: NonZeroU32 = seconds.parse().map_err(|_| "SECONDS is a whole number, at least 1")?;
        let each = Duration::from_secs(seconds.get().into()) / requests.get();
        if each > Duration::from_secs(RetrySchedule::LONGEST.into()) {
            return Err("a rate allows at least one request in 180 seconds");
        }
        let quota = Quota::with_period(each).ok_or("more than 1000000000 requests a second are no limit")?;
        Ok(Self(quota.allow_burst(requests)))
    }
}

/// The monotonic clock, which tests can stop. A virtual clock is not asked: rates are about the machine.
#[derive(Clone, Debug)]
struct Monotonic(Instant);

impl Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The requests that a bucket has given, as the crate counts them: the time at which all would have come evenly.
#[derive(Clone, Debug, Default)]
struct Given(Arc<Mutex<Option<Nanos>>>);

impl Given {
    fn lock(&self) -> MutexGuard<'_, Option<Nanos>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Given {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut given = self.lock();
        let (result, next) = measure(*given)?;
        *given = Some(next);
        Ok(result)
    }
}

#[derive(Debug)]
struct Bucket {
    rate: Rate,
    limiter: RateLimiter<NotKeyed, Given, Monotonic, NoOpMiddleware<Duration>>,
    given: Given,
    /// The time in which one request comes back.
    interval: Duration,
}

impl Bucket {
    fn new(rate: Rate, clock: Monotonic) -> Self {
        let (given, Rate(quota)) = (Given::default(), rate);
        let limiter = RateLimiter::new(quota, given.clone(), clock);
        Self { rate, limiter, given, interval: quota.replenish_interval() }
    }

    /// Takes a request.
    fn take(&self, account: Account) -> Result<(), RateError> {
        self.limiter.check().map_err(|not_until| {
            let now = self.limiter.clock().now();
            RateError { account, seconds: whole_seconds(not_until.wait_time_from(now)) }
        })
    }

    /// Takes a request back that was not served.
    fn give_back(&self) {
        let mut given = self.given.lock();
        *given = given.map(|given| given.saturating_sub(self.interval.into()));
    }
}

/// The buckets of all accounts whose rate is limited.
#[derive(Debug, Default)]
pub struct Rates(HashMap<Account, Arc<Bucket>>);

/// A request beyond the rate of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateError {
    /// The account.
    pub account: Account,
    /// The whole seconds after which it may send a request.
    pub seconds: u8,
}

impl Rates {
    /// Creates full buckets for these callers and their applications: one rate for each application with all its users, and
    /// one for each signed-in user of an application. Those `before` with the same rate stay as full as they are, so that a
    /// reload gives nobody more.
    pub fn new<'a>(
        callers: impl Iterator<Item = &'a Caller>,
        application: Option<Rate>,
        user: Option<Rate>,
        before: Option<&Self>,
    ) -> Self {
        let clock = Monotonic(Instant::now());
        let all = callers.map(Account::from).flat_map(|account| [Some(account), account.parent()]).flatten();
        let rate = |account| match account {
            Account::Anonymous | Account::Developer => None,
            Account::Application(_) => application,
            Account::User(..) => user,
        };
        let bucket = |account| {
            let rate = rate(account)?;
            let same = before.and_then(|rates| rates.0.get(&account)).filter(|bucket| bucket.rate == rate);
            Some((account, same.cloned().unwrap_or_else(|| Bucket::new(rate, clock.clone()).into())))
        };
        Self(all.filter_map(bucket).collect())
    }

    /// Counts a request.
    ///
    /// # Errors
    ///
    /// [`RateError`] beyond the rate. A user's own rate comes first: what is beyond it does not count for its application, and
    /// what is beyond the application's does not count for the user.
    pub fn count(&self, account: Account) -> Result<(), RateError> {
        let own = self.0.get(&account);
        own.map_or(Ok(()), |bucket| bucket.take(account))?;
        let Some(application) = account.parent() else { return Ok(()) };
        let taken = self.0.get(&application).map_or(Ok(()), |bucket| bucket.take(application));
        taken.inspect_err(|_| own.into_iter().for_each(|bucket| bucket.give_back()))
    }
}

/// Returns the seconds of a wait, rounded up, at least one.
fn whole_seconds(wait: Duration) -> u8 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u8::try_from(seconds.max(1)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence_core::graph::Permissions;
    use presence_core::{SessionId, UserId};
    use tokio::time::advance;

    const APPLICATION: Account = Account::Application(SessionId::from_bytes([1; 16]));
    const OTHER: Account = Account::Application(SessionId::from_bytes([2; 16]));
    const USER: Account = Account::User(SessionId::from_bytes([1; 16]), UserId::from_bytes([7; 16]));
    const SECOND: Account = Account::User(SessionId::from_bytes([1; 16]), UserId::from_bytes([8; 16]));

    fn rates(application: Option<&str>, user: Option<&str>) -> Rates {
        rates_after(None, application, user)
    }

    fn rates_after(before: Option<&Rates>, application: Option<&str>, user: Option<&str>) -> Rates {
        let rate = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let permissions = Permissions::READ_ALL;
        let callers = [APPLICATION, OTHER, USER, SECOND, USER, Account::Developer].map(|account| match account {
            Account::Anonymous | Account::Developer => Caller::Trusted { me: None },
            Account::Application(application) => Caller::Application { application, permissions },
            Account::User(application, user) => Caller::Delegated { application, user, permissions },
        });
        Rates::new(callers.iter(), rate(application), rate(user), before)
    }

    /// Sends requests until one is beyond the rate. Returns how many there were, and the error.
    fn exhaust(rates: &Rates, account: Account) -> (usize, RateError) {
        (0..).find_map(|count| rates.count(account).err().map(|error| (count, error))).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_has_its_rate_and_is_told_when_the_next_request_may_come() {
        let rates = rates(Some("3/7"), None);
        assert_eq!(exhaust(&rates, APPLICATION), (3, RateError { account: APPLICATION, seconds: 3 }));
        assert_eq!(exhaust(&rates, OTHER).0, 3, "another application has its own");
        // A request comes back every two and a third seconds. What was told is enough, and no whole second less is.
        advance(Duration::from_secs(2)).await;
        assert_eq!(rates.count(APPLICATION).unwrap_err().seconds, 1);
        advance(Duration::from_secs(1)).await;
        assert_eq!(exhaust(&rates, APPLICATION), (1, RateError { account: APPLICATION, seconds: 2 }));
        advance(Duration::from_secs(3600)).await;
        assert_eq!(exhaust(&rates, APPLICATION).0, 3, "nothing is saved up");
        // Whoever does as told is never rejected twice.
        for _ in 0..100 {
            let (_, RateError { seconds, .. }) = exhaust(&rates, APPLICATION);
            advance(Duration::from_secs(seconds.into())).await;
            assert_eq!(rates.count(APPLICATION), Ok(()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_beyond_its_rate_takes_nothing_from_its_application() {
        let rates = rates(Some("10/10"), Some("4/60"));
        for _ in 0..3 {
            assert_eq!(exhaust(&rates, USER).1, RateError { account: USER, seconds: 15 });
        }
        assert_eq!(exhaust(&rates, SECOND).0, 4, "another user has its own");
        assert_eq!(exhaust(&rates, APPLICATION).0, 2, "users count for their application");
        advance(Duration::from_secs(60)).await;
        let of_users = (exhaust(&rates, USER).0, exhaust(&rates, SECOND).0);
        assert_eq!((of_users, exhaust(&rates, APPLICATION).0), ((4, 4), 2));
    }

    /// Otherwise a user who comes back when it was told to would be rejected again, and told another time.
    #[tokio::test(start_paused = true)]
    async fn an_application_beyond_its_rate_takes_nothing_from_its_users() {
        let rates = rates(Some("2/4"), Some("3/360"));
        assert_eq!(exhaust(&rates, APPLICATION).0, 2);
        for _ in 0..100 {
            assert_eq!(rates.count(USER), Err(RateError { account: APPLICATION, seconds: 2 }));
        }
        for left in (0..3).rev() {
            advance(Duration::from_secs(2)).await;
            assert_eq!(rates.count(USER), Ok(()), "{left}");
            assert_eq!(rates.count(USER).unwrap_err().account, if left > 0 { APPLICATION } else { USER });
        }
        // What came back is as much as there was, and no more.
        advance(Duration::from_secs(3600)).await;
        assert_eq!(rates.count(USER), Ok(()));
        assert_eq!((exhaust(&rates, APPLICATION).0, rates.count(USER).unwrap_err().account), (1, APPLICATION));
        advance(Duration::from_secs(4)).await;
        assert_eq!((exhaust(&rates, USER).0, exhaust(&rates, APPLICATION).0), (2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reload_fills_no_bucket_whose_rate_stays() {
        let before = rates(Some("10/100"), Some("3/60"));
        assert_eq!((exhaust(&before, USER).0, exhaust(&before, OTHER).0), (3, 10));
        let after = rates_after(Some(&before), Some("10/100"), Some("5/60"));
        assert_eq!(exhaust(&after, OTHER).0, 0, "the same rate");
        assert_eq!(exhaust(&after, USER).0, 5, "another rate begins anew");
        assert_eq!(exhaust(&after, APPLICATION).0, 2, "what its users sent before counts");
        // A request that began before the reload counts for both.
        advance(Duration::from_secs(10)).await;
        assert_eq!((before.count(OTHER), exhaust(&after, OTHER).0), (Ok(()), 0));
        let none = rates_after(Some(&after), None, None);
        assert_eq!(none.count(OTHER), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_option_and_for_developers_there_is_no_limit() {
        let (none, both) = (rates(None, None), rates(Some("1/1"), Some("1/1")));
        for _ in 0..10_000 {
            assert_eq!((none.count(USER), both.count(Account::Developer)), (Ok(()), Ok(())));
        }
        assert_eq!((none.0.len(), both.0.len()), (0, 4), "as many as accounts that tokens are for");
    }

    #[test]
    fn a_rate_is_a_number_of_requests_and_of_seconds() {
        for text in ["1500/30", "1/180", "20/3600", "1/1", "1000000/1"] {
            assert!(text.parse::<Rate>().is_ok(), "{text}");
        }
        for text in
            ["", "5", "/", "0/1", "1/0", "-1/5", "1/181", "1/1.5", "1500/30s", "4294967295/1", " 1/1", "1/4294967296"]
        {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
