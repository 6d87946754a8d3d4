//! The index of strays: from a user's hash to its slot, for those who live in neither of their [homes](super::home).
//!
//! Open addressing in two entries a user, so that it is half full at most, even if nobody is at home; and deletion by moving
//! back what was pushed on, so that no tombstones pile up.
//!
//! An entry is a slot and, in the bits that slot numbers leave free, as much of the hash as fits: with a million users
//! twelve bits, so that a wrong slot is looked at once in four thousand times.

/// The part of the index that comes with one user. Opaque; made by [`IndexCell::EMPTY`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IndexCell([u32; 2]);

/// No slot: its slot number is all ones, which is one more than there can be.
const FREE: u32 = u32::MAX;

impl IndexCell {
    /// No entry.
    pub const EMPTY: Self = Self([FREE; 2]);
}

/// The half of a hash that mixes best.
const fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// How an index of this size reads its entries.
#[derive(Clone, Copy)]
struct Layout {
    cells: u32,
    slot_bits: u32,
}

impl Layout {
    fn of(cells: &[IndexCell]) -> Self {
        let cells = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        Self { cells, slot_bits: u32::BITS.saturating_sub(cells.leading_zeros()) }
    }

    /// The part of a hash that an entry keeps.
    fn tag(self, hash: u64) -> u32 {
        upper(hash).checked_shl(self.slot_bits).unwrap_or(0)
    }

    fn tag_bits(self) -> u32 {
        u32::MAX.checked_shl(self.slot_bits).unwrap_or(0)
    }

    fn slot(self, entry: u32) -> u32 {
        entry & !self.tag_bits()
    }

    /// Where probing for a hash begins: its share of the cells, by a multiplication instead of a division.
    fn home(self, hash: u64) -> u32 {
        (u64::from(upper(hash)).wrapping_mul(u64::from(self.cells)) >> 32) as u32
    }

    fn following(self, cell: u32) -> u32 {
        let next = cell.wrapping_add(1);
        if next < self.cells { next } else { 0 }
    }

    /// How far it is from one place to another, going up and around. Two places are a cell.
    fn distance(self, from: (u32, u32), to: (u32, u32)) -> u64 {
        let place = |(cell, half): (u32, u32)| u64::from(cell).wrapping_mul(2).wrapping_add(half.into());
        let (from, to, all) = (place(from), place(to), place((self.cells, 0)));
        if from <= to { to.wrapping_sub(from) } else { to.wrapping_add(all).wrapping_sub(from) }
    }
}

fn get(cells: &[IndexCell], (cell, half): (u32, u32)) -> u32 {
    let [first, second] = cells.get(cell as usize).map_or([FREE; 2], |cell| cell.0);
    if half == 0 { first } else { second }
}

fn put(cells: &mut [IndexCell], (cell, half): (u32, u32), entry: u32) {
    if let Some(IndexCell([first, second])) = cells.get_mut(cell as usize) {
        *(if half == 0 { first } else { second }) = entry;
    }
}

/// The place of the first entry for which `is_it` holds. O(1) expected; every place is looked at once at most.
fn probe(cells: &[IndexCell], layout: Layout, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(u32, u32)> {
    let mut cell = layout.home(hash);
    for _ in 0..layout.cells {
        let [first, second] = cells.get(cell as usize)?.0;
        if is_it(first) {
            return Some((cell, 0));
        }
        if is_it(second) {
            return Some((cell, 1));
        }
        cell = layout.following(cell);
    }
    None
}

/// What `look` finds in a slot under this hash. O(1) expected; every place is looked at once at most.
pub(in crate::directory) fn find<T>(cells: &[IndexCell], hash: u64, look: impl Fn(u32) -> Option<T>) -> Option<T> {
    let layout = Layout::of(cells);
    let (tag, tag_bits) = (layout.tag(hash), layout.tag_bits());
    let mut cell = layout.home(hash);
    for _ in 0..layout.cells {
        for entry in cells.get(cell as usize)?.0 {
            if entry == FREE {
                return None;
            }
            if entry & tag_bits == tag
                && let Some(found) = look(entry & !tag_bits)
            {
                return Some(found);
            }
        }
        cell = layout.following(cell);
    }
    None
}

/// Adds a slot that is not in the index. Half of the entries are free even when every user has one.
pub(in crate::directory) fn insert(cells: &mut [IndexCell], hash: u64, slot: u32) {
    let layout = Layout::of(cells);
    if let Some(place) = probe(cells, layout, hash, |entry| entry == FREE) {
        put(cells, place, layout.tag(hash) | slot);
    }
}

/// Removes a slot, and moves every entry after it that was pushed past its home back over the gap.
pub(in crate::directory) fn remove(cells: &mut [IndexCell], hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
    let layout = Layout::of(cells);
    let gone = layout.tag(hash) | slot;
    let Some(mut gap) = probe(cells, layout, hash, |entry| entry == FREE || entry == gone) else { return };
    if get(cells, gap) == FREE {
        return;
    }
    let mut place = gap;
    for _ in 0..u64::from(layout.cells).wrapping_mul(2) {
        place = if place.1 == 0 { (place.0, 1) } else { (layout.following(place.0), 0) };
        let entry = get(cells, place);
        if entry == FREE {
            break;
        }
        let home = (layout.home(hash_of(layout.slot(entry))), 0);
        if layout.distance(home, place) >= layout.distance(gap, place) {
            put(cells, gap, entry);
            gap = place;
        }
    }
    put(cells, gap, FREE);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;
    use std::vec;

    /// Whatever the order of insertions and removals, exactly the entries that are in are found: also when every hash is
    /// the same, when they wrap around the end, and with every user present.
    #[test]
    fn finds_what_is_in_and_nothing_else() {
        for users in [1u32, 2, 13, 16] {
            for spread in [0u32, 1, 0x0100_0000, 0x9E37_79B9, 0xFFFF_FFFF] {
                let hash_of = |slot: u32| u64::from(slot.wrapping_add(7).wrapping_mul(spread)) << 32;
                let mut cells = vec![IndexCell::EMPTY; users as usize];
                let mut model = BTreeSet::new();
                let mut state = 1u32;
                let rounds: u32 = if cfg!(miri) { 60 } else { 3000 };
                for round in 0..rounds {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let slot = (state >> 16) % users;
                    if model.remove(&slot) {
                        remove(&mut cells, hash_of(slot), slot, hash_of);
                    } else {
                        insert(&mut cells, hash_of(slot), slot);
                        model.insert(slot);
                    }
                    for slot in 0..users {
                        let found = find(&cells, hash_of(slot), |other| (other == slot).then_some(slot));
                        assert_eq!(found, model.contains(&slot).then_some(slot), "round {round}, spread {spread}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_memory_holds_nothing() {
        let mut cells: [IndexCell; 0] = [];
        insert(&mut cells, 7, 0);
        assert_eq!(find(&cells, 7, Some), None);
        remove(&mut cells, 7, 0, |_| 7);
    }
}
