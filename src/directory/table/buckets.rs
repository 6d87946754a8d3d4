//! Two-choice hashing: each user hashes to two buckets of eight slots and takes a slot in the emptier one.
//!
//! A one-byte fingerprint per slot, a few bits of the hash, tells which of the sixteen slots is the user's. The fingerprints
//! of a million users are a megabyte, which stays in the processor's cache, so the only wait is for the user itself.
//!
//! In a directory filled to the last slot, six users in a hundred find both buckets full; with a tenth of the slots free,
//! one in a hundred. They take a slot elsewhere, and an entry in the [overflow table](super::overflow).

use crate::directory::slot_index::SlotIndex;

/// The fingerprint of the user in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u8);

impl Fingerprint {
    /// A free slot.
    pub(in crate::directory) const FREE: Self = Self(0);

    /// A slot outside its user's buckets: the overflow table finds it, the buckets never do.
    const OVERFLOW: Self = Self(1);

    /// The least fingerprint of a user in one of its buckets.
    const LEAST: u8 = 2;
}

/// The number of slots in a bucket: as many fingerprints as are compared at once.
const BUCKET_SLOTS: usize = 8;

/// The lowest bit of every byte, and the highest.
const LOWEST: u64 = u64::from_ne_bytes([1; BUCKET_SLOTS]);
const HIGHEST: u64 = u64::from_ne_bytes([0x80; BUCKET_SLOTS]);

/// Returns a bucket's fingerprints, the first in the lowest byte; only `OVERFLOW` where there is no such bucket.
#[inline]
fn fingerprints_of(fingerprints: &[Fingerprint], bucket: u32) -> u64 {
    let group = fingerprints.as_chunks::<BUCKET_SLOTS>().0.get(bucket as usize);
    group.map_or(LOWEST, |group| u64::from_le_bytes(group.map(|fingerprint| fingerprint.0)))
}

/// Returns the highest bit of every byte that is zero, and of no other.
const fn zeros(bytes: u64) -> u64 {
    !(((bytes & !HIGHEST).wrapping_add(!HIGHEST)) | bytes) & HIGHEST
}

/// The two buckets of a hash, and its fingerprint.
#[derive(Clone, Copy)]
pub(in crate::directory) struct Buckets {
    first: u32,
    second: u32,
    fingerprint: Fingerprint,
}

impl Buckets {
    /// Returns the buckets of a hash among so many slots. Slots behind the last whole bucket are in none.
    #[inline]
    pub(in crate::directory) fn of(hash: u64, slots: usize) -> Self {
        let buckets = (slots / BUCKET_SLOTS) as u64;
        // A share of the buckets for each half of the hash, by a multiplication instead of a division. With more than 2³²
        // of them not all are shared out.
        let share = |half: u64| (half.wrapping_mul(buckets) >> 32) as u32;
        let (high, low) = (hash >> 32, hash & u64::from(u32::MAX));
        // The bits of a half that matter least for its share.
        let fingerprint = Fingerprint((high as u8).max(Fingerprint::LEAST));
        Self { first: share(high), second: share(low), fingerprint }
    }

    /// Returns the slots whose fingerprints match: in each byte the lowest bit for the first bucket, and the highest for
    /// the second.
    #[inline]
    fn matches(self, fingerprints: &[Fingerprint]) -> u64 {
        let pattern = u64::from(self.fingerprint.0).wrapping_mul(LOWEST);
        // A byte above one that matches may seem to match too, which is one more to look at.
        let matches = |bucket| {
            let differing = fingerprints_of(fingerprints, bucket) ^ pattern;
            differing.wrapping_sub(LOWEST) & !differing & HIGHEST
        };
        matches(self.first) >> 7 | matches(self.second)
    }

    /// Returns the slot of the first of these matches; any slot, if there is none.
    #[inline]
    fn first_of(self, matches: u64) -> SlotIndex {
        let bit = (matches | 1 << 63).trailing_zeros();
        // Which bucket it is depends on chance: a branch would be mispredicted half of the time.
        let bucket = if bit & 1 == 0 { self.first } else { self.second };
        SlotIndex::new(bucket.wrapping_mul(BUCKET_SLOTS as u32).wrapping_add(bit >> 3))
    }

