//! The barrier of a backup: a moment at which no shard writes, so that the copies of all journals belong together.
//!
//! A shard that waits here holds up its writes, so it never waits long: if the others do not come in time, or one of them
//! gives up, the barrier is broken, and everybody goes on without a backup.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A barrier for a number of shards, which is used once.
#[derive(Debug)]
pub struct Barrier {
    shards: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The shards that could finish their copies at once.
    ready: usize,
    /// The shards that wait, or have waited, for the others.
    arrived: usize,
    is_broken: bool,
}

impl Barrier {
    /// Creates a barrier for this many shards.
    pub fn new(shards: usize) -> Self {
        Self { shards, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Counts a shard that could finish its copy at once.
    pub fn add_ready(&self) {
        self.lock().ready += 1;
    }

    /// Reports whether all shards are ready, so that nobody waits long for them.
    pub fn is_ready(&self) -> bool {
        self.lock().ready >= self.shards
    }

    /// Reports whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.lock().is_broken
    }

    /// Breaks the barrier, unless all have met. Those who wait go on.
    pub fn break_up(&self) {
        let mut state = self.lock();
        state.is_broken = state.arrived < self.shards;
        self.changed.notify_all();
    }

    /// Waits for the others, at most so long. Reports whether all have met; if not, the barrier is broken for all.
    pub fn meet(&self, longest: Duration) -> bool {
        let mut state = self.lock();
        if state.is_broken {
            return false;
        }
        state.arrived += 1;
        self.changed.notify_all();
        let waits = |state: &mut State| state.arrived < self.shards && !state.is_broken;
        let waited = self.changed.wait_timeout_while(state, longest, waits);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        // Nobody arrives at a broken barrier, so all have met or none has.
        state.is_broken = state.arrived < self.shards;
        self.changed.notify_all();
        !state.is_broken
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::scope;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn all_meet_or_none() {
        let barrier = Barrier::new(3);
        assert!(!barrier.is_ready());
        (0..3).for_each(|_| barrier.add_ready());
        assert!(barrier.is_ready());
        scope(|scope| {
            let met: Vec<_> = (0..3).map(|_| scope.spawn(|| barrier.meet(LONG))).collect();
            assert!(met.into_iter().all(|met| met.join().unwrap()));
        });
        // Too late: they have met.
        barrier.break_up();
        assert!(!barrier.is_broken());
    }

    #[test]
    fn nobody_waits_at_a_broken_barrier() {
        let barrier = Barrier::new(3);
        scope(|scope| {
            let waiting = [scope.spawn(|| barrier.meet(LONG)), scope.spawn(|| barrier.meet(LONG))];
            barrier.break_up();
            assert!(waiting.into_iter().all(|met| !met.join().unwrap()));
        });
        assert!(barrier.is_broken() && !barrier.meet(LONG));
    }

    #[test]
    fn one_who_waits_in_vain_breaks_it_for_those_who_come_later() {
        let barrier = Barrier::new(2);
        assert!(!barrier.meet(Duration::ZERO));
        assert!(barrier.is_broken() && !barrier.meet(LONG));
    }
}
