#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub, missing_debug_implementations, rust_2018_idioms)]
#![warn(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::use_self
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod buffer;
#[cfg(feature = "details")]
pub mod details;
pub mod directory;
#[cfg(feature = "graph")]
pub mod graph;
mod id;
#[cfg(feature = "indicator")]
pub mod indicator;
mod log;
mod policy;
mod presence;
#[cfg(doc)]
#[doc = include_str!("../docs/behaviour.md")]
pub mod rules {}
mod single_user;
pub mod snapshot;
mod time;
mod user;

pub use buffer::BufferFull;
pub use id::{GUID_LEN, ParseIdError, SessionId, UserId};
pub use policy::{Fade, Fades, Policy, PreferredDefault};
pub use presence::{Activity, Availability, ParsePresenceError, Presence, PresenceSet};
pub use single_user::SingleUser;
pub use time::{Duration, DurationRange, Instant, IsoDuration, ParseDurationError, TickExtender, keep_alive_interval};
pub use user::{
    Absence, ApplyError, Cause, Change, Command, CommandError, Explanation, Layer, NotFound, OverdueError, Preferred,
    Session, SetPreferredError, SetPresenceError, Transition, User, UserAt, clear_preferred_presence, clear_presence,
    decide, next_due, set_preferred_presence, set_presence,
};
