//! Crowds in directories large enough for a calendar of many windows and for several buckets: rules S8, S9, M4, M5, C1 to
//! C3 between users. Single users are modelled by the pure decisions, which other tests compare with the rules.

use support::model;

use core::hash::{BuildHasher, BuildHasherDefault};
use presence_core::directory::{BoxedDirectory, BoxedMemory, DefaultHasher, Directory, Progress};
use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence, Transition, User, decide, next_due};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const POLICY: Policy = model::ANYTHING;
const SESSIONS: usize = 2;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 24 * 60 * MINUTE;

type Record = User<u8, SESSIONS>;

/// The records of all users, and their deadlines: a directory without its memory.
struct Model {
    slots: usize,
    users: BTreeMap<u16, Record>,
    due: BTreeSet<(Instant, u16)>,
}

impl Model {
    fn put(&mut self, id: u16, user: Record) {
        self.remove(id);
        self.due.extend(user.next_deadline().map(|deadline| (deadline, id)));
        self.users.insert(id, user);
    }

    fn remove(&mut self, id: u16) {
        if let Some(deadline) = self.users.remove(&id).and_then(|old| old.next_deadline()) {
            self.due.remove(&(deadline, id));
        }
    }

    /// Applies the first due transition, by deadline, then id. Rule S8.
    fn advance_next(&mut self, now: Instant) -> Option<(u16, Transition<u8>)> {
        let (_, id) = *self.due.first()?;
        self.advance_next_of(id, now)
    }

    fn advance_next_of(&mut self, id: u16, now: Instant) -> Option<(u16, Transition<u8>)> {
        let mut user = self.users.get(&id)?.clone();
        let transition = next_due(&user, now, &POLICY)?;
        user.apply(&transition).unwrap();
        self.put(id, user);
        Some((id, transition))
    }

    /// Returns the user with nothing stored whose presence has not changed for longest. Rule M5.
    fn first_evictable(&self) -> Option<u16> {
        let empty = self.users.iter().filter(|(_, user)| user.is_empty());
        empty.map(|(id, user)| (user.since().unwrap_or(Instant::ZERO), *id)).min().map(|(_, id)| id)
    }

    /// Makes sure of a free slot, if need be by evicting a user.
    fn free_slot(&mut self) -> bool {
        if self.users.len() < self.slots {
            return true;
        }
        let evicted = self.first_evictable();
        if let Some(id) = evicted {
            self.remove(id);
        }
        evicted.is_some()
    }
}

/// The directory and the model, in parallel.
struct Both<H> {
    real: BoxedDirectory<u16, u8, SESSIONS, H>,
    model: Model,
    now: Instant,
}

impl<H: BuildHasher> Both<H> {
    fn new(slots: usize, hasher: H) -> Self {
        let real = Directory::with_hasher(BoxedMemory::new(slots), POLICY, hasher);
        assert_eq!(real.capacity(), slots);
        let model = Model { slots, users: BTreeMap::new(), due: BTreeSet::new() };
        Self { real, model, now: Instant::from_millis(1_000_000_000) }
    }

    fn command(&mut self, id: u16, command: Command<u8>) {
        let now = self.now;
        let mut said = Vec::new();
        let result = self.real.execute(now, id, command, |id, transition| said.push((id, *transition)));
        let mut said = said.into_iter();
        let expected = if self.model.users.contains_key(&id) {
            while let Some(happened) = self.model.advance_next_of(id, now) {
                assert_eq!(said.next(), Some(happened), "its own user is brought up to date");
            }
            let mut user = self.model.users[&id].clone();
            let decided = decide(user.at(now).unwrap(), command, &POLICY);
            if let Ok(Some(transition)) = decided {
                assert_eq!(said.next(), Some((id, transition)));
                user.apply(&transition).unwrap();
                self.model.put(id, user);
            }
            decided.map(drop)
        } else {
            let fresh = Record::new();
            match decide(fresh.at(now).unwrap(), command, &POLICY) {
                Ok(Some(first)) => {
                    if self.model.users.len() == self.model.slots {
                        while let Some(happened) = self.model.advance_next(now) {
                            assert_eq!(said.next(), Some(happened), "due transitions are applied first (S9)");
                        }
                    }
                    if self.model.free_slot() {
                        let (to, transition) = said.next().expect("the new user's first transition");
                        assert_eq!((to, transition.at(), transition.after()), (id, now, first.after()));
                        self.adopt(id);
                        Ok(())
                    } else {
                        Err(CommandError::UsersFull)
                    }
                }
                decided => decided.map(drop),
            }
        };
        assert_eq!(result, expected, "result");
        assert_eq!(said.next(), None, "nothing else happened");
    }

