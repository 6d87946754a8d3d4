//! The rules for a few users in few slots: between users, and about the list of changes.

use crate::rules::{Event, Numbers, Person};
use presence_core::{Command, CommandError};
use std::cmp::Ordering;

/// A person with one session.
pub type OneSession = Person<1>;

#[derive(Clone, Debug)]
pub struct Expected<const USERS: usize> {
    pub slots: usize,
    /// The users who have a slot. Rule M5.
    pub people: [Option<OneSession>; USERS],
    /// The number of visible changes, and the latest of each user with a slot; 0 for none. Rule V2.
    pub changes: u64,
    pub latest: [u64; USERS],
    /// The latest change of an evicted user.
    pub evicted: u64,
    /// The version of each when it was evicted. Rule V1.
    pub had: [u64; USERS],
}

/// A slot for a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vacancy {
    Free,
    Evict(u8, u64),
}

/// The effects of a command, in order, and its result; and the user who has another's slot now.
#[derive(Debug)]
pub struct Outcome {
    pub happened: Vec<(u8, Event)>,
    pub result: Result<(), CommandError>,
    pub new_user: Option<u8>,
}

impl<const USERS: usize> Expected<USERS> {
    pub fn new(slots: usize) -> Self {
        let (people, latest, had) = ([const { None }; USERS], [0; USERS], [0; USERS]);
        Self { slots, people, changes: 0, latest, evicted: 0, had }
    }

    pub fn person(&self, id: u8) -> Option<&OneSession> {
        self.people[usize::from(id)].as_ref()
    }

    fn present(&self) -> impl Iterator<Item = (u8, &OneSession)> {
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

    /// Applies the first due transition of any user: by deadline, then user id. Rule S8.
    pub fn step(&mut self, numbers: &Numbers, now: u64) -> Option<(u8, Event)> {
        let (_, id) = self.present().filter_map(|(id, person)| Some((person.next_deadline()?, id))).min()?;
        self.step_of(numbers, now, id)
    }

    fn step_of(&mut self, numbers: &Numbers, now: u64, id: u8) -> Option<(u8, Event)> {
        let event = self.people[usize::from(id)].as_mut()?.step(numbers, now)?;
        self.note(id, &event);
        Some((id, event))
    }

    /// Returns the user with nothing stored whose presence has not changed for longest. Rule M5.
    pub fn first_evictable(&self) -> Option<u8> {
        let empty = self.present().filter(|(_, person)| person.is_empty());
        empty.min_by_key(|(id, person)| (person.since.unwrap_or(0), *id)).map(|(id, _)| id)
    }

    /// Returns the slot of a new user: a free one, or that of a user at a revision; `None` if there is none.
    pub fn vacancy(&self) -> Option<Vacancy> {
        if self.len() < self.slots {
            return Some(Vacancy::Free);
        }
        let oldest = self.first_evictable()?;
        self.person(oldest).map(|person| Vacancy::Evict(oldest, person.revision))
    }

    fn evict(&mut self, id: u8) {
        let index = usize::from(id);
        self.had[index] = self.people[index].take().map_or(0, |person| person.version);
        self.evicted = self.evicted.max(self.latest[index]);
        self.latest[index] = 0;
    }

    /// Gives a new user a slot, if there is one; reports whether another's is reused. Rules M5, S9.
    pub fn free_slot(&mut self) -> Result<bool, CommandError> {
        match self.vacancy() {
            Some(Vacancy::Free) => Ok(false),
            Some(Vacancy::Evict(oldest, _)) => {
                self.evict(oldest);
                Ok(true)
            }
            None => Err(CommandError::UsersFull),
        }
    }

    /// Rules S8, S9: what is due happens before a command, to its own user, and to all users while no slot is free.
    pub fn command(&mut self, numbers: &Numbers, now: u64, id: u8, command: Command<u8>) -> Outcome {
        let mut happened = Vec::new();
        let index = usize::from(id);
        if self.people[index].is_some() {
            happened.extend(std::iter::from_fn(|| self.step_of(numbers, now, id)));
        }
        let mut person = self.people[index].clone().unwrap_or(OneSession::NEW);
        if let Some(error) = person.error(numbers, 1, command) {
            return Outcome { happened, result: Err(error), new_user: None };
        }
        let Some(event) = person.command(numbers, now, command) else {
            return Outcome { happened, result: Ok(()), new_user: None };
        };
        let mut new_user = None;
        if self.people[index].is_none() {
            if self.len() == self.slots {
                happened.extend(std::iter::from_fn(|| self.step(numbers, now)));
            }
            match self.free_slot() {
                Ok(reused) => new_user = reused.then_some(id),
                Err(full) => return Outcome { happened, result: Err(full), new_user },
            }
        }
        self.people[index] = Some(person);
        self.note(id, &event);
        happened.push((id, event));
        Outcome { happened, result: Ok(()), new_user }
    }

    /// Returns the users who changed after a cursor, each once, oldest first; `None`: start over. Rule V2.
    pub fn changes_since(&self, cursor: u64) -> Option<Vec<(u8, u64)>> {
        if cursor < self.evicted || cursor > self.changes {
            return None;
        }
        let latest = self.latest.iter().enumerate().map(|(id, latest)| (id as u8, *latest));
        let mut changed: Vec<_> = latest.filter(|(_, latest)| *latest > cursor).collect();
        changed.sort_by_key(|(_, latest)| *latest);
        Some(changed)
    }

    /// Returns every cursor whose changes could differ from those of its neighbours.
    pub fn cursors(&self) -> impl Iterator<Item = u64> + '_ {
        let edges = self.latest.iter().copied().chain([0, self.evicted, self.changes]);
        edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1])
    }

    /// Returns the order that no distance from now shows, once it is long ago: who changed last, and before or after an
    /// eviction.
    pub fn order(&self) -> Vec<Ordering> {
        let since = |person: &Option<OneSession>| person.as_ref().map(|person| person.since);
        let mut order = Vec::new();
        for (index, person) in self.people.iter().enumerate() {
            order.push(self.latest[index].cmp(&self.evicted));
            order.extend(self.people[..index].iter().map(|other| since(other).cmp(&since(person))));
        }
        order
    }
}
