//! A directory together with a model of its users. Every result is compared with the model.

use super::digest::Digest;
use super::person::{Event, NEVER, Person, SESSIONS};
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory, Progress};
use presence_core::{Cause, Command, CommandError, Instant, Policy, Transition, User};
use std::collections::BTreeSet;

pub type Real = BoxedDirectory<u32, u8, SESSIONS>;

/// The slots of the directory, and the ids of users: the last few hundred are visitors, who take slots of evicted users.
pub const SLOTS: usize = 10_000;
pub const IDS: usize = 10_300;

/// An entry of the journal, from which a restart continues.
pub enum Entry {
    Applied(u32, Transition<u8>),
    Evicted(u32),
    /// A user inserted again, whose numbers start here.
    Inserted(u32, u64),
    Rebased {
        from: u64,
        to: u64,
    },
}

pub struct World {
    pub real: Real,
    pub people: Vec<Option<Person>>,
    pub present: usize,
    /// The users with nothing stored, the longest unchanged first. Rule M5.
    empty: BTreeSet<(u64, u32)>,
    pub now: u64,
    /// The version of each user when it was evicted (V1).
    pub last_version: Vec<u64>,
    /// A number above those of all evicted users.
    pub start: u64,
    /// The users evicted by an earlier directory.
    pub evicted_before: Vec<bool>,
    /// The number of visible changes (V2).
    pub changes: u64,
    /// The latest change of each user.
    pub latest: Vec<u64>,
    /// The latest change of an evicted user.
    pub evicted: u64,
    pub journal: Vec<Entry>,
    pub digest: Digest,
    pub counts: Counts,
}

/// The numbers of events, to be sure that they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub commands: u64,
    pub rejected: u64,
    pub due: u64,
    pub visible: u64,
    pub reused: u64,
    pub restarts: u64,
    pub lost: u64,
    pub start_over: u64,
    pub read: u64,
}

pub fn directory() -> Real {
    Directory::new(BoxedMemory::new(SLOTS), Policy::GRAPH)
}

fn event(transition: &Transition<u8>) -> Event {
    Event {
        at: transition.at().as_millis(),
        revision: transition.revision(),
        before: transition.before(),
        after: transition.after(),
        cause: transition.cause(),
    }
}

const fn is_due(cause: Cause) -> bool {
    matches!(cause, Cause::Faded | Cause::Expired | Cause::PreferredExpired)
}

impl World {
    pub fn new(now: u64) -> Self {
        Self {
            real: directory(),
            people: vec![None; IDS],
            present: 0,
            empty: BTreeSet::new(),
            now,
            last_version: vec![0; IDS],
            start: 0,
            evicted_before: vec![false; IDS],
            changes: 0,
            latest: vec![0; IDS],
            evicted: 0,
            journal: Vec::new(),
            digest: Digest::new(),
            counts: Counts::default(),
        }
    }

    pub fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// Changes a user in the model, and updates the list of users with nothing stored.
    fn change<R>(&mut self, id: u32, make: impl FnOnce(&mut Person) -> R) -> R {
        let person = self.people[id as usize].as_mut().expect("a user with a slot");
        let before = person.empty_since();
        let result = make(person);
        let after = person.empty_since();
        if before != after {
            before.map(|since| self.empty.remove(&(since, id)));
            self.empty.extend(after.map(|since| (since, id)));
        }
        result
    }

    /// Rebuilds the list of users with nothing stored.
    pub fn count_empty(&mut self) {
        let people = self.people.iter().enumerate();
        self.empty = people.filter_map(|(id, person)| Some((person.as_ref()?.empty_since()?, id as u32))).collect();
    }

    /// Records a transition that was found correct.
    fn record(&mut self, id: u32, transition: &Transition<u8>) {
        if transition.is_visible() {
            self.changes += 1;
            self.counts.visible += 1;
            self.latest[id as usize] = self.changes;
        }
        self.digest.transition(id, transition);
        self.journal.push(Entry::Applied(id, *transition));
    }

