//! Retention, for applications that keep more of a user elsewhere, such as a status message: users who must not be evicted,
//! and changes that count as theirs.

use super::memory::Memory;
use super::occupy::Vacancy;
use super::slot::SlotState;
use super::state::Directory;
use crate::presence::Presence;
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

    /// Erases a user: its sessions, its preferred presence, and since when and why it has none.
    ///
    /// Only revision and version are left, which go on, so that no version is used twice ([V1](crate::rules#v1)). What is due at
    /// `now` is applied first, and `on_change` is called with each transition. Erasing itself is no transition; a presence other
    /// than Offline makes it a visible change. The slot may be reused at once, unless the user is [pinned](Self::pin). Returns
    /// whether the user has a slot.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Absence, Instant, Policy, Presence};
    ///
    /// let now = Instant::ZERO;
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// directory.set_presence(now, 7, 1, Presence::Away, None, |_, _| {})?;
    /// assert!(directory.erase(now, 7, |_, _| {}));
    /// let read = directory.read(now, 7, |user| (user.presence(), user.absence(), user.version()));
    /// assert_eq!(read, (Presence::Offline, Some(Absence::NeverSeen), 2));
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn erase(&mut self, now: Instant, user: U, mut on_change: impl FnMut(U, &Transition<S>)) -> bool {
        let Some((index, _)) = self.find(user) else { return false };
        self.advance_slot_to(index, now, &mut on_change);
        self.cancel(index);
        let slots = self.memory.parts().slots;
        let Some(slot) = slots.get_mut(index.as_usize()) else { return false };
        let is_visible = slot.published != Presence::Offline;
        slot.user.erase(is_visible);
        slot.published = Presence::Offline;
        let is_evictable = slot.is_evictable();
        if is_visible {
            self.changes.record(slots, index);
        }
        self.set_evictable(index, is_evictable);
        true
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
