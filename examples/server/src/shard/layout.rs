//! What lies in the directory of the data: a lock, the number of shards, and a journal for each.
//!
//! A machine with more cores, or `--users` that ask for more shards, finds the data of fewer: then new journals are filled
//! first, and the number of shards, one file that is replaced at once, says which set counts.

use super::database::JournalError;
use super::group::Group;
use super::journal::Journal;
use super::shard_of;
use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Fewer users than this are kept in one shard.
const SMALL: usize = 4096;
/// Most shards there are.
const MOST: usize = 64;
/// How long an earlier server has to let go of the lock.
const LOCK_WITHIN: Duration = Duration::from_secs(3);
const LOCK_AGAIN: Duration = Duration::from_millis(10);
/// Rows moved in one transaction.
const MOVE_AT_ONCE: usize = 4096;

/// Why the data cannot be opened.
#[derive(Debug)]
pub enum LayoutError {
    /// Another server has it.
    Locked,
    /// A file, or the directory.
    Io(PathBuf, io::Error),
    /// A journal.
    Journal(PathBuf, JournalError),
    /// The number of shards is none, or is missing where there is data.
    Shards(PathBuf),
    /// A journal that should be there is not.
    Missing(PathBuf),
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Locked => f.write_str("another server is using this data"),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Journal(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Shards(path) => write!(f, "{}: not a number of shards", path.display()),
            Self::Missing(path) => write!(f, "{}: missing", path.display()),
        }
    }
}

impl std::error::Error for LayoutError {}

/// The data of a server. Nobody else can open it while this lives.
#[derive(Debug)]
pub struct Data {
    /// A journal for each shard.
    pub journals: Vec<Journal>,
    /// Held, not used.
    pub lock: File,
}

/// How many shards serve so many users: one a core, and one alone where there are few users.
pub fn shards_for(users: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if users < SMALL { 1 } else { cores.min(MOST) }
}

/// Opens the data in a directory, or makes it, for so many shards.
pub fn open(directory: &Path, shards: usize) -> Result<Data, LayoutError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| LayoutError::Io(path, error)
    };
    fs::create_dir_all(directory).map_err(at(directory))?;
    let lock_path = directory.join("lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    take(&lock).map_err(|error| match error {
        TryLockError::WouldBlock => LayoutError::Locked,
        TryLockError::Error(error) => LayoutError::Io(lock_path, error),
    })?;
    let path = directory.join("shards");
    let stored = match fs::read_to_string(&path) {
        Ok(text) => {
            let number = text.trim().parse().ok().filter(|number| (1..=MOST).contains(number));
            Some(number.ok_or(LayoutError::Shards(path.clone()))?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(LayoutError::Io(path, error)),
    };
    let Some(stored) = stored else {
        // A first start that was cut short leaves journals with nothing in them; all else is somebody's data.
        if holds_rows(directory)? {
            return Err(LayoutError::Shards(path));
        }
        let journals = journals(directory, shards, Journal::create)?;
        write_durably(directory, &path, &format!("{shards}\n")).map_err(at(&path))?;
        return Ok(Data { journals, lock });
    };
    let expected = (0..stored).map(|shard| journal_path(directory, stored, shard));
    for path in expected {
        if !path.try_exists().map_err(at(&path))? {
            return Err(LayoutError::Missing(path));
        }
    }
    // What is left of an earlier number of shards, or of a move that was cut short.
    remove_journals(directory, stored).map_err(at(directory))?;
    if stored != shards {
        tracing::info!("moving the users of {stored} shards to {shards}");
        redistribute(directory, stored, shards)?;
        write_durably(directory, &path, &format!("{shards}\n")).map_err(at(&path))?;
        remove_journals(directory, shards).map_err(at(directory))?;
    }
    Ok(Data { journals: journals(directory, shards, Journal::open)?, lock })
}

/// Takes the lock. A server that was killed a moment ago may not have let go of it yet, so it gets a little time.
fn take(lock: &File) -> Result<(), TryLockError> {
    let asked = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if asked.elapsed() < LOCK_WITHIN => std::thread::sleep(LOCK_AGAIN),
            outcome => return outcome,
        }
    }
}

