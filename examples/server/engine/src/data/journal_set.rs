//! The journals of a data directory, and the file `shards`, which says which of them count and how users are spread over them.

use super::spread::{Spread, is_journal_file};
use crate::files::{self, FileError};
use crate::journal::sqlite::{SqliteError, SqliteJournal, database};
use crate::journal::{Journal, JournalError};
use presence_core::UserId;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The name of the file with the number of shards and their key.
pub const SHARDS: &str = "shards";
/// The name of the mark of a directory to which a backup is being restored.
pub const RESTORING: &str = "restoring";

/// A data directory that cannot be opened.
#[derive(Debug)]
pub enum LayoutError {
    /// A directory that another server has locked.
    Locked(PathBuf),
    /// An error of a file, or of the directory.
    Io(PathBuf, io::Error),
    /// A file or directory that the server does not use.
    File(PathBuf, FileError),
    /// A journal that cannot be opened.
    Journal(PathBuf, SqliteError),
    /// A journal that cannot be read or written.
    Rows(PathBuf, JournalError),
    /// A number of shards, or a key, that is malformed.
    Shards(PathBuf),
    /// No number of shards and no key, although there is data.
    NoShards(PathBuf),
    /// A user in the journal of a shard that it does not belong to: the journal, or the key in `shards`, is of other data.
    Misplaced(PathBuf, UserId),
    /// A missing journal.
    Missing(PathBuf),
    /// A directory to which a backup was not restored completely.
    Restoring(PathBuf),
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Locked(path) => write!(f, "{}: another server is using this data", path.display()),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Journal(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Rows(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Shards(path) => write!(f, "{}: not a number of shards and their key", path.display()),
            Self::NoShards(path) => {
                write!(
                    f,
                    "{}: missing, and without it nobody can tell which of the journals beside it count",
                    path.display()
                )
            }
            Self::Misplaced(path, user) => write!(
                f,
                "{}: {user} belongs to another shard, so this journal, or the file `shards`, is of other data",
                path.display()
            ),
            Self::Missing(path) => write!(f, "{}: missing", path.display()),
            Self::Restoring(path) => write!(
                f,
                "{}: a backup was being restored here, which was interrupted: restore it again",
                path.display()
            ),
        }
    }
}

impl std::error::Error for LayoutError {}

/// Reads the number of shards and their key; `None` if there is no such file.
pub fn read_spread(path: &Path) -> Result<Option<Spread>, LayoutError> {
    let mut file = match files::open(path) {
        Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| LayoutError::File(path.to_owned(), error))?,
    };
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| LayoutError::Io(path.to_owned(), error))?;
    Spread::parse(&text).map(Some).ok_or_else(|| LayoutError::Shards(path.to_owned()))
}

/// Checks that all journals of a spread are there, and of format versions that can be opened. Changes nothing.
pub fn check_journals(directory: &Path, spread: Spread) -> Result<(), LayoutError> {
    for path in (0..spread.len()).map(|shard| spread.journal(directory, shard)) {
        if !path.try_exists().map_err(|error| LayoutError::Io(path.clone(), error))? {
            return Err(LayoutError::Missing(path));
        }
        database::check_format(&path).map_err(|error| LayoutError::Journal(path, error))?;
    }
    Ok(())
}

/// Returns the bytes of the journals of a spread, with those of SQLite's files beside them.
pub fn stored_bytes(directory: &Path, spread: Spread) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| spread.has_file(name)) {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Opens or creates the journals of a spread.
pub fn journals(
    directory: &Path,
    spread: Spread,
    open: fn(&Path) -> Result<SqliteJournal, SqliteError>,
) -> Result<Vec<SqliteJournal>, LayoutError> {
    (0..spread.len())
        .map(|shard| {
            let path = spread.journal(directory, shard);
            open(&path).map_err(|error| LayoutError::Journal(path, error))
        })
        .collect()
}

/// Reports whether a journal of any number of shards has rows.
pub fn has_rows(directory: &Path) -> Result<bool, LayoutError> {
    let failed = |error| LayoutError::Io(directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !is_journal_file(&name) || !name.ends_with(".sqlite") {
            continue;
        }
        let journal = match SqliteJournal::open(&path) {
            Err(SqliteError::Empty) => continue,
            opened => opened.map_err(|error| LayoutError::Journal(path.clone(), error))?,
        };
        // Reading all of it shows damage.
        match journal.read(0, &mut |_| ControlFlow::Continue(())) {
            Ok(0) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(LayoutError::Rows(path, error)),
        }
    }
    Ok(false)
}

/// Removes the journals of all other spreads, and no other file.
pub fn remove_journals(directory: &Path, current: Spread) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| is_journal_file(name) && !current.has_file(name)) {
            fs::remove_file(directory.join(name))?;
        }
    }
    Ok(())
}

/// Replaces a file atomically: after a crash it has the old text or the new one.
pub fn write_durably(directory: &Path, path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = files::create_anew(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(directory)?.sync_all()
}
