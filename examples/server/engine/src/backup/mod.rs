//! Backups: copies of all journals at one moment, made while the shards serve, and data directories made from them.
//!
//! Reading order: [`make`] makes a backup, [`manifest`] lists its files, and [`restore`] makes a data directory of it.
//!
//! A backup is a directory below one that the operator names. It is written under a name with [`PARTIAL`] behind it, and renamed
//! when everything is on the disk: what a kill has interrupted is told by its name, and removed by the next server or backup.

mod make;
mod manifest;
mod restore;

pub use make::{BackupError, Made};
pub use manifest::{Manifest, ManifestError};
pub use restore::{RestoreError, Restored, restore};

use crate::clock::wall_clock;
use crate::data;
use crate::data::moves::System;
use crate::files::{self, FileError};
use crate::shard::Shards;
use presence_core::{Duration, Instant};
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The form of the names of backups, as `2026-11-24T17-05-33-120Z`.
const NAME: &str = "%Y-%m-%dT%H-%M-%S-%3fZ";
/// The ending of the name of a backup that is not complete.
pub const PARTIAL: &str = ".partial";

/// The backups of a server.
#[derive(Debug)]
pub struct Backups {
    /// The directory of the journals.
    data: PathBuf,
    /// The directory of the backups, which may not exist yet.
    directory: PathBuf,
    system: System,
    /// The lock on that directory, once it was opened.
    lock: Mutex<Option<File>>,
    state: Mutex<State>,
}

/// The state of the latest backup of this run.
#[derive(Clone, Debug, Default)]
pub enum State {
    /// None was begun.
    #[default]
    None,
    /// One is being made, of this name.
    Running(String),
    /// One is complete.
    Complete(Made),
    /// One has failed.
    Failed {
        /// The reason, for people.
        error: String,
        /// True if there was no room for it.
        is_full: bool,
    },
}

impl Backups {
    /// Creates the state without a backup, of data in one directory, to be backed up to another.
    pub fn new(data: &Path, directory: &Path) -> Self {
        Self::on(System::REAL, data, directory)
    }

    /// Does the same on another system.
    pub(crate) fn on(system: System, data: &Path, directory: &Path) -> Self {
        let (data, directory) = (data.to_owned(), directory.to_owned());
        Self { data, directory, system, lock: Mutex::default(), state: Mutex::default() }
    }

    /// Returns the state of the latest backup.
    pub fn state(&self) -> State {
        lock(&self.state).clone()
    }

    /// Removes what an interrupted backup has left, if there is a directory of backups.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the directory is not the server's alone, or cannot be read.
    pub fn clean(&self) -> Result<(), FileError> {
        if self.directory.try_exists()? { self.open().map(|_| ()) } else { Ok(()) }
    }

    /// Begins a backup. Returns its name, for [`make`](Self::make); `None` while another one is being made.
    pub fn begin(&self) -> Option<String> {
        let mut state = lock(&self.state);
        if matches!(*state, State::Running(_)) {
            return None;
        }
        let name = self.new_name(wall_clock());
        *state = State::Running(name.clone());
        Some(name)
    }

    /// Makes the backup that was begun, and returns its state then. It takes as long as copying takes; wait in a thread that may.
    pub fn make(&self, name: &str, shards: &Shards) -> State {
        let outcome = self.open().map_err(|error| BackupError::Directory(self.directory.clone(), error));
        let outcome = outcome.and_then(|directory| {
            make::check_room(&self.system, &self.data, &directory, shards)?;
            make::make(&directory, name, shards)
        });
        let state = match outcome {
            Ok(made) => {
                tracing::info!("backup {} is complete: {} bytes", made.path.display(), made.bytes);
                State::Complete(made)
            }
            Err(error) => {
                tracing::error!("backup {name} has failed, and nothing is left of it: {error}");
                State::Failed { error: error.to_string(), is_full: error.is_full() }
            }
        };
        *lock(&self.state) = state.clone();
        state
    }

    /// Returns a name for a backup that is begun at this instant, and that no other has.
    fn new_name(&self, at: Instant) -> String {
        let name = crate::clock::timestamp(at).strftime(NAME).to_string();
        let is_taken = fs::symlink_metadata(self.directory.join(&name)).is_ok();
        if is_taken { self.new_name(at.saturating_add(Duration::from_millis(1))) } else { name }
    }

    /// Opens the directory of backups, or creates it, for the server's user alone. Removes what an interrupted backup has left.
    fn open(&self) -> Result<PathBuf, FileError> {
        let directory = files::directory(&self.directory)?;
        let mut held = lock(&self.lock);
        if held.is_none() {
            let opened = files::open_or_create(&directory.join("lock"))?;
            data::acquire(&opened).map_err(|error| match error {
                TryLockError::WouldBlock => {
                    io::Error::new(io::ErrorKind::WouldBlock, "another server has its backups there")
                }
                TryLockError::Error(error) => error,
            })?;
            *held = Some(opened);
        }
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(is_partial) && entry.file_type()?.is_dir() {
                tracing::info!("{}: removed, because it was interrupted", entry.path().display());
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(directory)
    }
}

/// Reports whether a backup that is not complete has this name. What others have left in the directory is not the server's to remove.
fn is_partial(name: &str) -> bool {
    let is_like = |(found, like): (u8, u8)| if like == b'0' { found.is_ascii_digit() } else { found == like };
    let like = b"0000-00-00T00-00-00-000Z";
    name.strip_suffix(PARTIAL).is_some_and(|name| name.len() == like.len() && name.bytes().zip(*like).all(is_like))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a regular file to be read, and no link.
fn open_to_read(path: &Path) -> io::Result<File> {
    // A pipe would keep the reader waiting.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Creates a file that does not exist yet, for its owner alone.
fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(files::FILE).open(path)
}

/// Writes a file that does not exist yet. It is on the disk when this returns, though its name may not be.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
