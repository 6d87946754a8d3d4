//! Journals: the log in which a shard stores everything, behind one small trait, [`Journal`].
//!
//! A journal is a sequence of [rows](Row), numbered from 1 without a gap. A row holds a user's whole record at an instant, and
//! the newest row of a record counts. Rows are appended in [groups](Group), each of which is stored as a whole or not at all;
//! rows that no longer count are [trimmed](Journal::trim) from the beginning. Beside its rows a journal has one small record,
//! its [`Metadata`], which a group may replace.
//!
//! Each shard has a journal of its own, and each journal has one owner at a time. The owner says with every group at which
//! [`Position`] it expects the journal to be. If somebody else has written since, the group is refused and nothing is stored:
//! that fences an owner off which does not know yet that it is one no longer.
//!
//! Implementations: [`sqlite`], a file; [`memory`], without a disk. What every implementation must do, the module
//! `conformance` (feature `testing`) tests. A log that is replicated over a network fits as well: a group is one message,
//! appended under the condition that the log's last message is the owner's own; trimming purges messages from the beginning.
//! If the answer to an append is lost, such a journal finds out by itself whether the message is in the log, and returns
//! [`JournalError::Unknown`] only if it cannot.

pub(crate) mod barrier;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub(crate) mod copying;
mod group;
pub mod memory;
mod newest;
pub mod sqlite;

pub use copying::Copying;
pub use group::{Group, Record, Row};
pub use newest::NewestRows;

use crate::clock::Shift;
use std::error::Error;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// The state of a journal after a group: the next one is appended there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The number of the newest row; 0 before the first.
    pub row: i64,
    /// The number of the metadata; 0 before any.
    pub metadata: u64,
}

impl Position {
    /// The position of an empty journal.
    pub const START: Self = Self { row: 0, metadata: 0 };

    /// Returns the position behind a group that is appended here.
    #[must_use]
    pub fn after(self, group: &Group) -> Self {
        let rows = i64::try_from(group.count()).unwrap_or(i64::MAX);
        let metadata = group.metadata.map_or(self.metadata, |metadata| metadata.number);
        Self { row: self.row.saturating_add(rows), metadata }
    }
}

/// The part of a shard's state that belongs to no single user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The number of times that the metadata was written.
    pub number: u64,
    /// A number above every revision and version of the evicted users.
    pub version_floor: u64,
    /// The virtual clock, in milliseconds; 0 without one.
    pub virtual_now: u64,
    /// A recent unshifted instant, in milliseconds; no clock starts before it.
    pub newest: u64,
    /// The steps back of the clock that the engine has followed. The greatest of all journals counts for each of them.
    pub shift: Shift,
}

impl Metadata {
    /// Returns the greatest value of each field.
    #[must_use]
    pub fn greatest(self, other: Self) -> Self {
        Self {
            number: self.number.max(other.number),
            version_floor: self.version_floor.max(other.version_floor),
            virtual_now: self.virtual_now.max(other.virtual_now),
            newest: self.newest.max(other.newest),
            shift: self.shift.max(other.shift),
        }
    }
}

/// The journal of a shard.
///
/// Calls block: the engine makes them on a thread that does nothing else.
pub trait Journal: Debug + Send {
    /// Returns a name for messages: the path of a file, or the name of a stream.
    fn name(&self) -> String;

    /// Returns the current position.
    ///
    /// # Errors
    ///
    /// [`JournalError::Failed`] if the journal cannot be read.
    fn position(&self) -> Result<Position, JournalError>;

    /// Returns the metadata; the default before any was written.
    ///
    /// # Errors
    ///
    /// [`JournalError::Failed`] if it cannot be read, or is damaged.
    fn metadata(&self) -> Result<Metadata, JournalError>;

    /// Appends a group, if the journal is at the expected position. Returns the position behind it.
    ///
    /// When this returns, the group is durable. Its first row gets the number after that of the expected position, and its
    /// metadata, if any, has the next number.
    ///
    /// # Errors
    ///
    /// [`JournalError::Conflict`] at another position; [`JournalError::NoRoom`] if there is no room. In both cases nothing is
    /// stored. [`JournalError::Unknown`] if nobody can tell; [`JournalError::Failed`] for any other failure, after which
    /// the journal is not used any more.
    fn append(&self, expected: Position, group: &Group) -> Result<Position, JournalError>;

