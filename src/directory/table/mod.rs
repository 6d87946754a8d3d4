//! The lookup of a user: two buckets of slots, and an overflow table for users who find both full.

pub(super) mod buckets;
pub(super) mod hash;
pub(super) mod overflow;
