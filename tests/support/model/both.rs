//! The library and the model, step by step: the same results, the same transitions at the same instants in the same order,
//! the same versions, explanations and deadlines.

use super::check::{assert_same_directory, happening};
use super::log::Log;
use super::random::{Action, Step};
use super::{Happening, Rules, instant, millis};
use core::hash::BuildHasher;
use presence_core::directory::{DecideError, Directory, InlineDirectory, InlineMemory, Progress};
use presence_core::{Command, Instant, Policy, Presence, Transition, User};
use std::collections::{BTreeMap, VecDeque};

/// The number of earlier decisions that are remembered.
const REMEMBERED: usize = 24;

/// A decision of an earlier moment.
struct Decision<const SESSIONS: usize> {
    user: u8,
    transition: Transition<u8>,
    /// The record it is about; that of a user without a slot is a new one.
    record: User<u8, SESSIONS>,
    /// The clock was shifted since.
    is_over: bool,
}

/// The library and the model, in parallel.
pub struct Both<const USERS: usize, const SESSIONS: usize, H> {
    pub real: InlineDirectory<u8, u8, SESSIONS, USERS, H>,
    pub model: super::directory::Directory,
    pub now: Instant,
    /// The visible changes of each user. Rule V2.
    log: Log,
    /// The revision and the published presence after each user's latest transition.
    chain: BTreeMap<u8, (u64, Presence)>,
    /// The time of each user's latest visible change by itself, since its latest command.
    last_change_by_time: BTreeMap<u8, Instant>,
    is_rebased: bool,
    /// Decisions that were not applied when they were made.
    decisions: VecDeque<Decision<SESSIONS>>,
}

impl<const USERS: usize, const SESSIONS: usize, H: BuildHasher> Both<USERS, SESSIONS, H> {
    pub fn new(policy: Policy, rules: Rules, hasher: H) -> Self {
        Self {
            real: Directory::with_hasher(InlineMemory::new(), policy, hasher),
            model: super::directory::Directory::new(rules, USERS, SESSIONS),
            now: Instant::from_millis(1_000_000_000),
            log: Log::default(),
            chain: BTreeMap::new(),
            last_change_by_time: BTreeMap::new(),
            is_rebased: false,
            decisions: VecDeque::new(),
        }
    }

    /// One id more than there are slots.
    pub fn ids() -> std::ops::RangeInclusive<u8> {
        0..=USERS as u8
    }

