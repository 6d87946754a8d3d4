//! Moves of all users to another spread: other shards, or a key.
//!
//! New journals are filled first. Then the file `shards` is replaced atomically, which decides that they count.

use super::journal_set::{LayoutError, journals, remove_journals, stored_bytes, write_durably};
#[cfg(test)]
use super::journal_set::{SHARDS, read_spread};
use super::spread::{Key, Spread};
use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Group, Journal, JournalError, Metadata, NewestRows, Position, newest_instant};
use presence_core::UserId;
use std::io;
use std::ops::ControlFlow;
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
        Err(error) if is_full(&error) => {
            tracing::warn!("no room to move users, which stay where they are until the next start: {error}");
            stored
        }
        Err(error) => return Err(error),
    };
    remove_journals(directory, current).map_err(failed(directory))?;
    Ok(current)
}

/// Reports whether users could not be moved only because there is no room.
fn is_full(error: &LayoutError) -> bool {
    match error {
        LayoutError::Rows(_, error) => matches!(error, JournalError::NoRoom(_)),
        LayoutError::Journal(path, error) => error.is_full(path),
        _ => false,
    }
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
fn failed(journal: &SqliteJournal) -> impl FnOnce(JournalError) -> LayoutError + use<> {
    let path = journal.path().to_owned();
    move |error| LayoutError::Rows(path, error)
}

/// A journal that is filled, with the group that fills.
struct Target {
    journal: SqliteJournal,
    position: Position,
    group: Group,
}

impl Target {
    /// Appends the group.
    fn flush(&mut self) -> Result<(), LayoutError> {
        self.position = self.journal.append(self.position, &self.group).map_err(failed(&self.journal))?;
        self.group.clear();
        Ok(())
    }
}

/// Copies the newest records of all users into the journals of another spread.
fn redistribute(directory: &Path, from: Spread, to: Spread) -> Result<(), LayoutError> {
    let sources = journals(directory, from, SqliteJournal::open)?;
    let targets = journals(directory, to, SqliteJournal::create)?;
    let mut targets: Vec<_> = targets
        .into_iter()
        .map(|journal| Target { journal, position: Position::START, group: Group::default() })
        .collect();
    for (shard, source) in sources.into_iter().enumerate() {
        copy_rows(&source, &mut targets, |user| from.of(user) == shard, to)?;
        let mut metadata = source.metadata().map_err(failed(&source))?;
        // A row may be newer than the metadata, and the last row of a target is not its newest.
        metadata.newest = metadata.newest.max(newest_instant(&source).map_err(failed(&source))?);
        for target in &mut targets {
            // The greatest value of each field is right for all journals, because the fields are lower bounds.
            let greatest = metadata.greatest(target.journal.metadata().map_err(failed(&target.journal))?);
            target.group.metadata = Some(Metadata { number: target.position.metadata + 1, ..greatest });
            target.flush()?;
        }
    }
    for Target { journal, .. } in targets {
        let failed = failed(&journal);
        Box::new(journal).close().map_err(failed)?;
    }
    Ok(())
}

/// Copies the newest record of each user that belongs to a journal.
fn copy_rows(
    source: &SqliteJournal,
    targets: &mut [Target],
    belongs: impl Fn(UserId) -> bool,
    to: Spread,
) -> Result<(), LayoutError> {
    let path = source.path().to_owned();
    let newest = NewestRows::find(source).map_err(failed(source))?;
    let mut outcome = Ok(());
    let failed = failed(source);
    source
        .read(0, &mut |row| {
            if !newest.is_newest(&row) || row.bytes.is_empty() {
                return ControlFlow::Continue(());
            }
            if !belongs(row.user) {
                outcome = Err(LayoutError::Misplaced(path.clone(), row.user));
            } else if let Some(target) = targets.get_mut(to.of(row.user)) {
                target.group.push(row.record, row.user, row.taken_at, row.bytes);
                if target.group.count() >= MOVED_ROWS {
                    outcome = target.flush();
                }
            }
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .map_err(failed)?;
    outcome
}
