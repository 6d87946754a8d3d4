//! The hash index: from a user's hash to its slot. Open addressing with linear probing in two cells a user, so that it is
//! half full at most, and deletion by moving back what was pushed on, so that no tombstones pile up.

/// The part of the index that comes with one user. Opaque; made by [`IndexCell::EMPTY`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IndexCell([Entry; 2]);

impl IndexCell {
    /// No entry.
    pub const EMPTY: Self = Self([Entry::FREE; 2]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Entry {
    /// Kept, so that neither probing nor deletion has to look at users whose hashes differ.
    hash: u32,
    slot: u32,
}

impl Entry {
    const FREE: Self = Self { hash: 0, slot: u32::MAX };

    fn is_free(self) -> bool {
        self.slot == u32::MAX
    }
}

/// How many entries the cells hold.
fn entries(cells: &[IndexCell]) -> u32 {
    u32::try_from(cells.len()).unwrap_or(u32::MAX).saturating_mul(2)
}

/// Where probing for a hash begins: its share of the whole, by a multiplication instead of a division.
fn home(hash: u32, entries: u32) -> u32 {
    (u64::from(hash).wrapping_mul(u64::from(entries)) >> 32) as u32
}

fn following(place: u32, entries: u32) -> u32 {
    let next = place.wrapping_add(1);
    if next < entries { next } else { 0 }
}

fn get(cells: &[IndexCell], place: u32) -> Entry {
    let [first, second] = cells.get((place >> 1) as usize).map_or([Entry::FREE; 2], |cell| cell.0);
    if place & 1 == 0 { first } else { second }
}

fn put(cells: &mut [IndexCell], place: u32, entry: Entry) {
    if let Some(IndexCell([first, second])) = cells.get_mut((place >> 1) as usize) {
        *(if place & 1 == 0 { first } else { second }) = entry;
    }
}

/// The place of the first entry that is free, or has this hash and is the one meant. O(1) expected; every place is looked
/// at once at most.
fn probe(cells: &[IndexCell], hash: u32, is_meant: impl Fn(u32) -> bool) -> Option<u32> {
    let entries = entries(cells);
    let mut place = home(hash, entries);
    for _ in 0..entries {
        let entry = get(cells, place);
        if entry.is_free() || (entry.hash == hash && is_meant(entry.slot)) {
            return Some(place);
        }
        place = following(place, entries);
    }
    None
}

/// The slot under this hash for which `is_meant` holds.
pub(super) fn find(cells: &[IndexCell], hash: u32, is_meant: impl Fn(u32) -> bool) -> Option<u32> {
    let entry = get(cells, probe(cells, hash, is_meant)?);
    (!entry.is_free()).then_some(entry.slot)
}

/// The first slot under this hash: nearly always the one that [`find`] finds.
pub(super) fn first_with(cells: &[IndexCell], hash: u32) -> Option<u32> {
    find(cells, hash, |_| true)
}

/// Adds a slot that is not in the index. Half of the entries are free even when every user has one.
pub(super) fn insert(cells: &mut [IndexCell], hash: u32, slot: u32) {
    if let Some(place) = probe(cells, hash, |_| false) {
        put(cells, place, Entry { hash, slot });
    }
}

/// Removes a slot, and moves every entry after it that was pushed past its place back over the gap.
pub(super) fn remove(cells: &mut [IndexCell], hash: u32, slot: u32) {
    let entries = entries(cells);
    let Some(mut gap) = probe(cells, hash, |other| other == slot) else { return };
    if get(cells, gap).is_free() {
        return;
    }
    let distance = |from: u32, to: u32| {
        if from <= to { to.wrapping_sub(from) } else { to.wrapping_sub(from).wrapping_add(entries) }
    };
    let mut place = gap;
    for _ in 0..entries {
        place = following(place, entries);
        let entry = get(cells, place);
        if entry.is_free() {
            break;
        }
        if distance(home(entry.hash, entries), place) >= distance(gap, place) {
            put(cells, gap, entry);
            gap = place;
        }
    }
    put(cells, gap, Entry::FREE);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeMap;
    use std::vec;

    /// Whatever the order of insertions and removals, exactly the entries that are in are found: also when every hash is
    /// the same, when they wrap around the end, and with every user present.
    #[test]
    fn finds_what_is_in_and_nothing_else() {
        for spread in [0u32, 1, 0x0100_0000, 0x9E37_79B9, 0xFFFF_FFFF] {
            let users = 13;
            let mut cells = vec![IndexCell::EMPTY; users];
            let mut model = BTreeMap::new();
            let mut state = 1u32;
            for round in 0..4000u32 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let slot = (state >> 16) % users as u32;
                let hash = slot.wrapping_mul(spread);
                if model.remove(&slot).is_some() {
                    remove(&mut cells, hash, slot);
                } else {
                    insert(&mut cells, hash, slot);
                    model.insert(slot, hash);
                }
                for slot in 0..users as u32 {
                    let found = find(&cells, slot.wrapping_mul(spread), |other| other == slot);
                    assert_eq!(found, model.contains_key(&slot).then_some(slot), "round {round}, spread {spread}");
                }
            }
        }
    }

    #[test]
    fn no_memory_holds_nothing() {
        let mut cells: [IndexCell; 0] = [];
        insert(&mut cells, 7, 0);
        assert_eq!(find(&cells, 7, |_| true), None);
        remove(&mut cells, 7, 0);
    }
}
