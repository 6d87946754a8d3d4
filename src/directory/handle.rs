//! Handles, for embedders who keep data of their own beside each user.

use super::Directory;
use super::memory::Memory;
use crate::user::User;
use core::hash::{BuildHasher, Hash};

/// Names a user's place while that user has it: an index below the directory's capacity, for an array of the embedder's
/// own, and a generation, so that a handle outlives no reuse of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UserHandle {
    slot: u32,
    generation: u32,
}

impl UserHandle {
    /// The place, below the directory's capacity. O(1).
    #[must_use]
    pub const fn index(self) -> usize {
        self.slot as usize
    }

    /// How many users have had this place before. O(1).
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// The handle of a user with a place; `None` for one never heard of, or forgotten. O(1) expected.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// directory.set_presence(Instant::ZERO, 7, 1, Presence::Away, None, |_, _| {})?;
    /// let handle = directory.handle(7).expect("a place");
    /// assert!(handle.index() < directory.capacity());
    /// assert_eq!(directory.by_handle(handle).map(|(id, user)| (id, user.presence())), Some((7, Presence::Away)));
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    #[must_use]
    pub fn handle(&self, user: U) -> Option<UserHandle> {
        let (number, slot) = self.find(user)?;
        Some(UserHandle { slot: number, generation: slot.generation })
    }

    /// The user with this handle, as time was last advanced; `None` once the place is another's. O(1), without hashing.
    #[must_use]
    pub fn by_handle(&self, handle: UserHandle) -> Option<(U, &User<S, SESSIONS>)> {
        let slot = self.slot(handle.slot).filter(|slot| slot.generation == handle.generation)?;
        Some((slot.id?, &slot.user))
    }
}
