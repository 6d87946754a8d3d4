//! Two queues in the same cells: near deadlines from the front, those with nothing stored from the back. Deadlines that
//! are not near are on the pages of the [calendar](super::calendar), which are in the same cells too.
//!
//! Each queue is a heap of slots, and a slot is in one of them at most, so the two can never outgrow the users. A slot
//! knows its place in its heap. An entry may be earlier than its user's deadline, never later: a keep-alive touches no
//! queue, and the entry is corrected when it comes up.

use crate::time::Instant;

/// How many children a place of a heap has: four lie in a cache line or two, and make half as many levels as two.
const CHILDREN: u32 = 4;

/// The part of the queues that comes with one user. Opaque; made by [`QueueCell::EMPTY`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct QueueCell {
    /// The entry in this place of a heap.
    key: Instant,
    slot: u32,
    /// The first slot on the page of the calendar that this is.
    pub(in crate::directory) first_on_page: u32,
}

impl QueueCell {
    /// No entry.
    pub const EMPTY: Self = Self { key: Instant::NEVER, slot: u32::MAX, first_on_page: u32::MAX };
}

/// Where a slot is: in a heap, or on a page of the calendar. Kept with the slot, which is at hand whenever it moves.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(in crate::directory) struct Link {
    /// Its place in its heap, or who comes before it on its page.
    pub(in crate::directory) place_or_before: u32,
    /// Who comes after it on its page, or that it is in the heap of deadlines.
    pub(in crate::directory) after: u32,
}

impl Link {
    /// Stands for what comes after a slot that is in the heap of deadlines.
    pub(in crate::directory) const IN_HEAP: u32 = u32::MAX - 1;

    pub(in crate::directory) const NONE: Self = Self { place_or_before: u32::MAX, after: u32::MAX };
}

/// The slots, as far as queues need them.
pub(in crate::directory) trait Linked {
    fn link(&self, slot: u32) -> Option<&Link>;
    fn link_mut(&mut self, slot: u32) -> Option<&mut Link>;
    /// Which of two slots comes first when their keys are the same.
    fn is_before(&self, one: u32, other: u32) -> bool;
}

/// One entry: what it is ordered by, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::directory) struct Entry {
    pub(in crate::directory) key: Instant,
    pub(in crate::directory) slot: u32,
}

/// From which end of the cells a queue grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum End {
    Front,
    Back,
}

impl End {
    /// The cell of a place of the heap.
    fn cell(self, place: u32, cells: &[QueueCell]) -> usize {
        match self {
            Self::Front => place as usize,
            Self::Back => cells.len().wrapping_sub(1).wrapping_sub(place as usize),
        }
    }

    /// The entry at this place. O(1).
    fn get(self, place: u32, cells: &[QueueCell]) -> Option<Entry> {
        cells.get(self.cell(place, cells)).map(|cell| Entry { key: cell.key, slot: cell.slot })
    }

    /// The first entry. O(1).
    pub(in crate::directory) fn first(self, cells: &[QueueCell], len: u32) -> Option<Entry> {
        self.get(0, cells).filter(|_| len > 0)
    }
}

/// A heap while it is worked on: the slots, its cells, and how many of them are taken.
pub(in crate::directory) struct Queue<'a, L: ?Sized> {
    pub(in crate::directory) slots: &'a mut L,
    pub(in crate::directory) cells: &'a mut [QueueCell],
    pub(in crate::directory) end: End,
    pub(in crate::directory) len: &'a mut u32,
}

