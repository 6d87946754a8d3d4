//! Where a client that follows changes stands, and what it hears next.
//!
//! A reader is where it stands in the changes of every shard, and at most one chunk of each that it has not taken yet. It
//! asks for more only when its client has read, so a slow client costs nobody anything. While everybody is told, what changed
//! meanwhile is told first wherever that has begun: so nobody falls behind for there being many users and many changes, but
//! only for reading too slowly; and that is said.

use super::App;
use crate::shard::job::{Changes, Everybody, Job, Shown};
use crate::shard::state::CHUNK;
use futures_util::future::join_all;
use presence_core::directory::Cursor;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, watch};

#[cfg(test)]
mod tests;

/// When a shard is busy, a reader lets others go first for so long.
const LATER: Duration = Duration::from_millis(20);

/// What a reader hears.
#[derive(Debug)]
pub enum News {
    /// Forget what you know; everybody follows.
    CursorError,
    /// A user as it is now, while everybody is told.
    Told(Shown),
    /// Everybody was told; changes follow.
    UpToDate,
    /// A user that changed, as it is now.
    Changed(Shown),
}

/// A client that follows changes.
#[derive(Debug)]
pub struct Reader {
    app: Arc<App>,
    /// Where it stands in each shard.
    cursors: Vec<Cursor>,
    /// While everybody is told: how far that is.
    walk: Option<Walk>,
    waiting: VecDeque<Waiting>,
    bell: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

/// How far everybody was told.
#[derive(Clone, Copy, Debug)]
struct Walk {
    shard: usize,
    place: usize,
    /// Whether what changed meanwhile comes first.
    is_behind: bool,
}

impl Walk {
    const START: Self = Self { shard: 0, place: 0, is_behind: false };

    /// In so many shards it has begun.
    fn begun(self) -> usize {
        self.shard + usize::from(self.place > 0)
    }
}

/// What was not heard yet.
#[derive(Debug)]
enum Waiting {
    CursorError,
    Everybody(Shown),
    UpToDate,
    Changed(usize, Shown, Cursor),
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.app.metrics.change_readers.dec();
    }
}

impl Reader {
    /// A reader that goes on from these cursors, one for each shard; without them it is told everybody first.
    pub fn new(app: Arc<App>, place: OwnedSemaphorePermit, cursors: Option<Vec<Cursor>>) -> Self {
        app.metrics.change_readers.inc();
        let mut reader = Self {
            bell: app.shards.bell(),
            stopping: app.stopping.clone(),
            app,
            cursors: Vec::new(),
            walk: None,
            waiting: VecDeque::new(),
            _place: place,
        };
        match cursors {
            Some(cursors) => reader.cursors = cursors,
            None => reader.start_over(),
        }
        reader
    }

    /// Where it stands in each shard. Means something when nobody is left to be told.
    pub fn cursors(&self) -> &[Cursor] {
        &self.cursors
    }

    fn start_over(&mut self) {
        self.cursors = vec![Cursor::START; self.app.shards.len()];
        self.walk = Some(Walk::START);
        self.waiting.clear();
        self.waiting.push_back(Waiting::CursorError);
    }

    /// What comes next, as soon as there is something; `None` when the server is about to end.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            if let Some(waiting) = self.waiting.pop_front() {
                return Some(self.hear(waiting));
            }
            if *self.stopping.borrow() {
                return None;
            }
            // What happens from here on rings again.
            self.bell.mark_unchanged();
            match self.walk {
                Some(walk) if walk.is_behind => {
                    let is_behind = self.read_changes(walk.begun()).await?;
                    if let Some(walk) = &mut self.walk {
                        walk.is_behind = is_behind;
                    }
                }
                Some(walk) => self.read_everybody(walk).await?,
                None => {
                    self.read_changes(self.app.shards.len()).await?;
                    if self.waiting.is_empty() {
                        tokio::select! {
                            rung = self.bell.changed() => rung.ok()?,
                            _ = self.stopping.wait_for(|is_stopping| *is_stopping) => return None,
                        }
                    }
                }
            }
        }
    }

    fn hear(&mut self, waiting: Waiting) -> News {
        match waiting {
            Waiting::CursorError => News::CursorError,
            Waiting::Everybody(shown) => News::Told(shown),
            Waiting::UpToDate => News::UpToDate,
            Waiting::Changed(shard, shown, cursor) => {
                if let Some(known) = self.cursors.get_mut(shard) {
                    *known = cursor;
                }
                if self.walk.is_some() { News::Told(shown) } else { News::Changed(shown) }
            }
        }
    }

    /// Reads some more of everybody.
    async fn read_everybody(&mut self, Walk { shard, place, .. }: Walk) -> Option<()> {
        let Everybody { users, next, cursor } = self.ask(shard, |answer| Job::Everybody(place, answer)).await?;
        if place == 0
            && let Some(known) = self.cursors.get_mut(shard)
        {
            // What changes after this is told again.
            *known = cursor;
        }
        // One that never showed anything is like one never heard of (rule M5).
        self.waiting.extend(
            users.into_iter().filter(|shown| shown.version > 0 || shown.told.is_some()).map(Waiting::Everybody),
        );
        self.walk = match next {
            Some(place) => Some(Walk { shard, place, is_behind: true }),
            None if shard + 1 < self.app.shards.len() => Some(Walk { shard: shard + 1, place: 0, is_behind: true }),
            None => {
                self.waiting.push_back(Waiting::UpToDate);
                None
            }
        };
        Some(())
    }

    /// Reads some changes of each of the first shards, so many, that has any. Says whether there may be more of them already.
    async fn read_changes(&mut self, shards: usize) -> Option<bool> {
        let asked = self.cursors.iter().copied().enumerate().take(shards).map(async |(shard, since)| {
            if self.app.shards.published(shard) == since {
                return Some((shard, Changes::Users(Vec::new())));
            }
            Some((shard, self.ask(shard, |answer| Job::Changes(since, answer)).await?))
        });
        let mut is_more = false;
        for answer in join_all(asked).await {
            match answer? {
                (shard, Changes::Users(users)) => {
                    is_more |= users.len() >= CHUNK;
                    let changed = users.into_iter().map(|(shown, cursor)| Waiting::Changed(shard, shown, cursor));
                    self.waiting.extend(changed);
                }
                (_, Changes::CursorError) => {
                    self.start_over();
                    return Some(false);
                }
            }
        }
        Some(is_more)
    }

    /// Asks a shard, after others when it is busy.
    async fn ask<T>(&self, shard: usize, job: impl Fn(Sender<T>) -> Job) -> Option<T> {
        loop {
            let (answer, told): (_, Receiver<T>) = channel();
            if self.app.shards.ask(shard, job(answer)).is_ok() {
                return told.await.ok();
            }
            if *self.stopping.borrow() {
                return None;
            }
            tokio::time::sleep(LATER).await;
        }
    }
}
