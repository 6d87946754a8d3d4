//! From a journal to a directory: the newest record of every user, with exactly the instants, the version and the revision
//! that it had.

use super::book::Book;
use super::group::Record;
use super::journal::{Journal, JournalError};
use super::users::{SESSIONS, Users};
use presence_core::directory::Progress;
use presence_core::snapshot::{self, RestoreError};
use presence_core::{ApplyError, Duration, Instant, SessionId, User, UserId};
use std::collections::HashSet;

/// Why what is stored cannot be served.
#[derive(Debug)]
pub enum LoadError {
    /// The journal.
    Journal(JournalError),
    /// A record is none.
    Record(UserId, RestoreError),
    /// There is no room for all of them.
    Full,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Record(user, error) => write!(f, "the record of {user} is {error}"),
            Self::Full => f.write_str("more users are stored than there is room for: start with more --users"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<JournalError> for LoadError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// Fills a directory with what a journal holds. `now` is not before anything that is stored.
pub fn load(journal: &Journal, users: &mut Users, book: &mut Book, now: Instant) -> Result<(), LoadError> {
    book.marks = journal.marks()?;
    let mut seen = HashSet::new();
    let mut outcome = Ok(());
    let (first, last) = journal.read(|old, taken_at, bytes| {
        if outcome.is_ok() && seen.insert((old.record, old.user)) && !old.is_empty {
            outcome = match old.record {
                Record::User => take_in(users, old.user, taken_at, bytes, now),
            };
            if outcome.is_ok() {
                book.note(users, old.user, old.row);
            }
        }
    })?;
    outcome?;
    book.first_row = first;
    book.next_row = last + 1;
    Ok(())
}

/// No time has passed between the snapshot and its own moment, so it means the same instants as ever.
fn take_in(users: &mut Users, id: UserId, taken_at: Instant, bytes: &[u8], now: Instant) -> Result<(), LoadError> {
    let user: User<SessionId, SESSIONS> =
        snapshot::restore(bytes, taken_at, Some(Duration::ZERO)).map_err(|error| LoadError::Record(id, error))?;
    if users.insert(id, user.clone()) == Err(ApplyError::Full) {
        // What is due frees its room, as it did before.
        while !matches!(users.advance(now), Progress::Idle { .. }) {}
        users.insert(id, user).map_err(|_| LoadError::Full)?;
    }
    Ok(())
}
