//! Restoring a shard's state from the newest rows of its journal.
//!
//! Remaining times, versions and revisions are restored exactly as they were stored.

use super::details::UserDetails;
use super::journal_index::JournalIndex;
use super::records::{self, StoredUser};
use super::state::State;
use super::users::MAX_SESSIONS;
use crate::clock::Time;
use crate::journal::group::Record;
use crate::journal::sqlite::database::JournalError;
use crate::journal::sqlite::{Journal, StaleRow};
use presence_core::details::next_due_details;
use presence_core::directory::Progress;
use presence_core::snapshot::RestoreError;
use presence_core::{ApplyError, Instant, Policy, SessionId, UserId, next_due};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Stored data that cannot be served.
#[derive(Debug)]
pub enum LoadError {
    /// A journal that cannot be read.
    Journal(PathBuf, JournalError),
    /// A record that is no snapshot.
    Record(UserId, RestoreError),
    /// A user in the journal of a shard that it does not belong to: the journal, or the key in `shards`, is of other data.
    Misplaced(PathBuf, UserId),
    /// More users than the directory has slots. [`load_all`] gives it more.
    Full,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Record(user, error) => write!(f, "the record of {user} is {error}"),
            Self::Misplaced(path, user) => {
                write!(
                    f,
                    "{}: {user} belongs to another shard, so this journal, or the file `shards`, is of other data",
                    path.display()
                )
            }
            Self::Full => f.write_str("more users are stored than there are slots"),
        }
    }
}

impl std::error::Error for LoadError {}

/// Restores a state and the journal's index. What is stored always fits: the directory gets more slots if it must.
///
/// The time must not be before anything that is stored.
///
/// # Errors
///
/// Those of the journal and its records.
pub fn load_all<const SESSIONS: usize>(
    journal: &Journal,
    mut state: State<SESSIONS>,
    time: Time,
) -> Result<(State<SESSIONS>, JournalIndex), LoadError> {
    let mut index = JournalIndex::new(state.users.capacity());
    let mut outcome = load(journal, &mut state, &mut index, time);
    if matches!(outcome, Err(LoadError::Full)) {
        let slots = count_users(journal, state.users.policy(), time)?;
        state.replace_with_slots(slots);
        index = JournalIndex::new(slots);
        outcome = load(journal, &mut state, &mut index, time);
    }
    outcome?;
    // So that expired users do not count.
    while state.advance(time.now) {}
    Ok((state, index))
}

/// Returns the number of users of whom something is left at this time.
fn count_users(journal: &Journal, policy: &Policy, time: Time) -> Result<usize, LoadError> {
    let now = time.now;
    let mut users = HashSet::new();
    for_each_newest(journal, Record::Details, |row, taken_at, bytes| {
        let details = records::read_details(bytes, taken_at, time).map_err(damaged(row.user))?;
        users.extend(version_if_expired(&details, now).is_none().then_some(row.user));
        Ok(())
    })?;
    for_each_newest(journal, Record::User, |row, taken_at, bytes| {
        let (_, bytes) = split_creator(row.record, bytes);
        let user = records::read_user(bytes, taken_at, time, policy).map_err(damaged(row.user))?;
        let mut user: StoredUser<MAX_SESSIONS> = user;
        advance_user(&mut user, now, policy)?;
        users.extend((!user.is_empty()).then_some(row.user));
        Ok(())
    })?;
    Ok(users.len())
}

/// Restores a state and the journal's index. The time must not be before anything that is stored.
pub fn load<const SESSIONS: usize>(
    journal: &Journal,
    state: &mut State<SESSIONS>,
    index: &mut JournalIndex,
    time: Time,
) -> Result<(), LoadError> {
    let Time { now, shift } = time;
    index.shift = shift;
    index.metadata = journal.metadata().map_err(|error| LoadError::Journal(journal.path(), error))?;
    state.users.raise_version_floor(index.metadata.version_floor);
    // Details first, because their users are pinned whatever their own records say; except for expired details.
    let mut expired = HashMap::new();
    let mut stale_texts = Vec::new();
    for_each_row(journal, Record::Details, |row, taken_at, bytes, is_newest| {
        if !is_newest {
            // Overwritten already, unless an earlier version of this server left it.
            stale_texts.push(row.row);
            return Ok(());
        }
        let details = records::read_details(bytes, taken_at, time).map_err(damaged(row.user))?;
        if let Some(version) = version_if_expired(&details, now) {
            expired.insert(row.user, version);
            stale_texts.push(row.row);
            return Ok(());
        }
        state.details.restore(&mut state.users, row.user, details, row.row).map_err(|_| LoadError::Full)
    })?;
    let mut erased = HashSet::new();
    let (first, last) = for_each_row(journal, Record::User, |row, taken_at, bytes, is_newest| {
        if !is_newest {
            // The search for the rows of an erased user was interrupted.
            if row.record == Record::Erased {
                erased.insert(row.user);
            } else if erased.contains(&row.user) {
                stale_texts.push(row.row);
            }
            return Ok(());
        }
        let (creator, bytes) = split_creator(row.record, bytes);
        let user = records::read_user(bytes, taken_at, time, state.users.policy()).map_err(damaged(row.user))?;
        restore_user(state, row.user, user, now, expired.get(&row.user).copied())?;
        if let Some(creator) = creator.filter(|_| !state.is_empty(now, row.user)) {
            state.creators.restore(row.user, creator);
        }
        index.set_newest(&state.users, row.user, row.row);
        Ok(())
    })?;
    state.end_restoring();
    (index.oldest_row, index.first_row) = (first, first);
    index.stale_texts = stale_texts;
    index.next_row = last + 1;
    Ok(())
}

