//! The metrics of the server, for `/metrics`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;

/// The labels of a request, by its operation and outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The name of the operation, or `unknown`.
    pub operation: &'static str,
    /// The HTTP status of the response.
    pub status: u16,
}

/// The labels of a request, by its operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OperationLabels {
    /// The name of the operation, or `unknown`.
    pub operation: &'static str,
}

/// The labels of a limit of connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LimitLabels {
    /// `address` or `all`.
    pub limit: &'static str,
}

/// The labels of requests rejected with 429.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ThrottledLabels {
    /// The limit: `requests`, `memory`, `readers`, `queue` or `rate`.
    pub limit: &'static str,
    /// Whose: `server`, or what an `application`, a `user`, a `developer` or somebody `anonymous` may have of it.
    pub scope: &'static str,
}

/// All metrics, with the registry that formats them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// The number of finished requests.
    pub requests: Family<RequestLabels, Counter>,
    /// The time from the head of a request to that of its response.
    pub request_seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    /// The number of requests in flight.
    pub in_flight: Gauge,
    /// The number of requests, and of elements of batches, rejected with 429.
    pub throttled: Family<ThrottledLabels, Counter>,
    /// The bytes reserved for bodies and responses.
    pub reserved: Gauge,
    /// The number of responses that would have been longer than reserved, a fault of this server.
    pub reserve_faults: Counter,
    /// The number of open connections.
    pub connections: Gauge,
    /// The number of open connections that wait for a request.
    pub connections_idle: Gauge,
    /// The number of connections that were turned away.
    pub connections_refused: Family<LimitLabels, Counter>,
    /// The number of idle connections that were closed for others.
    pub connections_replaced: Counter,
    /// Those of the shards.
    pub engine: Arc<presence_engine::metrics::Metrics>,
    /// The number of clients that follow changes.
    pub change_readers: Gauge,
}

fn seconds() -> Histogram {
    // 50 µs to 6.5 s.
    Histogram::new(exponential_buckets(0.000_05, 2.0, 18))
}

impl Metrics {
    /// Creates all metrics, and registers them.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("presence"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            in_flight: Gauge::default(),
            throttled: Family::default(),
            reserved: Gauge::default(),
            reserve_faults: Counter::default(),
            connections: Gauge::default(),
            connections_idle: Gauge::default(),
            connections_refused: Family::default(),
            connections_replaced: Counter::default(),
            engine: Arc::default(),
            change_readers: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Finished requests", metrics.requests.clone());
        let time = "Time from the head of a request to that of its response";
        registry.register_with_unit("request", time, Unit::Seconds, metrics.request_seconds.clone());
        registry.register("requests_in_flight", "Requests in flight", metrics.in_flight.clone());
        registry.register("throttled", "Requests and elements of batches rejected with 429", metrics.throttled.clone());
        let help = "Memory reserved for bodies of requests and for responses";
        registry.register_with_unit("reserved", help, Unit::Bytes, metrics.reserved.clone());
        let help = "Responses that would have been longer than reserved, a fault of the server";
        registry.register("reserve_faults", help, metrics.reserve_faults.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        let idle = "Open connections that wait for a request";
        registry.register("connections_idle", idle, metrics.connections_idle.clone());
        let refused = "Connections turned away, because those of the address or all are busy";
        registry.register("connections_refused", refused, metrics.connections_refused.clone());
        let replaced = "Idle connections closed for others";
        registry.register("connections_replaced", replaced, metrics.connections_replaced.clone());
        metrics.engine.register(registry);
        registry.register("change_readers", "Clients that follow changes", metrics.change_readers.clone());
        metrics
    }

    /// Formats all metrics in Prometheus's text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
