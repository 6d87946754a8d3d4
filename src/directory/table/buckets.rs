//! Where users live: each has two homes, groups of eight places that follow from its hash, and nearly everybody gets a
//! place in one of them. Then one byte a place, a few bits of the hash, tells which of the sixteen it is, and a user is
//! found without an index: these bytes are few enough to stay in the processor's cache, and the only wait is for the
//! user itself.
//!
//! A new user moves into the emptier home. Of a directory filled to the last place, six in a hundred find both homes
//! taken; with a tenth of the places free, one in a hundred. They get a place elsewhere, and an entry in the [index].
//!
//! [index]: super::index

/// The part of this that comes with one user. Opaque; made by [`TagCell::EMPTY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TagCell(u8);

impl TagCell {
    /// A place that nobody has taken.
    pub const EMPTY: Self = Self(0);

    /// A place taken by somebody whose home this is not: it is found by the index, and never here.
    const STRAY: Self = Self(1);

    /// The least tag of somebody who is at home.
    const LEAST: u8 = 2;
}

/// How many places make a home: as many tags as are compared at once.
const GROUP: usize = 8;

/// The lowest bit of every byte, and the highest.
const LOWEST: u64 = u64::from_ne_bytes([1; GROUP]);
const HIGHEST: u64 = u64::from_ne_bytes([0x80; GROUP]);

/// The tags of a home, the first in the lowest byte; strays only, where there is no such home.
#[inline]
fn tags_of(tags: &[TagCell], home: u32) -> u64 {
    let group = tags.as_chunks::<GROUP>().0.get(home as usize);
    group.map_or(LOWEST, |group| u64::from_le_bytes(group.map(|tag| tag.0)))
}

/// The highest bit of every byte that is zero, and of no other.
const fn zeros(bytes: u64) -> u64 {
    !(((bytes & !HIGHEST).wrapping_add(!HIGHEST)) | bytes) & HIGHEST
}

/// The two homes of a hash, and its tag.
#[derive(Clone, Copy)]
pub(in crate::directory) struct Homes {
    first: u32,
    second: u32,
    tag: TagCell,
}

impl Homes {
    /// The homes of this hash among so many places. Those behind the last whole group are nobody's home.
    #[inline]
    pub(in crate::directory) fn of(hash: u64, places: usize) -> Self {
        let groups = (places / GROUP) as u64;
        // A share of the groups for each half of the hash, by a multiplication instead of a division. With more than 2³²
        // of them not all are shared out.
        let share = |half: u64| (half.wrapping_mul(groups) >> 32) as u32;
        let (high, low) = (hash >> 32, hash & u64::from(u32::MAX));
        // The bits of a half that matter least for its share.
        let tag = TagCell((high as u8).max(TagCell::LEAST));
        Self { first: share(high), second: share(low), tag }
    }

    /// The places whose tags match: in each byte the lowest bit for the first home, and the highest for the second.
    #[inline]
    fn candidates(self, tags: &[TagCell]) -> u64 {
        let pattern = u64::from(self.tag.0).wrapping_mul(LOWEST);
        // A byte above one that matches may seem to match too, which is one more to look at.
        let matches = |home| {
            let differing = tags_of(tags, home) ^ pattern;
            differing.wrapping_sub(LOWEST) & !differing & HIGHEST
        };
        matches(self.first) >> 7 | matches(self.second)
    }

    /// The place of the first of these candidates; some place, if there is none.
    #[inline]
    fn first_of(self, candidates: u64) -> u32 {
        let bit = (candidates | 1 << 63).trailing_zeros();
        // Which home it is depends on chance: a branch would be guessed wrong half of the time.
        let home = if bit & 1 == 0 { self.first } else { self.second };
        home.wrapping_mul(GROUP as u32).wrapping_add(bit >> 3)
    }

    /// Where to look first for whoever has this hash: nearly always they are there. O(1), without a branch.
    #[inline]
    pub(in crate::directory) fn guess(self, tags: &[TagCell]) -> u32 {
        self.first_of(self.candidates(tags))
    }

    /// What `look` finds in a place of one of the homes. O(1): it looks at sixteen places at the most.
    pub(in crate::directory) fn find<T>(self, tags: &[TagCell], look: impl Fn(u32) -> Option<T>) -> Option<T> {
        let mut candidates = self.candidates(tags);
        while candidates != 0 {
            let found = look(self.first_of(candidates));
            if found.is_some() {
                return found;
            }
            candidates &= candidates.wrapping_sub(1);
        }
        None
    }

    /// A free place in the emptier home, if there is one. O(1).
    pub(in crate::directory) fn vacancy(self, tags: &[TagCell]) -> Option<u32> {
        let vacancies = |home| zeros(tags_of(tags, home));
        let (first, second) = (vacancies(self.first), vacancies(self.second));
        let (home, vacant) =
            if first.count_ones() >= second.count_ones() { (self.first, first) } else { (self.second, second) };
        (vacant != 0).then(|| home.wrapping_mul(GROUP as u32).wrapping_add(vacant.trailing_zeros() >> 3))
    }

