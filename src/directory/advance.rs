//! What time does to a directory: one transition at a time, in order, a bounded piece of work a call. Rules S8, M4.

use super::Directory;
use super::memory::Memory;
use crate::directory::timers::First;
use crate::time::Instant;
use crate::user::{Transition, next_due};
use core::hash::{BuildHasher, Hash};

/// What one call of [`Directory::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "more may be due"]
pub enum Progress<U, S> {
    /// Something was due: this transition of this user has been applied. Call again.
    Changed {
        /// Whose.
        user: U,
        /// What happened, stamped with its own deadline.
        transition: Transition<S>,
    },
    /// Book-keeping was done, and there may be more to do. Call again.
    Working,
    /// Nothing is due until this deadline, which is exact; `None` when nothing will happen by itself.
    Idle {
        /// When to come back.
        until: Option<Instant>,
    },
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Time has passed: applies the first thing that is due at `now`, by deadline and then user id (rule S8), and hands it
    /// out. One bounded piece of work a call, so that the caller bounds its own time however much is due:
    /// O(`SESSIONS` + log users).
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory, Progress};
    /// use presence_core::{Cause, Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// directory.set_presence(Instant::ZERO, 1, 1, Presence::Away, None, |_, _| {})?;
    /// let until = loop {
    ///     match directory.advance(Instant::from_secs(400)) {
    ///         Progress::Changed { user, transition } => {
    ///             assert_eq!((user, transition.cause()), (1, Cause::Expired));
    ///             assert_eq!(transition.at(), Instant::from_secs(300));
    ///         }
    ///         Progress::Working => {}
    ///         Progress::Idle { until } => break until,
    ///     }
    /// };
    /// assert_eq!(until, None);
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn advance(&mut self, now: Instant) -> Progress<U, S> {
        let first = match self.first_queued(now) {
            First::Known(first) => first,
            First::Unknown => {
                self.take_off_calendar();
                return Progress::Working;
            }
            First::None => return Progress::Idle { until: None },
        };
        let found = self.slot(first.slot).and_then(|slot| Some((slot.id?, slot.user.next_deadline()?, &slot.user)));
        let Some((id, deadline, user)) = found else {
            self.unqueue(first.slot);
            return Progress::Working;
        };
        if deadline != first.key {
            self.queue_under(first.slot, deadline, now);
            return Progress::Working;
        }
        match next_due(user, now, &self.policy) {
            Some(transition) => {
                self.apply_unchecked(first.slot, &transition);
                Progress::Changed { user: id, transition }
            }
            None => Progress::Idle { until: Some(deadline) },
        }
    }

    /// When to call [`advance`](Self::advance) next: never later than the first deadline of any user, and exact once
    /// `advance` has said that it is idle. It is harmless, but wastes energy, to call `advance` before it. Rule M4. O(1).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.first_deadline()
    }

    /// Carries out what is due for one user.
    pub(super) fn catch_up(&mut self, slot: u32, now: Instant, sink: &mut impl FnMut(U, &Transition<S>)) {
        while let Some((id, transition)) =
            self.slot(slot).and_then(|slot| Some((slot.id?, next_due(&slot.user, now, &self.policy)?)))
        {
            self.apply_unchecked(slot, &transition);
            sink(id, &transition);
        }
    }

    /// Carries out all that is due. When the next deadline after that is, nobody has asked.
    pub(super) fn catch_up_all(&mut self, now: Instant, sink: &mut impl FnMut(U, &Transition<S>)) {
        while self.next_deadline().is_some_and(|deadline| deadline.is_due(now)) {
            if let Progress::Changed { user, transition } = self.advance(now) {
                sink(user, &transition);
            }
        }
    }
}
