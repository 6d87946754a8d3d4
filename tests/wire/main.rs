//! The wire: section 7 of the behaviour, rules H1 to H6.
#![cfg(feature = "graph")]

mod batch;
mod checks;
mod examples;
mod reads;
mod room;
mod server;
