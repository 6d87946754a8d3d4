//! When rejected clients are to come back: [`RetrySchedule`] allots the seconds to come, as many clients to each as get in.
//!
//! Official clients wait exactly as many whole seconds as `Retry-After` says, and try three times more. If all were told the
//! same, they would come back at once, as they came, and most would be rejected until they give up.

use super::account::Account;
use std::collections::HashMap;
use std::time::Duration;

/// The part of an account's places that is allotted to clients that come back: of an application's, three quarters of all. The rest
/// is for those who come for the first time.
const RETURNING: f64 = 6.0 / 7.0;
/// The assumed time of a request before any is measured.
const FIRST_HELD: Duration = Duration::from_millis(10);
/// The number of requests over which their time is averaged.
const AVERAGED: u32 = 32;
/// The time without a rejection after which requests in their places are not thought to be stuck.
const QUIET: Duration = Duration::from_secs(2);

/// Virtual queues of the clients that were rejected, pure of clocks: instants are times since the start of the server.
///
/// Each account has its own, so that no client waits for those of another. `None` stands for those whom the whole server rejected.
#[derive(Debug)]
pub struct RetrySchedule {
    /// The mean time for which a request takes a place.
    held: Duration,
    /// The number of requests that were measured, up to [`AVERAGED`].
    measured: u32,
    /// The instants of the first and the last rejection since a request left its place. Those in their places take at least
    /// the time between.
    stuck: Option<(Duration, Duration)>,
    /// The instant up to which returns are allotted, of each queue that has any.
    allotted: HashMap<Option<Account>, Duration>,
}

impl RetrySchedule {
    /// The most seconds that a client is told to wait; Microsoft's Python client waits no longer.
    pub const LONGEST: u8 = 180;

    /// Creates an empty schedule.
    pub fn new() -> Self {
        Self { held: FIRST_HELD, measured: 0, stuck: None, allotted: HashMap::new() }
    }

    /// Records for how long a request took its place.
    pub fn record(&mut self, held: Duration) {
        self.stuck = None;
        self.measured = (self.measured + 1).min(AVERAGED);
        self.held = (self.held * (self.measured - 1) + held) / self.measured;
    }

    /// Returns how many clients may come back to so many places in a second.
    ///
    /// Clients that are told the same second may come at one moment of it. If so, those of several seconds take places at a
    /// time: on average of half a second more than a request takes, and at least of one.
    fn per_second(&self, places: usize) -> f64 {
        let held = self.stuck.map_or(self.held, |(first, last)| self.held.max(last.saturating_sub(first)));
        RETURNING * places.max(1) as f64 / (held.as_secs_f64() + 0.5).max(1.0)
    }

