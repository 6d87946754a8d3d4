//! Shards for tests, without journals, and readers of their changes.

use super::{FeedIds, Reader};
use crate::clock::Clock;
use crate::data::spread::Spread;
use crate::metrics::Metrics;
use crate::shard::Shards;
use crate::shard::creators::Quota;
use crate::shard::job::Job;
use presence_core::{Command, Instant, Policy, Presence, SessionId, UserId};
use std::sync::Arc;
use tokio::sync::oneshot::channel;
use tokio::sync::watch;

/// Shards whose clock is virtual, with the channel that ends their readers.
pub struct Fixture {
    pub shards: Arc<Shards>,
    pub clock: Arc<Clock>,
    ids: Arc<FeedIds>,
    stop: watch::Sender<bool>,
}

impl Fixture {
    /// Creates this many shards, for at most this many users.
    pub fn new(shards: usize, users: usize) -> Self {
        let (clock, metrics) = (Arc::new(Clock::virtual_at(Instant::from_secs(1))), Arc::new(Metrics::default()));
        let (journals, spread) = ((0..shards).map(|_| None).collect(), Spread::unkeyed(shards));
        let shards = Shards::start(journals, spread, users, 8, &Arc::new(Quota::new(users)), &clock, &metrics).unwrap();
        Self { shards: Arc::new(shards), clock, ids: Arc::default(), stop: watch::channel(false).0 }
    }

    /// Creates a reader that resumes at an id, as a client that connects again does.
    pub fn reader(&self, id: Option<&str>) -> Reader {
        Reader::new(self.shards.clone(), self.ids.clone(), self.stop.subscribe(), id)
    }

    /// Sets a user's presence, always in the same session.
    pub async fn set(&self, user: UserId, presence: Presence) {
        let session = SessionId::from_bytes([7; 16]);
        let (to, outcome) = channel();
        let command = Command::SetPresence { session, presence, lease: None };
        let job = Job::Execute(user, command, &Policy::GRAPH, None, to);
        self.shards.send(self.shards.of(user), job).unwrap();
        outcome.await.unwrap().unwrap();
    }
}
