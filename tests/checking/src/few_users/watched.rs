//! A directory of the library, as the model sees it: through functions that a test may replace, to show that their faults are
//! noticed. All else is the directory's own.

use presence_core::directory::{Cursor, InlineDirectory};
use presence_core::{ApplyError, Command, CommandError, Instant, Policy, Transition};
use std::ops::{Deref, DerefMut};

pub type Small<const SLOTS: usize> = InlineDirectory<u8, u8, 1, SLOTS>;

/// The observer of transitions.
pub type OnChange<'a> = &'a mut dyn FnMut(u8, &Transition<u8>);

/// The users who changed after a cursor, and the cursor of each; `None`: start over.
pub type Changes = Option<Vec<(u8, u64)>>;

pub type Execute<const SLOTS: usize> =
    fn(&mut Small<SLOTS>, Instant, u8, Command<u8>, OnChange<'_>) -> Result<(), CommandError>;

/// The functions of the library that a test may replace.
#[derive(Clone, Copy, Debug)]
pub struct Functions<const SLOTS: usize> {
    pub execute: Execute<SLOTS>,
    pub apply: fn(&mut Small<SLOTS>, u8, &Transition<u8>) -> Result<(), ApplyError>,
    pub next_deadline: fn(&Small<SLOTS>) -> Option<Instant>,
    pub changes_since: fn(&Small<SLOTS>, u64) -> Changes,
}

impl<const SLOTS: usize> Functions<SLOTS> {
    pub const LIBRARY: Self = Self {
        execute: |directory, now, user, command, on_change| directory.execute(now, user, command, on_change),
        apply: Small::apply,
        next_deadline: Small::next_deadline,
        changes_since: |directory, cursor| {
            let changes = directory.changes_since(Cursor::from_number(cursor)).ok()?;
            Some(changes.map(|one| (one.id, one.cursor.to_number())).collect())
        },
    };
}

#[derive(Clone, Debug)]
pub struct Watched<const SLOTS: usize> {
    directory: Small<SLOTS>,
    functions: &'static Functions<SLOTS>,
}

impl<const SLOTS: usize> Watched<SLOTS> {
    pub fn new(policy: Policy, functions: &'static Functions<SLOTS>) -> Self {
        Self { directory: InlineDirectory::with_policy(policy), functions }
    }

    pub fn execute(
        &mut self,
        now: Instant,
        user: u8,
        command: Command<u8>,
        on_change: OnChange<'_>,
    ) -> Result<(), CommandError> {
        (self.functions.execute)(&mut self.directory, now, user, command, on_change)
    }

    pub fn apply(&mut self, user: u8, transition: &Transition<u8>) -> Result<(), ApplyError> {
        (self.functions.apply)(&mut self.directory, user, transition)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        (self.functions.next_deadline)(&self.directory)
    }

    pub fn changes_since(&self, cursor: u64) -> Changes {
        (self.functions.changes_since)(&self.directory, cursor)
    }
}

impl<const SLOTS: usize> Deref for Watched<SLOTS> {
    type Target = Small<SLOTS>;

    fn deref(&self) -> &Small<SLOTS> {
        &self.directory
    }
}

impl<const SLOTS: usize> DerefMut for Watched<SLOTS> {
    fn deref_mut(&mut self) -> &mut Small<SLOTS> {
        &mut self.directory
    }
}
