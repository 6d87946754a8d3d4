//! The queue of deadlines: a binary heap of slots, with each slot's place in it, so that one slot has one entry and the
//! queue can never outgrow its users.
//!
//! An entry may be earlier than its user's deadline, never later: a keep-alive touches no queue, and the entry is
//! corrected when it comes up.

use crate::time::Instant;

/// The part of the queue that comes with one user. Opaque; made by [`QueueCell::EMPTY`].
#[derive(Clone, Copy, Debug)]
pub struct QueueCell {
    /// The entry at this place of the heap.
    deadline: Instant,
    slot: u32,
    /// Where in the heap the slot with this number is, whichever entry stands here.
    place_of_slot: u32,
}

impl QueueCell {
    /// No entry.
    pub const EMPTY: Self = Self { deadline: Instant::NEVER, slot: u32::MAX, place_of_slot: u32::MAX };
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) deadline: Instant,
    pub(super) slot: u32,
}

/// The heap while it is worked on: its cells, how many of them are taken, and which of two slots with the same deadline
/// comes first.
pub(super) struct Queue<'a, F> {
    pub(super) cells: &'a mut [QueueCell],
    pub(super) len: &'a mut u32,
    pub(super) is_before: F,
}

/// The first entry: never later than any user's deadline. O(1).
pub(super) fn first(cells: &[QueueCell], len: u32) -> Option<Entry> {
    let cell = cells.first().filter(|_| len > 0)?;
    Some(Entry { deadline: cell.deadline, slot: cell.slot })
}

impl<F: Fn(u32, u32) -> bool> Queue<'_, F> {
    /// Enters a slot under this deadline, or moves its entry there. O(log users).
    pub(super) fn set(&mut self, slot: u32, deadline: Instant) {
        let place = match self.place_of(slot) {
            Some(place) => place,
            None => {
                let place = *self.len;
                *self.len = place.saturating_add(1);
                place
            }
        };
        self.settle(place, Entry { deadline, slot });
    }

    /// Removes a slot's entry, if there is one. O(log users).
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(place) = self.place_of(slot) else { return };
        self.note_place(slot, u32::MAX);
        *self.len = self.len.saturating_sub(1);
        let last = *self.len;
        if let Some(moved) = self.get(last).filter(|_| place != last) {
            self.settle(place, moved);
        }
    }

    /// Restores the order of the whole heap after its deadlines were rewritten. O(users).
    pub(super) fn rebuild(&mut self, deadline_of: impl Fn(u32) -> Instant) {
        for place in 0..*self.len {
            if let Some(entry) = self.get(place) {
                self.put(place, Entry { deadline: deadline_of(entry.slot), ..entry });
            }
        }
        for place in (0..*self.len >> 1).rev() {
            if let Some(entry) = self.get(place) {
                self.sink(place, entry);
            }
        }
    }

    fn cell(&mut self, place: u32) -> Option<&mut QueueCell> {
        self.cells.get_mut(place as usize)
    }

    fn get(&self, place: u32) -> Option<Entry> {
        self.cells.get(place as usize).map(|cell| Entry { deadline: cell.deadline, slot: cell.slot })
    }

    fn place_of(&self, slot: u32) -> Option<u32> {
        self.cells.get(slot as usize).map(|cell| cell.place_of_slot).filter(|&place| place < *self.len)
    }

    fn note_place(&mut self, slot: u32, place: u32) {
        if let Some(cell) = self.cell(slot) {
            cell.place_of_slot = place;
        }
    }

    fn put(&mut self, place: u32, entry: Entry) {
        if let Some(cell) = self.cell(place) {
            (cell.deadline, cell.slot) = (entry.deadline, entry.slot);
        }
        self.note_place(entry.slot, place);
    }

    fn precedes(&self, one: Entry, other: Entry) -> bool {
        one.deadline < other.deadline || (one.deadline == other.deadline && (self.is_before)(one.slot, other.slot))
    }

    /// Puts an entry where it belongs, starting from a place whose own entry is gone.
    fn settle(&mut self, from: u32, entry: Entry) {
        let mut place = from;
        while let Some(above) = place.checked_sub(1).map(|below| below >> 1) {
            match self.get(above) {
                Some(parent) if self.precedes(entry, parent) => self.put(place, parent),
                _ => break,
            }
            place = above;
        }
        self.sink(place, entry);
    }

    fn sink(&mut self, from: u32, entry: Entry) {
        let mut place = from;
        loop {
            let left = place.saturating_mul(2).saturating_add(1);
            let right = left.saturating_add(1);
            let child = |place: u32| self.get(place).filter(|_| place < *self.len).map(|entry| (place, entry));
            let first = match (child(left), child(right)) {
                (Some(left), Some(right)) if self.precedes(right.1, left.1) => right,
                (Some(left), _) => left,
                (None, _) => break,
            };
            if !self.precedes(first.1, entry) {
                break;
            }
            self.put(place, first.1);
            place = first.0;
        }
        self.put(place, entry);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeMap;
    use std::vec;

    #[test]
    fn s8_the_first_is_always_the_earliest_then_the_smaller() {
        let users = 17u32;
        let mut cells = vec![QueueCell::EMPTY; users as usize];
        let mut len = 0;
        let mut model: BTreeMap<u32, Instant> = BTreeMap::new();
        let mut state = 7u32;
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slot = (state >> 20) % users;
            let deadline = Instant::from_millis(u64::from((state >> 8) % 9));
            let mut queue = Queue { cells: &mut cells, len: &mut len, is_before: |one, other| one < other };
            match state >> 5 & 3 {
                0 => {
                    queue.remove(slot);
                    model.remove(&slot);
                }
                1 if state >> 13 & 31 == 0 => {
                    for deadline in model.values_mut() {
                        *deadline = Instant::from_millis(10 - deadline.as_millis());
                    }
                    queue.rebuild(|slot| model[&slot]);
                }
                _ => {
                    queue.set(slot, deadline);
                    model.insert(slot, deadline);
                }
            }
            let expected = model.iter().map(|(&slot, &deadline)| (deadline, slot)).min();
            assert_eq!(first(&cells, len).map(|entry| (entry.deadline, entry.slot)), expected);
            assert_eq!(len as usize, model.len());
        }
    }
}
