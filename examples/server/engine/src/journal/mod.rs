//! Journals: what a shard has stored, and is read back at the start.

pub(crate) mod barrier;
pub mod group;
pub mod sqlite;
