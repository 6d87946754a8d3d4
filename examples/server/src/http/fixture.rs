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
use tokio::sync::oneshot::channel;
use tokio::sync::watch;

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

    /// One with these shards.
    pub fn of(shards: Shards, clock: Arc<Clock>, metrics: Arc<Metrics>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let tokens = Tokens::new([Grant::development("dev").unwrap()]).unwrap();
        let names = HashMap::new();
        let parts = Parts { shards, tokens, clock, names, metrics, is_loopback: true, stopping, requests: 4096 };
        Self { app: Arc::new(App::new(parts)), _stop: stop }
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
