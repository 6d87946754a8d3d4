//! The fuzz targets, as functions that take any bytes and panic if a property does not hold.
//!
//! They need no fuzzer: `cargo test` replays every file of `corpus/` through them.

#[cfg(feature = "client")]
mod client;
mod details;
mod duration;
mod history;
mod life;
#[cfg(feature = "lines")]
mod lines;
#[cfg(test)]
mod recipe;
#[cfg(test)]
mod replay;
mod snapshot;
mod user;
mod wire;

#[cfg(feature = "client")]
pub use client::client;
pub use details::details;
pub use duration::duration;
pub use history::history;
#[cfg(feature = "lines")]
pub use lines::lines;
pub use snapshot::snapshot;
pub use user::user;
pub use wire::wire;
