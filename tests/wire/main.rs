//! The wire: section 7 of the behaviour, rules H1 to H6.
#![cfg(feature = "graph")]

#[cfg(feature = "batch")]
mod batch;
#[cfg(feature = "batch")]
mod capacity;
#[cfg(feature = "batch")]
mod checks;
#[cfg(all(feature = "batch", feature = "details"))]
mod details;
#[cfg(feature = "batch")]
mod examples;
#[cfg(feature = "batch")]
mod limits;
mod mirror;
#[cfg(feature = "batch")]
mod permissions;
#[cfg(feature = "batch")]
mod reads;
#[cfg(feature = "batch")]
mod server;
#[cfg(not(feature = "batch"))]
mod without_batch;
