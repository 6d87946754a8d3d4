//! Giving a new user a slot, and evicting the user who had it.

use super::cells::Parts;
use super::memory::Memory;
use super::slot::SlotState;
use super::slot_index::SlotIndex;
use super::state::Directory;
use super::table::buckets::{self, Buckets};
use super::table::overflow;
use super::timers::heap::{End, Heap};
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use crate::user::{Transition, User};
use core::hash::{BuildHasher, Hash};

/// A slot for a new user.
#[derive(Clone, Copy)]
pub(super) enum Vacancy {
    /// One that no user has ever had.
    Free,
    /// That of a user with nothing stored, who is evicted.
    Evict(SlotIndex),
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Returns a slot for a new user: a free one, or that of the evictable user whose presence has not changed for longest.
    pub(super) fn vacancy(&self) -> Option<Vacancy> {
        if self.len() < self.capacity() {
            return Some(Vacancy::Free);
        }
        End::Back.first(self.memory.timers(), self.evictable).map(|first| Vacancy::Evict(first.slot))
    }

    /// Returns the first revision and version of a new user in this slot: above those of every user evicted until then.
    ///
    /// It never falls, also when another user is the next to be evicted: a decision about a new user names it, and must be stale
    /// once that user was given a slot and has changed.
    pub(super) fn first_version(&self, vacancy: Vacancy) -> u64 {
        match vacancy {
            Vacancy::Free => self.version_floor,
            Vacancy::Evict(_) => self.version_floor.max(self.evictable_floor),
        }
    }

    /// Gives a new user its slot, and applies the first transition, which was decided about this very start.
    pub(super) fn occupy_and_apply(&mut self, vacancy: Vacancy, id: U, transition: &Transition<S>) {
        let index = self.occupy(vacancy, id);
        self.apply_unchecked(index, transition);
    }

    /// Gives a new user its slot.
    pub(super) fn occupy(&mut self, vacancy: Vacancy, id: U) -> SlotIndex {
        let start = self.first_version(vacancy);
        let hash = self.hash(id);
        let buckets = Buckets::of(hash, self.memory.fingerprints().len());
        let index = match vacancy {
            Vacancy::Free => {
                self.len = self.len.saturating_add(1);
                self.free_slot(buckets)
            }
            Vacancy::Evict(index) => {
                self.version_floor = start;
                self.evict(index);
                index
            }
        };
        let Parts { slots, fingerprints, overflow: cells, .. } = self.memory.parts();
        if let Some(slot) = slots.get_mut(index.as_usize()) {
            slot.id = Some(id);
            slot.user = User::with_version(start);
            slot.published = Presence::Offline;
            slot.state = SlotState::InUse;
            if !buckets.occupy(fingerprints, index) {
                overflow::insert(cells, hash, index);
            }
        }
        index
    }

    /// Returns a free slot: in one of the buckets if there is one, otherwise the first there is. The search for the latter
    /// passes each slot once in all, because no slot becomes free again.
    fn free_slot(&mut self, buckets: Buckets) -> SlotIndex {
        let fingerprints = self.memory.fingerprints();
        buckets.free_slot(fingerprints).unwrap_or_else(|| {
            self.free_from = buckets::free_slot_from(fingerprints, self.free_from).unwrap_or(SlotIndex::NONE);
            self.free_from
        })
    }

    /// Replaces the record in a slot.
    pub(super) fn replace(&mut self, index: SlotIndex, user: User<S, SESSIONS>) {
        self.cancel(index);
        if let Some(slot) = self.memory.parts().slots.get_mut(index.as_usize()) {
            slot.published = user.presence();
            slot.user = user;
        }
        self.changes.record(self.memory.parts().slots, index);
        let Some(slot) = self.slot(index) else { return };
        let (is_evictable, deadline) = (slot.is_evictable(), slot.user.next_deadline());
        self.set_evictable(index, is_evictable);
        if let Some(deadline) = deadline {
            // The present moment is not known here: most likely it is not much earlier.
            self.schedule(index, deadline, deadline.saturating_sub(Duration::from_mins(5)));
        }
    }

    /// Removes a user from everything that leads to its slot.
    fn evict(&mut self, index: SlotIndex) {
        if let Some(old) = self.slot(index).and_then(|slot| slot.id) {
            let hash = self.hash(old);
            let fingerprints = self.memory.fingerprints();
            if !Buckets::of(hash, fingerprints.len()).contain(fingerprints, index) {
                let hasher = &self.hasher;
                let Parts { slots, overflow: cells, .. } = self.memory.parts();
                let hash_of = |other: SlotIndex| {
                    slots.get(other.as_usize()).and_then(|slot| slot.id).map_or(0, |id| hasher.hash_one(id))
                };
                overflow::remove(cells, hash, index, hash_of);
            }
        }
        self.changes.evict(self.memory.parts().slots, index);
        if let Some(slot) = self.memory.parts().slots.get_mut(index.as_usize()) {
            slot.generation = slot.generation.wrapping_add(1);
        }
        // It had nothing stored, so it is not scheduled.
        self.set_evictable(index, false);
    }

    /// Inserts a user with nothing stored among the evictable ones, or removes it from them.
    // Out of line: a keep-alive, which most commands are, needs neither.
    #[inline(never)]
    pub(super) fn set_evictable(&mut self, index: SlotIndex, is_evictable: bool) {
        if is_evictable {
            self.cancel(index);
        }
        let Parts { slots, timers: cells, .. } = self.memory.parts();
        let Some(slot) = slots.get_mut(index.as_usize()) else { return };
        if slot.state != SlotState::Pinned {
            slot.state = if is_evictable { SlotState::Evictable } else { SlotState::InUse };
        }
        if is_evictable {
            self.evictable_floor = self.evictable_floor.max(slot.user.revision().saturating_add(1));
        }
        let since = slot.evictable_since();
        let mut heap = Heap { slots, cells, end: End::Back, len: &mut self.evictable };
        if is_evictable {
            heap.set(index, since);
        } else {
            heap.remove(index);
        }
    }

    /// Restores the order of the evictable users, after the clock was shifted.
    pub(super) fn reorder_evictable(&mut self) {
        let Parts { slots, timers: cells, .. } = self.memory.parts();
        Heap { slots, cells, end: End::Back, len: &mut self.evictable }
            .rebuild(|slots, index| slots.get(index.as_usize()).map_or(Instant::ZERO, |slot| slot.evictable_since()));
    }
}