    /// Checks a due transition: it is the first one due of its user, at its own instant, and continues the chain. Rules M4, S8,
    /// V1, V2.
    fn check_due(&mut self, id: u32, transition: &Transition<u8>) {
        let now = self.now;
        let expected = self.change(id, Person::advance);
        assert_eq!(expected, Some(event(transition)), "of {id}");
        assert!(transition.at().as_millis() <= now, "too early");
        self.counts.due += 1;
        self.record(id, transition);
    }

    /// Applies everything due, in order, and checks that nothing is late or missing and that the next deadline is exact.
    pub fn advance(&mut self) {
        assert!(self.advance_some(u64::MAX), "it ends");
    }

    /// Does so in at most so many calls, and reports whether nothing is left.
    pub fn advance_some(&mut self, calls: u64) -> bool {
        let mut last = (0, 0);
        let mut calls_for_nothing = 0;
        for _ in 0..calls {
            match self.real.advance(self.at()) {
                Progress::Changed { user, transition } => {
                    let this = (transition.at().as_millis(), user);
                    assert!(last <= this, "{last:?} before {this:?}: by deadline, then by id (S8)");
                    last = this;
                    self.check_due(user, &transition);
                    calls_for_nothing = 0;
                }
                Progress::Working => {
                    calls_for_nothing += 1;
                    assert!(calls_for_nothing < 4 * SLOTS, "bounded work");
                }
                Progress::Idle { until } => {
                    let deadlines = self.people.iter().flatten().map(|person| person.deadline);
                    let first = deadlines.min().unwrap_or(NEVER);
                    assert!(first > self.now, "something is missing");
                    assert_eq!(until.map_or(NEVER, Instant::as_millis), first, "exact once idle");
                    return true;
                }
            }
        }
        false
    }

    /// Executes a command of a user, with everything due before it.
    pub fn command(&mut self, id: u32, command: Command<u8>) {
        let index = id as usize;
        if self.people[index].is_none() && self.evicted_before[index] {
            self.insert_again(id);
        }
        let mut transitions = std::mem::take(&mut self.digest.buffer);
        let result = self.real.execute(self.at(), id, command, |id, transition| transitions.push((id, *transition)));
        self.check_command(id, command, result, &transitions);
        transitions.clear();
        self.digest.buffer = transitions;
    }

    /// Executes commands of many users in one batch.
    pub fn command_all(&mut self, commands: &[(u32, Command<u8>)]) {
        let mut transitions = std::mem::take(&mut self.digest.buffer);
        let mut results = Vec::with_capacity(commands.len());
        let mut ranges = Vec::with_capacity(commands.len());
        self.real.execute_batch(
            Instant::from_millis(self.now),
            commands,
            |id, transition| transitions.push((id, *transition)),
            |_, result| results.push(result),
        );
        // A command's own transition is the last one of its execution.
        let mut first = 0;
        for (index, (id, _)) in commands.iter().enumerate() {
            let rest = &transitions[first..];
            let its_own = rest.iter().take_while(|(of, _)| of == id);
            let own = its_own.clone().position(|(_, transition)| !is_due(transition.cause()));
            let length = if results[index].is_ok() { own.map_or(0, |own| own + 1) } else { its_own.count() };
            ranges.push(first..first + length);
            first += length;
        }
        assert_eq!(first, transitions.len(), "every transition belongs to a command");
        for (((id, command), result), range) in commands.iter().zip(results).zip(ranges) {
            self.check_command(*id, *command, result, &transitions[range]);
        }
        transitions.clear();
        self.digest.buffer = transitions;
    }

