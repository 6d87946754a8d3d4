//! Handles, for applications that keep data of their own for each user.

use super::memory::Memory;
use super::slot_index::SlotIndex;
use super::state::Directory;
use crate::user::User;
use core::hash::{BuildHasher, Hash};

/// The slot of a user, as long as that user has it.
///
/// The index is below the directory's capacity, for an array of the application's own. The generation makes a handle invalid
/// once its slot is reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UserHandle {
    slot: SlotIndex,
    generation: u32,
}

impl UserHandle {
    /// Returns the index of the slot, below the directory's capacity.
    #[must_use]
    pub const fn index(self) -> usize {
        self.slot.as_usize()
    }

    /// Returns how many users have had this slot before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Returns the handle of a user; `None` for one without a slot.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// directory.set_presence(Instant::ZERO, 7, 1, Presence::Away, None, |_, _| {})?;
    /// let handle = directory.handle(7).expect("a slot");
    /// assert!(handle.index() < directory.capacity());
    /// assert_eq!(directory.by_handle(handle).map(|(id, user)| (id, user.presence())), Some((7, Presence::Away)));
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    #[must_use]
    pub fn handle(&self, user: U) -> Option<UserHandle> {
        let (index, slot) = self.find(user)?;
        Some(UserHandle { slot: index, generation: slot.generation })
    }

    /// Returns the user with this handle, as time was last advanced; `None` once the slot is another user's.
    ///
    /// Nothing is hashed.
    #[must_use]
    pub fn by_handle(&self, handle: UserHandle) -> Option<(U, &User<S, SESSIONS>)> {
        let slot = self.slot(handle.slot).filter(|slot| slot.generation == handle.generation)?;
        Some((slot.id?, &slot.user))
    }
}
