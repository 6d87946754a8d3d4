//! Finding the slot of a user.

use super::memory::Memory;
use super::slot::Slot;
use super::slot_index::SlotIndex;
use super::state::Directory;
use super::table::buckets::Buckets;
use super::table::overflow;
use core::hash::{BuildHasher, Hash};

/// A user's slot, and its index.
pub(super) type Found<'a, U, S, const SESSIONS: usize> = (SlotIndex, &'a Slot<U, S, SESSIONS>);

/// Returns the slot with this index, if it is this user's.
#[inline]
fn slot_of<U: Copy + Eq, S, const SESSIONS: usize>(
    slots: &[Slot<U, S, SESSIONS>],
    index: SlotIndex,
    user: U,
) -> Option<Found<'_, U, S, SESSIONS>> {
    slots.get(index.as_usize()).filter(|slot| slot.id == Some(user)).map(|slot| (index, slot))
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    #[inline]
    pub(super) fn hash(&self, user: U) -> u64 {
        self.hasher.hash_one(user)
    }

    pub(super) fn slot(&self, index: SlotIndex) -> Option<&Slot<U, S, SESSIONS>> {
        self.memory.slots().get(index.as_usize())
    }

    /// Returns a user's slot, and its index.
    #[inline]
    pub(super) fn find(&self, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        self.find_hashed(self.hash(user), user)
    }

    #[inline]
    fn find_hashed(&self, hash: u64, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        let fingerprints = self.memory.fingerprints();
        self.find_from(Buckets::of(hash, fingerprints.len()).first_match(fingerprints), hash, user)
    }

    /// Returns a user's slot where the first match in its buckets is known.
    #[inline]
    pub(super) fn find_from(&self, first_match: SlotIndex, hash: u64, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        let found = slot_of(self.memory.slots(), first_match, user);
        // The usual path is short, so that the processor looks for several users at a time.
        if found.is_some() { found } else { self.find_elsewhere(hash, user) }
    }

    /// Returns a user's slot where the first match is another user.
    #[inline(never)]
    fn find_elsewhere(&self, hash: u64, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        let (slots, fingerprints) = (self.memory.slots(), self.memory.fingerprints());
        let look = |index| slot_of(slots, index, user);
        Buckets::of(hash, fingerprints.len())
            .find(fingerprints, look)
            .or_else(|| overflow::find(self.memory.overflow(), hash, look))
    }
}
