//! The wire: section 7 of the behaviour, rules H1 to H6.
#![cfg(feature = "batch")]

mod batch;
mod checks;
mod examples;
mod reads;
mod room;
mod server;
