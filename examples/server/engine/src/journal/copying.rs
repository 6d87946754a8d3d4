//! The copy of a journal for a backup, which its flusher makes while it goes on writing: a step between two groups.
//!
//! When nearly everything is copied in all shards, they meet at a [`Barrier`] between two of their groups, and each copies the rest
//! before its next one. So all copies are of one moment: what was acknowledged before it is in them, and nothing that came
//! after; a change that a client has made because it had seen another is never there without that one.

use super::JournalError;
use super::barrier::Barrier;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

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

/// A copy of a journal that is being made, while the journal goes on.
pub trait Copying {
    /// Copies some more, but not all. Reports whether the rest is no more than a step.
    ///
    /// # Errors
    ///
    /// As for [`Journal::copy`](super::Journal::copy).
    fn step(&mut self) -> Result<bool, JournalError>;

    /// Copies the rest. The copy is what the journal was at this moment.
    ///
    /// # Errors
    ///
    /// As for [`Journal::copy`](super::Journal::copy).
    fn finish(&mut self) -> Result<(), JournalError>;
}

/// A copy that meets those of the other shards.
pub struct MeetingCopy<'a> {
    copying: &'a mut dyn Copying,
    barrier: &'a Barrier,
    is_ready: bool,
}

impl<'a> MeetingCopy<'a> {
    /// Takes the copy that was ordered.
    pub fn new(copying: &'a mut dyn Copying, order: &'a CopyOrder) -> Self {
        Self { copying, barrier: &order.barrier, is_ready: false }
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
        if self.copying.step().map_err(CopyError::Journal)? && !self.is_ready {
            self.is_ready = true;
            self.barrier.add_ready();
        }
        if !self.barrier.is_ready() {
            return Ok(None);
        }
        if !self.barrier.meet(MEETING) {
            return Err(CopyError::GivenUp);
        }
        self.copying.finish().map_err(CopyError::Journal).map(Some)
    }
}
