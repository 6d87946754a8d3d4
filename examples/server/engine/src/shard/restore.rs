//! Restoring a shard's state from the newest rows of its journal.
//!
//! Remaining times, versions and revisions are restored exactly as they were stored.

use super::details::UserDetails;
use super::journal_index::JournalIndex;
use super::records::{self, StoredUser};
use super::state::State;
use super::users::MAX_SESSIONS;
use crate::clock::Time;
use crate::journal::{Journal, JournalError, NewestRows, Record, Row};
use presence_core::details::next_due_details;
use presence_core::directory::Progress;
use presence_core::snapshot::RestoreError;
use presence_core::{ApplyError, Instant, Policy, SessionId, UserId, next_due};
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

/// Stored data that cannot be served.
#[derive(Debug)]
pub enum LoadError {
    /// A journal that cannot be read.
    Journal(String, JournalError),
    /// A record that is no snapshot.
    Record(UserId, RestoreError),
    /// A user in the journal of a shard that it does not belong to: the journal, or the key in `shards`, is of other data.
    Misplaced(String, UserId),
    /// More users than the directory has slots. [`load_all`] gives it more.
    Full,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(name, error) => write!(f, "{name}: {error}"),
            Self::Record(user, error) => write!(f, "the record of {user} is {error}"),
            Self::Misplaced(name, user) => {
                write!(
                    f,
                    "{name}: {user} belongs to another shard, so this journal, or the file `shards`, is of other data"
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
    journal: &dyn Journal,
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
fn count_users(journal: &dyn Journal, policy: &Policy, time: Time) -> Result<usize, LoadError> {
    let (now, newest) = (time.now, find_newest(journal)?);
    let mut users = HashSet::new();
    for_each(journal, Record::Details, |row| {
        if newest.is_newest(row) {
            let details = records::read_details(row.bytes, row.taken_at, time).map_err(damaged(row.user))?;
            users.extend(version_if_expired(&details, now).is_none().then_some(row.user));
        }
        Ok(())
    })?;
    for_each(journal, Record::User, |row| {
        if newest.is_newest(row) {
            let (_, bytes) = split_creator(row.record, row.bytes);
            let user = records::read_user(bytes, row.taken_at, time, policy).map_err(damaged(row.user))?;
            let mut user: StoredUser<MAX_SESSIONS> = user;
            advance_user(&mut user, now, policy)?;
            users.extend((!user.is_empty()).then_some(row.user));
        }
        Ok(())
    })?;
    Ok(users.len())
}

/// Restores a state and the journal's index. The time must not be before anything that is stored.
pub fn load<const SESSIONS: usize>(
    journal: &dyn Journal,
    state: &mut State<SESSIONS>,
    index: &mut JournalIndex,
    time: Time,
) -> Result<(), LoadError> {
    index.shift = time.shift;
    index.metadata = journal.metadata().map_err(failed(journal))?;
    state.users.raise_version_floor(index.metadata.version_floor);
    let newest = find_newest(journal)?;
    (index.first_row, index.next_row) = (newest.first, newest.last + 1);
    // Details first, because their users are pinned whatever their own records say; except for expired details.
    let expired = load_details(journal, &newest, state, index, time)?;
    load_users(journal, &newest, &expired, state, index, time)?;
    state.end_restoring();
    Ok(())
}

/// Restores details. Returns the versions of those that have expired.
fn load_details<const SESSIONS: usize>(
    journal: &dyn Journal,
    newest: &NewestRows,
    state: &mut State<SESSIONS>,
    index: &mut JournalIndex,
    time: Time,
) -> Result<HashMap<UserId, u64>, LoadError> {
    let mut expired = HashMap::new();
    if !newest.has_details() {
        return Ok(expired);
    }
    for_each(journal, Record::Details, |row| {
        if !newest.is_newest(row) {
            // Overwritten already, unless an earlier version of this engine left it.
            index.stale_texts.push(row.number);
            return Ok(());
        }
        let details = records::read_details(row.bytes, row.taken_at, time).map_err(damaged(row.user))?;
        if let Some(version) = version_if_expired(&details, time.now) {
            expired.insert(row.user, version);
            index.stale_texts.push(row.number);
            return Ok(());
        }
        state.details.restore(&mut state.users, row.user, details, row.number).map_err(|_| LoadError::Full)
    })?;
    Ok(expired)
}

/// Restores the users' own records.
fn load_users<const SESSIONS: usize>(
    journal: &dyn Journal,
    newest: &NewestRows,
    expired: &HashMap<UserId, u64>,
    state: &mut State<SESSIONS>,
    index: &mut JournalIndex,
    time: Time,
) -> Result<(), LoadError> {
    for_each(journal, Record::User, |row| {
        if !newest.is_newest(row) {
            // The search for the rows of an erased user was interrupted.
            index.stale_texts.extend(newest.is_erased_later(row).then_some(row.number));
            return Ok(());
        }
        let (creator, bytes) = split_creator(row.record, row.bytes);
        let user = records::read_user(bytes, row.taken_at, time, state.users.policy()).map_err(damaged(row.user))?;
        restore_user(state, row.user, user, time.now, expired.get(&row.user).copied())?;
        if let Some(creator) = creator.filter(|_| !state.is_empty(time.now, row.user)) {
            state.creators.restore(row.user, creator);
        }
        index.set_newest(&state.users, row.user, row.number);
        Ok(())
    })
}

fn find_newest(journal: &dyn Journal) -> Result<NewestRows, LoadError> {
    NewestRows::find(journal).map_err(failed(journal))
}

/// Passes all rows of this kind that are not empty to `each`, in order.
fn for_each(
    journal: &dyn Journal,
    kind: Record,
    mut each: impl FnMut(&Row<'_>) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let mut outcome = Ok(());
    let read = journal.read(0, &mut |row| {
        if row.record.kind() == kind && !row.bytes.is_empty() {
            outcome = each(&row);
        }
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    outcome.and(read.map(|_| ()).map_err(failed(journal)))
}

/// Returns a conversion that adds the journal's name to an error.
fn failed(journal: &dyn Journal) -> impl FnOnce(JournalError) -> LoadError + use<> {
    let name = journal.name();
    move |error| LoadError::Journal(name, error)
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
