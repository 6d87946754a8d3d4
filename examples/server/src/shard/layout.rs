//! The data directory: a lock, the number of shards with their key, and a journal for each shard.
//!
//! A machine with more cores, or larger `--users`, may need more shards than the data has; and data of an earlier version of the
//! server has no key. Then new journals are filled first; the number and the key, a file that is replaced atomically, decide which
//! set of journals counts.

use super::database::JournalError;
use super::files::{self, FileError};
use super::group::{Group, Record};
use super::journal::Journal;
use super::spread::{Key, MAX_SHARDS, Spread, is_journal_file};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The number of users from which on they are spread over several shards.
const MIN_USERS_TO_SHARD: usize = 4096;
/// The time that an earlier server has to release the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
const LOCK_RETRY: Duration = Duration::from_millis(10);
/// The name of the file with the number of shards and their key.
const SHARDS: &str = "shards";
/// The most bytes of a journal without rows, with SQLite's files beside it.
const EMPTY_JOURNAL: u64 = 256 << 10;
/// The number of rows that are moved in one transaction.
const MOVED_ROWS: usize = 4096;

/// A data directory that cannot be opened.
#[derive(Debug)]
pub enum LayoutError {
    /// A directory that another server has locked.
    Locked,
    /// An error of a file, or of the directory.
    Io(PathBuf, io::Error),
    /// A file or directory that the server does not use.
    File(PathBuf, FileError),
    /// A journal that cannot be opened or read.
    Journal(PathBuf, JournalError),
    /// A number of shards, or a key, that is malformed, or missing although there is data.
    Shards(PathBuf),
    /// A missing journal.
    Missing(PathBuf),
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Locked => f.write_str("another server is using this data"),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Journal(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Shards(path) => write!(f, "{}: not a number of shards", path.display()),
            Self::Missing(path) => write!(f, "{}: missing", path.display()),
        }
    }
}

impl std::error::Error for LayoutError {}

/// The open data of a server.
#[derive(Debug)]
pub struct Data {
    /// A journal for each shard.
    pub journals: Vec<Journal>,
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
    let unsafe_at = |path: &Path| {
        let path = path.to_owned();
        move |error| LayoutError::File(path, error)
    };
    let directory = &files::directory(directory).map_err(unsafe_at(directory))?;
    let lock_path = directory.join("lock");
    let lock = files::open_or_create(&lock_path).map_err(unsafe_at(&lock_path))?;
    acquire(&lock).map_err(|error| match error {
        TryLockError::WouldBlock => LayoutError::Locked,
        TryLockError::Error(error) => LayoutError::Io(lock_path, error),
    })?;
    check_files(directory)?;
    let path = directory.join(SHARDS);
    let new_spread = || Spread::keyed(shards, system.new_key).map_err(at(&path));
    let Some(stored) = read_spread(&path)? else {
        // An interrupted first start leaves empty journals; journals with rows are a user's data.
        if has_rows(directory)? {
            return Err(LayoutError::Shards(path));
        }
        let spread = new_spread()?;
        let journals = journals(directory, spread, Journal::create)?;
        write_durably(directory, &path, &spread.to_text()).map_err(at(&path))?;
        return Ok(Data { journals, spread, lock });
    };
    let expected = (0..stored.len()).map(|shard| stored.journal(directory, shard));
    for path in expected {
        if !path.try_exists().map_err(at(&path))? {
            return Err(LayoutError::Missing(path));
        }
    }
    // Journals of an earlier spread, or of an interrupted move.
    remove_journals(directory, stored).map_err(at(directory))?;
    let mut spread = stored;
    if (stored.len() != shards || stored.is_guessable()) && has_room(system, directory, stored, shards)? {
        spread = move_users(directory, &path, stored, new_spread()?)?;
    }
    Ok(Data { journals: journals(directory, spread, Journal::open)?, spread, lock })
}

