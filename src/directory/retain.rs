//! For those who keep more of a user elsewhere, a status message say: whom the directory must not forget, and changes that
//! count as the user's.

use super::Directory;
use super::memory::{Memory, Standing};
use crate::directory::slots::Vacancy;
use crate::time::Instant;
use crate::user::{ApplyError, Transition};
use core::hash::{BuildHasher, Hash};

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Something is kept of a user elsewhere from now on: it gets a place if it has none, and is not forgotten until
    /// [`unpin`](Self::unpin), though nothing may be stored of it here. Nothing visible changes. A new user who finds no
    /// unused place makes the directory carry out all that is due first, each transition handed to `sink`; whoever keeps
    /// something that is over by then releases it before, so that it frees its room as well. Rules M5, S9.
    ///
    /// O(1) expected, O(log users) for a user with nothing stored. For a new user O(1) amortised, O(log users) in the place
    /// of another; while anything is due and no place is unused, O(users log users), as in [`execute`](Self::execute).
    ///
    /// # Errors
    ///
    /// [`ApplyError::Full`] when a new user finds no place. What time did stands.
    ///
    /// ```
    /// use presence_core::Policy;
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{ApplyError, Instant};
    ///
    /// let now = Instant::ZERO;
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 1>::new(), Policy::GRAPH);
    /// // A message is set, and removed later: two changes that anyone can see.
    /// directory.pin(now, 1, |_, _| {})?;
    /// assert!(directory.record_external_change(1));
    /// assert_eq!(directory.pin(now, 2, |_, _| {}), Err(ApplyError::Full));
    /// assert!(directory.record_external_change(1));
    /// directory.unpin(1, 2);
    /// assert_eq!(directory.version(now, 1), 2);
    /// assert_eq!(directory.pin(now, 2, |_, _| {}), Ok(()));
    /// # Ok::<(), ApplyError>(())
    /// ```
    pub fn pin(&mut self, now: Instant, user: U, mut sink: impl FnMut(U, &Transition<S>)) -> Result<(), ApplyError> {
        let number = match self.find(user) {
            Some((number, _)) => number,
            None => {
                if !matches!(self.vacancy(), Some(Vacancy::Unused)) {
                    self.catch_up_all(now, &mut sink);
                }
                let room = self.vacancy().ok_or(ApplyError::Full)?;
                self.take_place(room, user)
            }
        };
        if let Some(slot) = self.memory.parts().slots.get_mut(number as usize) {
            let before = core::mem::replace(&mut slot.standing, Standing::Held);
            if before == Standing::Forgettable {
                self.set_forgettable(number, false);
            }
        }
        Ok(())
    }

    /// Nothing is kept of a user elsewhere any more: with nothing stored here either, it may be forgotten, in the order that all
    /// are: whose presence has not changed for longest. The visible changes that were counted there are counted here from now
    /// on: its version grows by so many, and its revision too. Rules M5, V1. O(1) expected, O(log users) for a user with
    /// nothing stored.
    pub fn unpin(&mut self, user: U, changes: u64) {
        let Some((number, _)) = self.find(user) else { return };
        let Some(slot) = self.memory.parts().slots.get_mut(number as usize) else { return };
        slot.standing = Standing::Stored;
        slot.user.add_changes(changes);
        if slot.user.is_empty() {
            self.set_forgettable(number, true);
        }
    }

    /// Something changed visibly that is kept of a user elsewhere: it counts as a visible change of that user, whose own
    /// record stays as it was. Returns whether the user has a place, for only of such can be told;
    /// [`pin`](Self::pin) it before. Rule V2. O(1) expected.
    pub fn record_external_change(&mut self, user: U) -> bool {
        let found = self.find(user).map(|(number, _)| number);
        if let Some(number) = found {
            self.changes.note(self.memory.parts().slots, number);
        }
        found.is_some()
    }
}
