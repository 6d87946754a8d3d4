//! The metrics of the server, for `/metrics`.

use presence_engine::shard::QUEUE;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

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

/// The labels of a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LogLabels {
    /// `access` or `audit`.
    pub log: &'static str,
}

/// The metrics of a log.
#[derive(Clone, Debug, Default)]
pub struct LogMetrics {
    /// The number of lines that were queued.
    pub lines: Counter,
    /// The number of lines that were dropped, because the log takes them too slowly or not at all.
    pub dropped: Counter,
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
    log_lines: Family<LogLabels, Counter>,
    log_lines_dropped: Family<LogLabels, Counter>,
    /// What is read when the metrics are.
    pub readings: Readings,
}

/// Gauges that are set when the metrics are read.
#[derive(Debug, Default)]
pub struct Readings {
    /// The most requests that are served at a time.
    pub requests_limit: Gauge,
    /// The most open connections.
    pub connections_limit: Gauge,
    /// The most jobs in the queues of all writers.
    pub jobs_limit: Gauge,
    /// The number of users of whom something is stored.
    pub users_stored: Gauge,
    /// The most of them.
    pub users_limit: Gauge,
    /// How long the oldest change has waited for the disk.
    pub oldest_unflushed: Gauge<f64, AtomicU64>,
    /// The number of changes that the slowest reader has not read.
    pub change_reader_lag: Gauge,
    /// How far the clock is ahead of the wall clock.
    pub clock_ahead: Gauge<f64, AtomicU64>,
    /// The bytes of the data directory.
    pub data: Gauge,
    /// The bytes that are free on its disk.
    pub disk_free: Gauge,
}

impl Readings {
    /// Sets the limits of a server with this many shards.
    pub fn set_limits(&self, requests: u32, connections: u32, shards: usize) {
        self.requests_limit.set(requests.into());
        self.connections_limit.set(connections.into());
        self.jobs_limit.set((shards * QUEUE) as i64);
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("requests_limit", "The most requests that are served at a time", self.requests_limit.clone());
        registry.register("connections_limit", "The most open connections", self.connections_limit.clone());
        registry.register("jobs_limit", "The most jobs in the queues of all writers", self.jobs_limit.clone());
        registry.register("users_stored", "Users of whom something is stored", self.users_stored.clone());
        registry.register("users_limit", "The most users of whom something is stored", self.users_limit.clone());
        let help = "How long the oldest change has waited for the disk";
        registry.register_with_unit("journal_oldest_unflushed", help, Unit::Seconds, self.oldest_unflushed.clone());
        let help = "Changes that the slowest reader of changes has not read";
        registry.register("change_reader_lag", help, self.change_reader_lag.clone());
        let help = "How far the clock is ahead of the wall clock";
        registry.register_with_unit("clock_ahead", help, Unit::Seconds, self.clock_ahead.clone());
        registry.register_with_unit("data", "Files in the data directory", Unit::Bytes, self.data.clone());
        let help = "Room on the disk of the data directory";
        registry.register_with_unit("disk_free", help, Unit::Bytes, self.disk_free.clone());
    }
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
            log_lines: Family::default(),
            log_lines_dropped: Family::default(),
            readings: Readings::default(),
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
        registry.register("log_lines", "Lines for the access log and the audit log", metrics.log_lines.clone());
        let dropped = "Lines of these logs that were dropped, because their place took none";
        registry.register("log_lines_dropped", dropped, metrics.log_lines_dropped.clone());
        metrics.readings.register(registry);
        registry.register("build", "The version of the server", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let started: Gauge<f64, AtomicU64> = Gauge::default();
        started.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
        registry.register_with_unit("start_time", "When the server started, in Unix time", Unit::Seconds, started);
        metrics.start_at_zero();
        metrics
    }

    /// Creates the counters to alarm on: an increase shows only over a number that was there before.
    fn start_at_zero(&self) {
        for limit in ["requests", "memory", "readers", "queue"] {
            drop(self.throttled.get_or_create(&ThrottledLabels { limit, scope: "server" }));
        }
        for limit in ["address", "all"] {
            drop(self.connections_refused.get_or_create(&LimitLabels { limit }));
        }
        for log in ["access", "audit"] {
            self.log(log);
        }
    }

    /// Returns the metrics of the log of this name.
    pub fn log(&self, log: &'static str) -> LogMetrics {
        let labels = LogLabels { log };
        let lines = self.log_lines.get_or_create_owned(&labels);
        LogMetrics { lines, dropped: self.log_lines_dropped.get_or_create_owned(&labels) }
    }

    /// Formats all metrics in the earlier text format of Prometheus.
    pub fn plain_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }

    /// Formats all metrics as OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
