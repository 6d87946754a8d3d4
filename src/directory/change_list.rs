//! The list of users who have ever changed visibly, in the order of their latest change, linked through their slots. A walk
//! costs what it returns.

use super::slot::{ChangeLink, Slot};
use super::slot_index::SlotIndex;

/// The list of changes: its ends, its newest number, and the newest number that was evicted.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChangeList {
    oldest: SlotIndex,
    pub(super) newest: SlotIndex,
    pub(super) count: u64,
    pub(super) evicted: u64,
}

impl ChangeList {
    pub(super) const EMPTY: Self = Self { oldest: SlotIndex::NONE, newest: SlotIndex::NONE, count: 0, evicted: 0 };

    /// Records a visible change of a slot, which makes it the newest.
    pub(super) fn record<U, S, const SESSIONS: usize>(&mut self, slots: &mut [Slot<U, S, SESSIONS>], index: SlotIndex) {
        self.unlink(slots, index);
        self.count = self.count.saturating_add(1);
        let older = self.newest;
        if let Some(slot) = slots.get_mut(index.as_usize()) {
            slot.change = ChangeLink { number: self.count, older, newer: SlotIndex::NONE };
        }
        match slots.get_mut(older.as_usize()) {
            Some(slot) => slot.change.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
    }

    /// Removes a slot whose user is evicted, and remembers the number of its change.
    pub(super) fn evict<U, S, const SESSIONS: usize>(&mut self, slots: &mut [Slot<U, S, SESSIONS>], index: SlotIndex) {
        let number = slots.get(index.as_usize()).map_or(0, |slot| slot.change.number);
        self.evicted = self.evicted.max(number);
        self.unlink(slots, index);
    }

    fn unlink<U, S, const SESSIONS: usize>(&mut self, slots: &mut [Slot<U, S, SESSIONS>], index: SlotIndex) {
        let Some(slot) = slots.get_mut(index.as_usize()).filter(|slot| slot.change.number > 0) else { return };
        let ChangeLink { older, newer, .. } = core::mem::replace(&mut slot.change, ChangeLink::NONE);
        match slots.get_mut(older.as_usize()) {
            Some(slot) => slot.change.newer = newer,
            None => self.oldest = newer,
        }
        match slots.get_mut(newer.as_usize()) {
            Some(slot) => slot.change.older = older,
            None => self.newest = older,
        }
    }
}
