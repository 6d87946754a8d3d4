//! A directory of the library, as the model sees it: through functions for which a test may put others, to show that what they
//! do wrong is noticed. All else is the directory's own.

use presence_core::directory::{Cursor, InlineDirectory};
use presence_core::{ApplyError, Command, CommandError, Instant, Policy, Transition};
use std::ops::{Deref, DerefMut};

pub type Small<const PLACES: usize> = InlineDirectory<u8, u8, 1, PLACES>;

/// Who is told of each transition.
pub type Writer<'a> = &'a mut dyn FnMut(u8, &Transition<u8>);

/// Who changed after a cursor, and the cursor of each; `None`: start over.
pub type Changes = Option<Vec<(u8, u64)>>;

pub type Execute<const PLACES: usize> =
    fn(&mut Small<PLACES>, Instant, u8, Command<u8>, Writer<'_>) -> Result<(), CommandError>;

/// What the library does.
#[derive(Clone, Copy, Debug)]
pub struct Functions<const PLACES: usize> {
    pub execute: Execute<PLACES>,
    pub apply: fn(&mut Small<PLACES>, u8, &Transition<u8>) -> Result<(), ApplyError>,
    pub next_deadline: fn(&Small<PLACES>) -> Option<Instant>,
    pub changes_since: fn(&Small<PLACES>, u64) -> Changes,
}

impl<const PLACES: usize> Functions<PLACES> {
    pub const LIBRARY: Self = Self {
        execute: |directory, now, user, command, sink| directory.execute(now, user, command, sink),
        apply: Small::apply,
        next_deadline: Small::next_deadline,
        changes_since: |directory, cursor| {
            let changes = directory.changes_since(Cursor::from_number(cursor)).ok()?;
            Some(changes.map(|one| (one.id, one.cursor.to_number())).collect())
        },
    };
}

#[derive(Clone, Debug)]
pub struct Watched<const PLACES: usize> {
    directory: Small<PLACES>,
    functions: &'static Functions<PLACES>,
}

impl<const PLACES: usize> Watched<PLACES> {
    pub fn new(policy: Policy, functions: &'static Functions<PLACES>) -> Self {
        Self { directory: InlineDirectory::with_policy(policy), functions }
    }

    pub fn execute(
        &mut self,
        now: Instant,
        user: u8,
        command: Command<u8>,
        sink: Writer<'_>,
    ) -> Result<(), CommandError> {
        (self.functions.execute)(&mut self.directory, now, user, command, sink)
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

impl<const PLACES: usize> Deref for Watched<PLACES> {
    type Target = Small<PLACES>;

    fn deref(&self) -> &Small<PLACES> {
        &self.directory
    }
}

impl<const PLACES: usize> DerefMut for Watched<PLACES> {
    fn deref_mut(&mut self) -> &mut Small<PLACES> {
        &mut self.directory
    }
}
