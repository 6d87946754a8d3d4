//! The overflow table: from a user's hash to its slot, for users in neither of their [buckets](super::buckets).
//!
//! Open addressing in two entries a user, so that it is half full at most, even if every user overflows; and deletion by
//! backward shift, so that no tombstones pile up.
//!
//! An entry is a slot index and, in the bits that slot indices leave free, as much of the hash as fits: with a million users
//! twelve bits, so that a wrong slot is looked at once in four thousand times.

use crate::directory::slot_index::SlotIndex;

/// One user's share of the overflow table: two entries.
#[derive(Clone, Copy, Debug)]
pub struct OverflowCell([u32; 2]);

/// A free entry: its slot index is all ones, more than there can be.
const FREE: u32 = u32::MAX;

impl OverflowCell {
    /// Two free entries.
    pub(in crate::directory) const EMPTY: Self = Self([FREE; 2]);
}

/// Returns the half of a hash that mixes best.
const fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The division of an entry's bits in a table of some size.
#[derive(Clone, Copy)]
struct Layout {
    cells: u32,
    slot_bits: u32,
}

impl Layout {
    fn of(cells: &[OverflowCell]) -> Self {
        let cells = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        Self { cells, slot_bits: u32::BITS.saturating_sub(cells.leading_zeros()) }
    }

    /// Returns the part of a hash that an entry keeps.
    fn fingerprint(self, hash: u64) -> u32 {
        upper(hash).checked_shl(self.slot_bits).unwrap_or(0)
    }

    fn fingerprint_bits(self) -> u32 {
        u32::MAX.checked_shl(self.slot_bits).unwrap_or(0)
    }

    fn slot(self, entry: u32) -> SlotIndex {
        SlotIndex::new(entry & !self.fingerprint_bits())
    }

    /// Returns the cell where probing for a hash begins: its share of the cells, by a multiplication instead of a division.
    fn probe_start(self, hash: u64) -> u32 {
        (u64::from(upper(hash)).wrapping_mul(u64::from(self.cells)) >> 32) as u32
    }

    fn following(self, cell: u32) -> u32 {
        let next = cell.wrapping_add(1);
        if next < self.cells { next } else { 0 }
    }

    /// Returns how far it is from one position to another, going up and around. A cell has two positions.
    fn distance(self, from: Position, to: Position) -> u64 {
        let number = |(cell, half): Position| u64::from(cell).wrapping_mul(2).wrapping_add(half.into());
        let (from, to, all) = (number(from), number(to), number((self.cells, 0)));
        if from <= to { to.wrapping_sub(from) } else { to.wrapping_add(all).wrapping_sub(from) }
    }
}

/// The position of an entry: its cell, and 0 or 1 within it.
type Position = (u32, u32);

fn get(cells: &[OverflowCell], (cell, half): Position) -> u32 {
    let [first, second] = cells.get(cell as usize).map_or([FREE; 2], |cell| cell.0);
    if half == 0 { first } else { second }
}

fn put(cells: &mut [OverflowCell], (cell, half): Position, entry: u32) {
    if let Some(OverflowCell([first, second])) = cells.get_mut(cell as usize) {
        *(if half == 0 { first } else { second }) = entry;
    }
}

/// Returns the position of the first entry for which `is_it` holds. Looks at every position once at most.
fn probe(cells: &[OverflowCell], layout: Layout, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<Position> {
    let mut cell = layout.probe_start(hash);
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

/// Returns what `look` finds in a slot under this hash. Looks at every position once at most.
pub(in crate::directory) fn find<T>(
    cells: &[OverflowCell],
    hash: u64,
    look: impl Fn(SlotIndex) -> Option<T>,
) -> Option<T> {
    let layout = Layout::of(cells);
    let (fingerprint, fingerprint_bits) = (layout.fingerprint(hash), layout.fingerprint_bits());
    let mut cell = layout.probe_start(hash);
    for _ in 0..layout.cells {
        for entry in cells.get(cell as usize)?.0 {
            if entry == FREE {
                return None;
            }
            if entry & fingerprint_bits == fingerprint
                && let Some(found) = look(SlotIndex::new(entry & !fingerprint_bits))
            {
                return Some(found);
            }
        }
        cell = layout.following(cell);
    }
    None
}

/// Inserts a slot that is not in the table. Half of the entries are free even when every user has one.
pub(in crate::directory) fn insert(cells: &mut [OverflowCell], hash: u64, slot: SlotIndex) {
    let layout = Layout::of(cells);
    if let Some(position) = probe(cells, layout, hash, |entry| entry == FREE) {
        put(cells, position, layout.fingerprint(hash) | slot.get());
    }
}

/// Removes a slot, and moves displaced entries back over the gap.
pub(in crate::directory) fn remove(
    cells: &mut [OverflowCell],
    hash: u64,
    slot: SlotIndex,
    hash_of: impl Fn(SlotIndex) -> u64,
) {
    let layout = Layout::of(cells);
    let removed = layout.fingerprint(hash) | slot.get();
    let Some(mut gap) = probe(cells, layout, hash, |entry| entry == FREE || entry == removed) else { return };
    if get(cells, gap) == FREE {
        return;
    }
    let mut position = gap;
    for _ in 0..u64::from(layout.cells).wrapping_mul(2) {
        position = if position.1 == 0 { (position.0, 1) } else { (layout.following(position.0), 0) };
        let entry = get(cells, position);
        if entry == FREE {
            break;
        }
        let start = (layout.probe_start(hash_of(layout.slot(entry))), 0);
        if layout.distance(start, position) >= layout.distance(gap, position) {
            put(cells, gap, entry);
            gap = position;
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
                let hash_of = |slot: SlotIndex| u64::from(slot.get().wrapping_add(7).wrapping_mul(spread)) << 32;
                let mut cells = vec![OverflowCell::EMPTY; users as usize];
                let mut model = BTreeSet::new();
                let mut state = 1u32;
                let rounds: u32 = if cfg!(miri) { 60 } else { 3000 };
                for round in 0..rounds {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let slot = SlotIndex::new((state >> 16) % users);
                    if model.remove(&slot) {
                        remove(&mut cells, hash_of(slot), slot, hash_of);
                    } else {
                        insert(&mut cells, hash_of(slot), slot);
                        model.insert(slot);
                    }
                    for slot in (0..users).map(SlotIndex::new) {
                        let found = find(&cells, hash_of(slot), |other| (other == slot).then_some(slot));
                        assert_eq!(found, model.contains(&slot).then_some(slot), "round {round}, spread {spread}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_memory_holds_nothing() {
        let mut cells: [OverflowCell; 0] = [];
        insert(&mut cells, 7, SlotIndex::new(0));
        assert_eq!(find(&cells, 7, Some), None);
        remove(&mut cells, 7, SlotIndex::new(0), |_| 7);
    }
}