/// Reports whether there is room for journals of this many shards beside the stored ones.
///
/// New journals hold no more rows than the stored ones; while they are written, SQLite's logs hold them once more.
fn has_room(system: &System, directory: &Path, stored: Spread, shards: usize) -> Result<bool, LayoutError> {
    let failed = |error| LayoutError::Io(directory.to_owned(), error);
    let mut size = 0;
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(|name| stored.has_file(name)) {
            size += entry.metadata().map_err(failed)?.len();
        }
    }
    let needed = size.saturating_mul(2).saturating_add(shards as u64 * EMPTY_JOURNAL);
    let free = (system.free_bytes)(directory).map_err(failed)?;
    if free < needed {
        tracing::warn!(
            "no room to move users, which stay where they are until the next start: {needed} bytes are needed, {free} are free"
        );
    }
    Ok(free >= needed)
}

/// Reads the number of shards and their key; `None` if there is no such file.
fn read_spread(path: &Path) -> Result<Option<Spread>, LayoutError> {
    let mut file = match files::open(path) {
        Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| LayoutError::File(path.to_owned(), error))?,
    };
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| LayoutError::Io(path.to_owned(), error))?;
    Spread::parse(&text).map(Some).ok_or_else(|| LayoutError::Shards(path.to_owned()))
}

/// Checks all files of the server, those that SQLite opens by itself among them, and closes them to others.
///
/// From here on nobody else can create a file in the directory. The lock keeps other servers out.
fn check_files(directory: &Path) -> Result<(), LayoutError> {
    let failed = |error| LayoutError::Io(directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().and_then(OsStr::to_str).is_some_and(is_server_file) {
            files::open(&path).map_err(|error| LayoutError::File(path, error))?;
        }
    }
    Ok(())
}

/// Reports whether the server, or SQLite for it, opens a file of this name.
fn is_server_file(name: &str) -> bool {
    let probed = name.strip_suffix(".probe").map(|journal| format!("{journal}.sqlite"));
    matches!(name, SHARDS | "shards.new") || is_journal_file(probed.as_deref().unwrap_or(name))
}

/// Moves all users to another spread. Returns the one that counts then: the earlier one if there is no room.
fn move_users(directory: &Path, path: &Path, stored: Spread, spread: Spread) -> Result<Spread, LayoutError> {
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

/// Acquires the lock. Waits a little, because a server that was just killed may not have released it yet.
fn acquire(lock: &File) -> Result<(), TryLockError> {
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_TIMEOUT => std::thread::sleep(LOCK_RETRY),
            outcome => return outcome,
        }
    }
}

/// Opens or creates the journals of a spread.
fn journals(
    directory: &Path,
    spread: Spread,
    open: fn(&Path) -> Result<Journal, JournalError>,
) -> Result<Vec<Journal>, LayoutError> {
    (0..spread.len())
        .map(|shard| {
            let path = spread.journal(directory, shard);
            open(&path).map_err(|error| LayoutError::Journal(path, error))
        })
        .collect()
}

/// Reports whether a journal of any number of shards has rows.
fn has_rows(directory: &Path) -> Result<bool, LayoutError> {
    let failed = |error| LayoutError::Io(directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !is_journal_file(&name) || !name.ends_with(".sqlite") {
            continue;
        }
        let mut rows = 0;
        match Journal::open(&path).and_then(|journal| journal.read(|_, _, _| rows += 1)) {
            Ok(_) if rows > 0 => return Ok(true),
            Ok(_) | Err(JournalError::Empty) => {}
            Err(error) => return Err(LayoutError::Journal(path, error)),
        }
    }
    Ok(false)
}

/// Removes the journals of all other spreads, and no other file.
fn remove_journals(directory: &Path, current: Spread) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| is_journal_file(name) && !current.has_file(name)) {
            fs::remove_file(directory.join(name))?;
        }
    }
    Ok(())
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
    for source in sources {
        let mut seen = HashSet::new();
        let mut outcome = Ok(());
        source
            .read(|row, taken_at, bytes| {
                let is_scrubbed = row.record == Record::Scrubbed;
                if outcome.is_err() || is_scrubbed || !seen.insert((row.record.kind(), row.user)) || row.is_empty {
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

/// Replaces a file atomically: after a crash it has the old text or the new one.
fn write_durably(directory: &Path, path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = files::create_anew(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(directory)?.sync_all()
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
