//! The engine of a presence service: users, their sessions and details, in memory and durably on the disk, without HTTP.
//!
//! It wraps [presence-core](presence_core), the rules, in what a service needs around them: threads, a journal, clocks, limits, and a
//! feed of changes. The server beside it puts HTTP in front; an application that speaks something else, or nothing, uses the
//! engine alone. [`Engine`] is all that most need:
//!
//! ```
//! use presence_core::{Command, Policy, Presence, SessionId, UserId};
//! use presence_engine::{Engine, Options, Store};
//!
//! # let directory = tempfile::TempDir::new()?;
//! # let directory = directory.path().join("data");
//! let engine = Engine::open(Options::new(Store::Directory(directory)))?;
//! let (user, session) = (UserId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
//! let command = Command::SetPresence { session, presence: Presence::InACall, lease: None };
//! // In a task, `.await` instead of `.wait()`.
//! engine.execute(user, command, &Policy::GRAPH, None).wait()??;
//! assert_eq!(engine.read(user).wait()?.presence, Presence::InACall);
//! engine.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The example `lines` is a service of some 60 lines that reads commands from its standard input.
//!
//! # Threads
//!
//! ```text
//!  calls ──┬── shard 0: queue ── writer (state) ── groups ── flusher ── journal ──┐
//!          └── shard 1: queue ── writer (state) ── groups ── flusher ── journal ──┤
//!                              ▲                                                  ▼
//!              clock: wakes ───┘            responses, and the feed of changes, when a group is durable
//! ```
//!
//! Users are spread over [shards](shard) by a hash with a secret key, one shard for each core. A *writer* owns the state of its shard:
//! it takes calls from a queue of [`QUEUE`](shard::QUEUE) places, decides and applies each at once, and waits for the disk
//! only when the next group is full. A *flusher* appends what has changed meanwhile to the shard's [journal], as one group, while the next one fills. So a
//! slower disk makes larger groups, not longer queues. One thread more follows steps of the machine's [`clock`].
//!
//! # What is durable when
//!
//! - A response, a read and an event of the [feed] show nothing that is not durable. A read waits only if it shows a change that is
//!   not yet.
//! - A call that was refused has changed nothing. A call whose response nobody waits for is executed all the same.
//! - Expiries and fades need no record: they follow from what is stored, at any time, also after a stop.
//! - If the disk has no room, changes are [unavailable](CallError::Unavailable) and were not carried out; reads go on. The flusher
//!   looks for room every second.
//! - **If a journal fails in any other way, the process ends** with status 74, because memory is ahead of what can be told to anybody;
//!   if a thread of the engine panics, with status 70; [`set_failure_hook`] ends it in another way. What was acknowledged is there
//!   at the next start.
//!
//! # Limits
//!
//! Memory for [`Options::users`] is allocated at the start. A user takes a slot while anything is stored of it; more are refused, and
//! so are more than [`Options::sessions`] sessions of one user. Queues are bounded: a call is refused at once if its shard's is
//! full. A [reader](feed::Reader) of changes holds at most a chunk of users of each shard, and one that falls too far behind
//! starts over. The engine trusts its callers: who may do what is the matter of what stands in front of it.
//!
//! # Modules
//!
//! [`shard`] is the heart, and says in which order to read it; [`journal`] is what it stores in, with an interface for other stores;
//! [`data`] is the data directory, [`backup`] makes copies of it while it is used; [`feed`] follows changes, [`clock`] is time.

#![forbid(unsafe_code)]
// What says in which order to read a module names its private parts, too.
#![allow(rustdoc::private_intra_doc_links)]
#![warn(missing_docs)]

pub mod backup;
pub mod clock;
pub mod data;
mod engine;
pub mod feed;
pub mod files;
pub mod journal;
pub mod metrics;
pub mod shard;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use engine::{CallError, Engine, ManyResponses, OpenError, Options, Response, Store};
pub use shard::{Failure, set_failure_hook};

use presence_core::Policy;

/// The policy that users are kept under: it says how sessions fade, and nothing else, because each command is decided under
/// the policy of its caller.
///
/// So a session that does not fade still does not after a restart with other options, and one that fades still does.
pub const KEPT_UNDER: Policy = Policy::GRAPH;
