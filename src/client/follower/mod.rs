//! Following a user's presence: when to ask, and what an answer, a failure or silence means.

mod answers;
mod link;
mod stream;

pub use answers::{Reply, Update};
pub use link::Link;

use super::wait::{Pause, back_off, quarter};
use crate::id::UserId;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, Instant, keep_alive_interval};

/// The time between two requests, when nothing is said.
const INTERVAL: Duration = Duration::from_secs(30);
/// The shortest interval.
const SHORTEST: Duration = Duration::from_secs(1);
/// The time to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The next thing to do for a [`Follower`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Step {
    /// Send the request now, and give one up that is still on its way.
    Ask {
        /// True if the request for a feed carries its `Last-Event-ID`; false if it starts over.
        resumes: bool,
    },
    /// Send nothing, and ask again at this moment, or after what is received before it.
    Wait(Instant),
}

/// A follower of one user's presence, which it mirrors in a session of a receiver: a lamp, or another server.
///
/// It says when to ask, and makes commands of what is answered ([F1](crate::rules#f1), [F2](crate::rules#f2)). Requests are
/// an interval apart, of 30 seconds if nothing is said. After failures the pauses double up to four minutes, with up to a
/// quarter more by chance. A `Retry-After` is kept to; one of more than a day counts as a day. Each answer is shown for at
/// least three intervals, so that one lost answer changes nothing, and a network that dies shows by itself.
///
/// Time and chance are arguments. An answer is awaited for ten seconds; one that comes later counts until the next request.
///
/// # Examples
///
/// The loop of a lamp, here over a transport that only pretends:
///
/// ```
/// use presence_core::client::{Follower, Link, Reply, Step};
/// use presence_core::{Instant, Policy, Presence, SingleUser};
///
/// const MIRROR: u8 = 1;
///
/// let mut lamp: SingleUser<u8, 4> = SingleUser::new(Policy::DESK);
/// let mut follower = Follower::new(MIRROR, &Policy::MIRROR);
/// # let random = || 7;
/// # let mut answers = [
/// #     Some(Reply::Presence { presence: Presence::InACall, is_out_of_office: false }),
/// #     None, // lost
/// #     Some(Reply::Presence { presence: Presence::Away, is_out_of_office: false }),
/// # ]
/// # .into_iter();
/// # let mut request = || answers.next().flatten();
/// # let mut shown = Vec::new();
/// let mut now = Instant::ZERO;
/// while now < Instant::from_secs(100) {
///     match follower.next(now, random()) {
///         Step::Ask { .. } => {
///             // Sends `GET /me/presence`; the function of a board returns what came back, if anything did.
///             if let Some(reply) = request() {
///                 let update = follower.answered(now, reply);
///                 follower.show(now, &update, &mut lamp, |_| {})?;
///             }
///         }
///         Step::Wait(until) => now = until, // sleeps
///     }
///     # shown.push((lamp.presence(now), follower.link(now)));
/// }
/// # shown.dedup();
/// # assert_eq!(shown, [(Presence::InACall, Link::Ok), (Presence::Away, Link::Ok)]);
/// # Ok::<(), presence_core::CommandError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Follower<S> {
    session: S,
    policy: &'static Policy,
    interval: Duration,
    /// The user whose events of a feed count; without one, the follower asks again and again.
    user: Option<UserId>,
    /// The pause before the next request.
    pause: Pause,
    /// The time of the newest request.
    asked_at: Instant,
    request: Request,
    /// The failures since an answer was understood.
    failures: u8,
    /// The least pause before a feed is opened again.
    retry: Duration,
    random: u32,
    needs_sign_in: bool,
    /// The time for which the newest answer holds; `None` before the first.
    fresh: Option<Pause>,
    is_out_of_office: bool,
    /// The presence that the receiver's policy does not allow, and that was told.
    rejected: Option<Presence>,
    feed: stream::State,
}