fn journal_path(directory: &Path, shards: usize, shard: usize) -> PathBuf {
    directory.join(format!("journal-{shards}-{shard}.sqlite"))
}

/// The journals of so many shards, each of which is opened or made.
fn journals(
    directory: &Path,
    shards: usize,
    open: fn(&Path) -> Result<Journal, JournalError>,
) -> Result<Vec<Journal>, LayoutError> {
    (0..shards)
        .map(|shard| {
            let path = journal_path(directory, shards, shard);
            open(&path).map_err(|error| LayoutError::Journal(path, error))
        })
        .collect()
}

/// Whether any journal, of whatever number of shards, has something in it.
fn holds_rows(directory: &Path) -> Result<bool, LayoutError> {
    let failed = |error| LayoutError::Io(directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if generation(&name).is_none() || !name.ends_with(".sqlite") {
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

/// The number of shards that a journal, or a file of `SQLite`'s beside it, belongs to; `None` for any other file.
fn generation(name: &str) -> Option<usize> {
    let (numbers, ending) = name.strip_prefix("journal-")?.split_once(".sqlite")?;
    let (shards, shard) = numbers.split_once('-')?;
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| number.to_string() == text);
    let (shards, shard) = (number(shards)?, number(shard)?);
    (shard < shards && shards <= MOST && matches!(ending, "" | "-wal" | "-shm" | "-journal")).then_some(shards)
}

/// Removes the journals of every number of shards but this one, and nothing else.
fn remove_journals(directory: &Path, but: usize) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if name.to_str().and_then(generation).is_some_and(|shards| shards != but) {
            fs::remove_file(directory.join(name))?;
        }
    }
    Ok(())
}

/// Says which journal it was.
fn failed(journal: &Journal) -> impl FnOnce(JournalError) -> LayoutError + use<> {
    let path = journal.path();
    move |error| LayoutError::Journal(path, error)
}

/// Writes the newest records of all users into the journals of another number of shards.
fn redistribute(directory: &Path, from: usize, to: usize) -> Result<(), LayoutError> {
    let sources = journals(directory, from, Journal::open)?;
    let targets = journals(directory, to, Journal::create)?;
    let mut targets: Vec<_> = targets.into_iter().map(|journal| (journal, Group::default(), 1)).collect();
    for source in sources {
        let mut seen = HashSet::new();
        let mut outcome = Ok(());
        source
            .read(|old, taken_at, bytes| {
                if outcome.is_err() || !seen.insert((old.record, old.user)) || old.is_empty {
                    return;
                }
                let Some((journal, group, next)) = targets.get_mut(shard_of(old.user, to)) else { return };
                group.push(*next, old.record, old.user, taken_at, bytes);
                *next += 1;
                if group.len() >= MOVE_AT_ONCE {
                    outcome = journal.commit(group).map_err(failed(journal));
                    group.clear();
                }
            })
            .map_err(failed(&source))?;
        outcome?;
        let mut marks = source.marks().map_err(failed(&source))?;
        // A row may be newer than they are, and what is written last here is not the newest.
        marks.newest = marks.newest.max(source.newest().map_err(failed(&source))?);
        for (journal, group, _) in &mut targets {
            // The greatest of each is right for all: they only say what others are above.
            let other = journal.marks().map_err(failed(journal))?;
            group.marks = Some(marks.greatest(other));
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

/// Replaces a file at once: after a crash it has the old text or the new one.
fn write_durably(directory: &Path, path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_journals_are_taken_for_journals() {
        assert_eq!(generation("journal-2-1.sqlite"), Some(2));
        assert_eq!(generation("journal-1-0.sqlite-wal"), Some(1));
        for name in [
            "journal-of-mine.txt",
            "journal-1-0.sqlite.bak",
            "journal-1-1.sqlite",
            "journal-01-0.sqlite",
            "journal-2-",
            "lock",
        ] {
            assert_eq!(generation(name), None, "{name}");
        }
    }
}
