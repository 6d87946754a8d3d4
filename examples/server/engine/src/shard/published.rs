//! What a shard shows of its changes while it runs.

use crate::metrics::ShardLabels;
use presence_core::directory::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Monotonic};
use tokio::sync::watch;

/// What a shard shows of its changes: the cursor of those that are durable, for readers, and since when others wait.
#[derive(Debug)]
pub struct Published {
    /// The number of the shard.
    pub shard: usize,
    cursor: AtomicU64,
    notify: watch::Sender<()>,
    started: Monotonic,
    /// The milliseconds after the start, and one more, at which the oldest change came that is not durable; 0 if all are.
    unflushed: AtomicU64,
}

impl Published {
    /// Creates what a shard shows before its first change, to be notified of others.
    pub fn new(shard: usize, notify: watch::Sender<()>) -> Self {
        Self { shard, cursor: AtomicU64::new(0), notify, started: Monotonic::now(), unflushed: AtomicU64::new(0) }
    }

    /// Returns the number of the cursor of the durable changes.
    pub fn cursor(&self) -> u64 {
        self.cursor.load(Ordering::Acquire)
    }

    /// Publishes the changes up to a cursor, and notifies readers if it is new.
    pub fn publish(&self, cursor: Cursor) {
        if self.cursor.swap(cursor.to_number(), Ordering::AcqRel) != cursor.to_number() {
            self.notify.send_replace(());
        }
    }

    /// Records when the oldest change came that is not durable.
    pub fn set_unflushed(&self, since: Option<Monotonic>) {
        let millis = since.map_or(0, |since| since.duration_since(self.started).as_millis() as u64 + 1);
        self.unflushed.store(millis, Ordering::Relaxed);
    }

    /// Returns for how long the oldest change that is not durable has waited.
    pub fn unflushed(&self) -> Option<Duration> {
        let since = self.unflushed.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.started.elapsed().saturating_sub(Duration::from_millis(since)))
    }

    /// Returns the shard's labels of metrics.
    pub fn label(&self) -> ShardLabels {
        ShardLabels { shard: self.shard }
    }
}
