//! HTTP: requests, and responses to them.
//!
//! Reading order: [`connections`] accepts and bounds connections; [`observe`] gives every request its ids and counts it; its
//! [`client`] is named by the lines of the [`access`] log and of the [`audit`] log; [`health`] answers probes; [`hosts`] rejects
//! those under names of others, and [`callers`] knows who asks, by what is [`current`]; [`guesses`] slows those who guess tokens;
//! [`graph`] serves Graph's paths, and [`batch`] the elements of a batch; [`request`] parses them; [`dispatch`] sends requests to
//! the shards; [`content`] writes what they respond, and [`explain`] explanations; [`changes`] streams the events of a
//! [`Reader`](presence_engine::feed::Reader); [`admin`] serves operators, and [`backup`] makes backups for them; [`response`]
//! builds responses, in memory that [`response_body`] counts or a [`bounded`] writer limits, and [`body`] reads bodies;
//! [`throttle`] bounds what an [`account`] takes, with [`shares`] of pools and [`rates`]; [`least_rate`] gives slow peers up;
//! [`retry`] decides when rejected clients are to come back.

mod access;
mod account;
mod admin;
mod audit;
mod backup;
mod batch;
mod body;
mod bounded;
mod callers;
mod changes;
mod client;
pub mod connections;
mod content;
mod current;
mod dev;
mod dispatch;
mod explain;
#[cfg(test)]
mod fixture;
mod graph;
mod guesses;
mod health;
mod hosts;
mod least_rate;
#[cfg(test)]
mod memory_tests;
mod observe;
mod pages;
#[cfg(test)]
mod piece_tests;
mod rates;
mod request;
pub mod response;
mod response_body;
mod retry;
mod shares;
#[cfg(test)]
mod tests;
mod throttle;

pub use current::Current;
pub use hosts::{HostName, Hosts};
pub use pages::OpenPage;
pub use rates::{Rate, Rates};

use crate::disk::Disk;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::traces::Traces;
use arc_swap::ArcSwap;
use axum::Router;
use axum::routing::{delete, get, post};
use presence_engine::backup::Backups;
use presence_engine::clock::Clock;
use presence_engine::shard::{QUEUE, Shards};
use retry::RetrySchedule;
use shares::Pool;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};
use tower_http::catch_panic::CatchPanicLayer;

/// The most memory of bodies and responses, in kibibytes. Requests that need more get 429.
const BUFFERS: usize = 128 * 1024;
/// The most clients that follow changes at a time. Each has one job in a queue, and leaves half of it to others.
const READERS: usize = QUEUE / 2;
/// The time in which every request is served.
///
/// A body must come sooner, so only a stalled disk can take longer. The shards still execute the request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The state that all requests share.
#[derive(Debug)]
pub struct App {
    /// The shards of users.
    pub shards: Arc<Shards>,
    /// What requests are served by, until it is reloaded.
    pub current: ArcSwap<Current>,
    /// The server's clock.
    pub clock: Arc<Clock>,
    /// The server's metrics.
    pub metrics: Arc<Metrics>,
    /// True if only this machine can reach the server.
    pub is_loopback: bool,
    /// The ids of this run for events, which tell its positions from those of other runs.
    pub feed_ids: Arc<presence_engine::feed::FeedIds>,
    /// A channel that becomes true when the server is about to end, and should get no more requests.
    pub ending: watch::Receiver<bool>,
    /// A channel that becomes true when the server accepts no more connections.
    pub stopping: watch::Receiver<bool>,
    /// The access log and the audit log.
    pub logs: Logs,
    /// The disk of the data.
    pub disk: Arc<Disk>,
    /// The spans of requests.
    pub traces: Traces,
    /// What is served without a token on addresses that other machines can reach.
    pub open: Vec<OpenPage>,
    /// The bounded resources.
    pub limits: Limits,
    /// The backups of the data.
    pub backups: Backups,
}

/// The bounded resources of a server.
#[derive(Debug)]
pub struct Limits {
    in_flight: Arc<Pool>,
    buffers: Arc<Pool>,
    readers: Arc<Pool>,
    /// The lock of the one request that may advance the clock.
    advance: Mutex<()>,
    request_timeout: Duration,
    /// The most requests that are served at a time. The queue of a shard may be full before.
    places: usize,
    /// When rejected clients are to come back.
    retries: std::sync::Mutex<RetrySchedule>,
    started: Instant,
    /// The longest time in which a stream of changes sends nothing.
    heartbeat: Duration,
}

impl Limits {
    /// Creates the limits; at most `requests` are served at a time, and more get 429. A stream of changes sends something at
    /// least every `heartbeat`.
    pub fn new(requests: usize, heartbeat: Duration) -> Self {
        Self {
            in_flight: Pool::new(requests),
            buffers: Pool::new(BUFFERS),
            readers: Pool::new(READERS),
            advance: Mutex::new(()),
            request_timeout: REQUEST_TIMEOUT,
            places: requests.min(QUEUE),
            retries: RetrySchedule::new().into(),
            started: Instant::now(),
            heartbeat,
        }
    }
}

/// Returns the routes. The library parses the paths of Graph's API.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(pages::metrics))
        .route("/openapi.json", get(pages::openapi))
        .route("/presence/changes", get(changes::follow))
        .route("/admin/backup", get(backup::state).post(backup::create))
        .route("/admin/users", get(admin::list))
        .route("/admin/users/{id}", delete(admin::erase))
        .route("/admin/users/{id}/signOut", post(admin::sign_out))
        .route("/dev/advance", post(dev::advance))
        .route("/dev/users/{id}/outOfOffice", post(dev::out_of_office))
        .method_not_allowed_fallback(pages::wrong_method)
        .fallback(graph::serve)
        .layer(axum::middleware::from_fn_with_state(app.clone(), hosts::check))
        .layer(CatchPanicLayer::custom(response::panic_response))
        .layer(axum::middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}