/// Passes all rows of this kind that are not empty to `each`, the newest first, and whether it is its user's newest one. With
/// the records of users it passes marks of erased users.
///
/// Returns the first and the last row of the journal.
fn for_each_row(
    journal: &Journal,
    kind: Record,
    mut each: impl FnMut(&StaleRow, Instant, &[u8], bool) -> Result<(), LoadError>,
) -> Result<(i64, i64), LoadError> {
    let mut seen = HashSet::new();
    let mut outcome = Ok(());
    let rows = journal.read(|row, taken_at, bytes| {
        if outcome.is_err() {
            return;
        }
        if row.record == Record::Erased && kind == Record::User {
            outcome = each(&row, taken_at, bytes, false);
        } else if row.record.kind() == kind {
            let is_newest = seen.insert(row.user);
            if !row.is_empty {
                outcome = each(&row, taken_at, bytes, is_newest);
            }
        }
    });
    let rows = rows.map_err(|error| LoadError::Journal(journal.path(), error))?;
    outcome.map(|()| rows)
}

/// Passes the newest record of this kind of every user to `each`.
fn for_each_newest(
    journal: &Journal,
    kind: Record,
    mut each: impl FnMut(&StaleRow, Instant, &[u8]) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let newest = |row: &StaleRow, taken_at, bytes: &[u8], is_newest| {
        if is_newest { each(row, taken_at, bytes) } else { Ok(()) }
    };
    for_each_row(journal, kind, newest).map(|_| ())
}

/// Splits the record of a user into the application that it counts for and the snapshot.
fn split_creator(record: Record, bytes: &[u8]) -> (Option<SessionId>, &[u8]) {
    match bytes.split_first_chunk() {
        Some((creator, snapshot)) if record == Record::CreatedUser => (Some(SessionId::from_bytes(*creator)), snapshot),
        _ => (None, bytes),
    }
}

/// Returns a conversion that adds the user to the error of a record.
fn damaged(user: UserId) -> impl FnOnce(RestoreError) -> LoadError {
    move |error| LoadError::Record(user, error)
}

/// Applies the due transitions of a user without a slot.
fn advance_user<const SESSIONS: usize>(
    user: &mut StoredUser<SESSIONS>,
    now: Instant,
    policy: &Policy,
) -> Result<(), LoadError> {
    while let Some(due) = next_due(user, now, policy) {
        user.apply(&due).map_err(|_| LoadError::Full)?;
    }
    Ok(())
}

/// Returns the version of details that have expired by now. Expired details free their slot (rule S9).
fn version_if_expired(details: &UserDetails, now: Instant) -> Option<u64> {
    let mut details = details.clone();
    while let Some(due) = next_due_details(&details, now) {
        details.apply(&due).ok()?;
    }
    details.is_empty().then(|| details.version())
}

fn restore_user<const SESSIONS: usize>(
    state: &mut State<SESSIONS>,
    id: UserId,
    user: StoredUser<SESSIONS>,
    now: Instant,
    expired_version: Option<u64>,
) -> Result<(), LoadError> {
    if state.users.insert(id, user.clone()) == Err(ApplyError::Full) {
        // Due transitions free slots, as they did before the restart.
        while !matches!(state.users.advance(now), Progress::Idle { .. }) {}
        if state.users.insert(id, user.clone()) == Err(ApplyError::Full) {
            return restore_evicted(state, id, user, now, expired_version);
        }
    }
    if let Some(version) = expired_version {
        state.details.restore_expired(&mut state.users, id, version).map_err(|_| LoadError::Full)?;
    }
    Ok(())
}

/// Raises the version floor above a user without a slot. It must have been evicted when nothing was stored of it any more.
fn restore_evicted<const SESSIONS: usize>(
    state: &mut State<SESSIONS>,
    id: UserId,
    mut user: StoredUser<SESSIONS>,
    now: Instant,
    expired_version: Option<u64>,
) -> Result<(), LoadError> {
    advance_user(&mut user, now, state.users.policy())?;
    if !user.is_empty() {
        return Err(LoadError::Full);
    }
    state.users.raise_version_floor(user.revision() + expired_version.unwrap_or(0) + 1);
    if expired_version.is_some() {
        // The row of its details will be overwritten; without it a later start must not find the other one.
        state.details.mark_changed(id);
    }
    Ok(())
}
