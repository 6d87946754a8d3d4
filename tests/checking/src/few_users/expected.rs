//! What the rules say of a few users in few places: between users, and of the list of changes.

use crate::rules::{Event, Numbers, Person};
use presence_core::{Command, CommandError};
use std::cmp::Ordering;

/// Somebody with one session.
pub type Somebody = Person<1>;

#[derive(Clone, Debug)]
pub struct Expected<const USERS: usize> {
    pub places: usize,
    /// Whoever has a place. Rule M5.
    pub people: [Option<Somebody>; USERS],
    /// How many visible changes there were, and which was the latest of each who has a place; 0 for none. Rule V2.
    pub changes: u64,
    pub latest: [u64; USERS],
    /// The latest change that was forgotten.
    pub forgotten: u64,
    /// The version of each when it was forgotten. Rule V1.
    pub had: [u64; USERS],
}

/// A place for a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vacancy {
    Unused,
    Evict(u8, u64),
}

/// What a command did, in order, and its answer; and who has a place now in which another was.
#[derive(Debug)]
pub struct Outcome {
    pub happened: Vec<(u8, Event)>,
    pub answer: Result<(), CommandError>,
    pub newcomer: Option<u8>,
}

impl<const USERS: usize> Expected<USERS> {
    pub fn new(places: usize) -> Self {
        let (people, latest, had) = ([const { None }; USERS], [0; USERS], [0; USERS]);
        Self { places, people, changes: 0, latest, forgotten: 0, had }
    }

    pub fn person(&self, id: u8) -> Option<&Somebody> {
        self.people[usize::from(id)].as_ref()
    }

    fn present(&self) -> impl Iterator<Item = (u8, &Somebody)> {
        self.people.iter().enumerate().filter_map(|(id, person)| Some((id as u8, person.as_ref()?)))
    }

    pub fn len(&self) -> usize {
        self.present().count()
    }

    pub fn next_deadline(&self) -> Option<u64> {
        self.present().filter_map(|(_, person)| person.next_deadline()).min()
    }

    pub fn note(&mut self, id: u8, event: &Event) {
        if event.is_visible() {
            self.changes += 1;
            self.latest[usize::from(id)] = self.changes;
        }
    }

    /// What is due first for anybody: by deadline, then user id. Rule S8.
    pub fn step(&mut self, numbers: &Numbers, now: u64) -> Option<(u8, Event)> {
        let (_, id) = self.present().filter_map(|(id, person)| Some((person.next_deadline()?, id))).min()?;
        self.step_of(numbers, now, id)
    }

    fn step_of(&mut self, numbers: &Numbers, now: u64, id: u8) -> Option<(u8, Event)> {
        let event = self.people[usize::from(id)].as_mut()?.step(numbers, now)?;
        self.note(id, &event);
        Some((id, event))
    }

    /// Whose record may be reused: of those with nothing stored, the one that has not changed for longest. Rule M5.
    pub fn first_to_be_forgotten(&self) -> Option<u8> {
        let empty = self.present().filter(|(_, person)| person.is_empty());
        empty.min_by_key(|(id, person)| (person.since.unwrap_or(0), *id)).map(|(id, _)| id)
    }

    /// Where a new user would go: an unused place, or that of somebody at a revision; `None` if there is no room.
    pub fn vacancy(&self) -> Option<Vacancy> {
        if self.len() < self.places {
            return Some(Vacancy::Unused);
        }
        let oldest = self.first_to_be_forgotten()?;
        self.person(oldest).map(|person| Vacancy::Evict(oldest, person.revision))
    }

    fn forget(&mut self, id: u8) {
        let place = usize::from(id);
        self.had[place] = self.people[place].take().map_or(0, |person| person.version);
        self.forgotten = self.forgotten.max(self.latest[place]);
        self.latest[place] = 0;
    }

    /// Gives a new user a place, if there is one; whether another's is reused. Rules M5, S9.
    pub fn make_room(&mut self) -> Result<bool, CommandError> {
        match self.vacancy() {
            Some(Vacancy::Unused) => Ok(false),
            Some(Vacancy::Evict(oldest, _)) => {
                self.forget(oldest);
                Ok(true)
            }
            None => Err(CommandError::UsersFull),
        }
    }

    /// Rules S8, S9: what is due happens before a command, to its own user, and to all when room has to be found.
    pub fn command(&mut self, numbers: &Numbers, now: u64, id: u8, command: Command<u8>) -> Outcome {
        let mut happened = Vec::new();
        let place = usize::from(id);
        if self.people[place].is_some() {
            happened.extend(std::iter::from_fn(|| self.step_of(numbers, now, id)));
        }
        let mut person = self.people[place].clone().unwrap_or(Somebody::NEW);
        if let Some(refused) = person.refusal(numbers, 1, command) {
            return Outcome { happened, answer: Err(refused), newcomer: None };
        }
        let Some(event) = person.command(numbers, now, command) else {
            return Outcome { happened, answer: Ok(()), newcomer: None };
        };
        let mut newcomer = None;
        if self.people[place].is_none() {
            if self.len() == self.places {
                happened.extend(std::iter::from_fn(|| self.step(numbers, now)));
            }
            match self.make_room() {
                Ok(reused) => newcomer = reused.then_some(id),
                Err(full) => return Outcome { happened, answer: Err(full), newcomer },
            }
        }
        self.people[place] = Some(person);
        self.note(id, &event);
        happened.push((id, event));
        Outcome { happened, answer: Ok(()), newcomer }
    }

    /// Who changed after a cursor, each once, oldest first; `None`: start over. Rule V2.
    pub fn changes_since(&self, cursor: u64) -> Option<Vec<(u8, u64)>> {
        if cursor < self.forgotten || cursor > self.changes {
            return None;
        }
        let latest = self.latest.iter().enumerate().map(|(id, latest)| (id as u8, *latest));
        let mut changed: Vec<_> = latest.filter(|(_, latest)| *latest > cursor).collect();
        changed.sort_by_key(|(_, latest)| *latest);
        Some(changed)
    }

    /// Every cursor that could be answered in another way than its neighbours.
    pub fn cursors(&self) -> impl Iterator<Item = u64> + '_ {
        let edges = self.latest.iter().copied().chain([0, self.forgotten, self.changes]);
        edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1])
    }

    /// What no distance from now tells, once it is long ago: who changed last, and before or after what was forgotten.
    pub fn order(&self) -> Vec<Ordering> {
        let since = |person: &Option<Somebody>| person.as_ref().map(|person| person.since);
        let mut order = Vec::new();
        for (place, person) in self.people.iter().enumerate() {
            order.push(self.latest[place].cmp(&self.forgotten));
            order.extend(self.people[..place].iter().map(|other| since(other).cmp(&since(person))));
        }
        order
    }
}