/// The newest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Request {
    /// None, or an answered one.
    None,
    /// Its answer, or the next sign of life of a feed, is awaited for so long.
    Waiting(Pause),
    /// No answer has come in time.
    Late,
}

impl<S> Follower<S> {
    /// Creates a follower that asks at once, and then every 30 seconds, for a receiver with this policy:
    /// [`Policy::MIRROR`] for a lamp.
    #[must_use]
    pub const fn new(session: S, policy: &'static Policy) -> Self {
        Self {
            session,
            policy,
            interval: bounded(INTERVAL, policy),
            user: None,
            pause: Pause::NONE,
            asked_at: Instant::ZERO,
            request: Request::None,
            failures: 0,
            retry: stream::RETRY,
            random: 0,
            needs_sign_in: false,
            fresh: None,
            is_out_of_office: false,
            rejected: None,
            feed: stream::State::NEW,
        }
    }

    /// Sets the time between two requests: one second at least, and a third of the policy's longest lease at most.
    #[must_use]
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = bounded(interval, self.policy);
        self
    }

    /// Follows a feed of changes of many users instead of asking again and again; events of this user count.
    ///
    /// Call [`heard`](Self::heard) for each event. The feed is silent after one and a half intervals without any, so the
    /// interval must be as long as that between two comments of the server, or longer.
    #[must_use]
    pub const fn with_feed(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// Returns the time between two requests.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// Returns the time for which an answer is shown: three intervals, more if they are shorter than a lost answer takes, and
    /// what the policy allows.
    #[must_use]
    pub fn lease(&self) -> Duration {
        let Self { interval, policy, .. } = *self;
        let two = interval.saturating_add(interval);
        // The next request, of which nothing is heard, another with the most that chance adds, and its answer.
        let one_lost = two.saturating_add(quarter(interval)).saturating_add(PATIENCE).saturating_add(PATIENCE);
        two.saturating_add(interval).max(one_lost).max(policy.leases.shortest).min(policy.leases.longest)
    }

    /// Returns what to do at `now`. `random` is any number, for the pauses after failures.
    ///
    /// The caller sends the request, and calls [`answered`](Self::answered) or [`failed`](Self::failed). Silence is noticed
    /// here.
    pub fn next(&mut self, now: Instant, random: u32) -> Step {
        self.random = random;
        if let Request::Waiting(patience) = self.request {
            if !patience.is_over(now) {
                return Step::Wait(patience.end());
            }
            self.fail(now);
            self.request = Request::Late;
        }
        if self.needs_sign_in {
            return Step::Wait(Instant::NEVER);
        }
        if !self.pause.is_over(now) {
            return Step::Wait(self.pause.end());
        }
        self.asked_at = now;
        self.pause = Pause::new(now, self.interval);
        self.request = Request::Waiting(Pause::new(now, PATIENCE));
        Step::Ask { resumes: self.feed.resumes() }
    }

    /// Records a request that failed: no connection, or none any more.
    pub fn failed(&mut self, now: Instant) {
        if let Request::Waiting(_) = self.request {
            self.fail(now);
        }
        self.request = Request::None;
    }

    /// Counts a failure, and makes the pause longer.
    fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let (begin, first) = match self.user {
            // Requests are that far apart, however long each has taken.
            None => (self.asked_at, self.interval),
            Some(_) => (now, self.retry),
        };
        self.pause = Pause::new(begin, back_off(first, self.failures, self.random));
    }
}

/// Returns the interval, within what the policy allows.
const fn bounded(interval: Duration, policy: &Policy) -> Duration {
    let longest = policy.leases.longest;
    let third = longest.saturating_sub(keep_alive_interval(longest));
    let millis = interval.as_millis();
    if millis < SHORTEST.as_millis() {
        SHORTEST
    } else if millis > third.as_millis() && third.as_millis() >= SHORTEST.as_millis() {
        third
    } else {
        interval
    }
}