    /// Whether a place lies in one of the homes.
    pub(in crate::directory) fn contain(self, tags: &[TagCell], place: u32) -> bool {
        let home = place >> GROUP.trailing_zeros();
        (home == self.first || home == self.second) && (home as usize) < tags.len() / GROUP
    }

    /// Takes a place, which is free or was another's. Returns whether it is at home there; if not, only an index finds it.
    pub(in crate::directory) fn take(self, tags: &mut [TagCell], place: u32) -> bool {
        let is_home = self.contain(tags, place);
        if let Some(tag) = tags.get_mut(place as usize) {
            *tag = if is_home { self.tag } else { TagCell::STRAY };
        }
        is_home
    }
}

/// The first free place from this one on. O(places between).
pub(in crate::directory) fn vacancy_from(tags: &[TagCell], from: u32) -> Option<u32> {
    let rest = tags.get(from as usize..)?;
    // Eight at a time, for the sake of the one who finds them all taken but the last.
    let full = rest.chunks_exact(GROUP).take_while(|group| group.iter().all(|tag| *tag != TagCell::EMPTY)).count();
    let skipped = full.saturating_mul(GROUP);
    let vacant = rest.iter().skip(skipped).position(|tag| *tag == TagCell::EMPTY)?;
    u32::try_from(skipped.saturating_add(vacant)).ok().map(|ahead| from.saturating_add(ahead))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeMap;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn zeros_are_told_from_everything_else() {
        for bytes in [[0; 8], [1; 8], [0x80; 8], [0, 1, 0x80, 0xFF, 0x7F, 0, 2, 0], [1, 0, 1, 0, 0x81, 0, 1, 1]] {
            let expected = bytes.map(|byte| if byte == 0 { 0x80 } else { 0 });
            assert_eq!(zeros(u64::from_le_bytes(bytes)).to_le_bytes(), expected, "{bytes:?}");
        }
    }

    /// Whoever moves in is found until the last place is taken, and nobody else is: also when every hash is the same, and
    /// when the places do not make whole groups.
    #[test]
    fn finds_who_is_at_home_and_nobody_else() {
        // Each takes time that grows with the cube of it, and the larger ones hours to interpret.
        let places = [0u32, 1, 7, 8, 9, 16, 40, 67];
        for places in places.into_iter().filter(|places| !cfg!(miri) || *places < 10) {
            for spread in [0u64, 1, 0x9E37_79B9_7F4A_7C15, u64::MAX] {
                let hash_of = |user: u64| user.wrapping_add(3).wrapping_mul(spread);
                let mut tags = vec![TagCell::EMPTY; places as usize];
                let mut residents: BTreeMap<u32, u64> = BTreeMap::new();
                let mut strays = Vec::new();
                for user in 0..u64::from(places) {
                    let homes = Homes::of(hash_of(user), tags.len());
                    let place = homes.vacancy(&tags).or_else(|| vacancy_from(&tags, 0)).unwrap();
                    assert!(!residents.contains_key(&place), "place {place} is taken");
                    if !homes.take(&mut tags, place) {
                        strays.push(user);
                    }
                    residents.insert(place, user);
                    for (&place, &user) in &residents {
                        let look = |place: u32| (residents.get(&place) == Some(&user)).then_some(place);
                        let found = Homes::of(hash_of(user), tags.len()).find(&tags, look);
                        assert_eq!(found, (!strays.contains(&user)).then_some(place), "user {user} of {places}");
                    }
                }
                assert_eq!(vacancy_from(&tags, 0), None);
                assert_eq!(Homes::of(hash_of(9999), tags.len()).find(&tags, |_| None::<u32>), None);
            }
        }
    }

    /// A hash whose every bit depends on every bit: numbers that follow each other would spread more evenly than users do.
    fn mixed(user: u64) -> u64 {
        let mixed = (user ^ (user >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// What the front page of this module says of strays.
    #[test]
    #[cfg_attr(miri, ignore = "as many users take hours to interpret")]
    fn few_are_strays() {
        let places = 80_000;
        let strays = |users: u64| {
            let mut tags = vec![TagCell::EMPTY; places];
            let mut from = 0;
            let mut strays = 0;
            for user in 0..users {
                let homes = Homes::of(mixed(user), places);
                let place = homes.vacancy(&tags).unwrap_or_else(|| {
                    from = vacancy_from(&tags, from).unwrap();
                    from
                });
                strays += u64::from(!homes.take(&mut tags, place));
            }
            strays * 1000 / users
        };
        assert!(strays(80_000) <= 65, "{} of a thousand", strays(80_000));
        assert!(strays(72_000) <= 10, "{} of a thousand", strays(72_000));
    }
}
