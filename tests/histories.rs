//! Whole random histories, over directories so small that everything collides, against the model: the same answers, the
//! same transitions at the same instants in the same order, the same versions, explanations and deadlines.

mod model;

use core::hash::BuildHasher;
use model::check::{assert_same_directory, happening};
use model::random::{Action, Step, actions, any_lease, any_moment, clock, forwards, history};
use model::{Happening, Rules, instant, millis, policies};
use presence_core::directory::{DefaultHasher, Directory, InlineMemory, Progress};
use presence_core::{Instant, Policy, Presence, Transition};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The library and the model, side by side.
struct Both<const USERS: usize, const SESSIONS: usize, H> {
    real: Directory<u8, u8, SESSIONS, InlineMemory<u8, u8, SESSIONS, USERS>, H>,
    model: model::directory::Directory,
    now: Instant,
    /// The revision and the published presence after each user's latest transition.
    chain: BTreeMap<u8, (u64, Presence)>,
    /// When time last changed what is seen of a user, since its latest command.
    last_change_by_time: BTreeMap<u8, Instant>,
}

impl<const USERS: usize, const SESSIONS: usize, H: BuildHasher> Both<USERS, SESSIONS, H> {
    fn new(policy: Policy, rules: Rules, hasher: H) -> Self {
        Self {
            real: Directory::with_hasher(InlineMemory::new(), policy, hasher),
            model: model::directory::Directory::new(rules, USERS, SESSIONS),
            now: Instant::from_millis(1_000_000_000),
            chain: BTreeMap::new(),
            last_change_by_time: BTreeMap::new(),
        }
    }

    /// One id more than there are places.
    fn ids() -> std::ops::RangeInclusive<u8> {
        0..=USERS as u8
    }

    fn step(&mut self, step: &Step) {
        let deadline = self.model.next_deadline().map(|at| instant(at).as_millis());
        self.now = Instant::from_millis(step.clock.read(self.now.as_millis(), deadline));
        match step.action {
            Action::Command(user, command) => {
                let mut said = Vec::new();
                let answer = self.real.execute(self.now, user, command, |id, transition| said.push((id, *transition)));
                let (happened, expected) = self.model.command(millis(self.now), user, command);
                assert_eq!(answer, expected, "answer");
                self.adopt();
                self.compare(&said, &happened);
                self.last_change_by_time.remove(&user);
            }
            Action::Advance => {
                let mut said = Vec::new();
                let until = loop {
                    match self.real.advance(self.now) {
                        Progress::Changed { user, transition } => said.push((user, transition)),
                        Progress::Working => {}
                        Progress::Idle { until } => break until,
                    }
                };
                let happened = self.model.advance(millis(self.now));
                self.compare(&said, &happened);
                assert_eq!(until, self.model.next_deadline().map(instant), "idle until the exact deadline");
                assert_eq!(self.real.next_deadline(), until);
            }
            Action::AdvanceSome(calls) => {
                for _ in 0..calls {
                    if let Progress::Changed { user, transition } = self.real.advance(self.now) {
                        let happened = self.model.carry_out_next(millis(self.now));
                        self.compare(&[(user, transition)], happened.as_slice());
                    }
                }
            }
            Action::Rebase(to) => self.rebase(Instant::from_millis(to)),
        }
    }

    fn assert_same(&self) {
        assert_same_directory(&self.real, &self.model, Self::ids(), self.now);
    }

    /// Rule V1: where a user starts whose record was reused, or who took another's, is the directory's own affair, as long
    /// as it is above every version the user had. The model goes on from there.
    fn adopt(&mut self) {
        let Some(id) = self.model.reused.take() else { return };
        let real = self.real.get(id).expect("a new user");
        let user = self.model.users.get_mut(&id).expect("a new user");
        let started_at = real.version().checked_sub(user.version).expect("the first transition counts");
        if let Some(had) = self.model.forgotten.get(&id) {
            assert!(started_at > *had, "came back at version {started_at}, had {had} (V1)");
        }
        (user.version, user.revision) = (real.version(), real.revision());
        self.chain.insert(id, (real.revision() - 1, Presence::Offline));
        self.last_change_by_time.remove(&id);
    }

    fn compare(&mut self, said: &[(u8, Transition<u8>)], happened: &[(u8, Happening)]) {
        let said_by_model: Vec<_> = said.iter().map(|(id, transition)| (*id, happening(transition))).collect();
        assert_eq!(said_by_model, happened, "transitions");
        for (id, transition) in said {
            // The chain of a user never breaks: each transition begins with what the one before ended with (V2, M4).
            let (revision, published) = *self.chain.entry(*id).or_insert((0, Presence::Offline));
            assert_eq!((transition.revision(), transition.before()), (revision, published), "the chain breaks");
            self.chain.insert(*id, (revision + 1, transition.after()));
            // Rule S8: by itself, what is seen of a user changes at most once at any one instant.
            use presence_core::Cause::{Expired, Faded, PreferredExpired};
            if transition.is_visible() && matches!(transition.cause(), Expired | Faded | PreferredExpired) {
                let earlier = self.last_change_by_time.insert(*id, transition.at());
                assert_ne!(earlier, Some(transition.at()), "two visible changes at one instant");
            }
        }
    }

