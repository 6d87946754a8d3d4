//! From a journal to what a shard knows: the newest of every record, with exactly the instants, the version and the
//! revision that it had.

use super::database::JournalError;
use super::details::Told;
use super::group::Record;
use super::journal::{Journal, Old};
use super::journal_index::Book;
use super::state::State;
use super::users::SESSIONS;
use presence_core::details::next_due_details;
use presence_core::directory::Progress;
use presence_core::snapshot::{self, RestoreError};
use presence_core::{ApplyError, Duration, Instant, SessionId, User, UserId, next_due};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Why what is stored cannot be served.
#[derive(Debug)]
pub enum LoadError {
    /// A journal.
    Journal(PathBuf, JournalError),
    /// A record is none.
    Record(UserId, RestoreError),
    /// There is no room for all of them.
    Full,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Record(user, error) => write!(f, "the record of {user} is {error}"),
            Self::Full => f.write_str("more users are stored than there is room for: start with more --users"),
        }
    }
}

impl std::error::Error for LoadError {}

/// No time has passed between a snapshot and its own moment, so it means the same instants as ever.
const ELAPSED: Option<Duration> = Some(Duration::ZERO);

/// Fills a state with what a journal holds. `now` is not before anything that is stored.
pub fn load(journal: &Journal, state: &mut State, book: &mut Book, now: Instant) -> Result<(), LoadError> {
    book.marks = journal.marks().map_err(|error| LoadError::Journal(journal.path(), error))?;
    state.users.raise_version_floor(book.marks.forgotten);
    // First what users tell: these users are held, whatever else is stored of them; but for those of whom nothing is left.
    let mut over = HashMap::new();
    newest(journal, Record::Told, |old, taken_at, bytes| {
        let told: Told =
            snapshot::restore_details(bytes, taken_at, ELAPSED).map_err(|error| LoadError::Record(old.user, error))?;
        if let Some(changes) = changes_if_over(&told, now) {
            over.insert(old.user, changes);
            return Ok(());
        }
        state.kept.restore(&mut state.users, old.user, told, old.row).map_err(|_| LoadError::Full)
    })?;
    let (first, last) = newest(journal, Record::User, |old, taken_at, bytes| {
        take_in(state, old.user, taken_at, bytes, now, over.get(&old.user).copied())?;
        book.note(&state.users, old.user, old.row);
        Ok(())
    })?;
    book.first_row = first;
    book.next_row = last + 1;
    Ok(())
}

/// Hands out the newest record of this kind of every user who has one. Returns the first and the last row there are.
fn newest(
    journal: &Journal,
    kind: Record,
    mut each: impl FnMut(&Old, Instant, &[u8]) -> Result<(), LoadError>,
) -> Result<(i64, i64), LoadError> {
    let mut seen = HashSet::new();
    let mut outcome = Ok(());
    let rows = journal.read(|old, taken_at, bytes| {
        if outcome.is_ok() && old.record == kind && seen.insert(old.user) && !old.is_empty {
            outcome = each(&old, taken_at, bytes);
        }
    });
    let rows = rows.map_err(|error| LoadError::Journal(journal.path(), error))?;
    outcome.map(|()| rows)
}

/// How often what a user told has changed, if there is nothing left of it by now. What is due frees its room (rule S9).
fn changes_if_over(told: &Told, now: Instant) -> Option<u64> {
    let mut told = told.clone();
    while let Some(due) = next_due_details(&told, now) {
        told.apply(&due).ok()?;
    }
    told.is_empty().then(|| told.version())
}

fn take_in(
    state: &mut State,
    id: UserId,
    taken_at: Instant,
    bytes: &[u8],
    now: Instant,
    changes: Option<u64>,
) -> Result<(), LoadError> {
    let user: User<SessionId, SESSIONS> =
        snapshot::restore(bytes, taken_at, ELAPSED).map_err(|error| LoadError::Record(id, error))?;
    if state.users.insert(id, user.clone()) == Err(ApplyError::Full) {
        // What is due frees its room, as it did before.
        while !matches!(state.users.advance(now), Progress::Idle { .. }) {}
        if state.users.insert(id, user.clone()) == Err(ApplyError::Full) {
            return forget(state, user, now, changes.unwrap_or(0));
        }
    }
    if let Some(changes) = changes {
        state.kept.restore_changes(&mut state.users, id, changes);
    }
    Ok(())
}

/// There is no room for a user: it must be one whose place was taken when nothing was stored of it any more.
fn forget(state: &mut State, mut user: User<SessionId, SESSIONS>, now: Instant, changes: u64) -> Result<(), LoadError> {
    while let Some(due) = next_due(&user, now, state.users.policy()) {
        user.apply(&due).map_err(|_| LoadError::Full)?;
    }
    if !user.is_empty() {
        return Err(LoadError::Full);
    }
    state.users.raise_version_floor(user.revision() + changes + 1);
    Ok(())
}
