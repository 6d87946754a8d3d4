//! A `no_std`, allocation-free state machine for user presence, compatible with Microsoft Graph's presence API.
//!
//! Time is an argument; every decision is a pure function. A decision returns a [`Transition`], a small value that can be
//! logged, journalled or sent; [`User::apply`] carries it out.
//!
//! # One user
//!
//! ```
//! use presence_core::{Instant, Policy, Presence, User, clear_presence, next_due, set_presence};
//!
//! let mut user: User<u8, 4> = User::new(); // four sessions with ids of one byte
//! let now = Instant::ZERO; // milliseconds of a clock of yours
//! let set = set_presence(user.at(now)?, 1, Presence::InACall, None, &Policy::GRAPH)?;
//! user.apply(&set)?;
//! assert_eq!(user.presence(), Presence::InACall);
//!
//! // Come back at the deadline and apply what is due, one transition at a time.
//! let now = user.next_deadline().expect("a lease");
//! while let Some(due) = next_due(&user, now, &Policy::GRAPH) {
//!     user.apply(&due)?;
//! }
//! assert_eq!(user.presence(), Presence::Offline);
//! assert!(clear_presence(user.at(now)?, 1).is_err()); // `NotFound`
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! | module | for |
//! | --- | --- |
//! | this one | [`User`], [`SingleUser`], [`Session`], the decisions, [`Policy`], [`Presence`], time and ids |
//! | [`directory`] | many users in memory that is handed over once |
//! | [`snapshot`] | the stored form of a user, for flash, journals and databases |
//! | `details` | status message, out of office and work location (feature `details`) |
//! | `graph` | Graph's JSON requests, parsed, authorised, executed, responded to (feature `graph`; batches: `batch`) |
//! | `client` | the other side of the wire: requests to write, answers to read (feature `client`) |
//! | `lines` | a light's serial line: bytes to lines, short forms, presence objects to mirror (feature `lines`) |
//! | `indicator` | colours and patterns for a light (feature `indicator`) |
//! | `rules` | every rule by its number, as tests and this documentation cite them |
//!
//! Feature `alloc` adds memory for a number of users chosen at run time. Features `serde`, `defmt`, `arbitrary`, `embassy-time`
//! and `fugit` add what their names say for the plain values.
//!
//! # Promises
//!
//! No allocation (but in `directory::BoxedMemory::new`), no `unsafe`, no floating point, no recursion, no panic: not for any
//! input and not at any time. A rejected call changes nothing. Functions take constant time unless their documentation says
//! otherwise; `SESSIONS` is the number of sessions a user has room for.

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

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod buffer;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "details")]
pub mod details;
pub mod directory;
#[cfg(test)]
mod edges;
#[cfg(feature = "graph")]
pub mod graph;
mod id;
#[cfg(feature = "indicator")]
pub mod indicator;
#[cfg(feature = "lines")]
pub mod lines;
mod log;
mod padded;
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
pub use id::{ParseIdError, SessionId, UserId};
pub use policy::{Fade, Fades, Policy, PreferredDefault};
pub use presence::{Activity, Availability, ParsePresenceError, Presence, PresenceSet};
pub use single_user::SingleUser;
pub use time::{Duration, DurationRange, Instant, IsoDuration, ParseDurationError, TickExtender, keep_alive_interval};
pub use user::{
    Absence, ApplyError, AtMoment, Cause, Change, Command, CommandError, Explanation, Layer, NotFound, OverdueError,
    Preferred, Session, SetPreferredError, SetPresenceError, Transition, User, UserAt, clear_preferred_presence,
    clear_presence, decide, next_due, set_preferred_presence, set_presence,
};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
