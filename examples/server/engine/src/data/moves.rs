//! Moves of all users to another spread: other shards, or a key.
//!
//! New journals are filled first. Then the file `shards` is replaced atomically, which decides that they count.

use super::journal_set::{LayoutError, journals, remove_journals, stored_bytes, write_durably};
#[cfg(test)]
use super::journal_set::{SHARDS, read_spread};
use super::spread::{Key, Spread};
use crate::journal::group::{Group, Record};
use crate::journal::sqlite::Journal;
use crate::journal::sqlite::database::JournalError;
use crate::shard::LoadError;
use std::collections::HashSet;
use std::io;
use std::path::Path;

/// The most bytes of a journal without rows, with SQLite's files beside it.
pub const EMPTY_JOURNAL: u64 = 256 << 10;
/// The number of rows that are moved in one transaction.
const MOVED_ROWS: usize = 4096;

/// What the system tells when data is opened.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Makes a secret key.
    pub new_key: fn() -> io::Result<Key>,
    /// Returns the bytes that are free for files in a directory.
    pub free_bytes: fn(&Path) -> io::Result<u64>,
}

impl System {
    /// The system that the server runs on.
    pub const REAL: Self = Self {
        new_key: || {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            Ok(Key::from_bytes(bytes))
        },
        free_bytes: |directory| {
            let found = rustix::fs::statvfs(directory)?;
            Ok(found.f_bavail.saturating_mul(found.f_frsize))
        },
    };
}

/// Moves all users to another spread. Returns the one that counts then: the earlier one if there is no room.
pub fn move_users(directory: &Path, path: &Path, stored: Spread, spread: Spread) -> Result<Spread, LayoutError> {
    tracing::info!("moving the users of {} shards to {}", stored.len(), spread.len());
    let failed = |path: &Path| {
        let path = path.to_owned();
        |error| LayoutError::Io(path, error)
    };
    let current = match redistribute(directory, stored, spread) {
        Ok(()) => {
            write_durably(directory, path, &spread.to_text()).map_err(failed(path))?;
            spread
        }
        Err(LayoutError::Journal(path, error)) if error.is_full(&path) => {
            tracing::warn!("no room to move users, which stay where they are until the next start: {error}");
            stored
        }
        Err(error) => return Err(error),
    };
    remove_journals(directory, current).map_err(failed(directory))?;
    Ok(current)
}

/// Moves the users of a stopped server to this spread.
#[cfg(test)]
pub fn move_to(directory: &Path, spread: Spread) -> Result<Spread, LayoutError> {
    let path = directory.join(SHARDS);
    let stored = read_spread(&path)?.ok_or_else(|| LayoutError::Shards(path.clone()))?;
    move_users(directory, &path, stored, spread)
}

/// Reports whether there is room for journals of this many shards beside the stored ones.
///
/// New journals hold no more rows than the stored ones; while they are written, SQLite's logs hold them once more.
pub fn has_room(system: &System, directory: &Path, stored: Spread, shards: usize) -> Result<bool, LayoutError> {
    let failed = |error| LayoutError::Io(directory.to_owned(), error);
    let size = stored_bytes(directory, stored).map_err(failed)?;
    let needed = size.saturating_mul(2).saturating_add(shards as u64 * EMPTY_JOURNAL);
    let free = (system.free_bytes)(directory).map_err(failed)?;
    if free < needed {
        tracing::warn!(
            "no room to move users, which stay where they are until the next start: {needed} bytes are needed, {free} are free"
        );
    }
    Ok(free >= needed)
}

/// Returns a conversion that adds the journal's path to an error.
fn failed(journal: &Journal) -> impl FnOnce(JournalError) -> LayoutError + use<> {
    let path = journal.path();
    move |error| LayoutError::Journal(path, error)
}

/// Copies the newest records of all users into the journals of another spread.
fn redistribute(directory: &Path, from: Spread, to: Spread) -> Result<(), LayoutError> {
    let sources = journals(directory, from, Journal::open)?;
    let targets = journals(directory, to, Journal::create)?;
    let mut targets: Vec<_> = targets.into_iter().map(|journal| (journal, Group::default(), 1)).collect();
    for (shard, source) in sources.into_iter().enumerate() {
        let mut seen = HashSet::new();
        let mut outcome = Ok(());
        source
            .read(|row, taken_at, bytes| {
                let is_scrubbed = row.record == Record::Scrubbed;
                if outcome.is_err() || is_scrubbed || !seen.insert((row.record.kind(), row.user)) || row.is_empty {
                    return;
                }
                if from.of(row.user) != shard {
                    outcome = Err(LayoutError::Load(LoadError::Misplaced(source.path(), row.user)));
                    return;
                }
                let Some((journal, group, next)) = targets.get_mut(to.of(row.user)) else { return };
                group.push(*next, row.record, row.user, taken_at, bytes);
                *next += 1;
                if group.len() >= MOVED_ROWS {
                    outcome = journal.commit(group).map_err(failed(journal));
                    group.clear();
                }
            })
            .map_err(failed(&source))?;
        outcome?;
        let mut metadata = source.metadata().map_err(failed(&source))?;
        // A row may be newer than the metadata, and the last row of a target is not its newest.
        metadata.newest = metadata.newest.max(source.newest().map_err(failed(&source))?);
        for (journal, group, _) in &mut targets {
            // The greatest value of each field is right for all journals, because the fields are lower bounds.
            let other = journal.metadata().map_err(failed(journal))?;
            group.metadata = Some(metadata.greatest(other));
            journal.commit(group).map_err(failed(journal))?;
            group.clear();
        }
    }
    for (journal, _, _) in targets {
        let failed = failed(&journal);
        journal.close().map_err(failed)?;
    }
    Ok(())
}
