//! The copy of a journal for a backup, which its flusher makes while it goes on writing: a step between two groups.
//!
//! When nearly everything is copied in all shards, they meet at a [`Barrier`] between two of their groups, and each copies the rest
//! before its next one. So all copies are of one moment: what was acknowledged before it is in them, and nothing that came
//! after; a change that a client has made because it had seen another is never there without that one.

use super::JournalError;
use super::barrier::Barrier;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// The time after which a shard that is ready looks again whether the others are.
const LOOK: Duration = Duration::from_millis(2);
/// The longest time for which a shard holds up its writes for the others. They come after their group, if their disk responds.
///
/// Tests do not depend on how busy the machine is.
const MEETING: Duration = Duration::from_secs(if cfg!(test) { 600 } else { 1 });

/// The error of a copy.
#[derive(Debug)]
pub enum CopyError {
    /// The copy cannot be written, or the journal not be read.
    Journal(JournalError),
    /// A shard has no room for changes, is ending, or did not come in time.
    GivenUp,
}

impl std::fmt::Display for CopyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::GivenUp => f.write_str("a shard has no room for changes, is ending, or its disk does not respond"),
        }
    }
}

impl std::error::Error for CopyError {}

/// An order to copy the journal of one shard. Dropped without an outcome, it ends the copies of all shards.
#[derive(Debug)]
pub struct CopyOrder {
    path: PathBuf,
    barrier: Arc<Barrier>,
    to: Sender<Result<(), CopyError>>,
}

impl CopyOrder {
    /// Creates an order to copy to this new file, whose outcome is sent.
    pub const fn new(path: PathBuf, barrier: Arc<Barrier>, to: Sender<Result<(), CopyError>>) -> Self {
        Self { path, barrier, to }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sends the outcome.
    pub fn finish(self, outcome: Result<(), CopyError>) {
        // Nobody waits for it when another shard has failed.
        let _ = self.to.send(outcome);
    }
}

impl Drop for CopyOrder {
    fn drop(&mut self) {
        self.barrier.break_up();
    }
}

/// A copy of a journal that is being made, while the journal goes on.
pub trait Copying {
    /// Copies some more, but not all. Reports whether the rest is no more than a step.
    ///
    /// # Errors
    ///
    /// As for [`Journal::copy`](super::Journal::copy).
    fn step(&mut self) -> Result<bool, JournalError>;

    /// Copies the rest. The copy is what the journal was at this moment.
    ///
    /// # Errors
    ///
    /// As for [`Journal::copy`](super::Journal::copy).
    fn finish(&mut self) -> Result<(), JournalError>;
}

/// A copy that meets those of the other shards.
pub struct MeetingCopy<'a> {
    copying: &'a mut dyn Copying,
    barrier: &'a Barrier,
    is_ready: bool,
}

impl<'a> MeetingCopy<'a> {
    /// Takes the copy that was ordered.
    pub fn new(copying: &'a mut dyn Copying, order: &'a CopyOrder) -> Self {
        Self { copying, barrier: &order.barrier, is_ready: false }
    }

    /// Returns the time to wait for a group before the next step.
    pub const fn wait(&self) -> Duration {
        if self.is_ready { LOOK } else { Duration::ZERO }
    }

    /// Takes a step, between two groups. Returns the outcome at the end.
    pub fn step(&mut self) -> Option<Result<(), CopyError>> {
        self.try_step().transpose()
    }

    fn try_step(&mut self) -> Result<Option<()>, CopyError> {
        if self.barrier.is_broken() {
            return Err(CopyError::GivenUp);
        }
        if self.copying.step().map_err(CopyError::Journal)? && !self.is_ready {
            self.is_ready = true;
            self.barrier.add_ready();
        }
        if !self.barrier.is_ready() {
            return Ok(None);
        }
        if !self.barrier.meet(MEETING) {
            return Err(CopyError::GivenUp);
        }
        self.copying.finish().map_err(CopyError::Journal).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::channel;

    /// A copy with a number of steps before it is ready, which tells how many it has taken and whether it has finished.
    struct Counted<'a> {
        left: u32,
        taken: &'a AtomicU32,
        finished: &'a AtomicU32,
    }

    impl Copying for Counted<'_> {
        fn step(&mut self) -> Result<bool, JournalError> {
            self.left = self.left.saturating_sub(1);
            self.taken.fetch_add(1, Ordering::SeqCst);
            Ok(self.left == 0)
        }

        fn finish(&mut self) -> Result<(), JournalError> {
            self.finished.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[test]
    fn no_copy_finishes_before_all_have_met() {
        let (barrier, (to, _outcomes)) = (Arc::new(Barrier::new(2)), channel());
        let orders = [1, 2].map(|number| CopyOrder::new(number.to_string().into(), barrier.clone(), to.clone()));
        let (quick, slow, finished) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                let mut copying = Counted { left: 1, taken: &quick, finished: &finished };
                let mut copy = MeetingCopy::new(&mut copying, &orders[0]);
                std::iter::repeat_with(|| copy.step()).find_map(|outcome| outcome)
            });
            let mut copying = Counted { left: 3, taken: &slow, finished: &finished };
            let mut copy = MeetingCopy::new(&mut copying, &orders[1]);
            for _ in 0..2 {
                // The other one goes on with its groups, and its copy follows.
                let before = quick.load(Ordering::SeqCst);
                while quick.load(Ordering::SeqCst) < before + 3 && !first.is_finished() {
                    std::thread::yield_now();
                }
                assert_eq!((finished.load(Ordering::SeqCst), first.is_finished()), (0, false));
                assert!(copy.step().is_none());
            }
            assert!(copy.step().is_some_and(|outcome| outcome.is_ok()));
            assert!(first.join().unwrap().is_some_and(|outcome| outcome.is_ok()));
        });
        assert_eq!(finished.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn an_order_that_is_dropped_ends_the_other_copies() {
        let (barrier, (to, _outcomes)) = (Arc::new(Barrier::new(2)), channel());
        let [first, second] =
            [1, 2].map(|number| CopyOrder::new(number.to_string().into(), barrier.clone(), to.clone()));
        let (taken, finished) = (AtomicU32::new(0), AtomicU32::new(0));
        let mut copying = Counted { left: 1, taken: &taken, finished: &finished };
        let mut copy = MeetingCopy::new(&mut copying, &first);
        assert!(copy.step().is_none());
        drop(second);
        assert!(matches!(copy.step(), Some(Err(CopyError::GivenUp))));
        assert_eq!(finished.load(Ordering::SeqCst), 0);
    }
}
