//! The queue of deadlines: the calendar and the heap, worked on together.

use super::calendar::{Bucket, Calendar};
use super::cell::{Link, Linked};
use super::heap::{Entry, Heap};
use crate::directory::slot_index::SlotIndex;
use crate::time::Instant;

/// The most users of a directory that has no buckets: one heap of all of them stays in the cache, so that a calendar would only
/// be one structure more to pass.
const SMALL: usize = 1024;

/// While the heap of a large directory holds no more than so many, nothing is put into a bucket. Otherwise a large directory
/// with hardly any users would pass thousands of empty windows for each, so far ahead that later users find no bucket.
const FEW: usize = 256;

/// Both parts while they are worked on.
pub(in crate::directory) struct Deadlines<'a, L: ?Sized> {
    pub(in crate::directory) calendar: &'a mut Calendar,
    pub(in crate::directory) heap: Heap<'a, L>,
}

impl<L: Linked + ?Sized> Deadlines<'_, L> {
    /// Schedules a slot for this deadline instead of the old one, which is never if the slot was not scheduled.
    pub(in crate::directory) fn set(&mut self, slot: SlotIndex, old: Instant, deadline: Instant, now: Instant) {
        let is_in_heap = old != Instant::NEVER && self.is_in_heap(slot);
        if old != Instant::NEVER && !is_in_heap {
            self.calendar.remove(self.heap.slots, self.heap.cells, slot, old);
        }
        match self.bucket_of(deadline, now) {
            Some(bucket) => {
                if is_in_heap {
                    self.heap.remove(slot);
                }
                self.calendar.insert(self.heap.slots, self.heap.cells, slot, bucket);
            }
            None => {
                self.heap.set(slot, deadline);
                if let Some(link) = self.heap.slots.link_mut(slot) {
                    link.next = Link::IN_HEAP;
                }
            }
        }
    }

    /// Schedules the slot that is first in the heap for a later deadline.
    pub(in crate::directory) fn set_first(&mut self, slot: SlotIndex, deadline: Instant, now: Instant) {
        match self.bucket_of(deadline, now) {
            Some(bucket) => {
                self.heap.remove(slot);
                self.calendar.insert(self.heap.slots, self.heap.cells, slot, bucket);
            }
            None => self.heap.replace_first(Entry { key: deadline, slot }),
        }
    }

    /// Returns the bucket for a deadline; `None` when it belongs in the heap.
    #[inline]
    fn bucket_of(&mut self, deadline: Instant, now: Instant) -> Option<Bucket> {
        // In a heap of few, each is found at once, however far away. One that holds the most there may be takes no more.
        let (len, most) = (*self.heap.len as usize, self.heap.cells.len());
        if most <= SMALL || len < FEW.min(most / 64) {
            return None;
        }
        self.calendar.bucket_of(self.heap.cells, deadline, now)
    }

    /// Removes a slot, which is scheduled for this deadline, or not at all when that is never.
    pub(in crate::directory) fn remove(&mut self, slot: SlotIndex, old: Instant) {
        if old == Instant::NEVER {
            return;
        }
        if self.is_in_heap(slot) {
            self.heap.remove(slot);
        } else {
            self.calendar.remove(self.heap.slots, self.heap.cells, slot, old);
        }
    }

    /// Reports whether a slot that is scheduled is in the heap.
    fn is_in_heap(&self, slot: SlotIndex) -> bool {
        self.heap.slots.link(slot).is_some_and(|link| link.next == Link::IN_HEAP)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::super::cell::TimerCell;
    use super::super::heap::End;
    use super::*;
    use crate::edges::edges;
    use std::vec;

    /// Of slots that are not near, the heap takes as many as there may be few, and the calendar the others. That of a small
    /// directory takes all.
    #[test]
    fn a_heap_of_few_takes_no_more() {
        let large = edges(SMALL / 64).into_iter().skip(2).chain([FEW - 1, FEW, FEW + 1]);
        let sizes = large.map(|few| (64 * few, few.min(FEW))).filter(|(users, _)| *users > SMALL);
        for (users, most) in sizes.chain([(SMALL, SMALL), (SMALL + 1, SMALL / 64)]) {
            let (mut cells, mut links) = (vec![TimerCell::EMPTY; users], vec![Link::NONE; users]);
            let (mut calendar, mut near) = (Calendar::EMPTY, 0);
            for slot in 0..(2 * most + 1).min(users) as u32 {
                let heap = Heap { slots: &mut links[..], cells: &mut cells, end: End::Front, len: &mut near };
                let mut deadlines = Deadlines { calendar: &mut calendar, heap };
                let deadline = Instant::from_millis(3_600_000 - u64::from(slot) * 2_000);
                deadlines.set(SlotIndex::new(slot), Instant::NEVER, deadline, Instant::ZERO);
                assert_eq!(near as usize, most.min(slot as usize + 1), "slot {slot} of {users}");
                let is_exact = calendar.drained_until(&cells) == Instant::NEVER;
                assert_eq!(is_exact, (slot as usize) < most, "slot {slot} of {users}");
            }
        }
    }
}
