//! What is counted, for `/metrics`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// What a request asked for, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The operation, or `unknown`.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OperationLabels {
    /// The operation, or `unknown`.
    pub operation: &'static str,
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShardLabels {
    /// Its number.
    pub shard: usize,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests answered.
    pub requests: Family<RequestLabels, Counter>,
    /// How long that took, from the head of the request to that of the answer.
    pub request_seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    /// Requests being served.
    pub in_flight: Gauge,
    /// Requests refused because there was too much to do.
    pub throttled: Counter,
    /// Open connections.
    pub connections: Gauge,
    /// Jobs that wait for a writer.
    pub queued: Gauge,
    /// Rows in a transaction of a journal.
    pub group_rows: Histogram,
    /// How long a transaction took.
    pub flush_seconds: Histogram,
    /// Users that have a place.
    pub users: Family<ShardLabels, Gauge>,
    /// Clients that follow changes.
    pub change_readers: Gauge,
}

fn seconds() -> Histogram {
    // 50 µs to 6.5 s.
    Histogram::new(exponential_buckets(0.000_05, 2.0, 18))
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("presence"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            in_flight: Gauge::default(),
            throttled: Counter::default(),
            connections: Gauge::default(),
            queued: Gauge::default(),
            group_rows: Histogram::new(exponential_buckets(1.0, 2.0, 14)),
            flush_seconds: seconds(),
            users: Family::default(),
            change_readers: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered", metrics.requests.clone());
        let time = "Time from the head of a request to that of its answer";
        registry.register_with_unit("request", time, Unit::Seconds, metrics.request_seconds.clone());
        registry.register("requests_in_flight", "Requests being served", metrics.in_flight.clone());
        registry.register("throttled", "Requests refused with 429", metrics.throttled.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("jobs_queued", "Jobs that wait for a writer", metrics.queued.clone());
        registry.register("journal_rows", "Rows in a transaction of a journal", metrics.group_rows.clone());
        let time = "Time that a transaction of a journal took";
        registry.register_with_unit("journal_flush", time, Unit::Seconds, metrics.flush_seconds.clone());
        registry.register("users", "Users that have a place", metrics.users.clone());
        registry.register("change_readers", "Clients that follow changes", metrics.change_readers.clone());
        metrics
    }

    /// All of it in Prometheus's text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
