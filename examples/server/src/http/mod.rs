//! HTTP: what is asked, and how it is answered.
//!
//! Reading order: [`connections`] takes connections in and bounds them; [`observe`] gives every request its ids and
//! counts it; [`graph`] serves Graph's paths, [`batch`] the elements of a batch, [`dispatch`] goes to the shards; [`changes`] streams what a
//! [`reader`] hears; [`response`] makes answers, [`body`] reads bodies.

mod batch;
mod body;
mod changes;
pub mod connections;
mod dev;
mod dispatch;
#[cfg(test)]
mod fixture;
mod graph;
mod observe;
mod pages;
mod reader;
pub mod response;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::shard::{QUEUE, Shards};
use crate::tokens::Tokens;
use axum::Router;
use axum::routing::{get, post};
use presence_core::UserId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, watch};
use tower_http::catch_panic::CatchPanicLayer;

/// Most memory that bodies and long answers take at a time, in kibibytes; who would need more is told to come back.
const BUFFERS: usize = 128 * 1024;
/// Most clients that follow changes at a time: each has one job in a queue, and leaves half of it to others.
const READERS: usize = QUEUE / 2;
/// Within this time every request is answered. A body has less to come in, so what takes longer is not the client's fault:
/// a disk that does not answer. What a shard was asked it carries out nevertheless.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What every request needs.
#[derive(Debug)]
pub struct App {
    /// The users.
    pub shards: Shards,
    /// Who is known.
    pub tokens: Tokens,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// Names that stand for users.
    pub names: HashMap<String, UserId>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether only this machine can ask.
    pub is_loopback: bool,
    /// Tells cursors of this run from those of others.
    pub epoch: u64,
    /// Whether the server is about to end.
    pub stopping: watch::Receiver<bool>,
    limits: Limits,
}

/// What is bounded.
#[derive(Debug)]
struct Limits {
    in_flight: Semaphore,
    buffers: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    /// Time is advanced by one at a time.
    advance: Mutex<()>,
    answer_within: Duration,
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The users.
    pub shards: Shards,
    /// Who is known.
    pub tokens: Tokens,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// Names that stand for users.
    pub names: HashMap<String, UserId>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether only this machine can ask.
    pub is_loopback: bool,
    /// Whether the server is about to end.
    pub stopping: watch::Receiver<bool>,
    /// Most requests that are served at a time; more are told to come back.
    pub requests: usize,
}

impl App {
    /// An app of these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { shards, tokens, clock, names, metrics, is_loopback, stopping, requests } = parts;
        let limits = Limits {
            in_flight: Semaphore::new(requests),
            buffers: Arc::new(Semaphore::new(BUFFERS)),
            readers: Arc::new(Semaphore::new(READERS)),
            advance: Mutex::new(()),
            answer_within: ANSWER_WITHIN,
        };
        let epoch = uuid::Uuid::new_v4().as_u64_pair().1;
        Self { shards, tokens, clock, names, metrics, is_loopback, epoch, stopping, limits }
    }
}

/// All paths. Those of Graph are the library's to tell apart.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(pages::metrics))
        .route("/openapi.json", get(pages::openapi))
        .route("/presence/changes", get(changes::follow))
        .route("/dev/advance", post(dev::advance))
        .route("/dev/users/{id}/outOfOffice", post(dev::out_of_office))
        .method_not_allowed_fallback(pages::wrong_method)
        .fallback(graph::serve)
        .layer(CatchPanicLayer::custom(response::panicked))
        .layer(axum::middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}
