//! The flusher: a thread that makes groups durable while the writer fills the next one.
//!
//! A disk without room ends the flusher, and hands the journal to the writer, which [reloads](super::writer) what is stored and
//! starts another one, [`Flusher::run_when_there_is_room`]. Any other failure ends the process.
//!
//! For a backup it makes a [copy](crate::journal::Journal::copy) of the journal meanwhile. A copy that fails ends nothing else.

use super::commit::Commit;
use super::job::Job;
use super::journal_index::StaleRow;
use super::published::Published;
use super::threads::{spawn, stop_everything};
use crate::journal::copying::{CopyError, CopyOrder, MeetingCopy};
use crate::journal::{Journal, JournalError, Metadata, Row, change_metadata};
use crate::metrics::Metrics;
use std::ops::ControlFlow;
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
    pub commit: Commit,
    /// The oldest rows, as many as the group asked to review.
    pub oldest: Vec<StaleRow>,
}

/// A group for which the disk has no room. Its transaction was rolled back.
#[derive(Debug)]
pub struct Unstored {
    /// The group, with the responses that waited for it.
    pub commit: Commit,
    /// The journal, which holds what is stored.
    pub journal: Box<dyn Journal>,
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
    pub groups: SyncSender<Commit>,
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
    pub fn start(&self, journal: Box<dyn Journal>, is_disk_full: bool) -> (FlusherLink, JoinHandle<()>) {
        let (to_flusher, groups) = sync_channel(1);
        let (flushed, from_flusher) = sync_channel(1);
        let name = format!("flusher-{}", self.published.shard);
        let flusher = Flusher { groups, flushed, context: self.clone() };
        let run = move || if is_disk_full { flusher.run_when_there_is_room(journal) } else { flusher.run(journal) };
        (FlusherLink { groups: to_flusher, flushed: from_flusher }, spawn(name, run))
    }
}

/// A flusher of a journal, to be run on a thread of its own.
#[derive(Debug)]
struct Flusher {
    /// The groups to write, one at a time.
    groups: Receiver<Commit>,
    /// The channel to the writer.
    flushed: SyncSender<Flushed>,
    context: FlusherContext,
}

/// The reason for which a flusher no longer takes groups, or not in the same way.
enum End {
    /// The writer has ended.
    Closed,
    /// There is no room for this group.
    Full(Commit),
    /// The journal is to be copied meanwhile.
    Copy(Box<CopyOrder>),
    /// The copy has ended.
    Copied(Result<(), CopyError>),
}

impl Flusher {
    /// Makes groups durable until their channel ends or the disk is full; then closes the journal or hands it over.
    fn run(self, journal: Box<dyn Journal>) {
        let mut end = self.serve(&*journal, None);
        while let End::Copy(order) = end {
            end = self.copy(&*journal, order);
        }
        match end {
            End::Full(commit) => {
                let _ = self.flushed.send(Flushed::Full(Box::new(Unstored { commit, journal })));
                wake(&self.context);
            }
            _ => Self::close(journal),
        }
    }

    /// Makes groups durable, and at first copies the journal as ordered meanwhile.
    fn copy(&self, journal: &dyn Journal, order: Box<CopyOrder>) -> End {
        let mut end = None;
        let copied = journal.copy(order.path(), &mut |copying| {
            end = Some(self.serve(journal, Some(MeetingCopy::new(copying, &order))));
        });
        // The file is closed by now.
        let copied = copied.map_err(CopyError::Journal);
        match end {
            Some(End::Copied(outcome)) => order.finish(copied.and(outcome)),
            None => order.finish(copied.and(Err(CopyError::GivenUp))),
            // Whatever became of the copy, a group without room goes back to the writer. The order is dropped, which ends the copies
            // of the other shards.
            Some(end) => return end,
        }
        self.serve(journal, None)
    }

