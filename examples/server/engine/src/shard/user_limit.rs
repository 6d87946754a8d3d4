//! The limit of all users: one number for all shards, however users are spread over them.
//!
//! A shard reserves a new user before it stores anything of it, and counts it off when nothing is stored any more.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The number of users of whom something is stored, in all shards, and the most that new ones may make it.
#[derive(Debug)]
pub struct UserLimit {
    limit: usize,
    // Nothing else is ordered by it, so its operations are relaxed.
    stored: AtomicUsize,
    /// The slots that shards may still add to those they were started with.
    spare_slots: AtomicUsize,
}

impl UserLimit {
    /// Creates a limit of which nothing is taken.
    pub const fn new(limit: usize) -> Self {
        Self { limit, stored: AtomicUsize::new(0), spare_slots: AtomicUsize::new(limit) }
    }

    /// Returns the number of users of whom something is stored.
    pub fn stored(&self) -> usize {
        self.stored.load(Relaxed)
    }

    /// Returns the most users that new ones may make it.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Counts one more user, unless the limit is reached. Reports whether it was counted.
    fn try_add(&self) -> bool {
        let next = |stored: usize| stored.checked_add(1).filter(|next| *next <= self.limit);
        self.stored.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

/// The users of one shard that count.
#[derive(Debug)]
pub struct CountedUsers {
    limit: Arc<UserLimit>,
    count: usize,
}

impl CountedUsers {
    /// Creates a count of none.
    pub const fn new(limit: Arc<UserLimit>) -> Self {
        Self { limit, count: 0 }
    }

    /// Reserves a new user until the next [`set`](Self::set). Reports whether the limit allows it.
    pub fn try_reserve(&mut self) -> bool {
        let is_reserved = self.limit.try_add();
        self.count += usize::from(is_reserved);
        is_reserved
    }

    /// Reserves slots for a shard that has only these, all of them taken, although the limit allows more users. Returns how many
    /// it may have then.
    ///
    /// All shards together may add as many as the limit, so that memory is in proportion to it. That is enough for all users in
    /// one shard.
    pub fn try_grow(&self, slots: usize) -> Option<usize> {
        let UserLimit { limit, stored, spare_slots } = &*self.limit;
        if stored.load(Relaxed) >= *limit {
            return None;
        }
        let more = |spare: usize| (slots / 4 + 16).min(spare);
        let next = |spare| Some(spare - more(spare)).filter(|next| *next < spare);
        spare_slots.fetch_update(Relaxed, Relaxed, next).ok().map(|spare| slots + more(spare))
    }

    /// Sets the number of users that are stored, whatever the limit.
    pub fn set(&mut self, count: usize) {
        let earlier = std::mem::replace(&mut self.count, count);
        let stored = &self.limit.stored;
        // Hardly a command changes it, and all shards share the number.
        match count.cmp(&earlier) {
            Ordering::Greater => stored.fetch_add(count - earlier, Relaxed),
            Ordering::Less => stored.fetch_sub(earlier - count, Relaxed),
            Ordering::Equal => return,
        };
    }
}

impl Drop for CountedUsers {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_of_all_shards_end_at_the_limit() {
        let limit = Arc::new(UserLimit::new(3));
        let [mut one, mut other] = [(); 2].map(|()| CountedUsers::new(limit.clone()));
        assert!(one.try_reserve() && one.try_reserve() && other.try_reserve());
        assert!(!one.try_reserve() && !other.try_reserve());
        one.set(1);
        assert!(other.try_reserve() && !one.try_reserve());
        // What is restored counts beyond the limit.
        one.set(5);
        one.set(2);
        assert!(!one.try_reserve());
        drop(one);
        assert!(other.try_reserve() && !other.try_reserve());
    }

    /// Also if somebody fills one shard after the other.
    #[test]
    fn all_shards_together_add_as_many_slots_as_the_limit() {
        let limit = Arc::new(UserLimit::new(10_000));
        let mut added = 0;
        for _ in 0..64 {
            let shard = CountedUsers::new(limit.clone());
            let mut slots = 200;
            while let Some(more) = shard.try_grow(slots) {
                assert!(more > slots);
                (added, slots) = (added + more - slots, more);
            }
        }
        assert_eq!(added, 10_000);
    }

    #[test]
    fn one_shard_alone_grows_to_the_limit() {
        for limit in [1, 2, 17, 100, 9_999, 10_000] {
            let shard = CountedUsers::new(Arc::new(UserLimit::new(limit)));
            let mut slots = 1;
            while slots < limit {
                slots = shard.try_grow(slots).unwrap_or_else(|| panic!("it stays at {slots} of {limit}"));
            }
        }
    }

    #[test]
    fn no_shard_grows_at_the_limit() {
        let mut shard = CountedUsers::new(Arc::new(UserLimit::new(100)));
        shard.set(100);
        assert_eq!(shard.try_grow(40), None);
        shard.set(99);
        assert_eq!(shard.try_grow(40), Some(66));
    }
}
