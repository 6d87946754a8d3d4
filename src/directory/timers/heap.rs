//! Two heaps in the same cells: near deadlines from the front, users who may be evicted from the back. Deadlines that are
//! not near are in the buckets of the [calendar](super::calendar), in the same cells too.
//!
//! A slot is in one of the heaps at most, so the two can never outgrow the users. A slot knows its position in its heap. An
//! entry may be earlier than its user's deadline, never later: a keep-alive touches no heap, and the entry is corrected when
//! it comes up.

use super::cell::{Linked, TimerCell};
use crate::directory::slot_index::SlotIndex;
use crate::directory::tuning::IS_FAST;
use crate::time::Instant;

/// The number of children of an entry of a heap: four lie in a cache line or two, and make half as many levels as two.
const CHILDREN: u32 = 4;

/// One entry: the key that orders it, and its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::directory) struct Entry {
    pub(in crate::directory) key: Instant,
    pub(in crate::directory) slot: SlotIndex,
}

/// The end of the cells from which a heap grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum End {
    Front,
    Back,
}

impl End {
    /// Returns the index of the cell at a position of the heap.
    fn cell(self, position: u32, cells: &[TimerCell]) -> usize {
        match self {
            Self::Front => position as usize,
            Self::Back => cells.len().wrapping_sub(1).wrapping_sub(position as usize),
        }
    }

    /// Returns the entry at this position.
    fn get(self, position: u32, cells: &[TimerCell]) -> Option<Entry> {
        cells.get(self.cell(position, cells)).map(|cell| Entry { key: cell.key, slot: cell.slot })
    }

    /// Returns the first entry.
    pub(in crate::directory) fn first(self, cells: &[TimerCell], len: u32) -> Option<Entry> {
        self.get(0, cells).filter(|_| len > 0)
    }
}

/// A heap while it is worked on: the slots, its cells, and its length.
pub(in crate::directory) struct Heap<'a, L: ?Sized> {
    pub(in crate::directory) slots: &'a mut L,
    pub(in crate::directory) cells: &'a mut [TimerCell],
    pub(in crate::directory) end: End,
    pub(in crate::directory) len: &'a mut u32,
}

