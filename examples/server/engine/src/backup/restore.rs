//! Makes a data directory of a backup.
//!
//! A mark lies in the directory from before the first file of the backup until after the last, and no server starts on a
//! directory with it: what a kill has interrupted is never taken for data. Restoring again begins anew.

use super::manifest::{Manifest, ManifestError, NAME};
use crate::data;
use crate::data::journal_set::{LayoutError, RESTORING, SHARDS, journals, write_durably};
use crate::data::spread::Spread;
use crate::journal::sqlite::SqliteJournal;
use crate::shard::LoadError;
use crate::shard::verify::verify;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The text of the mark, for people.
const MARK: &str =
    "A backup is being restored here. If that was interrupted, restore it again: this directory is not complete.\n";

/// A data directory that was made of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The directory.
    pub path: PathBuf,
    /// The moment of the backup, as `2026-11-24T17:05:33Z`.
    pub created: String,
    /// The number of users of whom something was stored then.
    pub users: usize,
}

/// A backup that cannot be restored. The data directory is as it was.
#[derive(Debug)]
pub enum RestoreError {
    /// No manifest that is known.
    Manifest(PathBuf, ManifestError),
    /// A file of the backup that is missing, or cannot be copied.
    Io(PathBuf, io::Error),
    /// A file of the backup that differs from what was written.
    Damaged(PathBuf),
    /// A data directory that has data already.
    HasData(PathBuf),
    /// A data directory that cannot be used, or data that does not open.
    Layout(LayoutError),
    /// Records that a server would not load.
    Load(LoadError),
}

impl std::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Manifest(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Damaged(path) => write!(f, "{}: damaged: it is not what was backed up", path.display()),
            Self::HasData(path) => {
                write!(
                    f,
                    "{}: has data already, which is not overwritten: restore to another directory",
                    path.display()
                )
            }
            Self::Layout(error) => error.fmt(f),
            Self::Load(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RestoreError {}

impl From<LayoutError> for RestoreError {
    fn from(error: LayoutError) -> Self {
        Self::Layout(error)
    }
}

/// Makes a data directory of a backup, which is only read. Everything in it is checked as a start of the server does.
///
/// # Errors
///
/// [`RestoreError`]; then nothing of the backup is left in the directory.
pub fn restore(backup: &Path, data: &Path) -> Result<Restored, RestoreError> {
    let manifest = Manifest::read(backup).map_err(|error| RestoreError::Manifest(backup.join(NAME), error))?;
    let (directory, _lock) = data::lock(data)?;
    let at = |error| RestoreError::Io(directory.clone(), error);
    let found = data::server_files(&directory)?;
    let is_interrupted = found.iter().any(|name| name == RESTORING);
    if !found.is_empty() && !is_interrupted {
        return Err(RestoreError::HasData(directory));
    }
    write_durably(&directory, &directory.join(RESTORING), MARK).map_err(at)?;
    remove_all(&directory)?;
    let filled = fill(&manifest, backup, &directory).inspect_err(|_| {
        // The mark goes last; where that fails too, it stays, and no server starts.
        let _ = remove_all(&directory).map(|()| fs::remove_file(directory.join(RESTORING)));
    });
    let users = filled?;
    fs::remove_file(directory.join(RESTORING)).and_then(|()| File::open(&directory)?.sync_all()).map_err(at)?;
    Ok(Restored { path: directory, created: manifest.created, users })
}

/// Removes the files of an interrupted restore, but for its mark.
fn remove_all(directory: &Path) -> Result<(), RestoreError> {
    for name in data::server_files(directory)?.iter().filter(|name| *name != RESTORING) {
        let path = directory.join(name);
        fs::remove_file(&path).map_err(|error| RestoreError::Io(path, error))?;
    }
    Ok(())
}

/// Copies the files of a backup and checks them. Returns the number of users.
fn fill(manifest: &Manifest, backup: &Path, directory: &Path) -> Result<usize, RestoreError> {
    let malformed = || RestoreError::Manifest(backup.join(NAME), ManifestError::Malformed);
    let copy = |name: &str, to: &mut dyn io::Write| {
        let path = backup.join(name);
        let is_undamaged = manifest.entry(name).ok_or_else(malformed)?.copy(backup, to);
        match is_undamaged.map_err(|error| RestoreError::Io(path.clone(), error))? {
            true => Ok(()),
            false => Err(RestoreError::Damaged(path)),
        }
    };
    let mut text = Vec::new();
    copy(SHARDS, &mut text)?;
    let spread = std::str::from_utf8(&text).ok().and_then(Spread::parse);
    let spread = spread.ok_or_else(|| LayoutError::Shards(backup.join(SHARDS)))?;
    for name in Manifest::names(spread) {
        let path = directory.join(&name);
        let failed = |error| RestoreError::Io(path.clone(), error);
        let mut file = super::create_new(&path).map_err(failed)?;
        copy(&name, &mut file)?;
        file.sync_all().map_err(failed)?;
    }
    let journals = data::boxed(journals(directory, spread, SqliteJournal::open)?);
    let users = verify(&journals, spread).map_err(RestoreError::Load)?;
    for journal in journals {
        let path = PathBuf::from(journal.name());
        journal.close().map_err(|error| LayoutError::Rows(path, error))?;
    }
    // Also makes the names of the journals durable.
    let path = directory.join(SHARDS);
    write_durably(directory, &path, &spread.to_text()).map_err(|error| RestoreError::Io(path, error))?;
    Ok(users)
}
