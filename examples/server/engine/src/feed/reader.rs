//! Readers: the position of a client that follows changes, and its next events.
//!
//! A reader holds its cursor in every shard, and at most one chunk of each that its client has not read. It asks for more
//! only when the client has read, so a slow client costs other clients nothing. During a full scan, the changes of the
//! shards already scanned are read between the chunks. So a reader falls behind only by reading too slowly, not because there
//! are many users and changes; then it starts over.
//!
//! A scan is resumed where it broke off. Of the slots before its position, the client knows each user as it was at the cursor
//! of the shard or later; what has changed since is a change after the cursor, wherever the user's slot is now. So a resumed
//! scan reads the changes of the shards in which it has begun, and goes on from its position.

use super::ids::{FeedIds, Position, ScanPosition};
use crate::shard::job::{Changes, FullScan, Job, UserView};
use crate::shard::state::CHUNK;
use crate::shard::{ReaderPosition, Shards};
use futures_util::future::join_all;
use presence_core::directory::Cursor;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::{Sender, channel};
use tokio::sync::watch;

/// The time before a reader tries a full queue again, so that others go first.
const RETRY: Duration = Duration::from_millis(20);

/// An event for a client that follows changes.
#[derive(Debug)]
pub enum FeedEvent {
    /// The client must discard all it knows; a full scan follows.
    StartOver,
    /// A user, of the scan or changed.
    Presence(UserView),
    /// The scan is complete; changes follow.
    UpToDate,
}

/// A client that follows changes.
#[derive(Debug)]
pub struct Reader {
    shards: Arc<Shards>,
    ids: Arc<FeedIds>,
    /// The cursor in each shard, after the last event.
    cursors: Vec<Cursor>,
    /// The position of the full scan after the last event; `None` after the scan.
    delivered: Option<ScanPosition>,
    /// The position of the next chunk; `None` after the last.
    scan: Option<ScanPosition>,
    /// True if the changes of scanned shards are to be read before the next chunk.
    is_behind: bool,
    pub(super) queued: VecDeque<Queued>,
    notify: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    position: ReaderPosition,
}

/// An event that the client has not read yet.
#[derive(Debug)]
pub(super) enum Queued {
    StartOver,
    /// A user of the scan, and the position after it.
    Scanned(UserView, ScanPosition),
    /// No event: the position after slots without users.
    Passed(ScanPosition),
    UpToDate,
    /// A change in a shard, and the cursor after it.
    Changed(usize, UserView, Cursor),
}

impl Reader {
    /// Creates a reader that resumes at an id of this run, or begins with a full scan. It ends when `stopping` is true.
    pub fn new(shards: Arc<Shards>, ids: Arc<FeedIds>, stopping: watch::Receiver<bool>, id: Option<&str>) -> Self {
        let position = id.and_then(|id| ids.parse(id, shards.len()));
        let mut reader = Self {
            notify: shards.subscribe(),
            position: shards.add_reader(),
            stopping,
            shards,
            ids,
            cursors: Vec::new(),
            delivered: None,
            scan: None,
            is_behind: true,
            queued: VecDeque::new(),
        };
        match position {
            Some(Position { scan, cursors }) => {
                reader.cursors = cursors;
                reader.cursors.resize(reader.shards.len(), Cursor::START);
                (reader.delivered, reader.scan) = (scan, scan);
            }
            None => reader.start_over(),
        }
        reader.tell_position();
        reader
    }

    /// Returns the id to resume after the last event.
    pub fn id(&self) -> String {
        let begun = self.delivered.map_or(self.cursors.len(), ScanPosition::begun);
        self.ids.format(self.delivered, self.cursors.get(..begun).unwrap_or_default())
    }

    /// Tells the shards how far it has read.
    fn tell_position(&self) {
        let read = || self.cursors.iter().map(|cursor| cursor.to_number()).sum();
        self.position.set(self.delivered.is_none().then(read));
    }

    fn start_over(&mut self) {
        self.cursors = vec![Cursor::START; self.shards.len()];
        (self.delivered, self.scan) = (Some(ScanPosition::START), Some(ScanPosition::START));
        self.is_behind = false;
        self.queued.clear();
        self.queued.push_back(Queued::StartOver);
    }

    /// Waits for the next event; returns `None` when the server is ending.
    pub async fn next(&mut self) -> Option<FeedEvent> {
        loop {
            while let Some(queued) = self.queued.pop_front() {
                let event = self.deliver(queued);
                self.tell_position();
                if event.is_some() {
                    return event;
                }
            }
            if *self.stopping.borrow() {
                return None;
            }
            // Changes from here on notify again.
            self.notify.mark_unchanged();
            match self.scan {
                Some(scan) if self.is_behind => self.is_behind = self.read_changes(scan.begun()).await?,
                Some(scan) => self.read_chunk(scan).await?,
                None => {
                    self.read_changes(self.shards.len()).await?;
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

    /// Moves the position behind a queued event, and returns the event.
    fn deliver(&mut self, queued: Queued) -> Option<FeedEvent> {
        match queued {
            Queued::StartOver => Some(FeedEvent::StartOver),
            Queued::Scanned(view, position) => {
                self.delivered = Some(position);
                Some(FeedEvent::Presence(view))
            }
            Queued::Passed(position) => {
                self.delivered = Some(position);
                None
            }
            Queued::UpToDate => {
                self.delivered = None;
                Some(FeedEvent::UpToDate)
            }
            Queued::Changed(shard, view, cursor) => {
                if let Some(current) = self.cursors.get_mut(shard) {
                    *current = cursor;
                }
                Some(FeedEvent::Presence(view))
            }
        }
    }

    /// Reads the next chunk of the full scan.
    async fn read_chunk(&mut self, ScanPosition { shard, offset }: ScanPosition) -> Option<()> {
        let FullScan { users, next, cursor, generation } = self.request(shard, |to| Job::FullScan(offset, to)).await?;
        match self.cursors.get_mut(shard) {
            // Later changes are read again as changes.
            Some(current) if offset == 0 => *current = cursor,
            // Of the users who are in other slots now, some may be in those already scanned.
            Some(current) if current.to_number() < generation => {
                self.start_over();
                return Some(());
            }
            _ => {}
        }
        // A user that never showed anything is left out, like an unknown one (rule M5).
        let shown = users.into_iter().filter(|(view, _)| view.version > 0 || view.details.is_some());
        self.queued.extend(shown.map(|(view, offset)| Queued::Scanned(view, ScanPosition { shard, offset })));
        self.is_behind = true;
        self.scan = match next {
            Some(offset) => Some(ScanPosition { shard, offset }),
            None => (shard + 1 < self.shards.len()).then_some(ScanPosition { shard: shard + 1, offset: 0 }),
        };
        self.queued.push_back(self.scan.map_or(Queued::UpToDate, Queued::Passed));
        Some(())
    }

    /// Reads a chunk of changes of each of the first `shards` that has any. Reports whether there may be more.
    async fn read_changes(&mut self, shards: usize) -> Option<bool> {
        let requests = self.cursors.iter().copied().enumerate().take(shards).map(async |(shard, since)| {
            if self.shards.published(shard) == since {
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
            if self.shards.send(shard, job(to)).is_ok()
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
