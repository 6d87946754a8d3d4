//! The flusher: a thread that makes groups durable while the writer fills the next one.

use super::Published;
use super::database::JournalError;
use super::group::Group;
use super::job::Job;
use super::journal::{Journal, StaleRow};
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

/// A durable group, on its way back to the writer.
#[derive(Debug, Default)]
pub struct FlushedGroup {
    /// The emptied group, whose memory is used again.
    pub group: Group,
    /// The oldest rows, as many as the group asked to review.
    pub oldest: Vec<StaleRow>,
}

/// A flusher, to be run on a thread of its own.
#[derive(Debug)]
pub struct Flusher {
    /// The journal to write to.
    pub journal: Journal,
    /// The groups to write, one at a time.
    pub groups: Receiver<Group>,
    /// The channel for durable groups.
    pub flushed: SyncSender<FlushedGroup>,
    /// The writer's queue, to wake it.
    pub jobs: SyncSender<Job>,
    /// The cursor of the durable changes.
    pub published: Arc<Published>,
    /// The server's metrics.
    pub metrics: Arc<Metrics>,
}

impl Flusher {
    /// Makes groups durable until their channel ends, then closes the journal.
    pub fn run(mut self) {
        while let Ok(mut group) = self.groups.recv() {
            let oldest = match self.flush(&mut group) {
                Ok(oldest) => oldest,
                Err(error) => stop_everything(&error),
            };
            group.clear();
            if self.flushed.send(FlushedGroup { group, oldest }).is_err() {
                break;
            }
            // If the queue is full, the writer is awake.
            let _ = self.jobs.try_send(Job::Wake);
        }
        if let Err(error) = self.journal.close() {
            stop_everything(&error);
        }
    }

    fn flush(&mut self, group: &mut Group) -> Result<Vec<StaleRow>, JournalError> {
        if !group.writes_nothing() {
            let started = std::time::Instant::now();
            self.journal.commit(group)?;
            self.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
            self.metrics.group_rows.observe(group.len() as f64);
        }
        self.published.publish(group.cursor);
        for response in group.responses.drain(..) {
            response.send();
        }
        if group.review_count == 0 { Ok(Vec::new()) } else { self.journal.oldest(group.review_count) }
    }
}

/// Ends the process, because memory is ahead of what is durable, and no response may show that.
pub fn stop_everything(error: &dyn std::error::Error) -> ! {
    tracing::error!("the journal failed, so nothing can be promised any more: {error}");
    std::process::exit(74)
}
