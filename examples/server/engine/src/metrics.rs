//! The metrics of the engine, for a registry of the embedder's.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The labels of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShardLabels {
    /// The number of the shard.
    pub shard: usize,
}

/// The labels of steps of the wall clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StepLabels {
    /// `forward` or `back`.
    pub direction: &'static str,
}

/// What the shards count and measure.
#[derive(Debug)]
pub struct Metrics {
    /// The number of jobs in the queues of all writers.
    pub queued: Gauge,
    /// The rows in a transaction of a journal.
    pub group_rows: Histogram,
    /// The time of a transaction of a journal.
    pub flush_seconds: Histogram,
    /// The number of shards whose disk has no room, so that they refuse changes.
    pub disk_full: Gauge,
    /// The number of users in a shard's directory.
    pub users: Family<ShardLabels, Gauge>,
    /// The number of steps of the wall clock that are worth a message.
    pub clock_steps: Family<StepLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            queued: Gauge::default(),
            group_rows: Histogram::new(exponential_buckets(1.0, 2.0, 14)),
            // 50 µs to 6.5 s.
            flush_seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 18)),
            disk_full: Gauge::default(),
            users: Family::default(),
            clock_steps: Family::default(),
        };
        // A step shows as an increase only over a number that was there before.
        for direction in ["forward", "back"] {
            drop(metrics.clock_steps.get_or_create(&StepLabels { direction }));
        }
        metrics
    }
}

impl Metrics {
    /// Registers all of them, under names without a prefix.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("jobs_queued", "Jobs in the queues of all writers", self.queued.clone());
        registry.register("journal_rows", "Rows in a transaction of a journal", self.group_rows.clone());
        let time = "Time of a transaction of a journal";
        registry.register_with_unit("journal_flush", time, Unit::Seconds, self.flush_seconds.clone());
        registry.register("disk_full", "Shards that refuse changes, for lack of room", self.disk_full.clone());
        registry.register("users", "Users in the directory", self.users.clone());
        registry.register("clock_steps", "Steps of the wall clock of a second or more", self.clock_steps.clone());
    }
}