    pub fn step(&mut self, step: &Step) {
        let deadline = self.model.next_deadline().map(|at| instant(at).as_millis());
        self.now = Instant::from_millis(step.clock.read(self.now.as_millis(), deadline));
        match step.action {
            Action::Command(user, command) => self.command(user, command, None),
            Action::CommandUnder(user, command, number) => {
                let own = super::beside(self.real.policy(), &self.model.rules, number);
                self.command(user, command, Some(own));
            }
            Action::Advance => {
                let mut said = Vec::new();
                let on_change = |user, transition| said.push((user, transition));
                let until = crate::advance_until_idle(&mut self.real, self.now, on_change);
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
            Action::Hold(user) => {
                let mut said = Vec::new();
                let result = self.real.pin(self.now, user, |id, transition| said.push((id, *transition)));
                let (happened, expected) = self.model.pin(millis(self.now), user);
                assert_eq!(result, expected, "result");
                self.adopt();
                if result.is_ok() {
                    self.chain.entry(user).or_insert((0, Presence::Offline));
                }
                self.compare(&said, &happened);
            }
            Action::Release(user, changes) => {
                self.real.unpin(user, changes);
                self.model.unpin(user, changes);
                if let Some((revision, _)) = self.chain.get_mut(&user) {
                    *revision += changes;
                }
            }
            Action::NoteChange(user) => {
                let has_place = self.model.users.contains_key(&user);
                assert_eq!(self.real.record_external_change(user), has_place);
                if has_place {
                    self.log.note(user);
                }
            }
            Action::Erase(user) => self.erase(user),
        }
        self.log.evict(&self.real);
        self.apply_earlier_decisions();
    }

    /// Decides the same command for every user, to be tried again later.
    fn decide_for_all(&mut self, command: Command<u8>) {
        for user in Self::ids() {
            if let Ok(Some(transition)) = self.real.decide(self.now, user, command) {
                let new = || User::with_version(transition.revision());
                let record = self.real.get(user).cloned().unwrap_or_else(new);
                self.decisions.push_back(Decision { user, transition, record, is_over: false });
            }
        }
        let forgotten = self.decisions.len().saturating_sub(REMEMBERED);
        self.decisions.drain(..forgotten);
    }

    /// Rule V2: a decision is stale as soon as its user's record is another one, be it that something was applied, that the
    /// slot was given to others and back, or that the clock was shifted. That it changes nothing is seen when both are compared.
    fn apply_earlier_decisions(&mut self) {
        for decision in &self.decisions {
            let is_other = self.real.get(decision.user).is_some_and(|record| *record != decision.record);
            if decision.is_over || is_other {
                let result = self.real.apply(decision.user, &decision.transition);
                assert!(result.is_err(), "a decision about what is no more is applied (V2): {:?}", decision.transition);
            }
        }
    }

    fn command(&mut self, user: u8, command: Command<u8>, own: Option<(Policy, Rules)>) {
        let (mut said, now) = (Vec::new(), self.now);
        self.decide_for_all(command);
        let on_change = |id, transition: &Transition<u8>| said.push((id, *transition));
        let (decided, result) = match &own {
            None => (self.real.decide(now, user, command), self.real.execute(now, user, command, on_change)),
            Some((policy, _)) => (
                self.real.decide_under(now, user, command, policy),
                self.real.execute_under(now, user, command, policy, on_change),
            ),
        };
        let (happened, expected) = self.model.command(millis(now), user, command, own.as_ref().map(|(_, rules)| rules));
        assert_eq!(result, expected, "result");
        // A decision by itself is the same, unless something is due first.
        match decided {
            Ok(own) => assert_eq!((said.last().map(|(_, own)| *own), result), (own, Ok(()))),
            Err(DecideError::Rejected(error)) => assert_eq!(result, Err(error)),
            Err(_) => {}
        }
        self.adopt();
        self.compare(&said, &happened);
        self.last_change_by_time.remove(&user);
    }

    fn erase(&mut self, user: u8) {
        let mut said = Vec::new();
        let has_slot = self.real.erase(self.now, user, |id, transition| said.push((id, *transition)));
        let erased = self.model.erase(millis(self.now), user);
        assert_eq!(has_slot, erased.is_some());
        let Some((happened, is_visible)) = erased else { return };
        self.compare(&said, &happened);
        if is_visible {
            self.log.note(user);
        }
        let (revision, _) = self.chain[&user];
        self.chain.insert(user, (revision + 1, Presence::Offline));
        self.last_change_by_time.remove(&user);
    }

    pub fn assert_same(&self) {
        assert_same_directory(&self.real, &self.model, Self::ids(), self.now);
        let (count, evicted) = (self.log.count, self.log.evicted);
        for cursor in [0, evicted.saturating_sub(1), evicted, count / 2, count] {
            self.log.assert_same_since(&self.real, cursor);
        }
    }

    /// Rule V1: where a user starts is the directory's own affair once a user was evicted, or the clock was shifted, as long
    /// as it is above every version the user had. The model goes on from there.
    fn adopt(&mut self) {
        let Some(id) = self.model.new_user.take() else { return };
        let real = self.real.get(id).expect("a new user");
        let user = self.model.users.get_mut(&id).expect("a new user");
        let started_at = real.version().checked_sub(user.version).expect("the first transition counts");
        assert_eq!(real.revision(), started_at + user.revision, "version and revision start at one number");
        if let Some((version, revision)) = self.model.evicted.get(&id) {
            assert!(started_at > *version, "came back at version {started_at}, had {version} (V1)");
            assert!(started_at > *revision, "came back at revision {started_at}, had {revision} (V2)");
        } else if self.model.evicted.is_empty() && !self.is_rebased {
            assert_eq!(started_at, 0, "no user starts above nothing");
        }
        (user.version, user.revision) = (real.version(), real.revision());
        self.chain.insert(id, (started_at, Presence::Offline));
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
            if transition.is_visible() {
                self.log.note(*id);
            }
            // Rule S8: by itself, the published presence of a user changes at most once at any one instant.
            use presence_core::Cause::{Expired, Faded, PreferredExpired};
            if transition.is_visible() && matches!(transition.cause(), Expired | Faded | PreferredExpired) {
                let earlier = self.last_change_by_time.insert(*id, transition.at());
                assert_ne!(earlier, Some(transition.at()), "two visible changes at one instant");
            }
        }
    }

    fn rebase(&mut self, to: Instant) {
        let by = millis(to) - millis(self.now);
        let is_overdue = self.model.next_deadline().is_some_and(|at| at <= millis(self.now));
        assert_eq!(self.real.rebase(self.now, to).is_err(), is_overdue);
        if !is_overdue {
            self.model.shift(by);
            self.is_rebased = true;
            for id in self.model.users.keys() {
                if let Some((revision, _)) = self.chain.get_mut(id) {
                    *revision += 1;
                }
            }
            self.last_change_by_time.clear();
            self.decisions.iter_mut().for_each(|decision| decision.is_over = true);
            self.now = to;
        }
    }
}

/// The worst hash there is.
#[derive(Clone)]
pub struct SameHash;

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
