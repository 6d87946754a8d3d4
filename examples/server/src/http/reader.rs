//! Readers: the position of a client that follows changes, and its next events.
//!
//! A reader holds its cursor in every shard, and at most one chunk of each that its client has not read. It asks for more
//! only when the client has read, so a slow client costs other clients nothing. During a full scan, the changes of the
//! shards already scanned are read between the chunks. So a reader falls behind only by reading too slowly, not because there
//! are many users and changes; then it starts over.

use super::App;
use crate::shard::job::{Changes, FullScan, Job, UserView};
use crate::shard::state::CHUNK;
use futures_util::future::join_all;
use presence_core::directory::Cursor;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::{Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, watch};

#[cfg(test)]
mod tests;

/// The time before a reader tries a full queue again, so that others go first.
const RETRY: Duration = Duration::from_millis(20);

/// An event for a client that follows changes.
#[derive(Debug)]
pub enum FeedEvent {
    /// The client must discard all it knows; a full scan follows.
    StartOver,
    /// A user during the scan.
    Scanned(UserView),
    /// The scan is complete; changes follow.
    UpToDate,
    /// A user that has changed.
    Changed(UserView),
}

/// A client that follows changes.
#[derive(Debug)]
pub struct Reader {
    app: Arc<App>,
    /// The cursor in each shard.
    cursors: Vec<Cursor>,
    /// The position of the full scan, while there is one.
    scan: Option<ScanPosition>,
    queued: VecDeque<Queued>,
    notify: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

/// The position of a full scan.
#[derive(Clone, Copy, Debug)]
struct ScanPosition {
    shard: usize,
    offset: usize,
    /// True if the changes of scanned shards are to be read before the next chunk.
    is_behind: bool,
}

impl ScanPosition {
    const START: Self = Self { shard: 0, offset: 0, is_behind: false };

    /// Returns the number of shards in which the scan has begun.
    fn begun(self) -> usize {
        self.shard + usize::from(self.offset > 0)
    }
}

/// An event that the client has not read yet.
#[derive(Debug)]
enum Queued {
    StartOver,
    Scanned(UserView),
    UpToDate,
    Changed(usize, UserView, Cursor),
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.app.metrics.change_readers.dec();
    }
}

impl Reader {
    /// Creates a reader that resumes at one cursor for each shard, or begins with a full scan.
    pub fn new(app: Arc<App>, permit: OwnedSemaphorePermit, cursors: Option<Vec<Cursor>>) -> Self {
        app.metrics.change_readers.inc();
        let mut reader = Self {
            notify: app.shards.subscribe(),
            stopping: app.stopping.clone(),
            app,
            cursors: Vec::new(),
            scan: None,
            queued: VecDeque::new(),
            _permit: permit,
        };
        match cursors {
            Some(cursors) => reader.cursors = cursors,
            None => reader.start_over(),
        }
        reader
    }

    /// Returns the cursor in each shard. They are meaningful only after a scan is complete.
    pub fn cursors(&self) -> &[Cursor] {
        &self.cursors
    }

    fn start_over(&mut self) {
        self.cursors = vec![Cursor::START; self.app.shards.len()];
        self.scan = Some(ScanPosition::START);
        self.queued.clear();
        self.queued.push_back(Queued::StartOver);
    }

    /// Waits for the next event; returns `None` when the server is ending.
    pub async fn next(&mut self) -> Option<FeedEvent> {
        loop {
            if let Some(queued) = self.queued.pop_front() {
                return Some(self.deliver(queued));
            }
            if *self.stopping.borrow() {
                return None;
            }
            // Changes from here on notify again.
            self.notify.mark_unchanged();
            match self.scan {
                Some(scan) if scan.is_behind => {
                    let is_behind = self.read_changes(scan.begun()).await?;
                    if let Some(scan) = &mut self.scan {
                        scan.is_behind = is_behind;
                    }
                }
                Some(scan) => self.read_chunk(scan).await?,
                None => {
                    self.read_changes(self.app.shards.len()).await?;
                    if self.queued.is_empty() {
                        tokio::select! {
                            notified = self.notify.changed() => notified.ok()?,
                            _ = self.stopping.wait_for(|is_stopping| *is_stopping) => return None,
                        }
                    }
                }
            }
        }
    }

    fn deliver(&mut self, queued: Queued) -> FeedEvent {
        match queued {
            Queued::StartOver => FeedEvent::StartOver,
            Queued::Scanned(view) => FeedEvent::Scanned(view),
            Queued::UpToDate => FeedEvent::UpToDate,
            Queued::Changed(shard, view, cursor) => {
                if let Some(current) = self.cursors.get_mut(shard) {
                    *current = cursor;
                }
                if self.scan.is_some() { FeedEvent::Scanned(view) } else { FeedEvent::Changed(view) }
            }
        }
    }

    /// Reads the next chunk of the full scan.
    async fn read_chunk(&mut self, ScanPosition { shard, offset, .. }: ScanPosition) -> Option<()> {
        let FullScan { users, next, cursor } = self.request(shard, |to| Job::FullScan(offset, to)).await?;
        if offset == 0
            && let Some(current) = self.cursors.get_mut(shard)
        {
            // Later changes are read again as changes.
            *current = cursor;
        }
        // A user that never showed anything is left out, like an unknown one (rule M5).
        self.queued
            .extend(users.into_iter().filter(|view| view.version > 0 || view.details.is_some()).map(Queued::Scanned));
        self.scan = match next {
            Some(offset) => Some(ScanPosition { shard, offset, is_behind: true }),
            None if shard + 1 < self.app.shards.len() => {
                Some(ScanPosition { shard: shard + 1, offset: 0, is_behind: true })
            }
            None => {
                self.queued.push_back(Queued::UpToDate);
                None
            }
        };
        Some(())
    }

    /// Reads a chunk of changes of each of the first `shards` that has any. Reports whether there may be more.
    async fn read_changes(&mut self, shards: usize) -> Option<bool> {
        let requests = self.cursors.iter().copied().enumerate().take(shards).map(async |(shard, since)| {
            if self.app.shards.published(shard) == since {
                return Some((shard, Changes::Users(Vec::new())));
            }
            Some((shard, self.request(shard, |to| Job::Changes(since, to)).await?))
        });
        let mut has_more = false;
        for response in join_all(requests).await {
            match response? {
                (shard, Changes::Users(users)) => {
                    has_more |= users.len() >= CHUNK;
                    let changed = users.into_iter().map(|(view, cursor)| Queued::Changed(shard, view, cursor));
                    self.queued.extend(changed);
                }
                (_, Changes::StartOver) => {
                    self.start_over();
                    return Some(false);
                }
            }
        }
        Some(has_more)
    }

    /// Sends a job to a shard, and waits for the response. Sends it again if the queue was full or the shard was reloaded.
    async fn request<T>(&self, shard: usize, job: impl Fn(Sender<T>) -> Job) -> Option<T> {
        loop {
            let (to, response) = channel();
            if self.app.shards.send(shard, job(to)).is_ok()
                && let Ok(response) = response.await
            {
                return Some(response);
            }
            if *self.stopping.borrow() {
                return None;
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
