//! How a user is found: two buckets of slots, and a table for those that overflow them.

pub(in crate::directory) mod buckets;
pub(in crate::directory) mod hash;
pub(in crate::directory) mod overflow;
