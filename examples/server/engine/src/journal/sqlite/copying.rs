//! The copy of a journal for a backup, which its flusher makes while it goes on writing: some pages between two groups.
//!
//! SQLite keeps the pages that are copied already like those of the journal, because the same connection writes both. When
//! nearly everything is copied in all shards, they meet at a [`Barrier`] between two of their groups, and each copies the rest
//! before its next one. So all copies are of one moment: what was acknowledged before it is in them, and nothing that came
//! after; a change that a client has made because it had seen another is never there without that one.

use super::Journal;
use super::database::JournalError;
use crate::journal::barrier::Barrier;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// The pages that are copied between two groups: a fraction of a millisecond.
const STEP: i32 = 64;
/// The time after which a shard that is ready looks again whether the others are.
const LOOK: Duration = Duration::from_millis(2);
/// The longest time for which a shard holds up its writes for the others. They come after their group, if their disk responds.
const MEETING: Duration = Duration::from_secs(1);

/// The error of a copy.
#[derive(Debug)]
pub enum CopyError {
    /// The copy cannot be written, or the journal not be read.
    Journal(JournalError),
    /// A shard has no room for changes, is ending, or did not come in time.
    GivenUp,
}

impl std::fmt::Display for CopyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::GivenUp => f.write_str("a shard has no room for changes, is ending, or its disk does not respond"),
        }
    }
}

impl std::error::Error for CopyError {}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Journal(error.into())
    }
}

/// An order to copy the journal of one shard. Dropped without an outcome, it ends the copies of all shards.
#[derive(Debug)]
pub struct CopyOrder {
    path: PathBuf,
    barrier: Arc<Barrier>,
    to: Sender<Result<(), CopyError>>,
}

impl CopyOrder {
    /// Creates an order to copy to this new file, whose outcome is sent.
    pub const fn new(path: PathBuf, barrier: Arc<Barrier>, to: Sender<Result<(), CopyError>>) -> Self {
        Self { path, barrier, to }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sends the outcome.
    pub fn finish(self, outcome: Result<(), CopyError>) {
        // Nobody waits for it when another shard has failed.
        let _ = self.to.send(outcome);
    }
}

impl Drop for CopyOrder {
    fn drop(&mut self) {
        self.barrier.break_up();
    }
}

/// A copy that is being made.
pub struct Copying<'a> {
    backup: Backup<'a, 'a>,
    barrier: &'a Barrier,
    is_ready: bool,
}

impl<'a> Copying<'a> {
    /// Begins to copy a journal to an empty database.
    pub fn begin(journal: &'a Journal, order: &'a CopyOrder, to: &'a mut Connection) -> Result<Self, CopyError> {
        let backup = journal.backup(to).map_err(CopyError::Journal)?;
        // Copies nothing, but counts the pages.
        backup.step(0)?;
        Ok(Self { backup, barrier: &order.barrier, is_ready: false })
    }

    /// Returns the time to wait for a group before the next step.
    pub const fn wait(&self) -> Duration {
        if self.is_ready { LOOK } else { Duration::ZERO }
    }

    /// Takes a step, between two groups. Returns the outcome at the end.
    pub fn step(&mut self) -> Option<Result<(), CopyError>> {
        self.try_step().transpose()
    }

    fn try_step(&mut self) -> Result<Option<()>, CopyError> {
        if self.barrier.is_broken() {
            return Err(CopyError::GivenUp);
        }
        // With its last page the copy is complete, and no longer follows the journal. A step of no page counts those that the
        // journal has got meanwhile.
        let pages = (self.backup.progress().remaining - 1).clamp(0, STEP);
        if self.backup.step(pages)? == StepResult::Done {
            return Err(CopyError::GivenUp);
        }
        if !self.is_ready && self.backup.progress().remaining <= STEP {
            self.is_ready = true;
            self.barrier.add_ready();
        }
        if !self.barrier.is_ready() {
            return Ok(None);
        }
        if !self.barrier.meet(MEETING) {
            return Err(CopyError::GivenUp);
        }
        match self.backup.step(-1)? {
            StepResult::Done => Ok(Some(())),
            _ => Err(CopyError::GivenUp),
        }
    }
}
