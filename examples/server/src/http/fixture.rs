//! An app for tests: everything behind HTTP, but for the disk.

use super::{App, Parts};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::shard::job::Job;
use crate::shard::{Service, Shards};
use crate::tokens::{Grant, Tokens};
use presence_core::{Command, Instant, Presence, SessionId, UserId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tokio::sync::oneshot::channel;
use tokio::sync::watch;

/// How many requests are served at a time.
pub const REQUESTS: usize = 4;
/// As far as tests wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// An app, and what ends it.
pub struct Fixture {
    pub app: Arc<App>,
    _stop: watch::Sender<bool>,
}

impl Fixture {
    /// One with so many shards, and room for so many users.
    pub fn new(shards: usize, users: usize) -> Self {
        let (clock, metrics) = (Arc::new(Clock::still(Instant::from_secs(1))), Arc::new(Metrics::new()));
        let journals = (0..shards).map(|_| None).collect();
        let shards = Shards::start(journals, users, &clock, &metrics, Service::WithoutJournal).unwrap();
        Self::of(shards, clock, metrics)
    }

    /// One whose only shard does not answer, and its queue.
    pub fn stalled() -> (Self, Receiver<Job>) {
        let (clock, metrics) = (Arc::new(Clock::still(Instant::from_secs(1))), Arc::new(Metrics::new()));
        let (shards, mut queues) = Shards::stalled(1, &metrics);
        (Self::of(shards, clock, metrics), queues.remove(0))
    }

    fn of(shards: Shards, clock: Arc<Clock>, metrics: Arc<Metrics>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let tokens = Tokens::new([Grant::development("dev").unwrap()]).unwrap();
        let names = HashMap::new();
        let parts = Parts { shards, tokens, clock, names, metrics, is_loopback: true, stopping, requests: REQUESTS };
        let mut app = App::new(parts);
        app.limits.answer_within = ANSWER_WITHIN;
        Self { app: Arc::new(app), _stop: stop }
    }

    /// Sets a presence of a user, always of the same session.
    pub async fn set(&self, user: UserId, presence: Presence) {
        let session = SessionId::from_bytes([7; 16]);
        let (answer, outcome) = channel();
        let command = Command::SetPresence { session, presence, lease: None };
        self.app.shards.ask(self.app.shards.of(user), Job::Execute(user, command, answer)).unwrap();
        outcome.await.unwrap().unwrap();
    }
}