    /// Returns the whole seconds after which a client that is rejected now is to come back: 1 unless there are many.
    ///
    /// `places` is the most that its account can have. If more are waiting than the longest wait has room for, the next are
    /// spread over it once more.
    pub fn next(&mut self, account: Option<Account>, places: usize, now: Duration) -> u8 {
        let stuck = self.stuck.filter(|(_, last)| now.saturating_sub(*last) < QUIET);
        self.stuck = Some((stuck.map_or(now, |(first, _)| first), now));
        if !self.allotted.contains_key(&account) {
            self.allotted.retain(|_, allotted| *allotted > now);
        }
        let mut wait = self.allotted.get(&account).map_or(Duration::ZERO, |allotted| allotted.saturating_sub(now));
        if wait.as_secs() >= Self::LONGEST.into() {
            wait = Duration::ZERO;
        }
        self.allotted.insert(account, now + wait + Duration::from_secs_f64(1.0 / self.per_second(places)));
        u8::try_from(wait.as_secs() + 1).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BinaryHeap;

    /// The requests that an official client sends at most.
    const TRIES: u32 = 4;
    /// What one application gets of 64 places.
    const SHARE: usize = 56;

    /// A linear congruential generator: seeded, so that a failure can be repeated.
    struct Random(u64);

    impl Random {
        /// Returns a number in `0.0..1.0`.
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    fn next(schedule: &mut RetrySchedule, now: Duration) -> u8 {
        schedule.next(None, SHARE, now)
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Event {
        Finished(Duration),
        Arrived(u32),
    }

    /// The outcome of a storm.
    #[derive(Debug, Default)]
    struct Outcome {
        gave_up: u32,
        rejected: u32,
        last: Duration,
    }

    /// Plays clients that come within `burst`, each in want of a place for about `held`, and wait as they are told.
    fn storm(seed: u64, clients: u32, burst: Duration, held: Duration, retry_after: impl Fn(u8) -> u8) -> Outcome {
        let mut random = Random(seed);
        let mut schedule = RetrySchedule::new();
        let mut events: BinaryHeap<_> =
            (0..clients).map(|_| std::cmp::Reverse((burst.mul_f64(random.next()), Event::Arrived(1)))).collect();
        let (mut in_flight, mut outcome) = (0, Outcome::default());
        while let Some(std::cmp::Reverse((now, event))) = events.pop() {
            match event {
                Event::Finished(held) => {
                    in_flight -= 1;
                    schedule.record(held);
                }
                Event::Arrived(_) if in_flight < SHARE => {
                    in_flight += 1;
                    let held = held.mul_f64(0.5 + random.next());
                    events.push(std::cmp::Reverse((now + held, Event::Finished(held))));
                    outcome.last = now;
                }
                Event::Arrived(tries) => {
                    outcome.rejected += 1;
                    let seconds = retry_after(next(&mut schedule, now));
                    assert!((1..=180).contains(&seconds));
                    if tries == TRIES {
                        outcome.gave_up += 1;
                    } else {
                        let back = now + Duration::from_secs(seconds.into());
                        events.push(std::cmp::Reverse((back, Event::Arrived(tries + 1))));
                    }
                }
            }
        }
        outcome
    }

    /// Rejections that follow each other closely say that requests are stuck; others say nothing of them.
    #[test]
    fn requests_are_stuck_while_rejections_follow_closely() {
        let per_second = |pause: Duration| {
            let mut schedule = RetrySchedule::new();
            (0..4).for_each(|number| assert!(next(&mut schedule, pause * number) > 0));
            schedule.per_second(SHARE)
        };
        let (as_measured, closely) = (RetrySchedule::new().per_second(SHARE), QUIET - Duration::from_nanos(1));
        assert_eq!(per_second(closely), RETURNING * SHARE as f64 / ((3 * closely).as_secs_f64() + 0.5));
        assert_eq!((per_second(QUIET), per_second(2 * QUIET)), (as_measured, as_measured));
    }

    #[test]
    fn h1_a_storm_of_4000_clients_gets_in() {
        // Beyond, so many requests take longer than the longest wait.
        for held in [1, 20, 200, 500, 1000, 2000].map(Duration::from_millis) {
            for burst in [0, 100, 1000, 5000].map(Duration::from_millis) {
                for seed in 0..5 {
                    let outcome = storm(seed, 4000, burst, held, |seconds| seconds);
                    assert_eq!(outcome.gave_up, 0, "{held:?} {burst:?} {outcome:?}");
                }
            }
        }
        // The storm is one: with a constant, most clients give up.
        let constant = storm(0, 4000, Duration::ZERO, Duration::from_millis(20), |_| 1);
        assert!(constant.gave_up > 3000, "{constant:?}");
    }

    #[test]
    fn h1_a_storm_is_served_as_fast_as_its_places_allow() {
        // Fast requests of clients that come at once: 48 get in each second.
        let fast = storm(0, 4000, Duration::ZERO, Duration::from_millis(1), |seconds| seconds);
        assert_eq!(fast.rejected, 4000 - SHARE as u32, "nobody is rejected twice");
        assert!((80..90).contains(&fast.last.as_secs()), "{fast:?}");
    }

    #[test]
    fn h1_in_quiet_times_a_client_is_told_one_second() {
        let mut schedule = RetrySchedule::new();
        for now in 0..1000 {
            for _ in 0..40 {
                assert_eq!(next(&mut schedule, Duration::from_secs(now)), 1, "{now}");
                schedule.record(Duration::from_millis(10));
            }
        }
        let mut single = RetrySchedule::new();
        assert_eq!(single.next(None, 1, Duration::ZERO), 1);
    }

    /// Long ago a client was rejected, and nothing was measured since.
    #[test]
    fn h1_a_rejection_of_long_ago_makes_no_one_wait() {
        let mut schedule = RetrySchedule::new();
        for hour in 0..3 {
            let told_one = (0..100).filter(|_| next(&mut schedule, Duration::from_secs(3600 * hour)) == 1).count();
            assert!((48..=49).contains(&told_one), "{told_one}");
        }
    }

    /// The measured time of requests decides how many come back in a second.
    #[test]
    fn h1_slow_requests_let_fewer_come_back() {
        for (held, expected) in [(0, 48), (500, 48), (1000, 32), (2500, 16), (30_000, 1)] {
            let mut schedule = RetrySchedule::new();
            (0..1000).for_each(|_| schedule.record(Duration::from_millis(held)));
            let told_one = (0..100).filter(|_| next(&mut schedule, Duration::ZERO) == 1).count();
            assert!((expected..=expected + 1).contains(&told_one), "{held}: {told_one}");
        }
    }

    #[test]
    fn h1_no_client_is_told_more_than_180_seconds() {
        let mut schedule = RetrySchedule::new();
        let mut counts = [0; 181];
        (0..100_000).for_each(|_| counts[usize::from(schedule.next(None, 4, Duration::ZERO))] += 1);
        let (least, most) = (counts[1..].iter().min().unwrap(), counts[1..].iter().max().unwrap());
        assert!(*least > 300 && *most < 800, "{least} {most}");
    }

    /// One account's thousands of rejected clients cost another's none of its time, and nothing once their turns are over.
    #[test]
    fn h1_no_account_waits_for_another() {
        let (one, two) = (Account::Developer, Account::Application(presence_core::SessionId::from_bytes([1; 16])));
        let mut schedule = RetrySchedule::new();
        let told: Vec<_> = (0..4000).map(|_| schedule.next(Some(one), SHARE, Duration::ZERO)).collect();
        assert_eq!(told.last(), Some(&84));
        for account in [Some(two), None] {
            assert_eq!(schedule.next(account, SHARE, Duration::ZERO), 1);
        }
        assert_eq!(schedule.allotted.len(), 3);
        let three = Account::Application(presence_core::SessionId::from_bytes([2; 16]));
        assert_eq!(schedule.next(Some(three), SHARE, Duration::from_secs(100)), 1);
        assert_eq!(schedule.allotted.len(), 1);
    }
}
