//! The flusher: a thread that makes groups durable while the writer fills the next one.
//!
//! A disk without room ends the flusher, and hands the journal to the writer, which [reloads](super::writer) what is stored and
//! starts another one, [`Flusher::run_when_there_is_room`]. Any other failure ends the process.

use super::Published;
use super::job::Job;
use crate::journal::group::Group;
use crate::journal::sqlite::cleaner::Cleaner;
use crate::journal::sqlite::database::JournalError;
use crate::journal::sqlite::{Journal, Metadata, StaleRow};
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The time between two looks for room on a full disk.
const ROOM_INTERVAL: Duration = Duration::from_secs(1);

/// A durable group, on its way back to the writer.
#[derive(Debug, Default)]
pub struct FlushedGroup {
    /// The emptied group, whose memory is used again.
    pub group: Group,
    /// The oldest rows, as many as the group asked to review.
    pub oldest: Vec<StaleRow>,
}

/// A group for which the disk has no room. Its transaction was rolled back.
#[derive(Debug)]
pub struct Unstored {
    /// The group, with the responses that waited for it.
    pub group: Group,
    /// The journal, which holds what is stored.
    pub journal: Journal,
}

/// What a flusher tells its writer.
#[derive(Debug)]
pub enum Flushed {
    /// A group is durable.
    Group(FlushedGroup),
    /// The disk has no room for a group, and the flusher has ended.
    Full(Box<Unstored>),
    /// The disk has room again; this metadata is stored.
    HasRoom(Metadata),
}

/// The channels to the flusher and back.
#[derive(Debug)]
pub struct FlusherLink {
    /// The channel for groups to write.
    pub groups: SyncSender<Group>,
    /// The channel for what the flusher tells.
    pub flushed: Receiver<Flushed>,
}

/// The parts of a flusher that outlive it.
#[derive(Clone, Debug)]
pub struct FlusherContext {
    /// The writer's queue, to wake it.
    pub jobs: SyncSender<Job>,
    /// The cursor of the durable changes.
    pub published: Arc<Published>,
    /// The server's metrics.
    pub metrics: Arc<Metrics>,
}

impl FlusherContext {
    /// Starts a flusher on a thread of its own; on a full disk it waits for room before it takes groups.
    pub fn start(&self, journal: Journal, is_disk_full: bool) -> (FlusherLink, JoinHandle<()>) {
        let (to_flusher, groups) = sync_channel(1);
        let (flushed, from_flusher) = sync_channel(1);
        let name = format!("flusher-{}", self.published.shard);
        let flusher = Flusher { journal, groups, flushed, cleaner: Cleaner::new(), context: self.clone() };
        let run = move || if is_disk_full { flusher.run_when_there_is_room() } else { flusher.run() };
        (FlusherLink { groups: to_flusher, flushed: from_flusher }, super::spawn(name, run))
    }
}

/// A flusher, to be run on a thread of its own.
#[derive(Debug)]
struct Flusher {
    /// The journal to write to.
    journal: Journal,
    /// The groups to write, one at a time.
    groups: Receiver<Group>,
    /// The channel to the writer.
    flushed: SyncSender<Flushed>,
    /// What is left to do for removed texts and erased users.
    cleaner: Cleaner,
    context: FlusherContext,
}

impl Flusher {
    /// Makes groups durable until their channel ends or the disk is full; then closes the journal or hands it over.
    fn run(mut self) {
        while let Some(group) = self.next_group() {
            let Some(mut group) = group else { continue };
            match self.flush(&mut group) {
                Ok(oldest) => {
                    self.cleaner.note(&group);
                    group.clear();
                    if !self.tell(Flushed::Group(FlushedGroup { group, oldest })) {
                        break;
                    }
                }
                Err(error) if error.is_full(&self.journal.path()) => {
                    tracing::error!("changes are refused until there is room for them: {error}");
                    let Self { journal, flushed, context, .. } = self;
                    let _ = flushed.send(Flushed::Full(Box::new(Unstored { group, journal })));
                    return wake(&context);
                }
                Err(error) => stop_everything(&error),
            }
        }
        // The rest of the cleaning, if there is room for it.
        while self.cleaner.wait().is_some() && self.clean() {}
        if let Err(error) = self.journal.close() {
            stop_everything(&error);
        }
    }

    /// Waits for the next group, or takes a step of the cleaning when it is due; returns `None` when the channel has ended.
    fn next_group(&mut self) -> Option<Option<Group>> {
        let group = match self.cleaner.wait() {
            None => return self.groups.recv().ok().map(Some),
            Some(wait) => match self.groups.recv_timeout(wait) {
                Ok(group) => Some(group),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return None,
            },
        };
        if self.cleaner.wait() == Some(Duration::ZERO) {
            self.clean();
        }
        Some(group)
    }

    /// Takes a step of the cleaning. Reports whether there was room for it.
    fn clean(&mut self) -> bool {
        match self.cleaner.step(&mut self.journal) {
            Ok(()) => true,
            Err(error) if error.is_full(&self.journal.path()) => {
                self.cleaner.postpone();
                false
            }
            Err(error) => stop_everything(&error),
        }
    }

    /// Looks for room until there is some, then makes groups durable.
    fn run_when_there_is_room(mut self) {
        // The writer sends no group before it knows of the room, and hangs up when it ends.
        while matches!(self.groups.recv_timeout(ROOM_INTERVAL), Err(RecvTimeoutError::Timeout)) {
            match self.journal.find_room() {
                Ok(metadata) => {
                    tracing::info!("there is room for changes again");
                    self.tell(Flushed::HasRoom(metadata));
                    return self.run();
                }
                Err(error) if error.is_full(&self.journal.path()) => {}
                Err(error) => stop_everything(&error),
            }
        }
        self.run();
    }

    /// Tells the writer, and wakes it. Reports whether there is one.
    fn tell(&self, what: Flushed) -> bool {
        let is_told = self.flushed.send(what).is_ok();
        wake(&self.context);
        is_told
    }

    fn flush(&mut self, group: &mut Group) -> Result<Vec<StaleRow>, JournalError> {
        if !group.writes_nothing() {
            let started = std::time::Instant::now();
            self.journal.commit(group)?;
            self.context.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
            self.context.metrics.group_rows.observe(group.len() as f64);
        }
        self.context.published.publish(group.cursor);
        for response in group.responses.drain(..) {
            response.send();
        }
        if group.review_count == 0 {
            Ok(Vec::new())
        } else {
            self.journal.rows_from(group.review_from, group.review_count)
        }
    }
}

/// Wakes the writer. If its queue is full, it is awake.
fn wake(context: &FlusherContext) {
    let _ = context.jobs.try_send(Job::Wake);
}

/// Ends the process, because memory is ahead of what is durable, and no response may show that.
pub fn stop_everything(error: &dyn std::error::Error) -> ! {
    tracing::error!("the journal failed, so nothing can be promised any more: {error}");
    std::process::exit(74)
}
