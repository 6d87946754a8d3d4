//! The number of writes that a medium bears.

use presence_core::{Duration, Instant};

/// The number of writes that a medium bears: some at once, and one more after each interval, as a token bucket.
///
/// A host that never stops asking for changes gets no more: what it changes last is written when there is a write again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBudget {
    /// The most writes that can be saved up; at least 1.
    pub burst: u32,
    /// The time after which there is one write more.
    pub interval: Duration,
}

impl WriteBudget {
    /// The budget of a medium that does not wear out.
    pub const UNLIMITED: Self = Self { burst: 1, interval: Duration::ZERO };
}

/// The writes that are left of a budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// When all of them are there again.
    full_at: Instant,
}

impl Bucket {
    /// Creates a full one: how much was written before the device started is unknown.
    pub(super) const fn full() -> Self {
        Self { full_at: Instant::ZERO }
    }

    /// Returns the instant from which on there is a write.
    pub(super) fn next_at(self, budget: WriteBudget) -> Instant {
        let others = u64::from(budget.burst.saturating_sub(1)).saturating_mul(budget.interval.as_millis());
        self.full_at.saturating_sub(Duration::from_millis(others))
    }

    /// Takes a write, whether there is one or not.
    pub(super) fn take(&mut self, now: Instant, budget: WriteBudget) {
        self.full_at = self.full_at.max(now).saturating_add(budget.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: WriteBudget = WriteBudget { burst: 3, interval: Duration::from_secs(10) };

    /// Takes as many writes as there are at a moment, up to ten.
    fn available(bucket: &mut Bucket, secs: u64, budget: WriteBudget) -> usize {
        let now = Instant::from_secs(secs);
        (0..10).take_while(|_| bucket.next_at(budget) <= now && (bucket.take(now, budget), true).1).count()
    }

    #[test]
    fn a_budget_grows_with_time_and_not_beyond_its_burst() {
        let mut bucket = Bucket::full();
        assert_eq!(available(&mut bucket, 1000, BUDGET), 3);
        assert_eq!(bucket.next_at(BUDGET), Instant::from_secs(1010));
        assert_eq!(available(&mut bucket, 1009, BUDGET), 0);
        assert_eq!(available(&mut bucket, 1010, BUDGET), 1);
        assert_eq!(available(&mut bucket, 1035, BUDGET), 2, "and half a write is kept");
        assert_eq!(available(&mut bucket, 1040, BUDGET), 1);
        assert_eq!(available(&mut bucket, 900_000, BUDGET), 3);
    }

    #[test]
    fn a_bucket_is_full_at_the_start_and_at_the_end_of_time() {
        assert_eq!(available(&mut Bucket::full(), 0, BUDGET), 3);
        let mut bucket = Bucket::full();
        bucket.take(Instant::NEVER, BUDGET);
        assert!(bucket.next_at(BUDGET) < Instant::NEVER);
        assert_eq!(available(&mut Bucket::full(), 5, WriteBudget::UNLIMITED), 10);
    }
}
