//! A place for the latest value: who puts one in never waits, who takes it misses what was replaced.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A slot for the latest value, shared by its clones.
#[derive(Debug)]
pub struct Slot<T>(Arc<(Mutex<Content<T>>, Condvar)>);

#[derive(Debug)]
struct Content<T> {
    latest: Option<T>,
    is_closed: bool,
}

/// The reason for which [`Slot::take`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake<T> {
    /// There is a new value.
    New(T),
    /// The time is over.
    Timeout,
    /// There will be no other value: say good-bye, and return.
    Closed,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Arc::new((Mutex::new(Content { latest: None, is_closed: false }), Condvar::new())))
    }
}

impl<T> Slot<T> {
    /// Creates an empty slot.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a value in, in place of one that was not taken.
    pub fn put(&self, value: T) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).latest = Some(value);
        self.0.1.notify_all();
    }

    /// Says that there will be no other value.
    pub fn close(&self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.0.1.notify_all();
    }

    /// Waits for a value, for this time at most. A value that was put in before the slot was closed is still returned.
    #[must_use]
    pub fn take(&self, time: Duration) -> Wake<T> {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_waiting = |content: &mut Content<T>| content.latest.is_none() && !content.is_closed;
        let mut content =
            self.0.1.wait_timeout_while(guard, time, is_waiting).unwrap_or_else(PoisonError::into_inner).0;
        match content.latest.take() {
            Some(value) => Wake::New(value),
            None if content.is_closed => Wake::Closed,
            None => Wake::Timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_value_wins_and_the_end_comes_last() {
        let slot = Slot::new();
        let other = slot.clone();
        assert_eq!(slot.take(Duration::ZERO), Wake::<u8>::Timeout);
        slot.put(1);
        slot.put(2);
        slot.close();
        assert_eq!(other.take(Duration::MAX), Wake::New(2));
        assert_eq!(other.take(Duration::MAX), Wake::Closed);
    }
}