    /// Copies a new user, whose version the directory chooses, as other tests check; the model goes on from there.
    fn adopt(&mut self, id: u16) {
        self.model.put(id, self.real.get(id).expect("the new user has a slot").clone());
    }

    /// Rule S8; and that however much is due or out of date, the end is reached.
    fn advance_until_idle(&mut self) {
        let mut calls = 0;
        let mut happened = 0;
        let until = loop {
            calls += 1;
            match self.real.advance(self.now) {
                Progress::Changed { user, transition } => {
                    assert_eq!(Some((user, transition)), self.model.advance_next(self.now));
                    happened += 1;
                }
                Progress::Working => {}
                Progress::Idle { until } => break until,
            }
            assert!(calls < 3 * happened + 4 * self.model.slots + 100, "no end after {calls} calls");
        };
        assert_eq!(self.model.advance_next(self.now), None, "something that is due was left out");
        let expected = self.model.due.first().map(|(deadline, _)| *deadline);
        assert_eq!((until, self.real.next_deadline()), (expected, expected), "exact once idle");
    }

    fn step(&mut self, step: &Step) {
        let now = self.now.as_millis();
        self.now = Instant::from_millis(match step.clock {
            Clock::Ahead(by) => now.saturating_add(by),
            Clock::Back(by) => now.saturating_sub(by),
            Clock::To(at) => at,
            Clock::ToDeadline(offset) => {
                let first = self.model.due.first().map_or(now, |(deadline, _)| deadline.as_millis());
                first.saturating_add_signed(offset.into())
            }
        });
        match &step.action {
            Action::Command(id, command) => self.command(*id, *command),
            Action::Range(ids, command) => ids.clone().for_each(|id| self.command(id, *command)),
            Action::Advance => self.advance_until_idle(),
            Action::AdvanceSome(calls) => {
                for _ in 0..*calls {
                    if let Progress::Changed { user, transition } = self.real.advance(self.now) {
                        assert_eq!(Some((user, transition)), self.model.advance_next(self.now));
                    }
                }
            }
            Action::Insert(id, like) => {
                // An inserted user comes with the record of another user.
                let user = self.model.users.get(like).map_or_else(Record::new, Clone::clone);
                let has_slot = self.model.users.contains_key(id) || self.model.free_slot();
                assert_eq!(self.real.insert(*id, user.clone()).is_ok(), has_slot);
                if has_slot {
                    self.model.put(*id, user);
                }
            }
            Action::Rebase(to) => {
                let to = Instant::from_millis(*to);
                let is_overdue = self.model.due.first().is_some_and(|(deadline, _)| *deadline <= self.now);
                assert_eq!(self.real.rebase(self.now, to).is_err(), is_overdue);
                if !is_overdue {
                    let users = core::mem::take(&mut self.model.users);
                    self.model.due.clear();
                    for (id, mut user) in users {
                        user.rebase(self.now, to).unwrap();
                        self.model.put(id, user);
                    }
                    self.now = to;
                }
            }
        }
        let promised = self.real.next_deadline();
        if let Some((first, _)) = self.model.due.first() {
            assert!(promised.is_some_and(|promised| promised <= *first), "{promised:?} is later than {first:?}");
        }
    }

