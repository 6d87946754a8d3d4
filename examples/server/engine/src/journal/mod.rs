//! Journals: what a shard has stored, and is read back at the start.

pub mod group;
pub mod sqlite;