    /// Returns the first slot whose fingerprint matches: nearly always the user's. Takes no branch.
    #[inline]
    pub(in crate::directory) fn first_match(self, fingerprints: &[Fingerprint]) -> SlotIndex {
        self.first_of(self.matches(fingerprints))
    }

    /// Returns what `look` finds in a slot of one of the buckets. Looks at sixteen slots at the most.
    pub(in crate::directory) fn find<T>(
        self,
        fingerprints: &[Fingerprint],
        look: impl Fn(SlotIndex) -> Option<T>,
    ) -> Option<T> {
        let mut matches = self.matches(fingerprints);
        while matches != 0 {
            let found = look(self.first_of(matches));
            if found.is_some() {
                return found;
            }
            matches &= matches.wrapping_sub(1);
        }
        None
    }

    /// Returns a free slot in the emptier bucket, if there is one.
    pub(in crate::directory) fn free_slot(self, fingerprints: &[Fingerprint]) -> Option<SlotIndex> {
        let free_in = |bucket| zeros(fingerprints_of(fingerprints, bucket));
        let (first, second) = (free_in(self.first), free_in(self.second));
        let (bucket, free) =
            if first.count_ones() >= second.count_ones() { (self.first, first) } else { (self.second, second) };
        let slot = || bucket.wrapping_mul(BUCKET_SLOTS as u32).wrapping_add(free.trailing_zeros() >> 3);
        (free != 0).then(|| SlotIndex::new(slot()))
    }

    /// Reports whether a slot lies in one of the buckets.
    pub(in crate::directory) fn contain(self, fingerprints: &[Fingerprint], slot: SlotIndex) -> bool {
        let bucket = slot.get() >> BUCKET_SLOTS.trailing_zeros();
        (bucket == self.first || bucket == self.second) && (bucket as usize) < fingerprints.len() / BUCKET_SLOTS
    }

    /// Records that a user with this hash has the slot, which was free or another's. Returns whether the slot lies in one
    /// of the buckets; if not, only the overflow table finds it.
    pub(in crate::directory) fn occupy(self, fingerprints: &mut [Fingerprint], slot: SlotIndex) -> bool {
        let is_in_bucket = self.contain(fingerprints, slot);
        if let Some(fingerprint) = fingerprints.get_mut(slot.as_usize()) {
            *fingerprint = if is_in_bucket { self.fingerprint } else { Fingerprint::OVERFLOW };
        }
        is_in_bucket
    }
}

