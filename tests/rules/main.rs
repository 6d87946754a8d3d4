//! The rules of `docs/behaviour.md`, one file a subject: every test is named after the rule that it holds.

mod aggregation;
mod batch;
mod changes;
#[cfg(any(feature = "embassy-time", feature = "fugit"))]
mod clocks;
mod crowds;
mod directory;
mod durations;
mod explain;
mod forgery;
mod hash_flooding;
mod hashing;
mod mirror;
mod preferred;
mod presences;
mod rebase;
mod retain;
mod sessions;
mod single_user;
#[cfg(feature = "graph")]
mod single_user_store;
mod size;
mod texts;
mod ties;
mod time;
mod two_policies;
