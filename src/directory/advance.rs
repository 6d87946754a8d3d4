//! Advancing time: due transitions one at a time, in order, a bounded piece of work a call.

use super::memory::Memory;
use super::schedule::First;
use super::slot_index::SlotIndex;
use super::state::Directory;
use super::tuning::IS_FAST;
use crate::time::Instant;
use crate::user::{Transition, next_due};
use core::hash::{BuildHasher, Hash};

/// The result of one call of [`Directory::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "more may be due"]
pub enum Progress<U, S> {
    /// A due transition of this user has been applied. Call again.
    Changed {
        /// The user whose transition it is.
        user: U,
        /// The transition, stamped with its own deadline.
        transition: Transition<S>,
    },
    /// Some timers were put in order, and there may be more to do. Call again.
    Working,
    /// Nothing is due before the next deadline.
    Idle {
        /// The next deadline, exactly; `None` when nothing will happen by itself.
        until: Option<Instant>,
    },
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Applies the first transition that is due at `now`, by deadline and then user id, and returns it.
    ///
    /// One call is one bounded piece of work, so that the caller bounds its own time however much is due
    /// ([S8](crate::rules#s8)).
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory, Progress};
    /// use presence_core::{Cause, Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
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
        let first = match self.first_scheduled(now) {
            First::Known(first) => first,
            First::Unknown => {
                self.drain_calendar();
                return Progress::Working;
            }
            First::None => return Progress::Idle { until: None },
        };
        let Some(slot) = self.slot(first.slot) else { return Progress::Working };
        let (id, deadline) = (slot.id, slot.user.next_deadline());
        let (Some(user), true) = (id, deadline == Some(first.key)) else {
            self.correct_first(first.slot, deadline, now);
            return Progress::Working;
        };
        let due = if IS_FAST {
            first.key.is_due(now).then(|| slot.user.due_transition(first.key, slot.published, &self.policy))
        } else {
            next_due(&slot.user, now, &self.policy)
        };
        let Some(transition) = due else { return Progress::Idle { until: deadline } };
        self.apply_unchecked(first.slot, &transition);
        // Left to the next call, which small devices do, the correction of its entry would take another.
        if IS_FAST {
            let deadline = self.slot(first.slot).and_then(|slot| slot.user.next_deadline());
            self.correct_first(first.slot, deadline, now);
        }
        Progress::Changed { user, transition }
    }

    /// Returns when to call [`advance`](Self::advance) next.
    ///
    /// It is never later than the first deadline of any user, and exact once `advance` has returned
    /// [`Idle`](Progress::Idle). Calling `advance` earlier is harmless, but wastes energy.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.first_deadline()
    }

    /// Applies all that is due of one user.
    pub(super) fn advance_slot_to(
        &mut self,
        index: SlotIndex,
        now: Instant,
        on_change: &mut impl FnMut(U, &Transition<S>),
    ) {
        while let Some((id, transition)) =
            self.slot(index).and_then(|slot| Some((slot.id?, next_due(&slot.user, now, &self.policy)?)))
        {
            self.apply_unchecked(index, &transition);
            on_change(id, &transition);
        }
    }

    /// Applies all that is due of all users. The deadline after that may stay inexact.
    pub(super) fn advance_to(&mut self, now: Instant, on_change: &mut impl FnMut(U, &Transition<S>)) {
        while self.next_deadline().is_some_and(|deadline| deadline.is_due(now)) {
            if let Progress::Changed { user, transition } = self.advance(now) {
                on_change(user, &transition);
            }
        }
    }
}
