//! The memory of the timers: a cell for each user, and a link in each slot.

use crate::directory::slot_index::SlotIndex;
use crate::time::Instant;

/// One user's share of the timers.
#[derive(Clone, Copy, Debug)]
pub struct TimerCell {
    /// The entry at this position of a heap: its key and its slot.
    pub(super) key: Instant,
    pub(super) slot: SlotIndex,
    /// The first slot in this bucket of the calendar.
    pub(super) first_in_bucket: SlotIndex,
}

impl TimerCell {
    /// A cell without an entry and with an empty bucket.
    pub(in crate::directory) const EMPTY: Self =
        Self { key: Instant::NEVER, slot: SlotIndex::NONE, first_in_bucket: SlotIndex::NONE };
}

/// The position of a slot in a heap or in a bucket. Kept in the slot, which is at hand whenever it moves.
#[derive(Clone, Copy, Debug)]
pub(in crate::directory) struct Link {
    /// The position in its heap, or the index of the slot before it in its bucket.
    pub(super) position_or_previous: u32,
    /// The slot after it in its bucket, or [`IN_HEAP`](Self::IN_HEAP).
    pub(super) next: SlotIndex,
}

impl Link {
    /// Stands for the next slot where a slot is in the heap of deadlines.
    pub(super) const IN_HEAP: SlotIndex = SlotIndex::new(u32::MAX - 1);

    pub(in crate::directory) const NONE: Self = Self { position_or_previous: u32::MAX, next: SlotIndex::NONE };
}

/// The slots, as far as the timers need them.
pub(in crate::directory) trait Linked {
    fn link(&self, slot: SlotIndex) -> Option<&Link>;
    fn link_mut(&mut self, slot: SlotIndex) -> Option<&mut Link>;
    /// Reports whether the first of two slots comes first when their keys are equal.
    fn is_before(&self, one: SlotIndex, other: SlotIndex) -> bool;
}

/// Links alone, for tests.
#[cfg(test)]
impl Linked for [Link] {
    fn link(&self, slot: SlotIndex) -> Option<&Link> {
        self.get(slot.as_usize())
    }

    fn link_mut(&mut self, slot: SlotIndex) -> Option<&mut Link> {
        self.get_mut(slot.as_usize())
    }

    fn is_before(&self, one: SlotIndex, other: SlotIndex) -> bool {
        one < other
    }
}
