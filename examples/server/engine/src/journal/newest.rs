//! Which rows of a journal count: the newest of each record.

use super::{Journal, JournalError, Record, Row};
use presence_core::UserId;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The newest row of each record of a journal.
#[derive(Debug, Default)]
pub struct NewestRows {
    users: HashMap<UserId, i64>,
    details: HashMap<UserId, i64>,
    /// The marks of erased users.
    erased: HashMap<UserId, i64>,
    /// The first row that is left; 1 if there is none.
    pub first: i64,
    /// The last row; 0 if there is none.
    pub last: i64,
}

impl NewestRows {
    /// Reads a journal from its start.
    ///
    /// # Errors
    ///
    /// Those of [`Journal::read`].
    pub fn find(journal: &dyn Journal) -> Result<Self, JournalError> {
        let mut found = Self { first: 0, ..Self::default() };
        found.last = journal.read(0, &mut |row| {
            if found.first == 0 {
                found.first = row.number;
            }
            if let Some(newest) = found.of_kind(row.record) {
                newest.insert(row.user, row.number);
            }
            ControlFlow::Continue(())
        })?;
        found.first = found.first.max(1);
        Ok(found)
    }

    fn of_kind(&mut self, record: Record) -> Option<&mut HashMap<UserId, i64>> {
        match record {
            Record::User | Record::CreatedUser => Some(&mut self.users),
            Record::Details => Some(&mut self.details),
            Record::Erased => Some(&mut self.erased),
            Record::Scrubbed => None,
        }
    }

    /// Reports whether there is a record of details.
    pub fn has_details(&self) -> bool {
        !self.details.is_empty()
    }

    /// Reports whether a row is the newest of its record.
    pub fn is_newest(&self, row: &Row<'_>) -> bool {
        let newest = match row.record {
            Record::User | Record::CreatedUser => &self.users,
            Record::Details => &self.details,
            Record::Erased => &self.erased,
            Record::Scrubbed => return false,
        };
        newest.get(&row.user) == Some(&row.number)
    }

    /// Reports whether the user of a row was erased after it.
    pub fn is_erased_later(&self, row: &Row<'_>) -> bool {
        self.erased.get(&row.user).is_some_and(|erased| *erased > row.number)
    }
}
