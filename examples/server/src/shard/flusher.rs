//! The thread that makes groups durable, while the writer goes on with the next one.

use super::Published;
use super::database::JournalError;
use super::group::Group;
use super::job::Job;
use super::journal::{Journal, Old};
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

/// A group that is durable.
#[derive(Debug, Default)]
pub struct Done {
    /// Its memory, to be used again.
    pub group: Group,
    /// The oldest rows, as many as it asked to look at.
    pub oldest: Vec<Old>,
}

/// What the thread needs.
#[derive(Debug)]
pub struct Flusher {
    /// Where the groups go.
    pub journal: Journal,
    /// Where they come from, one at a time.
    pub groups: Receiver<Group>,
    /// Where they go back.
    pub done: SyncSender<Done>,
    /// Where the writer waits for jobs.
    pub jobs: SyncSender<Job>,
    /// What readers of changes look at.
    pub published: Arc<Published>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Flusher {
    /// Makes groups durable until there are no more, and closes the journal.
    pub fn run(mut self) {
        while let Ok(mut group) = self.groups.recv() {
            let oldest = match self.flush(&mut group) {
                Ok(oldest) => oldest,
                Err(error) => stop_everything(&error),
            };
            group.clear();
            if self.done.send(Done { group, oldest }).is_err() {
                break;
            }
            // If there is no room, the writer is awake.
            let _ = self.jobs.try_send(Job::Wake);
        }
        if let Err(error) = self.journal.close() {
            stop_everything(&error);
        }
    }

    fn flush(&mut self, group: &mut Group) -> Result<Vec<Old>, JournalError> {
        if !group.writes_nothing() {
            let started = std::time::Instant::now();
            self.journal.commit(group)?;
            self.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
            self.metrics.group_rows.observe(group.len() as f64);
        }
        self.published.publish(group.cursor);
        for answer in group.answers.drain(..) {
            answer.send();
        }
        if group.look_at == 0 { Ok(Vec::new()) } else { self.journal.oldest(group.look_at) }
    }
}

/// Ends the process: nobody may be told of what is not durable, and what is in memory is ahead of it.
pub fn stop_everything(error: &dyn std::error::Error) -> ! {
    tracing::error!("the journal failed, so nothing can be promised any more: {error}");
    std::process::exit(74)
}
