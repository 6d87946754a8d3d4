//! A directory and what is known of everyone in it, side by side. Whatever happens in the one is held against the other.

use super::digest::Digest;
use super::person::{Event, NEVER, Person, SESSIONS};
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory, Progress};
use presence_core::{Cause, Command, CommandError, Instant, Policy, Transition, User};
use std::collections::BTreeSet;

pub type Real = BoxedDirectory<u32, u8, SESSIONS>;

/// Places of a directory, and ids of users: the last few hundred are visitors, who only find a place in somebody else's.
pub const PLACES: usize = 10_000;
pub const IDS: usize = 10_300;

/// What somebody writes down who must be able to go on after a crash.
pub enum Entry {
    Happened(u32, Transition<u8>),
    Forgotten(u32),
    /// Came back, with numbers that start here.
    Returned(u32, u64),
    Rebased {
        from: u64,
        to: u64,
    },
}

pub struct World {
    pub real: Real,
    pub people: Vec<Option<Person>>,
    pub present: usize,
    /// Whoever has nothing stored, the longest unchanged first. Rule M5.
    empty: BTreeSet<(u64, u32)>,
    pub now: u64,
    /// The version of everyone who was forgotten (V1), and above all their numbers.
    pub had: Vec<u64>,
    pub start: u64,
    /// Whoever was forgotten by a directory that is no more.
    pub forgotten_before: Vec<bool>,
    /// How many visible changes there were, the latest of each user, and the latest that was forgotten (V2).
    pub changes: u64,
    pub latest: Vec<u64>,
    pub forgotten: u64,
    pub journal: Vec<Entry>,
    pub digest: Digest,
    pub counts: Counts,
}

/// What happened, to be sure that it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub commands: u64,
    pub refused: u64,
    pub by_time: u64,
    pub visible: u64,
    pub reused: u64,
    pub restarts: u64,
    pub lost: u64,
    pub start_over: u64,
    pub read: u64,
}

