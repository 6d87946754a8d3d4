//! The feed of changes: a [`Reader`] follows all users from one event to the next, and can go on after each of them.
//!
//! Reading order: [`ids`] says where a reader stands, and [`reader`] finds its next events.

#[cfg(test)]
mod fixture;
pub mod ids;
mod reader;
#[cfg(test)]
mod resume_tests;
#[cfg(test)]
mod tests;

pub use ids::FeedIds;
pub use reader::{FeedEvent, Reader};
