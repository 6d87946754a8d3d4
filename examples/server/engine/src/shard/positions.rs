//! The positions of readers of changes, to tell how far the slowest is behind.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The positions of all readers.
#[derive(Debug, Default)]
pub struct Positions(Mutex<Vec<Weak<AtomicU64>>>);

/// The position of a reader: the changes that it has read, over all shards.
#[derive(Debug)]
pub struct ReaderPosition(Arc<AtomicU64>);

/// The position of a reader that scans all users.
const SCANS: u64 = u64::MAX;

impl ReaderPosition {
    /// Sets the position; `None` during a scan, which is not behind anything.
    pub fn set(&self, position: Option<u64>) {
        self.0.store(position.unwrap_or(SCANS), Ordering::Relaxed);
    }
}

impl Positions {
    /// Adds a reader that scans, until it is dropped.
    pub fn add(&self) -> ReaderPosition {
        let position = Arc::new(AtomicU64::new(SCANS));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|reader| reader.strong_count() > 0);
        all.push(Arc::downgrade(&position));
        ReaderPosition(position)
    }

    /// Returns the changes, of so many, that the slowest reader has not read.
    pub fn slowest_lag(&self, published: u64) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let positions = all.iter().filter_map(Weak::upgrade).map(|position| position.load(Ordering::Relaxed));
        positions.map(|position| published.saturating_sub(position)).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_reader_counts_as_long_as_it_is_there_and_does_not_scan() {
        let positions = Positions::default();
        assert_eq!(positions.slowest_lag(100), 0);
        let (one, two) = (positions.add(), positions.add());
        assert_eq!(positions.slowest_lag(100), 0);
        one.set(Some(90));
        two.set(Some(30));
        assert_eq!(positions.slowest_lag(100), 70);
        two.set(None);
        assert_eq!(positions.slowest_lag(100), 10);
        two.set(Some(110));
        drop(one);
        assert_eq!(positions.slowest_lag(100), 0);
    }
}
