//! The cleaner: what is left to do until removed texts and erased users are in none of the journal's bytes.
//!
//! Rows with texts that no longer count are overwritten in the commit that replaces them. What is left are copies of pages in
//! SQLite's log, until it is emptied, and earlier rows of erased users, which have no text, but sessions. All is done in small
//! steps between the groups, beginning [`DELAY`] after the removal; so it takes seconds, under load and when idle.

use super::{SqliteError, SqliteJournal, database};
use crate::journal::Group;
use presence_core::UserId;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The time from a removal to the start of the cleaning. What is removed meanwhile is cleaned with it.
const DELAY: Duration = Duration::from_secs(5);
/// The number of rows that a step of a search looks at.
pub const STEP: usize = 16_384;

/// The work of a journal's cleaner.
#[derive(Debug)]
pub struct Cleaner {
    /// The instant at which the cleaning begins; `None` if there is nothing to do.
    due: Option<Instant>,
    /// The erased users whose rows are not searched for yet, and the first row that still counts of each.
    erased: HashMap<UserId, i64>,
    search: Option<Search>,
}

/// A search for the rows of erased users, from the oldest row on.
#[derive(Debug)]
struct Search {
    users: HashMap<UserId, i64>,
    /// The last row that was looked at.
    last: i64,
    /// The row to stop at: nothing from it on is to be overwritten.
    end: i64,
}

impl Cleaner {
    /// Creates the cleaner of a journal that was just opened, whose log may have copies of anything.
    pub fn new() -> Self {
        Self { due: Some(Instant::now() + DELAY), erased: HashMap::new(), search: None }
    }

    /// Takes note of what a group has removed, when it is durable. Its first row has this number.
    pub fn note(&mut self, first_row: i64, group: &Group) {
        self.erased.extend(group.erased.iter().map(|user| (*user, first_row)));
        if !group.erased.is_empty() || !group.removed.is_empty() {
            self.due.get_or_insert_with(|| Instant::now() + DELAY);
        }
    }

    /// Takes the search that has begun, or begins one.
    fn next_search(&mut self) -> Option<Search> {
        self.search.take().or_else(|| {
            let users = std::mem::take(&mut self.erased);
            let end = users.values().copied().max()?;
            Some(Search { users, last: 0, end })
        })
    }

    /// Returns the time until there is something to do; `None` if there is nothing.
    pub fn wait(&self) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(Instant::now()))
    }
}

impl SqliteJournal {
    /// Takes a step of the cleaning. Without room for it, puts it off.
    pub(super) fn clean(&self) -> Result<(), SqliteError> {
        let outcome = self.clean_some();
        if outcome.as_ref().is_err_and(|error| error.is_full(self.path())) {
            self.cleaner.borrow_mut().due = Some(Instant::now() + DELAY);
        }
        outcome
    }

    fn clean_some(&self) -> Result<(), SqliteError> {
        let search = self.cleaner.borrow_mut().next_search();
        match search {
            Some(mut search) => {
                let outcome = self.search(&mut search);
                if !matches!(outcome, Ok(true)) {
                    self.cleaner.borrow_mut().search = Some(search);
                }
                outcome.map(|_| ())
            }
            None => {
                // SQLite's log has old copies of pages.
                database::checkpoint(&self.connection)?;
                self.cleaner.borrow_mut().due = None;
                Ok(())
            }
        }
    }

    /// Overwrites the rows among the next ones that no longer count. Reports whether these were the last.
    fn search(&self, search: &mut Search) -> Result<bool, SqliteError> {
        let Search { users, last, end } = search;
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let read = self.read_rows(*last, &mut |row| {
            if users.get(&row.user).is_some_and(|first| row.number < *first) {
                found.push(row.number);
            }
            looked_at += 1;
            if looked_at == STEP { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let next = match read {
            Some(row) if looked_at == STEP => row,
            Some(_) => *end,
            // These rows were deleted meanwhile.
            None => 0,
        };
        if !found.is_empty() {
            self.scrub(&found, *end)?;
        }
        *last = next;
        Ok(next >= *end)
    }
}