pub fn directory() -> Real {
    Directory::new(BoxedMemory::new(PLACES), Policy::GRAPH)
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

const fn is_by_time(cause: Cause) -> bool {
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
            had: vec![0; IDS],
            start: 0,
            forgotten_before: vec![false; IDS],
            changes: 0,
            latest: vec![0; IDS],
            forgotten: 0,
            journal: Vec::new(),
            digest: Digest::new(),
            counts: Counts::default(),
        }
    }

    pub fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// Lets something happen to someone who has a place, and keeps account of who has nothing stored.
    fn happen<R>(&mut self, id: u32, what: impl FnOnce(&mut Person) -> R) -> R {
        let person = self.people[id as usize].as_mut().expect("whoever something happens to has a place");
        let before = person.empty_since();
        let result = what(person);
        let after = person.empty_since();
        if before != after {
            before.map(|since| self.empty.remove(&(since, id)));
            self.empty.extend(after.map(|since| (since, id)));
        }
        result
    }

    /// The same, anew for all.
    pub fn count_empty(&mut self) {
        let people = self.people.iter().enumerate();
        self.empty = people.filter_map(|(id, person)| Some((person.as_ref()?.empty_since()?, id as u32))).collect();
    }

    /// Notes what happened, once it is known to be right.
    fn note(&mut self, id: u32, transition: &Transition<u8>) {
        if transition.is_visible() {
            self.changes += 1;
            self.counts.visible += 1;
            self.latest[id as usize] = self.changes;
        }
        self.digest.transition(id, transition);
        self.journal.push(Entry::Happened(id, *transition));
    }

    /// Time did this: it has to be what is due first for this user, at its very instant, and take up where the last
    /// transition ended. Rules M4, S8, V1, V2.
    fn by_time(&mut self, id: u32, transition: &Transition<u8>) {
        let now = self.now;
        let expected = self.happen(id, Person::pass);
        assert_eq!(expected, Some(event(transition)), "of {id}");
        assert!(transition.at().as_millis() <= now, "too early");
        self.counts.by_time += 1;
        self.note(id, transition);
    }

    /// Everything that is due, in order; nothing late, nothing left out, and the next deadline exact.
    pub fn advance(&mut self) {
        assert!(self.advance_some(u64::MAX), "it comes to an end");
    }

    /// The same in at most so many calls; whether all is done.
    pub fn advance_some(&mut self, calls: u64) -> bool {
        let mut last = (0, 0);
        let mut calls_for_nothing = 0;
        for _ in 0..calls {
            match self.real.advance(self.at()) {
                Progress::Changed { user, transition } => {
                    let this = (transition.at().as_millis(), user);
                    assert!(last <= this, "{last:?} before {this:?}: by deadline, then by id (S8)");
                    last = this;
                    self.by_time(user, &transition);
                    calls_for_nothing = 0;
                }
                Progress::Working => {
                    calls_for_nothing += 1;
                    assert!(calls_for_nothing < 4 * PLACES, "bounded work");
                }
                Progress::Idle { until } => {
                    let deadlines = self.people.iter().flatten().map(|person| person.deadline);
                    let first = deadlines.min().unwrap_or(NEVER);
                    assert!(first > self.now, "something was left out");
                    assert_eq!(until.map_or(NEVER, Instant::as_millis), first, "exact once idle");
                    return true;
                }
            }
        }
        false
    }

    /// A command to a user, with everything that comes before it.
    pub fn command(&mut self, id: u32, command: Command<u8>) {
        let place = id as usize;
        if self.people[place].is_none() && self.forgotten_before[place] {
            self.bring_back(id);
        }
        let mut happened = std::mem::take(&mut self.digest.buffer);
        let answer = self.real.execute(self.at(), id, command, |id, transition| happened.push((id, *transition)));
        self.look(id, command, answer, &happened);
        happened.clear();
        self.digest.buffer = happened;
    }

    /// The same command to many users at once.
    pub fn command_all(&mut self, commands: &[(u32, Command<u8>)]) {
        let mut happened = std::mem::take(&mut self.digest.buffer);
        let mut answers = Vec::with_capacity(commands.len());
        let mut places = Vec::with_capacity(commands.len());
        self.real.execute_batch(
            Instant::from_millis(self.now),
            commands,
            |id, transition| happened.push((id, *transition)),
            |_, answer| answers.push(answer),
        );
        // A command's own transition ends what happened for it.
        let mut first = 0;
        for (place, (id, _)) in commands.iter().enumerate() {
            let rest = &happened[first..];
            let its_own = rest.iter().take_while(|(of, _)| of == id);
            let own = its_own.clone().position(|(_, transition)| !is_by_time(transition.cause()));
            let length = if answers[place].is_ok() { own.map_or(0, |own| own + 1) } else { its_own.count() };
            places.push(first..first + length);
            first += length;
        }
        assert_eq!(first, happened.len(), "everything that happened is somebody's");
        for (((id, command), answer), place) in commands.iter().zip(answers).zip(places) {
            self.look(*id, *command, answer, &happened[place]);
        }
        happened.clear();
        self.digest.buffer = happened;
    }

    /// What happened for a command, and its answer, against what had to.
    fn look(
        &mut self,
        id: u32,
        command: Command<u8>,
        answer: Result<(), CommandError>,
        happened: &[(u32, Transition<u8>)],
    ) {
        let (now, place) = (self.now, id as usize);
        self.counts.commands += 1;
        self.counts.refused += u64::from(answer.is_err());
        let own = happened.last().filter(|(_, transition)| !is_by_time(transition.cause()));
        let before = &happened[..happened.len() - usize::from(own.is_some())];
        for (of, transition) in before {
            self.by_time(*of, transition);
        }
        let is_new = self.people[place].is_none();
        let deadline = self.people[place].as_ref().map_or(NEVER, |person| person.deadline);
        assert!(deadline > now, "a command before what is due (S8)");
        let start = own.filter(|_| is_new).map(|(_, transition)| transition.revision());
        assert!(start.is_none_or(|start| self.had[place] == 0 || start > self.had[place]), "{id}: an old version (V1)");
        let expected = if is_new {
            // Somebody new, if there is room, and if anything happens at all.
            let mut person = Person::with_version(start.unwrap_or(0));
            match person.command(now, command) {
                Ok(Some(_)) if self.is_full() => Err(CommandError::UsersFull),
                Ok(Some(event)) => {
                    self.settle(id, person);
                    Ok(Some(event))
                }
                other => other,
            }
        } else {
            self.happen(id, |person| person.command(now, command))
        };
        assert_eq!(answer, expected.map(drop), "{command:?} to {id}");
        let expected = expected.ok().flatten().map(|event| (id, event));
        assert_eq!(own.map(|(of, transition)| (*of, event(transition))), expected);
        if let Some((_, transition)) = own {
            self.note(id, transition);
        }
    }

    /// Whether nobody's place can be reused.
    fn is_full(&self) -> bool {
        self.present == PLACES && self.empty.is_empty()
    }

    /// A newcomer has taken a place: an unused one, or that of the longest unchanged, and of nobody else. Rule M5.
    fn settle(&mut self, newcomer: u32, person: Person) {
        if self.present < PLACES {
            self.present += 1;
        } else {
            let (_, oldest) = self.empty.pop_first().expect("somebody's place");
            assert!(self.real.get(oldest).is_none(), "{oldest} should have made room for {newcomer} (M5)");
            self.forget(oldest);
        }
        assert_eq!(self.real.len(), self.present, "memory is what was handed over");
        self.empty.extend(person.empty_since().map(|since| (since, newcomer)));
        self.people[newcomer as usize] = Some(person);
    }

    fn forget(&mut self, id: u32) {
        let place = id as usize;
        let person = self.people[place].take().expect("somebody with a place");
        self.had[place] = person.version;
        self.start = self.start.max(person.revision + 1);
        self.forgotten = self.forgotten.max(self.latest[place]);
        self.latest[place] = 0;
        self.journal.push(Entry::Forgotten(id));
        self.counts.reused += 1;
    }

    /// Someone whom an earlier directory has forgotten: this one does not know above which numbers to start, so whoever
    /// kept them says so.
    fn bring_back(&mut self, id: u32) {
        if self.present == PLACES {
            self.advance();
        }
        assert!(self.start > self.had[id as usize]);
        let is_full = self.is_full();
        let answer = self.real.insert(id, User::with_version(self.start));
        assert_eq!(answer.is_err(), is_full);
        if is_full {
            return;
        }
        let start = self.start;
        self.settle(id, Person::with_version(start));
        self.forgotten_before[id as usize] = false;
        self.changes += 1;
        self.latest[id as usize] = self.changes;
        self.journal.push(Entry::Returned(id, start));
    }

    /// Every record, member by member, and every reading, on this very moment.
    pub fn assert_same(&self) {
        assert_eq!(self.real.len(), self.present);
        assert_eq!(self.real.cursor().to_number(), self.changes, "cursor (V2)");
        for (id, person) in self.people.iter().enumerate() {
            let user = self.real.get(id as u32);
            assert_eq!(user.is_some(), person.is_some(), "{id} has a place");
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