/// Returns the first free slot from this one on. O(slots between).
pub(in crate::directory) fn free_slot_from(fingerprints: &[Fingerprint], from: SlotIndex) -> Option<SlotIndex> {
    let rest = fingerprints.get(from.as_usize()..)?;
    // Eight at a time, because all are taken but the last few when this is asked for.
    let is_full = |group: &&[Fingerprint]| group.iter().all(|fingerprint| *fingerprint != Fingerprint::FREE);
    let full = rest.chunks_exact(BUCKET_SLOTS).take_while(is_full).count();
    let skipped = full.saturating_mul(BUCKET_SLOTS);
    let free = rest.iter().skip(skipped).position(|fingerprint| *fingerprint == Fingerprint::FREE)?;
    u32::try_from(skipped.saturating_add(free)).ok().map(|ahead| SlotIndex::new(from.get().saturating_add(ahead)))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::edges::edges;
    use std::collections::BTreeMap;
    use std::vec;
    use std::vec::Vec;

    const START: SlotIndex = SlotIndex::new(0);

    #[test]
    fn zeros_are_told_from_everything_else() {
        for bytes in [[0; 8], [1; 8], [0x80; 8], [0, 1, 0x80, 0xFF, 0x7F, 0, 2, 0], [1, 0, 1, 0, 0x81, 0, 1, 1]] {
            let expected = bytes.map(|byte| if byte == 0 { 0x80 } else { 0 });
            assert_eq!(zeros(u64::from_le_bytes(bytes)).to_le_bytes(), expected, "{bytes:?}");
        }
    }

    /// Users who are inserted are found until the last slot is taken, and others are not: also when every hash is the same,
    /// and when the slots do not make whole buckets.
    #[test]
    fn finds_users_in_their_buckets_and_no_others() {
        // Each takes time that grows with the cube of it, and the larger ones hours to interpret.
        let sizes = [0, 1, 40, 67].into_iter().chain(edges(BUCKET_SLOTS)).map(|slots| slots as u32);
        for slots in sizes.filter(|slots| !cfg!(miri) || *slots < 10) {
            for spread in [0u64, 1, 0x9E37_79B9_7F4A_7C15, u64::MAX] {
                let hash_of = |user: u64| user.wrapping_add(3).wrapping_mul(spread);
                let mut fingerprints = vec![Fingerprint::FREE; slots as usize];
                let mut users: BTreeMap<SlotIndex, u64> = BTreeMap::new();
                let mut overflowed = Vec::new();
                for user in 0..u64::from(slots) {
                    let buckets = Buckets::of(hash_of(user), fingerprints.len());
                    let free = buckets.free_slot(&fingerprints);
                    let slot = free.or_else(|| free_slot_from(&fingerprints, START)).unwrap();
                    assert!(!users.contains_key(&slot), "{slot:?} is taken");
                    if !buckets.occupy(&mut fingerprints, slot) {
                        overflowed.push(user);
                    }
                    users.insert(slot, user);
                    for (&slot, &user) in &users {
                        let look = |slot: SlotIndex| (users.get(&slot) == Some(&user)).then_some(slot);
                        let found = Buckets::of(hash_of(user), fingerprints.len()).find(&fingerprints, look);
                        assert_eq!(found, (!overflowed.contains(&user)).then_some(slot), "user {user} of {slots}");
                    }
                }
                assert_eq!(free_slot_from(&fingerprints, START), None);
                let unknown = Buckets::of(hash_of(9999), fingerprints.len());
                assert_eq!(unknown.find(&fingerprints, |_| None::<u32>), None);
            }
        }
    }

    /// The first free slot from any slot on, whichever is free.
    #[test]
    fn a_free_slot_is_found_wherever_it_is() {
        for slots in edges(BUCKET_SLOTS) {
            for free in 0..slots {
                let mut fingerprints = vec![Fingerprint::OVERFLOW; slots];
                fingerprints[free] = Fingerprint::FREE;
                for from in 0..=slots {
                    let found = free_slot_from(&fingerprints, SlotIndex::new(from as u32));
                    assert_eq!(found, (from <= free).then_some(SlotIndex::new(free as u32)), "{free} of {slots}");
                }
                fingerprints[slots - 1] = Fingerprint::FREE;
                assert_eq!(free_slot_from(&fingerprints, START), Some(SlotIndex::new(free as u32)));
            }
        }
    }

    /// A hash whose every bit depends on every bit: numbers that follow each other would spread more evenly than users do.
    fn mixed(user: u64) -> u64 {
        let mixed = (user ^ (user >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The shares that the front page of this module promises.
    #[test]
    #[cfg_attr(miri, ignore = "as many users take hours to interpret")]
    fn few_users_overflow() {
        let slots = 80_000;
        let overflowed = |users: u64| {
            let mut fingerprints = vec![Fingerprint::FREE; slots];
            let mut from = START;
            let mut overflowed = 0;
            for user in 0..users {
                let buckets = Buckets::of(mixed(user), slots);
                let slot = buckets.free_slot(&fingerprints).unwrap_or_else(|| {
                    from = free_slot_from(&fingerprints, from).unwrap();
                    from
                });
                overflowed += u64::from(!buckets.occupy(&mut fingerprints, slot));
            }
            overflowed * 1000 / users
        };
        assert!(overflowed(80_000) <= 65, "{} of a thousand", overflowed(80_000));
        assert!(overflowed(72_000) <= 10, "{} of a thousand", overflowed(72_000));
    }
}
