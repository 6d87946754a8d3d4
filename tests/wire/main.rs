//! The wire: section 7 of the behaviour, rules H1 to H9.
#![cfg(feature = "graph")]

#[cfg(feature = "batch")]
mod batch;
#[cfg(feature = "batch")]
mod bodies;
#[cfg(feature = "batch")]
mod capacity;
#[cfg(feature = "batch")]
mod checks;
#[cfg(feature = "batch")]
mod collection;
#[cfg(feature = "batch")]
mod depends_on;
#[cfg(all(feature = "batch", feature = "details"))]
mod details;
#[cfg(feature = "batch")]
mod examples;
#[cfg(feature = "batch")]
mod input;
#[cfg(feature = "batch")]
mod limits;
#[cfg(feature = "batch")]
mod line_ends;
mod mirror;
#[cfg(feature = "batch")]
mod order;
#[cfg(feature = "batch")]
mod paths;
#[cfg(feature = "batch")]
mod permissions;
#[cfg(feature = "batch")]
mod reads;
#[cfg(all(feature = "batch", feature = "details"))]
mod select;
#[cfg(feature = "batch")]
mod server;
#[cfg(not(feature = "batch"))]
mod without_batch;
