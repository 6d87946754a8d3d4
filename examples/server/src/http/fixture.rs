//! An app for tests, with shards that have no journal.

use super::{App, Current, Limits, Rates};
use crate::logs::{Log, LogPlace, Logs};
use crate::metrics::Metrics;
use crate::tokens::{Grant, Tokens};
use crate::traces::Traces;
use arc_swap::ArcSwap;
use presence_core::{Command, Instant, Policy, Presence, SessionId, UserId};
use presence_engine::backup::Backups;
use presence_engine::clock::Clock;
use presence_engine::data::spread::Spread;
use presence_engine::shard::Shards;
use presence_engine::shard::creators::Quota;
use presence_engine::shard::job::Job;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tokio::sync::oneshot::channel;
use tokio::sync::watch;

/// The most requests that are served at a time.
pub const REQUESTS: usize = 4;
/// The time in which a request is served.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(500);

/// Returns a developer, two applications, and two signed-in users of the first.
fn grants() -> [Grant; 5] {
    let (one, two) = (Fixture::ONE, Fixture::TWO);
    [
        Grant::development("dev"),
        Grant::application(&format!("one={one}")),
        Grant::application(&format!("two={two}")),
        Grant::delegated(&format!("first={one}/fa8bf3dc-eca7-46b7-bad1-db199b62afc3")),
        Grant::delegated(&format!("second={one}/66825e03-7ef5-42da-9069-724602c31f6b")),
    ]
    .map(Result::unwrap)
}

/// Returns what requests are served by, without limits of rates.
fn current() -> Current {
    Current { tokens: Tokens::new(grants().iter().map(|grant| (grant, ""))).unwrap(), ..Current::default() }
}

/// An app, with the channel that stops it.
pub struct Fixture {
    pub app: Arc<App>,
    _stop: watch::Sender<bool>,
}

impl Fixture {
    /// The applications of the tokens `one` and `two`.
    pub const ONE: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
    pub const TWO: &str = "33553876-f5ab-4529-bffb-cfe50aa89f87";

    /// Creates an app with this many shards, for at most this many users.
    pub fn new(shards: usize, users: usize) -> Self {
        let (clock, metrics) = (Arc::new(Clock::virtual_at(Instant::from_secs(1))), Arc::new(Metrics::new()));
        let (journals, spread) = ((0..shards).map(|_| None).collect(), Spread::unkeyed(shards));
        let shards =
            Shards::start(journals, spread, users, 8, &Arc::new(Quota::new(users)), &clock, &metrics.engine).unwrap();
        Self::of(shards, clock, metrics)
    }

    /// Creates an app whose only shard never responds, and the shard's queue.
    pub fn stalled() -> (Self, Receiver<Job>) {
        let (fixture, mut queues) = Self::stalled_shards(1);
        (fixture, queues.remove(0))
    }

    /// Creates an app with this many shards that never respond, and their queues.
    pub fn stalled_shards(count: usize) -> (Self, Vec<Receiver<Job>>) {
        let (clock, metrics) = (Arc::new(Clock::virtual_at(Instant::from_secs(1))), Arc::new(Metrics::new()));
        let (shards, queues) = Shards::stalled(count, &metrics.engine);
        (Self::of(shards, clock, metrics), queues)
    }

    /// Writes an audit log to this file.
    pub fn with_audit(mut self, path: &Path) -> Self {
        let app = Arc::get_mut(&mut self.app).unwrap();
        let log = Log::open("audit", &LogPlace::File(path.to_owned()), app.metrics.log("audit"));
        app.logs.audit = Some(log.unwrap());
        self
    }

    /// Sets the rates of applications and of users.
    pub fn with_rates(self, application: &str, user: &str) -> Self {
        let mut current = current();
        let callers = current.tokens.callers();
        current.rates = Rates::new(callers, application.parse().ok(), user.parse().ok(), None);
        self.app.set_current(current);
        self
    }

    fn of(shards: Shards, clock: Arc<Clock>, metrics: Arc<Metrics>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let ending = stopping.clone();
        let limits = Limits { request_timeout: REQUEST_TIMEOUT, ..Limits::new(REQUESTS, Duration::from_secs(15)) };
        let app = App {
            shards: Arc::new(shards),
            current: ArcSwap::from_pointee(current()),
            clock,
            metrics,
            is_loopback: true,
            feed_ids: Arc::default(),
            ending,
            stopping,
            logs: Logs::default(),
            disk: Arc::default(),
            traces: Traces::default(),
            open: Vec::new(),
            limits,
            backups: Backups::new(Path::new("/nonexistent/data"), Path::new("/nonexistent/backups")),
        };
        Self { app: Arc::new(app), _stop: stop }
    }

    /// Creates a reader that resumes at an id, as a client that connects again does.
    pub fn reader(&self, id: Option<&str>) -> presence_engine::feed::Reader {
        let app = self.app.clone();
        presence_engine::feed::Reader::new(app.shards.clone(), app.feed_ids.clone(), app.stopping.clone(), id)
    }

    /// Sets a user's presence, always in the same session.
    pub async fn set(&self, user: UserId, presence: Presence) {
        let session = SessionId::from_bytes([7; 16]);
        let (to, outcome) = channel();
        let command = Command::SetPresence { session, presence, lease: None };
        let job = Job::Execute(user, command, &Policy::GRAPH, None, to);
        self.app.shards.send(self.app.shards.of(user), job).unwrap();
        outcome.await.unwrap().unwrap();
    }
}