impl<L: Linked + ?Sized> Queue<'_, L> {
    /// Enters a slot under this key, or moves its entry there. O(log users).
    pub(in crate::directory) fn set(&mut self, slot: u32, key: Instant) {
        let place = match self.place_of(slot) {
            Some(place) => place,
            None => {
                let place = *self.len;
                *self.len = place.saturating_add(1);
                place
            }
        };
        self.settle(place, Entry { key, slot });
    }

    /// Removes a slot's entry, if there is one. O(log users).
    pub(in crate::directory) fn remove(&mut self, slot: u32) {
        let Some(place) = self.place_of(slot) else { return };
        self.note_place(slot, u32::MAX);
        *self.len = self.len.saturating_sub(1);
        let last = *self.len;
        if let Some(moved) = self.get(last).filter(|_| place != last) {
            self.settle(place, moved);
        }
    }

    /// Restores the order of the whole heap under new keys. O(users).
    pub(in crate::directory) fn rebuild(&mut self, key_of: impl Fn(&L, u32) -> Instant) {
        for place in 0..*self.len {
            if let Some(entry) = self.get(place) {
                self.put(place, Entry { key: key_of(self.slots, entry.slot), ..entry });
            }
        }
        for place in (0..*self.len).rev() {
            if let Some(entry) = self.get(place) {
                self.sink(place, entry);
            }
        }
    }

    fn get(&self, place: u32) -> Option<Entry> {
        self.end.get(place, self.cells)
    }

    fn place_of(&self, slot: u32) -> Option<u32> {
        let place = self.slots.link(slot)?.place_or_before;
        // A slot that is in the other queue, or on a page, has something there too.
        let is_here = place < *self.len && self.get(place).is_some_and(|entry| entry.slot == slot);
        is_here.then_some(place)
    }

    fn note_place(&mut self, slot: u32, place: u32) {
        if let Some(link) = self.slots.link_mut(slot) {
            link.place_or_before = place;
        }
    }

    fn put(&mut self, place: u32, entry: Entry) {
        let cell = self.end.cell(place, self.cells);
        if let Some(cell) = self.cells.get_mut(cell) {
            (cell.key, cell.slot) = (entry.key, entry.slot);
        }
        self.note_place(entry.slot, place);
    }

    fn precedes(&self, one: Entry, other: Entry) -> bool {
        one.key < other.key || (one.key == other.key && self.slots.is_before(one.slot, other.slot))
    }

    /// Puts an entry where it belongs, starting from a place whose own entry is gone.
    fn settle(&mut self, from: u32, entry: Entry) {
        let mut place = from;
        while let Some(above) = place.checked_sub(1).map(|below| below / CHILDREN) {
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
            let eldest = place.saturating_mul(CHILDREN).saturating_add(1);
            let mut first = (place, entry);
            for child in eldest..eldest.saturating_add(CHILDREN).min(*self.len) {
                match self.get(child) {
                    Some(below) if self.precedes(below, first.1) => first = (child, below),
                    _ => {}
                }
            }
            if first.0 == place {
                break;
            }
            self.put(place, first.1);
            place = first.0;
        }
        self.put(place, entry);
    }
}

/// Links alone, for tests.
#[cfg(test)]
impl Linked for [Link] {
    fn link(&self, slot: u32) -> Option<&Link> {
        self.get(slot as usize)
    }

    fn link_mut(&mut self, slot: u32) -> Option<&mut Link> {
        self.get_mut(slot as usize)
    }

    fn is_before(&self, one: u32, other: u32) -> bool {
        one < other
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeMap;
    use std::vec;

    /// Whatever is entered, moved and removed in either queue, the first of each is the least, and neither disturbs the
    /// other, also when every cell is taken.
    #[test]
    fn s8_the_first_is_always_the_earliest_then_the_smaller() {
        let users = 17u32;
        let mut cells = vec![QueueCell::EMPTY; users as usize];
        let mut links = vec![Link::NONE; users as usize];
        let mut lens = [0, 0];
        let mut models: [BTreeMap<u32, Instant>; 2] = Default::default();
        let mut state = 7u32;
        let rounds = if cfg!(miri) { 400 } else { 40_000 };
        for _ in 0..rounds {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slot = (state >> 20) % users;
            let key = Instant::from_millis(u64::from((state >> 8) % 9));
            let side = (state >> 18 & 1) as usize;
            let ends = [End::Front, End::Back];
            for (place, end) in ends.into_iter().enumerate() {
                let len = &mut lens[place];
                let mut queue = Queue { slots: &mut links[..], cells: &mut cells, end, len };
                let model = &mut models[place];
                match state >> 5 & 3 {
                    // A slot is in one of them at most.
                    _ if place != side => {
                        queue.remove(slot);
                        model.remove(&slot);
                    }
                    0 => {
                        queue.remove(slot);
                        model.remove(&slot);
                    }
                    1 if state >> 13 & 31 == 0 => {
                        for key in model.values_mut() {
                            *key = Instant::from_millis(10 - key.as_millis());
                        }
                        queue.rebuild(|_, slot| model[&slot]);
                    }
                    _ => {}
                }
            }
            if state >> 5 & 3 > 1 {
                let len = &mut lens[side];
                Queue { slots: &mut links[..], cells: &mut cells, end: ends[side], len }.set(slot, key);
                models[side].insert(slot, key);
            }
            for (place, end) in ends.into_iter().enumerate() {
                let expected = models[place].iter().map(|(&slot, &key)| (key, slot)).min();
                assert_eq!(end.first(&cells, lens[place]).map(|entry| (entry.key, entry.slot)), expected);
                assert_eq!(lens[place] as usize, models[place].len());
            }
        }
    }
}
