//! Setting a session, which most commands do, in one pass: without a decision that is written down and read again.

use super::memory::Memory;
use super::occupy::Vacancy;
use super::slot::SlotState;
use super::slot_index::SlotIndex;
use super::state::Directory;
use super::tuning::IS_FAST;
use crate::policy::Policy;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition};
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Executes a command that sets a session, of a user with nothing overdue or of a new one while slots are free.
    ///
    /// Returns `None`, and has changed nothing, for any other command.
    #[inline(always)]
    pub(super) fn set_at_once(
        &mut self,
        found: Option<SlotIndex>,
        now: Instant,
        user: U,
        command: &Command<S>,
        policy: Option<&Policy>,
    ) -> Option<Result<Transition<S>, CommandError>> {
        let Command::SetPresence { session, presence, lease } = *command else { return None };
        let index = match found {
            _ if !IS_FAST => return None,
            Some(index) => index,
            None => self.occupy_to_set(user, command, policy)?,
        };
        let slot = self.memory.parts().slots.get_mut(index.as_usize())?;
        // It is scheduled for no later deadline than the user's own.
        if slot.scheduled.is_due(now) {
            return None;
        }
        let policy = policy.unwrap_or(&self.policy);
        let transition = match slot.user.set_at_once(now, slot.published, session, presence, lease, policy) {
            Ok(transition) => transition,
            Err(error) => return Some(Err(error.into())),
        };
        slot.published = transition.after();
        let (state, scheduled) = (slot.state, slot.scheduled);
        if transition.is_visible() {
            self.changes.record(self.memory.parts().slots, index);
        }
        if state == SlotState::Evictable {
            self.set_evictable(index, false);
        }
        if transition.deadline() < scheduled {
            self.schedule(index, transition.deadline(), now);
        }
        Some(Ok(transition))
    }

    /// Gives a new user a free slot, if the command will not be rejected.
    #[inline(never)]
    fn occupy_to_set(&mut self, user: U, command: &Command<S>, policy: Option<&Policy>) -> Option<SlotIndex> {
        let Command::SetPresence { presence, lease, .. } = *command else { return None };
        let is_allowed = policy.unwrap_or(&self.policy).check_session(presence, lease).is_ok() && SESSIONS > 0;
        (is_allowed && self.len() < self.capacity()).then(|| self.occupy(Vacancy::Free, user))
    }
}
