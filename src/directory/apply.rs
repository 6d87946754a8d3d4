//! Applying transitions that were decided: by the caller, by a command, or by time.

use super::memory::Memory;
use super::slot::SlotState;
use super::slot_index::SlotIndex;
use super::state::Directory;
use crate::user::{ApplyError, Transition, User};
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Applies a transition that [`decide`](Self::decide) made, and gives a new user its slot.
    ///
    /// # Errors
    ///
    /// - As [`User::apply`].
    /// - [`ApplyError::Full`] when there is no slot for a new user.
    ///
    /// Nothing is changed then.
    pub fn apply(&mut self, user: U, transition: &Transition<S>) -> Result<(), ApplyError> {
        if let Some((index, _)) = self.find(user) {
            return self.apply_at(index, transition);
        }
        let vacancy = self.vacancy().ok_or(ApplyError::Full)?;
        let mut fresh: User<S, SESSIONS> = User::with_version(self.first_version(vacancy));
        fresh.apply(transition)?;
        self.occupy_and_apply(vacancy, user, transition);
        Ok(())
    }

    fn apply_at(&mut self, index: SlotIndex, transition: &Transition<S>) -> Result<(), ApplyError> {
        if let Some(slot) = self.memory.parts().slots.get_mut(index.as_usize()) {
            slot.user.apply(transition)?;
            slot.published = transition.after();
        }
        self.follow_up(index, transition);
        Ok(())
    }

    /// Applies a transition that was decided about this very state.
    pub(super) fn apply_unchecked(&mut self, index: SlotIndex, transition: &Transition<S>) {
        if let Some(slot) = self.memory.parts().slots.get_mut(index.as_usize()) {
            slot.user.apply_unchecked(transition);
            slot.published = transition.after();
        }
        self.follow_up(index, transition);
    }

    /// Records a visible change, schedules an earlier deadline, and makes a user with nothing stored evictable. A deadline
    /// that has only moved later is corrected when it comes up.
    fn follow_up(&mut self, index: SlotIndex, transition: &Transition<S>) {
        if transition.is_visible() {
            self.changes.record(self.memory.parts().slots, index);
        }
        let Some(slot) = self.slot(index) else { return };
        let (is_evictable, scheduled) = (slot.is_evictable(), slot.scheduled);
        if is_evictable != (slot.state == SlotState::Evictable) {
            self.set_evictable(index, is_evictable);
        }
        if transition.deadline() < scheduled {
            self.schedule(index, transition.deadline(), transition.at());
        }
    }
}