    /// Passes the rows behind this one, in order, until `each` breaks. Returns the number of the last row that was passed.
    ///
    /// Reading from the start, `0`, passes all that are left, whatever was trimmed, and checks that none is missing.
    ///
    /// # Errors
    ///
    /// [`JournalError::Trimmed`] if some of these rows have been removed; [`JournalError::Failed`] if rows are damaged or
    /// missing.
    fn read(&self, after: i64, each: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>) -> Result<i64, JournalError>;

    /// Allows the rows before this one to be removed, because all of them no longer count.
    ///
    /// They are removed at once, with the next group, or later.
    ///
    /// # Errors
    ///
    /// [`JournalError::Failed`] if the journal fails.
    fn trim(&self, before: i64) -> Result<(), JournalError>;

    /// Frees what room it can, and looks for some more. Called when a group was refused for lack of room, again and again.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoRoom`] while there is none.
    fn make_room(&self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Returns the time until [`upkeep`](Self::upkeep) has something to do; `None` if it has nothing to do.
    fn upkeep_due(&self) -> Option<Duration> {
        None
    }

    /// Takes a short step of what is left to do until removed bytes are gone, which each journal does in its own way.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoRoom`] if there is no room for it now; others as for [`append`](Self::append).
    fn upkeep(&self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Copies the journal to a new file, for a backup. Calls `serve` once, which takes the steps of the copy and goes on appending
    /// between them.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoRoom`] if there is no room for the copy; [`JournalError::Failed`] if it cannot be made, as of a journal
    /// that is not stored in a file of this machine.
    fn copy(&self, to: &Path, serve: &mut dyn FnMut(&mut dyn Copying)) -> Result<(), JournalError> {
        let _ = serve;
        Err(JournalError::Failed(format!("{} cannot be copied to {}", self.name(), to.display()).into()))
    }

    /// Closes the journal. Everything is durable without that, too.
    ///
    /// # Errors
    ///
    /// [`JournalError::Failed`] if the journal fails.
    fn close(self: Box<Self>) -> Result<(), JournalError> {
        Ok(())
    }
}

/// An error of a journal.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalError {
    /// The journal is not at the expected position: somebody else has written. Nothing was stored.
    Conflict {
        /// The position that the caller expected.
        expected: Position,
        /// The position at which the journal is.
        found: Position,
    },
    /// There is no room. Nothing was stored, and the same may succeed later.
    NoRoom(Box<dyn Error + Send + Sync>),
    /// Nobody can tell whether the group is stored. The caller must not go on as if it were, or were not.
    Unknown(Box<dyn Error + Send + Sync>),
    /// Rows behind this one have been removed. Read from the start again.
    Trimmed(i64),
    /// The journal is damaged, or what stores it has failed.
    Failed(Box<dyn Error + Send + Sync>),
}

impl std::fmt::Display for JournalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Conflict { expected, found } => write!(
                f,
                "somebody else has written: row {} is the newest instead of {}, and metadata {} instead of {}",
                found.row, expected.row, found.metadata, expected.metadata
            ),
            Self::NoRoom(error) | Self::Failed(error) => write!(f, "{error}"),
            Self::Unknown(error) => write!(f, "nobody can tell whether it is stored: {error}"),
            Self::Trimmed(row) => write!(f, "rows behind {row} have been removed"),
        }
    }
}

impl Error for JournalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoRoom(error) | Self::Unknown(error) | Self::Failed(error) => error.source(),
            Self::Conflict { .. } | Self::Trimmed(_) => None,
        }
    }
}

/// Returns the unshifted instant of the newest row, in milliseconds; 0 if there is none.
///
/// # Errors
///
/// Those of the journal.
pub fn newest_instant(journal: &dyn Journal) -> Result<u64, JournalError> {
    let Position { row, .. } = journal.position()?;
    let mut newest = 0;
    journal.read((row - 1).max(0), &mut |row| {
        newest = row.taken_at.as_millis();
        ControlFlow::Continue(())
    })?;
    Ok(newest)
}

/// Replaces the metadata of a journal, durably; it gets the next number. Returns it.
///
/// # Errors
///
/// Those of [`Journal::append`].
pub fn change_metadata(journal: &dyn Journal, change: impl FnOnce(&mut Metadata)) -> Result<Metadata, JournalError> {
    let (position, mut metadata) = (journal.position()?, journal.metadata()?);
    change(&mut metadata);
    metadata.number = position.metadata + 1;
    let mut group = Group::default();
    group.metadata = Some(metadata);
    journal.append(position, &group)?;
    Ok(metadata)
}
