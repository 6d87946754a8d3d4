//! The cleaner: what is left to do until removed texts and erased users are in none of the journal's bytes.
//!
//! Rows with texts that no longer count are overwritten in the commit that replaces them. What is left are copies of pages in
//! SQLite's log, until it is emptied, and earlier rows of erased users, which have no text, but sessions. All is done in small
//! steps between the groups, beginning [`DELAY`] after the removal; so it takes seconds, under load and when idle.

use super::Journal;
use super::database::JournalError;
use crate::journal::group::Group;
use presence_core::UserId;
use std::collections::HashMap;
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
    /// The next row to look at.
    next: i64,
    /// The row to stop at: nothing from it on is to be overwritten.
    end: i64,
}

impl Cleaner {
    /// Creates the cleaner of a journal that was just opened, whose log may have copies of anything.
    pub fn new() -> Self {
        Self { due: Some(Instant::now() + DELAY), erased: HashMap::new(), search: None }
    }

    /// Takes note of what a group has removed, when it is durable.
    pub fn note(&mut self, group: &Group) {
        let first_row = group.last_row + 1 - group.len() as i64;
        self.erased.extend(group.erased.iter().map(|user| (*user, first_row)));
        if !group.erased.is_empty() || !group.stale_texts.is_empty() {
            self.due.get_or_insert_with(|| Instant::now() + DELAY);
        }
    }

    /// Returns the time until there is something to do; `None` if there is nothing.
    pub fn wait(&self) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(Instant::now()))
    }

    /// Takes a step.
    pub fn step(&mut self, journal: &Journal) -> Result<(), JournalError> {
        if self.search.is_none() && !self.erased.is_empty() {
            let users = std::mem::take(&mut self.erased);
            let end = users.values().copied().max().unwrap_or_default();
            self.search = Some(Search { users, next: 0, end });
        }
        match &mut self.search {
            Some(search) => {
                if search.step(journal)? {
                    self.search = None;
                }
            }
            None => {
                journal.truncate_log()?;
                self.due = None;
            }
        }
        Ok(())
    }

    /// Puts off the work, because the disk has no room for it.
    pub fn postpone(&mut self) {
        self.due = Some(Instant::now() + DELAY);
    }
}

impl Search {
    /// Overwrites the rows among the next ones that no longer count. Reports whether these were the last.
    fn step(&mut self, journal: &Journal) -> Result<bool, JournalError> {
        let rows = journal.rows_from(self.next, STEP)?;
        let is_stale = |user, row| self.users.get(user).is_some_and(|first| row < *first);
        let found: Vec<_> = rows.iter().filter(|row| is_stale(&row.user, row.row)).map(|row| row.row).collect();
        if !found.is_empty() {
            journal.scrub(&found, self.end)?;
        }
        self.next = rows.last().map_or(self.end, |row| row.row + 1);
        Ok(self.next >= self.end)
    }
}
