//! The number of writes that a medium bears.

use presence_core::{Duration, Instant};

/// The number of writes that a medium bears: some at once, and one more after each interval, as a token bucket.
///
/// A host that never stops asking for changes gets no more: what it changes last is written when there is a write again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBudget {
    /// The most writes that can be saved up; at least 1.
    pub burst: u32,
    /// The number of writes that an erasure of the whole medium counts as.
    pub erasure: u32,
    /// The time after which there is one write more.
    pub interval: Duration,
}

impl WriteBudget {
    /// The budget of a medium that does not wear out.
    pub const UNLIMITED: Self = Self { burst: 1, erasure: 0, interval: Duration::ZERO };

    /// The number of times that the pause between two writes doubles while a budget is used up.
    const DOUBLINGS: u32 = 8;

    /// Returns so many times the interval.
    fn time_for(self, writes: u32) -> Duration {
        Duration::from_millis(u64::from(writes).saturating_mul(self.interval.as_millis()))
    }
}

/// The writes that are left of a budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// When all of them are there again.
    full_at: Instant,
    /// When the pause after the latest write ends, and there is a write.
    next_at: Instant,
}

impl Bucket {
    /// Creates a full one: how much was written before the device started is unknown.
    pub(super) const fn full() -> Self {
        Self { full_at: Instant::ZERO, next_at: Instant::ZERO }
    }

    /// Returns the instant from which on there is a write.
    pub(super) const fn next_at(self) -> Instant {
        self.next_at
    }

    /// Takes a write, whether there is one or not. The next one comes after a pause.
    ///
    /// The pause is `shortest` while the bucket is nearly full, and doubles with each eighth of it that is used up: changes that
    /// go on and on are written less and less often, until there is one write in each interval.
    pub(super) fn take(&mut self, now: Instant, budget: WriteBudget, shortest: Duration) {
        self.spend(now, budget, 1);
        let step = budget.time_for((budget.burst / WriteBudget::DOUBLINGS).max(1));
        let mut used = self.full_at.saturating_duration_since(now);
        let mut pause = shortest;
        while used >= step && pause < budget.interval {
            used = used.saturating_sub(step);
            pause = pause.saturating_add(pause).min(budget.interval);
        }
        self.next_at = self.next_at.max(now.saturating_add(pause));
    }

    /// Takes what an erasure of everything counts as, whether it is there or not: later writes wait for it.
    pub(super) fn take_erasure(&mut self, now: Instant, budget: WriteBudget) {
        self.spend(now, budget, budget.erasure);
    }

    fn spend(&mut self, now: Instant, budget: WriteBudget, writes: u32) {
        self.full_at = self.full_at.max(now).saturating_add(budget.time_for(writes));
        let others = budget.time_for(budget.burst.saturating_sub(1));
        self.next_at = self.next_at.max(self.full_at.saturating_sub(others));
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    const BUDGET: WriteBudget = WriteBudget { burst: 3, erasure: 2, interval: Duration::from_secs(10) };

    /// Takes as many writes as there are at a moment, up to ten.
    fn available(bucket: &mut Bucket, secs: u64, budget: WriteBudget) -> usize {
        let now = Instant::from_secs(secs);
        (0..10).take_while(|_| bucket.next_at() <= now && (bucket.take(now, budget, Duration::ZERO), true).1).count()
    }

    #[test]
    fn a_budget_grows_with_time_and_not_beyond_its_burst() {
        let mut bucket = Bucket::full();
        assert_eq!(available(&mut bucket, 1000, BUDGET), 3);
        assert_eq!(bucket.next_at(), Instant::from_secs(1010));
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
        bucket.take(Instant::NEVER, BUDGET, Duration::from_secs(1));
        assert_eq!(bucket.next_at(), Instant::NEVER, "the pause");
        assert_eq!(available(&mut Bucket::full(), 5, WriteBudget::UNLIMITED), 10);
    }

    /// Takes every write as soon as it is there, and returns the pauses in seconds.
    fn pauses(bucket: &mut Bucket, from: u64, count: usize, budget: WriteBudget, shortest: u64) -> Vec<u64> {
        let mut now = Instant::from_secs(from);
        let mut pause = || {
            bucket.take(now, budget, Duration::from_secs(shortest));
            let pause = bucket.next_at().saturating_duration_since(now);
            now = bucket.next_at();
            pause.as_millis() / 1000
        };
        (0..count).map(|_| pause()).collect()
    }

    #[test]
    fn pauses_double_while_the_budget_is_used_up_and_shrink_again() {
        let budget = WriteBudget { burst: 32, erasure: 24, interval: Duration::from_mins(15) };
        let mut bucket = Bucket::full();
        let first = pauses(&mut bucket, 5000, 80, budget, 10);
        assert_eq!(first[..13], [10, 10, 10, 10, 20, 20, 20, 20, 40, 40, 40, 40, 80]);
        assert!(first.is_sorted() && first.iter().all(|pause| [10, 20, 40, 80, 160, 320, 640, 900].contains(pause)));
        assert_eq!(first[70..], [900; 10], "one in each interval");
        // Two hours are eight writes, which is two doublings.
        let later = Instant::from_secs(5000 + first.iter().sum::<u64>()).saturating_add(Duration::from_mins(120));
        assert_eq!(pauses(&mut bucket, later.as_millis() / 1000, 1, budget, 10), [320]);
        assert_eq!(pauses(&mut bucket, 10_000_000, 1, budget, 10), [10]);
        assert_eq!(pauses(&mut Bucket::full(), 0, 3, WriteBudget::UNLIMITED, 7), [7; 3]);
    }

    #[test]
    fn an_erasure_counts_as_so_many_writes_and_may_go_into_debt() {
        let mut bucket = Bucket::full();
        bucket.take_erasure(Instant::from_secs(1000), BUDGET);
        assert_eq!(available(&mut bucket, 1000, BUDGET), 1);
        bucket.take_erasure(Instant::from_secs(1000), BUDGET);
        // Five were taken of three.
        assert_eq!(bucket.next_at(), Instant::from_secs(1030));
        assert_eq!([1029, 1030].map(|secs| available(&mut bucket, secs, BUDGET)), [0, 1]);
    }
}
