//! Shifting the clock of a directory.

use super::memory::Memory;
use super::state::Directory;
use crate::time::Instant;
use crate::user::OverdueError;
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Shifts every stored instant of every user: the moment the clock called `from` is now called `to`.
    ///
    /// Decisions made before are stale, also about users without a slot: new ones start above the revision that such a
    /// decision names ([C2](crate::rules#c2)).
    ///
    /// # Errors
    ///
    /// [`OverdueError`] while something is due at `from`: [`advance`](Self::advance) first. Nothing is changed then.
    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        for (_, user) in self.users() {
            user.at(from)?;
        }
        for slot in self.memory.parts().slots.iter_mut().filter(|slot| slot.id.is_some()) {
            slot.user.rebase(from, to)?;
        }
        self.version_floor = self.version_floor.saturating_add(1);
        self.evictable_floor = self.evictable_floor.saturating_add(1);
        self.reschedule_all(to);
        self.reorder_evictable();
        Ok(())
    }
}