    /// Makes groups durable until something else is to be done, with steps of a copy between them.
    fn serve(&self, journal: &dyn Journal, mut copying: Option<MeetingCopy<'_>>) -> End {
        loop {
            if let Some(outcome) = copying.as_mut().and_then(MeetingCopy::step) {
                return End::Copied(outcome);
            }
            let mut commit = match self.next_group(journal, copying.as_ref().map(MeetingCopy::wait)) {
                Ok(commit) => commit,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return End::Closed,
            };
            match self.flush(journal, &mut commit) {
                Ok(oldest) => {
                    let order = commit.copy.take();
                    commit.clear();
                    if !self.tell(Flushed::Group(FlushedGroup { commit, oldest })) {
                        return End::Closed;
                    }
                    if let Some(order) = order {
                        return End::Copy(order);
                    }
                }
                Err(error @ JournalError::NoRoom(_)) => {
                    tracing::error!("changes are refused until there is room for them: {error}");
                    return End::Full(commit);
                }
                Err(error) => stop_everything(&error),
            }
        }
    }

    /// Closes the journal, after the rest of its upkeep, if there is room for it.
    fn close(journal: Box<dyn Journal>) {
        while journal.upkeep_due().is_some() && tidy(&*journal) {}
        if let Err(error) = journal.close() {
            stop_everything(&error);
        }
    }

    /// Waits for the next group, at most so long, or takes a step of the journal's upkeep when it is due.
    fn next_group(&self, journal: &dyn Journal, longest: Option<Duration>) -> Result<Commit, RecvTimeoutError> {
        let group = match journal.upkeep_due().into_iter().chain(longest).min() {
            None => self.groups.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => self.groups.recv_timeout(wait),
        };
        if journal.upkeep_due() == Some(Duration::ZERO) && !matches!(group, Err(RecvTimeoutError::Disconnected)) {
            tidy(journal);
        }
        group
    }

    /// Looks for room until there is some, then makes groups durable.
    fn run_when_there_is_room(self, journal: Box<dyn Journal>) {
        // The writer sends no group before it knows of the room, and hangs up when it ends.
        while matches!(self.groups.recv_timeout(ROOM_INTERVAL), Err(RecvTimeoutError::Timeout)) {
            match find_room(&*journal) {
                Ok(metadata) => {
                    tracing::info!("there is room for changes again");
                    self.tell(Flushed::HasRoom(metadata));
                    return self.run(journal);
                }
                Err(JournalError::NoRoom(_)) => {}
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

    fn flush(&self, journal: &dyn Journal, commit: &mut Commit) -> Result<Vec<StaleRow>, JournalError> {
        let Commit { expected, group, first_row, .. } = commit;
        if !group.writes_nothing() {
            let started = std::time::Instant::now();
            journal.append(*expected, group)?;
            self.context.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
            self.context.metrics.group_rows.observe(group.count() as f64);
            journal.trim(*first_row)?;
        }
        self.context.published.publish(commit.cursor);
        for response in commit.responses.drain(..) {
            response.send();
        }
        oldest_rows(journal, commit.first_row, commit.review_count)
    }
}

/// Takes a step of a journal's upkeep. Reports whether there was room for it.
fn tidy(journal: &dyn Journal) -> bool {
    match journal.upkeep() {
        Ok(()) => true,
        Err(JournalError::NoRoom(_)) => false,
        Err(error) => stop_everything(&error),
    }
}

/// Returns the metadata, which is written again as a proof that there is room.
fn find_room(journal: &dyn Journal) -> Result<Metadata, JournalError> {
    journal.make_room()?;
    change_metadata(journal, |_| ())
}

/// Returns the rows from this one on, at most so many. Those that have been removed no longer count, so they are left out.
pub fn oldest_rows(journal: &dyn Journal, first: i64, count: usize) -> Result<Vec<StaleRow>, JournalError> {
    let mut rows = Vec::with_capacity(count);
    if count == 0 {
        return Ok(rows);
    }
    let mut each = |row: Row<'_>| {
        rows.push(StaleRow::of(&row));
        if rows.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    match journal.read(first - 1, &mut each) {
        // What a state was restored from before its last trimming took effect.
        Err(JournalError::Trimmed(_)) => journal.read(0, &mut each)?,
        read => read?,
    };
    Ok(rows)
}

/// Wakes the writer. If its queue is full, it is awake.
fn wake(context: &FlusherContext) {
    let _ = context.jobs.try_send(Job::Wake);
}
