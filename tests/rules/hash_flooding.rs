//! A directory finds users by the hasher that it was given: a keyed one keeps lookups short, whatever ids users choose.

use core::cell::Cell;
use core::hash::{BuildHasher, Hash, Hasher};
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory};
use presence_core::{Instant, Policy, Presence};
use std::collections::hash_map::RandomState;

const USERS: u32 = 1000;

thread_local! {
    static COMPARED: Cell<u32> = const { Cell::new(0) };
}

/// An id that counts how often it is compared.
#[derive(Clone, Copy, Debug, PartialOrd, Ord)]
struct Id(u32);

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        COMPARED.set(COMPARED.get() + 1);
        self.0 == other.0
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.0);
    }
}

/// What a hash without a secret becomes for ids that were chosen to collide.
#[derive(Clone, Default)]
struct Flooded;

impl BuildHasher for Flooded {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self
    }
}

impl Hasher for Flooded {
    fn finish(&self) -> u64 {
        7
    }

    fn write(&mut self, _: &[u8]) {}
}

/// Sets every user, and returns how often ids are compared for a lookup, on average.
fn comparisons(hasher: impl BuildHasher) -> u32 {
    let mut directory: BoxedDirectory<Id, u8, 1, _> =
        Directory::with_hasher(BoxedMemory::new(USERS as usize), Policy::DESK, hasher);
    let presence = |user: u32| if user.is_multiple_of(2) { Presence::Away } else { Presence::InACall };
    for user in 0..USERS {
        directory.set_presence(Instant::ZERO, Id(user), 1, presence(user), None, |_, _| {}).unwrap();
    }
    COMPARED.set(0);
    for user in 0..USERS {
        assert_eq!(directory.get(Id(user)).unwrap().presence(), presence(user));
    }
    COMPARED.get() / USERS
}

#[test]
fn a_keyed_hasher_keeps_lookups_short_and_a_flooded_one_does_not() {
    assert!(comparisons(Flooded) > USERS / 4);
    assert!(comparisons(RandomState::new()) <= 2);
}
