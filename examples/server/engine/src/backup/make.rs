//! Makes a backup.

use super::manifest::{self, Entry, Manifest};
use super::{PARTIAL, write_new};
use crate::clock::{date, wall_clock};
use crate::data::journal_set::{SHARDS, stored_bytes};
use crate::data::moves::{EMPTY_JOURNAL, System};
use crate::files::{DIRECTORY, FileError};
use crate::journal::JournalError;
use crate::shard::Shards;
use crate::shard::copies::CopyError;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its directory.
    pub path: PathBuf,
    /// The bytes of its files.
    pub bytes: u64,
    /// The moment at which the copies were complete, as `2026-11-24T17:05:33Z`.
    pub created: String,
    /// The time that it took.
    pub took: std::time::Duration,
}

/// A backup that could not be made.
#[derive(Debug)]
pub enum BackupError {
    /// A directory of backups that the server does not use.
    Directory(PathBuf, FileError),
    /// An error of the file system.
    Io(PathBuf, io::Error),
    /// A journal that could not be copied.
    Copy(CopyError),
    /// Too few free bytes, and those that are needed.
    NoRoom {
        /// The directory of backups.
        path: PathBuf,
        /// The bytes that are free.
        free: u64,
        /// The bytes that are needed.
        needed: u64,
    },
}

impl std::fmt::Display for BackupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Copy(error) => error.fmt(f),
            Self::NoRoom { path, free, needed } => {
                write!(f, "{}: no room, {needed} bytes are needed, {free} are free", path.display())
            }
        }
    }
}

impl std::error::Error for BackupError {}

impl BackupError {
    /// Reports whether there is no room for the backup.
    pub fn is_full(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            Self::Copy(CopyError::Journal(error)) => matches!(error, JournalError::NoRoom(_)),
            Self::Io(_, error) => matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded),
            Self::Copy(CopyError::GivenUp) | Self::Directory(..) => false,
        }
    }
}

/// Returns a conversion that adds a path to an error.
fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |error| BackupError::Io(path, error)
}

/// Makes a backup of this name in a directory, or leaves nothing of it.
pub fn make(directory: &Path, name: &str, shards: &Shards) -> Result<Made, BackupError> {
    let began = std::time::Instant::now();
    let (path, partial) = (directory.join(name), directory.join(format!("{name}{PARTIAL}")));
    DirBuilder::new().mode(DIRECTORY).create(&partial).map_err(failed(&partial))?;
    let filled = fill(&partial, shards).and_then(|manifest| {
        fs::rename(&partial, &path).map_err(failed(&path))?;
        sync(directory).map_err(failed(directory))?;
        Ok(manifest)
    });
    let manifest = filled.inspect_err(|_| {
        // If that fails too, the next backup or start removes it.
        let _ = fs::remove_dir_all(&partial);
    })?;
    let bytes = manifest.files.iter().map(|entry| entry.bytes).sum();
    Ok(Made { path, bytes, created: manifest.created, took: began.elapsed() })
}

/// Checks that there is room for the copies, and as much again: a backup must not take the room that the journals need.
pub fn check_room(system: &System, data: &Path, directory: &Path, shards: &Shards) -> Result<(), BackupError> {
    let stored = stored_bytes(data, shards.spread()).map_err(failed(data))?;
    let needed = stored.saturating_mul(2).saturating_add(shards.len() as u64 * EMPTY_JOURNAL);
    let free = (system.free_bytes)(directory).map_err(failed(directory))?;
    if free < needed { Err(BackupError::NoRoom { path: directory.to_owned(), free, needed }) } else { Ok(()) }
}

/// Fills the directory of a backup. Everything in it is on the disk when this returns.
fn fill(partial: &Path, shards: &Shards) -> Result<Manifest, BackupError> {
    shards.copy_journals(partial).map_err(BackupError::Copy)?;
    let created = date(wall_clock());
    let path = partial.join(SHARDS);
    write_new(&path, shards.spread().to_text().as_bytes()).map_err(failed(&path))?;
    let names = std::iter::once(SHARDS.to_owned()).chain(Manifest::names(shards.spread()));
    let entries = names.map(|name| Entry::of(partial, name).map_err(failed(partial)));
    let files = entries.collect::<Result<_, _>>()?;
    let manifest = Manifest { format: manifest::FORMAT, created, files };
    manifest.write(partial).map_err(failed(partial))?;
    sync(partial).map_err(failed(partial))?;
    Ok(manifest)
}

/// Makes the names in a directory durable.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
