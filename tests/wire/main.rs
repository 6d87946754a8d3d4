//! The wire: section 7 of the behaviour, rules H1 to H6.
#![cfg(feature = "batch")]

mod batch;
mod checks;
#[cfg(feature = "details")]
mod details;
mod examples;
mod limits;
mod reads;
mod room;
mod server;