    fn rebase(&mut self, to: Instant) {
        let by = millis(to) - millis(self.now);
        if !self.model.users.values().all(|user| user.can_shift(by)) {
            return;
        }
        let is_overdue = self.model.next_deadline().is_some_and(|at| at <= millis(self.now));
        assert_eq!(self.real.rebase(self.now, to).is_err(), is_overdue);
        if !is_overdue {
            for (id, user) in &mut self.model.users {
                user.shift(by);
                if let Some((revision, _)) = self.chain.get_mut(id) {
                    *revision += 1;
                }
            }
            self.last_change_by_time.clear();
            self.now = to;
        }
    }
}

/// Runs a history under every policy.
fn run<const USERS: usize, const SESSIONS: usize, H: BuildHasher + Clone>(steps: &[Step], hasher: H) {
    for (policy, rules) in policies() {
        let mut both: Both<USERS, SESSIONS, H> = Both::new(policy, rules, hasher.clone());
        for step in steps {
            both.step(step);
            both.assert_same();
        }
    }
}

/// Histories with one user more than there are places and one session more than there is room for.
fn steps<const USERS: usize, const SESSIONS: usize>() -> impl Strategy<Value = Vec<Step>> {
    history(40, clock(), actions(USERS as u8 + 1, SESSIONS as u8 + 1))
}

proptest! {
    #![proptest_config(model::cases(256))]

    #[test]
    fn one_user_with_one_session(steps in steps::<1, 1>()) {
        run::<1, 1, _>(&steps, DefaultHasher::new());
    }

    #[test]
    fn one_user_with_many_sessions(steps in steps::<1, 4>()) {
        run::<1, 4, _>(&steps, DefaultHasher::new());
    }

    #[test]
    fn two_users(steps in steps::<2, 2>()) {
        run::<2, 2, _>(&steps, DefaultHasher::new());
    }

    #[test]
    fn three_users(steps in steps::<3, 3>()) {
        run::<3, 3, _>(&steps, DefaultHasher::new());
    }

    #[test]
    fn many_users_with_one_session(steps in steps::<7, 1>()) {
        run::<7, 1, _>(&steps, DefaultHasher::new());
    }

    #[test]
    fn no_room_at_all(steps in steps::<0, 1>()) {
        run::<0, 1, _>(&steps, DefaultHasher::new());
    }

    #[test]
    fn no_room_for_sessions(steps in steps::<2, 0>()) {
        run::<2, 0, _>(&steps, DefaultHasher::new());
    }

    /// Rules C1, C3: no instant and no duration makes anything wrap, or panic.
    #[test]
    fn any_instant_and_any_duration(steps in history(40, any_moment(), any_lease(3, 3))) {
        run::<2, 3, _>(&steps, DefaultHasher::new());
    }

    /// The worst hash there is costs time, and nothing else.
    #[test]
    fn every_hash_the_same(steps in steps::<5, 2>()) {
        run::<5, 2, _>(&steps, SameHash);
    }
}

proptest! {
    #![proptest_config(model::cases(24))]

    /// A crowd: an index and a queue that are deep enough to go wrong, with places for all but a few.
    #[test]
    fn a_crowd(steps in history(400, forwards(), actions(70, 2)), policy in 0usize..5) {
        let (policy, rules) = policies()[policy].clone();
        let mut both: Both<64, 1, _> = Both::new(policy, rules, DefaultHasher::new());
        for (number, step) in steps.iter().enumerate() {
            both.step(step);
            // Everyone is compared now and then; everything that happens, at every step.
            if number % 50 == 0 {
                both.assert_same();
            }
        }
        both.assert_same();
    }

    /// A crowd whose homes are all the same, in a number of places that makes no whole homes, while the clock jumps to and
    /// fro, further than the calendar reaches.
    #[test]
    fn a_crowd_under_one_hash_and_a_clock_that_jumps(steps in history(300, clock(), actions(40, 2))) {
        let (policy, rules) = policies()[0].clone();
        let mut both: Both<37, 1, _> = Both::new(policy, rules, SameHash);
        for (number, step) in steps.iter().enumerate() {
            both.step(step);
            if number % 50 == 0 {
                both.assert_same();
            }
        }
        both.assert_same();
    }
}

#[derive(Clone)]
struct SameHash;

impl BuildHasher for SameHash {
    type Hasher = SameHash;

    fn build_hasher(&self) -> SameHash {
        SameHash
    }
}

impl core::hash::Hasher for SameHash {
    fn finish(&self) -> u64 {
        u64::MAX
    }

    fn write(&mut self, _: &[u8]) {}
}
