//! Retention, for applications that keep more of a user elsewhere, such as a status message: users who must not be evicted,
//! and changes that count as theirs.

use super::memory::Memory;
use super::occupy::Vacancy;
use super::slot::SlotState;
use super::state::Directory;
use crate::time::Instant;
use crate::user::{ApplyError, Transition};
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Pins a user, of whom the application keeps something elsewhere: it is not evicted until [`unpin`](Self::unpin).
    ///
    /// The user gets a slot if it has none, although nothing may be stored of it here. Nothing visible changes. For a new user
    /// while no slot is free, all that is due in the directory is applied first, and `on_change` is called with each
    /// transition. Before, unpin users of whom nothing is left elsewhere, so that they can be evicted
    /// ([S9](crate::rules#s9)).
    ///
    /// # Errors
    ///
    /// [`ApplyError::Full`] when there is no slot for a new user. Transitions that were due stay applied.
    ///
    /// ```
    /// use presence_core::Policy;
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{ApplyError, Instant};
    ///
    /// let now = Instant::ZERO;
    /// let mut directory = InlineDirectory::<u8, u8, 2, 1>::with_policy(Policy::GRAPH);
    /// // A message is set, and removed later: two visible changes.
    /// directory.pin(now, 1, |_, _| {})?;
    /// assert!(directory.record_external_change(1));
    /// assert_eq!(directory.pin(now, 2, |_, _| {}), Err(ApplyError::Full));
    /// assert!(directory.record_external_change(1));
    /// directory.unpin(1, 2);
    /// assert_eq!(directory.version(now, 1), 2);
    /// assert_eq!(directory.pin(now, 2, |_, _| {}), Ok(()));
    /// # Ok::<(), ApplyError>(())
    /// ```
    pub fn pin(
        &mut self,
        now: Instant,
        user: U,
        mut on_change: impl FnMut(U, &Transition<S>),
    ) -> Result<(), ApplyError> {
        if self.find(user).is_none() && !matches!(self.vacancy(), Some(Vacancy::Free)) {
            self.advance_to(now, &mut on_change);
        }
        self.pin_restored(user)
    }

    /// Pins a user of whom something was restored elsewhere. Like [`insert`](Self::insert) it applies nothing that is due.
    pub(crate) fn pin_restored(&mut self, user: U) -> Result<(), ApplyError> {
        let index = match self.find(user) {
            Some((index, _)) => index,
            None => {
                let vacancy = self.vacancy().ok_or(ApplyError::Full)?;
                self.occupy(vacancy, user)
            }
        };
        if let Some(slot) = self.memory.parts().slots.get_mut(index.as_usize()) {
            let before = core::mem::replace(&mut slot.state, SlotState::Pinned);
            if before == SlotState::Evictable {
                self.set_evictable(index, false);
            }
        }
        Ok(())
    }

    /// Unpins a user, of whom nothing is left elsewhere: with nothing stored here either, it may be evicted.
    ///
    /// `changes` is how many visible changes were counted elsewhere. They are counted here from now on: version and revision
    /// grow by so many ([V1](crate::rules#v1)).
    pub fn unpin(&mut self, user: U, changes: u64) {
        let Some((index, _)) = self.find(user) else { return };
        let Some(slot) = self.memory.parts().slots.get_mut(index.as_usize()) else { return };
        slot.state = SlotState::InUse;
        slot.user.add_changes(changes);
        if slot.user.is_empty() {
            self.set_evictable(index, true);
        }
    }

    /// Records a visible change of something that the application keeps of a user elsewhere.
    ///
    /// It counts as a visible change of that user, whose own record stays as it was ([V2](crate::rules#v2)). Returns whether
    /// the user has a slot, without which nothing is recorded: [`pin`](Self::pin) it before.
    pub fn record_external_change(&mut self, user: U) -> bool {
        let found = self.find(user).map(|(index, _)| index);
        if let Some(index) = found {
            self.changes.record(self.memory.parts().slots, index);
        }
        found.is_some()
    }
}
