//! The flusher: a thread that makes groups durable while the writer fills the next one.
//!
//! A disk without room ends the flusher, and hands the journal to the writer, which [reloads](super::writer) what is stored and
//! starts another one, [`Flusher::run_when_there_is_room`]. Any other failure ends the process.
//!
//! For a backup it makes a [copy](crate::journal::sqlite::copying) of the journal meanwhile. A copy that fails ends nothing else.

use super::Published;
use super::job::Job;
use crate::journal::group::Group;
use crate::journal::sqlite::cleaner::Cleaner;
use crate::journal::sqlite::copying::{CopyError, CopyOrder, Copying};
use crate::journal::sqlite::database::{self, JournalError};
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
#[expect(clippy::large_enum_variant, reason = "the largest is the usual one, and is moved once for each commit")]
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
        let flusher = Flusher { groups, flushed, cleaner: Cleaner::new(), context: self.clone() };
        let run = move || if is_disk_full { flusher.run_when_there_is_room(journal) } else { flusher.run(journal) };
        (FlusherLink { groups: to_flusher, flushed: from_flusher }, super::spawn(name, run))
    }
}

/// A flusher of a journal, to be run on a thread of its own.
#[derive(Debug)]
struct Flusher {
    /// The groups to write, one at a time.
    groups: Receiver<Group>,
    /// The channel to the writer.
    flushed: SyncSender<Flushed>,
    /// What is left to do for removed texts and erased users.
    cleaner: Cleaner,
    context: FlusherContext,
}

/// The reason for which a flusher no longer takes groups, or not in the same way.
enum End {
    /// The writer has ended.
    Closed,
    /// There is no room for this group.
    Full(Group),
    /// The journal is to be copied meanwhile.
    Copy(Box<CopyOrder>),
    /// The copy has ended.
    Copied(Result<(), CopyError>),
}

impl Flusher {
    /// Makes groups durable until their channel ends or the disk is full; then closes the journal or hands it over.
    fn run(mut self, journal: Journal) {
        let mut end = self.serve(&journal, None);
        while let End::Copy(order) = end {
            end = self.copy(&journal, order);
        }
        match end {
            End::Full(group) => {
                let _ = self.flushed.send(Flushed::Full(Box::new(Unstored { group, journal })));
                wake(&self.context);
            }
            _ => self.close(journal),
        }
    }

    /// Makes groups durable, and at first copies the journal as ordered meanwhile.
    fn copy(&mut self, journal: &Journal, order: Box<CopyOrder>) -> End {
        let copied = database::create_copy(order.path()).map_err(CopyError::Journal).and_then(|mut file| {
            let copying = Copying::begin(journal, &order, &mut file)?;
            Ok(self.serve(journal, Some(copying)))
        });
        // The file is closed by now.
        match copied {
            Ok(End::Copied(outcome)) => order.finish(outcome),
            Err(error) => order.finish(Err(error)),
            // The order is dropped, which ends the copies of the other shards.
            Ok(end) => return end,
        }
        self.serve(journal, None)
    }

    /// Makes groups durable until something else is to be done, with steps of a copy between them.
    fn serve(&mut self, journal: &Journal, mut copying: Option<Copying<'_>>) -> End {
        loop {
            if let Some(outcome) = copying.as_mut().and_then(Copying::step) {
                return End::Copied(outcome);
            }
            let mut group = match self.next_group(journal, copying.as_ref().map(Copying::wait)) {
                Ok(group) => group,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return End::Closed,
            };
            match self.flush(journal, &mut group) {
                Ok(oldest) => {
                    self.cleaner.note(&group);
                    let order = group.copy.take();
                    group.clear();
                    if !self.tell(Flushed::Group(FlushedGroup { group, oldest })) {
                        return End::Closed;
                    }
                    if let Some(order) = order {
                        return End::Copy(order);
                    }
                }
                Err(error) if error.is_full(&journal.path()) => {
                    tracing::error!("changes are refused until there is room for them: {error}");
                    return End::Full(group);
                }
                Err(error) => stop_everything(&error),
            }
        }
    }

    /// Closes the journal, after the rest of the cleaning, if there is room for it.
    fn close(mut self, journal: Journal) {
        while self.cleaner.wait().is_some() && self.clean(&journal) {}
        if let Err(error) = journal.close() {
            stop_everything(&error);
        }
    }

    /// Waits for the next group, at most so long, or takes a step of the cleaning when it is due.
    fn next_group(&mut self, journal: &Journal, longest: Option<Duration>) -> Result<Group, RecvTimeoutError> {
        let group = match self.cleaner.wait().into_iter().chain(longest).min() {
            None => self.groups.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => self.groups.recv_timeout(wait),
        };
        if self.cleaner.wait() == Some(Duration::ZERO) && !matches!(group, Err(RecvTimeoutError::Disconnected)) {
            self.clean(journal);
        }
        group
    }

    /// Takes a step of the cleaning. Reports whether there was room for it.
    fn clean(&mut self, journal: &Journal) -> bool {
        match self.cleaner.step(journal) {
            Ok(()) => true,
            Err(error) if error.is_full(&journal.path()) => {
                self.cleaner.postpone();
                false
            }
            Err(error) => stop_everything(&error),
        }
    }

    /// Looks for room until there is some, then makes groups durable.
    fn run_when_there_is_room(self, mut journal: Journal) {
        // The writer sends no group before it knows of the room, and hangs up when it ends.
        while matches!(self.groups.recv_timeout(ROOM_INTERVAL), Err(RecvTimeoutError::Timeout)) {
            match journal.find_room() {
                Ok(metadata) => {
                    tracing::info!("there is room for changes again");
                    self.tell(Flushed::HasRoom(metadata));
                    return self.run(journal);
                }
                Err(error) if error.is_full(&journal.path()) => {}
                Err(error) => stop_everything(&error),
            }
        }
        self.run(journal);
    }

    /// Tells the writer, and wakes it. Reports whether there is one.
    fn tell(&self, what: Flushed) -> bool {
        let is_told = self.flushed.send(what).is_ok();
        wake(&self.context);
        is_told
    }

    fn flush(&self, journal: &Journal, group: &mut Group) -> Result<Vec<StaleRow>, JournalError> {
        if !group.writes_nothing() {
            let started = std::time::Instant::now();
            journal.commit(group)?;
            self.context.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
            self.context.metrics.group_rows.observe(group.len() as f64);
        }
        self.context.published.publish(group.cursor);
        for response in group.responses.drain(..) {
            response.send();
        }
        if group.review_count == 0 { Ok(Vec::new()) } else { journal.rows_from(group.review_from, group.review_count) }
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