    fn assert_same(&self) {
        assert_eq!(self.real.len(), self.model.users.len());
        let real: BTreeMap<_, _> = self.real.users().map(|(id, user)| (id, user.clone())).collect();
        assert_eq!(real, self.model.users);
        for (id, user) in &self.model.users {
            assert_eq!(self.real.get(*id), Some(user));
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Clock {
    Ahead(u64),
    Back(u64),
    To(u64),
    ToDeadline(i8),
}

#[derive(Clone, Debug)]
enum Action {
    Command(u16, Command<u8>),
    /// The same command to each of them.
    Range(core::ops::Range<u16>, Command<u8>),
    Advance,
    AdvanceSome(u8),
    /// A user from elsewhere, whose record is like that of another.
    Insert(u16, u16),
    Rebase(u64),
}

#[derive(Clone, Debug)]
struct Step {
    clock: Clock,
    action: Action,
}

fn clock() -> impl Strategy<Value = Clock> {
    let end = u64::MAX - 200 * MINUTE..=u64::MAX;
    prop_oneof![
        6 => Just(Clock::Ahead(0)),
        6 => (0..=30 * SECOND).prop_map(Clock::Ahead),
        4 => (0..=10 * MINUTE).prop_map(Clock::Ahead),
        4 => (-1i8..=1).prop_map(Clock::ToDeadline),
        // Beyond a year of the calendar.
        1 => (60 * MINUTE..=200 * MINUTE).prop_map(Clock::Ahead),
        1 => (0..=200 * MINUTE).prop_map(Clock::Back),
        1 => prop_oneof![Just(0), Just(1_000_000_000), Just(10 * DAY), end].prop_map(Clock::To),
    ]
}

fn duration() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        3 => Just(5 * MINUTE),
        3 => 0..=10 * MINUTE,
        2 => 0..=180 * MINUTE,
        1 => prop_oneof![Just(0), Just(DAY), Just(u64::MAX), Just(u64::MAX - 1_000_000_000)],
    ]
    .prop_map(|millis| Some(Duration::from_millis(millis)))
}

fn command() -> impl Strategy<Value = Command<u8>> {
    let presence = proptest::sample::select(&[Presence::Available, Presence::InACall, Presence::Away][..]);
    let session = 0..=SESSIONS as u8;
    prop_oneof![
        8 => (session.clone(), presence.clone(), duration())
            .prop_map(|(session, presence, lease)| Command::SetPresence { session, presence, lease }),
        3 => session.prop_map(|session| Command::ClearPresence { session }),
        2 => (presence, duration()).prop_map(|(presence, duration)| Command::SetPreferredPresence { presence, duration }),
        1 => Just(Command::ClearPreferredPresence),
    ]
}

/// Steps of a few users more than there are slots.
fn steps(slots: u16) -> impl Strategy<Value = Vec<Step>> {
    let ids = 0..slots + slots / 8 + 2;
    let (one, other) = (ids.clone(), ids.clone());
    let action = prop_oneof![
        24 => (ids.clone(), command()).prop_map(|(id, command)| Action::Command(id, command)),
        2 => (ids.clone(), 0..=slots / 2, command())
            .prop_map(|(first, number, command)| Action::Range(first..first + number, command)),
        3 => Just(Action::Advance),
        3 => (1u8..20).prop_map(Action::AdvanceSome),
        1 => (one, other).prop_map(|(id, like)| Action::Insert(id, like)),
        1 => prop_oneof![Just(0), 0..DAY, Just(u64::MAX - 90 * MINUTE)].prop_map(Action::Rebase),
    ];
    proptest::collection::vec((clock(), action).prop_map(|(clock, action)| Step { clock, action }), 1..400)
}

/// A number of slots, and a history.
fn history() -> impl Strategy<Value = (usize, Vec<Step>)> {
    let slots = prop_oneof![
        1 => proptest::sample::select(&[0u16, 1, 2, 3, 7, 8, 9, 16, 37][..]),
        2 => proptest::sample::select(&[64u16, 100, 257, 1000][..]),
    ];
    slots.prop_flat_map(|slots| (Just(usize::from(slots)), steps(slots)))
}

fn run<H: BuildHasher>((slots, steps): (usize, Vec<Step>), hasher: H) {
    let mut both = Both::new(slots, hasher);
    for (number, step) in steps.iter().enumerate() {
        both.step(step);
        if number % 40 == 0 {
            both.assert_same();
        }
    }
    both.assert_same();
    both.advance_until_idle();
    both.now = Instant::NEVER;
    both.advance_until_idle();
    both.assert_same();
}

proptest! {
    #![proptest_config(model::cases(64))]

    #[test]
    fn s8_a_crowd_and_a_clock_that_jumps(history in history()) {
        run(history, BuildHasherDefault::<DefaultHasher>::new());
    }

    /// All users hash to few buckets, and few of them have a fingerprint of their own.
    #[test]
    fn s8_a_crowd_with_few_hashes(history in history(), mask in proptest::sample::select(&HASHES[..])) {
        run(history, FewHashes { mask, hash: 0 });
    }
}

/// The bits of a hash that differ between users: none; those of a few buckets and no fingerprint; those of the fingerprint
/// alone, where the marks of a free slot and of an overflow are fingerprints as well.
const HASHES: [u64; 4] = [0, 0xC000_0000_8000_0000, 0x0000_0003_0000_0000, 0x8000_0001_0000_0000];

#[derive(Clone)]
struct FewHashes {
    mask: u64,
    hash: u64,
}

impl BuildHasher for FewHashes {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        self.clone()
    }
}

impl core::hash::Hasher for FewHashes {
    fn finish(&self) -> u64 {
        self.hash & self.mask
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        }
    }
}