    /// Checks the transitions and the result of a command.
    fn check_command(
        &mut self,
        id: u32,
        command: Command<u8>,
        result: Result<(), CommandError>,
        transitions: &[(u32, Transition<u8>)],
    ) {
        let (now, index) = (self.now, id as usize);
        self.counts.commands += 1;
        self.counts.rejected += u64::from(result.is_err());
        let own = transitions.last().filter(|(_, transition)| !is_due(transition.cause()));
        let before = &transitions[..transitions.len() - usize::from(own.is_some())];
        for (of, transition) in before {
            self.check_due(*of, transition);
        }
        let is_new = self.people[index].is_none();
        let deadline = self.people[index].as_ref().map_or(NEVER, |person| person.deadline);
        assert!(deadline > now, "a command before what is due (S8)");
        let start = own.filter(|_| is_new).map(|(_, transition)| transition.revision());
        assert!(
            start.is_none_or(|start| self.last_version[index] == 0 || start > self.last_version[index]),
            "{id}: an old version (V1)"
        );
        let expected = if is_new {
            // A new user, if a slot is free and anything changes.
            let mut person = Person::with_version(start.unwrap_or(0));
            match person.command(now, command) {
                Ok(Some(_)) if self.is_full() => Err(CommandError::UsersFull),
                Ok(Some(event)) => {
                    self.take_slot(id, person);
                    Ok(Some(event))
                }
                other => other,
            }
        } else {
            self.change(id, |person| person.command(now, command))
        };
        assert_eq!(result, expected.map(drop), "{command:?} to {id}");
        let expected = expected.ok().flatten().map(|event| (id, event));
        assert_eq!(own.map(|(of, transition)| (*of, event(transition))), expected);
        if let Some((_, transition)) = own {
            self.record(id, transition);
        }
    }

    /// Reports whether no slot is free and none can be reused.
    fn is_full(&self) -> bool {
        self.present == SLOTS && self.empty.is_empty()
    }

    /// Gives a new user a slot: an unused one, or that of the user with nothing stored unchanged for longest. Rule M5.
    fn take_slot(&mut self, new: u32, person: Person) {
        if self.present < SLOTS {
            self.present += 1;
        } else {
            let (_, oldest) = self.empty.pop_first().expect("a slot to reuse");
            assert!(self.real.get(oldest).is_none(), "{oldest} should have been evicted for {new} (M5)");
            self.evict(oldest);
        }
        assert_eq!(self.real.len(), self.present, "the number of users");
        self.empty.extend(person.empty_since().map(|since| (since, new)));
        self.people[new as usize] = Some(person);
    }

    fn evict(&mut self, id: u32) {
        let index = id as usize;
        let person = self.people[index].take().expect("a user with a slot");
        self.last_version[index] = person.version;
        self.start = self.start.max(person.revision + 1);
        self.evicted = self.evicted.max(self.latest[index]);
        self.latest[index] = 0;
        self.journal.push(Entry::Evicted(id));
        self.counts.reused += 1;
    }

    /// Inserts a user evicted by an earlier directory, with the number to start from, which this directory does not know.
    fn insert_again(&mut self, id: u32) {
        if self.present == SLOTS {
            self.advance();
        }
        assert!(self.start > self.last_version[id as usize]);
        let is_full = self.is_full();
        let result = self.real.insert(id, User::with_version(self.start));
        assert_eq!(result.is_err(), is_full);
        if is_full {
            return;
        }
        let start = self.start;
        self.take_slot(id, Person::with_version(start));
        self.evicted_before[id as usize] = false;
        self.changes += 1;
        self.latest[id as usize] = self.changes;
        self.journal.push(Entry::Inserted(id, start));
    }

    /// Asserts that all records, member by member, and all reads equal the model's.
    pub fn assert_same(&self) {
        assert_eq!(self.real.len(), self.present);
        assert_eq!(self.real.cursor().to_number(), self.changes, "cursor (V2)");
        for (id, person) in self.people.iter().enumerate() {
            let user = self.real.get(id as u32);
            assert_eq!(user.is_some(), person.is_some(), "{id} has a slot");
            if let (Some(user), Some(person)) = (user, person) {
                person.assert_same(user);
            }
            let published = person.as_ref().map_or(presence_core::Presence::Offline, |person| person.published);
            if person.as_ref().is_none_or(|person| person.deadline > self.now) {
                assert_eq!(self.real.presence(self.at(), id as u32), published);
            }
        }
    }
}
