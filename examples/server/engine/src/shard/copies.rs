//! Copies of all journals at one moment, for a backup.

use super::Shards;
use super::job::Job;
use crate::journal::barrier::Barrier;
use crate::journal::copying::CopyOrder;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

pub use crate::journal::copying::CopyError;

impl Shards {
    /// Copies all journals into a directory, at one moment, while the shards serve. Waits as long as that takes.
    ///
    /// What was acknowledged before the call is in the copies.
    ///
    /// # Errors
    ///
    /// [`CopyError`]; some of the copies may be there, and complete.
    pub(crate) fn copy_journals(&self, directory: &Path) -> Result<(), CopyError> {
        let barrier = Arc::new(Barrier::new(self.len()));
        let (to, outcomes) = channel();
        for (number, shard) in self.shards.iter().enumerate() {
            let order = CopyOrder::new(self.spread.journal(directory, number), barrier.clone(), to.clone());
            self.metrics.queued.inc();
            // Waits while the queue is full. A writer that has ended drops the order, which ends the other copies.
            if shard.jobs.send(Job::Copy(Box::new(order))).is_err() {
                self.metrics.queued.dec();
            }
        }
        drop(to);
        // An order that was dropped has no outcome.
        let outcomes = (0..self.len()).map(|_| outcomes.recv().unwrap_or(Err(CopyError::GivenUp)));
        // A failure of the disk says more than that the other shards have given up.
        let failed = outcomes.filter_map(Result::err).max_by_key(|error| matches!(error, CopyError::Journal(_)));
        failed.map_or(Ok(()), Err)
    }
}
