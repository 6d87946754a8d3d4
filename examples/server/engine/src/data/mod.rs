//! The data directory: a lock, the number of shards with their key, and a journal for each shard.
//!
//! A machine with more cores, or larger `--users`, may need more shards than the data has; and data of an earlier version of the
//! server has no key. Then [`moves`] moves all users. The journals are a [`journal_set`]; users are [`spread`] over them.

pub mod journal_set;
pub mod moves;
pub mod spread;

use crate::files;
use crate::journal::Journal;
use crate::journal::sqlite::SqliteJournal;
use journal_set::{RESTORING, SHARDS, check_journals, has_rows, journals, read_spread, remove_journals, write_durably};
use moves::{System, has_room, move_users};
use spread::{MAX_SHARDS, Spread, is_journal_file};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use journal_set::LayoutError;

/// The number of users from which on they are spread over several shards.
const MIN_USERS_TO_SHARD: usize = 4096;
/// The time that an earlier server has to release the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// The open data of a server.
#[derive(Debug)]
pub struct Data {
    /// A journal for each shard.
    pub journals: Vec<Box<dyn Journal>>,
    /// How users are spread over them.
    pub spread: Spread,
    /// The lock, which keeps other servers out while it is open.
    pub lock: File,
}

/// Returns the number of shards for this many users: one for each core, one in all for few users.
pub fn shards_for(users: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if users < MIN_USERS_TO_SHARD { 1 } else { cores.min(MAX_SHARDS) }
}

/// Opens the data in a directory, or creates it, for this many shards.
pub fn open(directory: &Path, shards: usize) -> Result<Data, LayoutError> {
    open_on(&System::REAL, directory, shards)
}

/// Does the same on another system.
pub fn open_on(system: &System, directory: &Path, shards: usize) -> Result<Data, LayoutError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| LayoutError::Io(path, error)
    };
    let (directory, lock) = lock(directory)?;
    let directory = directory.as_path();
    if server_files(directory)?.iter().any(|name| name == RESTORING) {
        return Err(LayoutError::Restoring(directory.to_owned()));
    }
    let path = directory.join(SHARDS);
    let new_spread = || Spread::keyed(shards, system.new_key).map_err(at(&path));
    let Some(stored) = read_spread(&path)? else {
        // An interrupted first start leaves empty journals; journals with rows are a user's data.
        if has_rows(directory)? {
            return Err(LayoutError::NoShards(path));
        }
        let spread = new_spread()?;
        let journals = journals(directory, spread, SqliteJournal::create)?;
        write_durably(directory, &path, &spread.to_text()).map_err(at(&path))?;
        return Ok(Data { journals: boxed(journals), spread, lock });
    };
    check_journals(directory, stored)?;
    // Journals of an earlier spread, or of an interrupted move.
    remove_journals(directory, stored).map_err(at(directory))?;
    let mut spread = stored;
    if (stored.len() != shards || stored.is_guessable()) && has_room(system, directory, stored, shards)? {
        spread = move_users(directory, &path, stored, new_spread()?)?;
    }
    Ok(Data { journals: boxed(journals(directory, spread, SqliteJournal::open)?), spread, lock })
}

/// Hides that journals are files.
pub(crate) fn boxed(journals: Vec<SqliteJournal>) -> Vec<Box<dyn Journal>> {
    journals.into_iter().map(|journal| Box::new(journal) as Box<dyn Journal>).collect()
}

/// Locks a directory, or creates it, for the server's user alone. Checks the files of the server in it.
pub fn lock(directory: &Path) -> Result<(PathBuf, File), LayoutError> {
    let unsafe_at = |path: &Path| {
        let path = path.to_owned();
        move |error| LayoutError::File(path, error)
    };
    let directory = files::directory(directory).map_err(unsafe_at(directory))?;
    let path = directory.join("lock");
    let lock = files::open_or_create(&path).map_err(unsafe_at(&path))?;
    acquire(&lock).map_err(|error| match error {
        TryLockError::WouldBlock => LayoutError::Locked(directory.clone()),
        TryLockError::Error(error) => LayoutError::Io(path, error),
    })?;
    // From here on nobody else can create a file in the directory. The lock keeps other servers out.
    for name in server_files(&directory)? {
        let path = directory.join(name);
        files::open(&path).map_err(unsafe_at(&path))?;
    }
    Ok((directory, lock))
}

/// Returns the names of the files of the server in a directory, those that SQLite opens by itself among them, but for the lock.
pub fn server_files(directory: &Path) -> Result<Vec<String>, LayoutError> {
    let failed = |error| LayoutError::Io(directory.to_owned(), error);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        names.extend(name.to_str().filter(|name| is_server_file(name)).map(str::to_owned));
    }
    Ok(names)
}

/// Reports whether the server, or SQLite for it, opens a file of this name.
fn is_server_file(name: &str) -> bool {
    let probed = name.strip_suffix(".probe").map(|journal| format!("{journal}.sqlite"));
    matches!(name, SHARDS | "shards.new" | RESTORING) || is_journal_file(probed.as_deref().unwrap_or(name))
}

/// Acquires the lock. Waits a little, because a server that was just killed may not have released it yet.
pub fn acquire(lock: &File) -> Result<(), TryLockError> {
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_TIMEOUT => std::thread::sleep(LOCK_RETRY),
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_server_are_recognised() {
        for name in [
            "shards",
            "shards.new",
            "journal-1-0.sqlite-journal",
            "journal-1-0.probe",
            "journal-keyed-2-1.sqlite-wal",
            "journal-keyed-2-1.probe",
        ] {
            assert!(is_server_file(name), "{name}");
        }
        for name in ["journal-of-mine.txt", "journal-1-1.probe", "notes"] {
            assert!(!is_server_file(name), "{name}");
        }
    }
}