impl<L: Linked + ?Sized> Heap<'_, L> {
    /// Inserts a slot under this key, or moves its entry there.
    pub(in crate::directory) fn set(&mut self, slot: SlotIndex, key: Instant) {
        let position = match self.position_of(slot) {
            Some(position) => position,
            None => {
                let position = *self.len;
                *self.len = position.saturating_add(1);
                position
            }
        };
        self.sift(position, Entry { key, slot });
    }

    /// Replaces the first entry, of the same slot, by one with a later key.
    pub(in crate::directory) fn replace_first(&mut self, entry: Entry) {
        self.sift_down(0, entry);
    }

    /// Removes a slot's entry, if there is one.
    pub(in crate::directory) fn remove(&mut self, slot: SlotIndex) {
        let Some(position) = self.position_of(slot) else { return };
        self.set_position(slot, u32::MAX);
        *self.len = self.len.saturating_sub(1);
        let last = *self.len;
        if let Some(moved) = self.get(last).filter(|_| position != last) {
            self.sift(position, moved);
        }
    }

    /// Restores the order of the whole heap under new keys. O(users).
    pub(in crate::directory) fn rebuild(&mut self, key_of: impl Fn(&L, SlotIndex) -> Instant) {
        for position in 0..*self.len {
            if let Some(entry) = self.get(position) {
                self.put(position, Entry { key: key_of(self.slots, entry.slot), ..entry });
            }
        }
        for position in (0..*self.len).rev() {
            if let Some(entry) = self.get(position) {
                self.sift_down(position, entry);
            }
        }
    }

    fn get(&self, position: u32) -> Option<Entry> {
        self.end.get(position, self.cells)
    }

    fn position_of(&self, slot: SlotIndex) -> Option<u32> {
        let position = self.slots.link(slot)?.position_or_previous;
        // The link of a slot in the other heap, or in a bucket, says something else.
        let is_here = position < *self.len && self.get(position).is_some_and(|entry| entry.slot == slot);
        is_here.then_some(position)
    }

    fn set_position(&mut self, slot: SlotIndex, position: u32) {
        if let Some(link) = self.slots.link_mut(slot) {
            link.position_or_previous = position;
        }
    }

    fn put(&mut self, position: u32, entry: Entry) {
        let cell = self.end.cell(position, self.cells);
        if let Some(cell) = self.cells.get_mut(cell) {
            (cell.key, cell.slot) = (entry.key, entry.slot);
        }
        self.set_position(entry.slot, position);
    }

    fn precedes(&self, one: Entry, other: Entry) -> bool {
        one.key < other.key || (one.key == other.key && self.slots.is_before(one.slot, other.slot))
    }

    /// Puts an entry where it belongs, starting from a position whose own entry is gone.
    fn sift(&mut self, from: u32, entry: Entry) {
        let position = self.sift_up(from, entry);
        self.sift_down(position, entry);
    }

    /// Moves entries that an entry precedes down out of its way, and returns the position that is free for it.
    #[inline]
    fn sift_up(&mut self, from: u32, entry: Entry) -> u32 {
        let mut position = from;
        while let Some(above) = position.checked_sub(1).map(|below| below / CHILDREN) {
            match self.get(above) {
                Some(parent) if self.precedes(entry, parent) => self.put(position, parent),
                _ => break,
            }
            position = above;
        }
        position
    }

    /// Moves entries that precede an entry up out of its way, and puts it below them.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn sift_down(&mut self, from: u32, entry: Entry) {
        let mut position = from;
        while !IS_FAST || !self.sift_down_by_key(&mut position, entry) {
            let Some((child, below)) = self.first_below(position, entry) else { break };
            self.put(position, below);
            position = child;
        }
        self.put(position, entry);
    }

    /// Returns the first child of a position, with its own, if it precedes an entry.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn first_below(&self, position: u32, entry: Entry) -> Option<(u32, Entry)> {
        let eldest = position.saturating_mul(CHILDREN).saturating_add(1);
        let mut first = (position, entry);
        for child in eldest..eldest.saturating_add(CHILDREN).min(*self.len) {
            match self.get(child) {
                Some(below) if self.precedes(below, first.1) => first = (child, below),
                _ => {}
            }
        }
        (first.0 != position).then_some(first)
    }

    /// Moves a position down as far as keys alone tell the way: past rows of four, no two equal. Returns true where they tell that
    /// the entry belongs there.
    // Which child is first depends on chance: a branch would be mispredicted every other time.
    #[inline(always)]
    fn sift_down_by_key(&mut self, position: &mut u32, entry: Entry) -> bool {
        let Some(cells) = self.cells.get_mut(..*self.len as usize).filter(|_| self.end == End::Front) else {
            return false;
        };
        let mut here = *position as usize;
        let is_settled = loop {
            let eldest = here.wrapping_mul(CHILDREN as usize).wrapping_add(1);
            let Some([a, b, c, d]) = cells.get(eldest..).and_then(|rest| rest.first_chunk()) else {
                break cells.len() <= eldest;
            };
            let (left, right) = (a.key.min(b.key), c.key.min(d.key));
            let key = left.min(right);
            let (in_left, in_right) = (usize::from(b.key < a.key), usize::from(d.key < c.key) | 2);
            let child = if right < left { in_right } else { in_left }.wrapping_add(eldest);
            if a.key == b.key || c.key == d.key || left == right || key >= entry.key {
                break key > entry.key;
            }
            let Some(&TimerCell { slot, .. }) = cells.get(child) else { break false };
            if let Some(cell) = cells.get_mut(here) {
                (cell.key, cell.slot) = (key, slot);
            }
            if let Some(link) = self.slots.link_mut(slot) {
                link.position_or_previous = here as u32;
            }
            here = child;
        };
        *position = here as u32;
        is_settled
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::super::cell::Link;
    use super::*;
    use crate::edges::edges;
    use std::collections::BTreeMap;
    use std::vec;

    /// Whatever is inserted, moved and removed in either heap, the first of each is the least, and neither disturbs the
    /// other, also when every cell is taken.
    #[test]
    fn s8_the_first_is_always_the_earliest_then_the_smaller() {
        let users = 17u32;
        let mut cells = vec![TimerCell::EMPTY; users as usize];
        let mut links = vec![Link::NONE; users as usize];
        let mut lens = [0, 0];
        let mut models: [BTreeMap<SlotIndex, Instant>; 2] = Default::default();
        let mut state = 7u32;
        let rounds = if cfg!(miri) { 400 } else { 40_000 };
        for _ in 0..rounds {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slot = SlotIndex::new((state >> 20) % users);
            let key = Instant::from_millis(u64::from((state >> 8) % 9));
            let chosen = (state >> 18 & 1) as usize;
            let ends = [End::Front, End::Back];
            for (which, end) in ends.into_iter().enumerate() {
                let len = &mut lens[which];
                let mut heap = Heap { slots: &mut links[..], cells: &mut cells, end, len };
                let model = &mut models[which];
                match state >> 5 & 3 {
                    // A slot is in one of them at most.
                    _ if which != chosen => {
                        heap.remove(slot);
                        model.remove(&slot);
                    }
                    0 => {
                        heap.remove(slot);
                        model.remove(&slot);
                    }
                    1 if state >> 13 & 31 == 0 => {
                        for key in model.values_mut() {
                            *key = Instant::from_millis(10 - key.as_millis());
                        }
                        heap.rebuild(|_, slot| model[&slot]);
                    }
                    _ => {}
                }
            }
            if state >> 5 & 3 > 1 {
                let len = &mut lens[chosen];
                Heap { slots: &mut links[..], cells: &mut cells, end: ends[chosen], len }.set(slot, key);
                models[chosen].insert(slot, key);
            }
            for (which, end) in ends.into_iter().enumerate() {
                let expected = models[which].iter().map(|(&slot, &key)| (key, slot)).min();
                assert_eq!(end.first(&cells, lens[which]).map(|entry| (entry.key, entry.slot)), expected);
                assert_eq!(lens[which] as usize, models[which].len());
            }
        }
    }

    /// At the edge of every row of children, whatever is inserted in whatever order comes out in order.
    #[test]
    fn s8_heaps_of_every_size_around_a_row() {
        let row = CHILDREN as usize;
        for users in edges(row).into_iter().chain(edges(row * row + row + 1)) {
            let mut state = 7u32;
            for _ in 0..if cfg!(miri) { 2 } else { 200 } {
                let (mut cells, mut links) = (vec![TimerCell::EMPTY; users], vec![Link::NONE; users]);
                let mut len = 0;
                let mut expected = BTreeMap::new();
                let mut heap = Heap { slots: &mut links[..], cells: &mut cells, end: End::Front, len: &mut len };
                for slot in (0..users as u32).map(SlotIndex::new) {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let key = Instant::from_millis(u64::from(state >> 16) % (users as u64 / 2 + 1));
                    heap.set(slot, key);
                    expected.insert((key, slot), ());
                }
                for (key, slot) in expected.into_keys() {
                    assert_eq!(heap.get(0), Some(Entry { key, slot }), "{users} users");
                    heap.remove(slot);
                }
                assert_eq!(len, 0);
            }
        }
    }
}
