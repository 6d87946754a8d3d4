//! The engine of a presence server, without HTTP: [shards](shard) of users, each with a thread and a [journal], the
//! [feed](feed) of their changes, and the [clock] that they share. The journals are files of a [data directory](data), of which [backups](backup)
//! are made.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod backup;
pub mod clock;
pub mod data;
pub mod feed;
pub mod files;
pub mod journal;
pub mod metrics;
pub mod shard;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use presence_core::Policy;

/// The policy that users are kept under: it says how sessions fade, and nothing else, because each command is decided under
/// the policy of its caller.
///
/// So a session that does not fade still does not after a restart with other options, and one that fades still does.
pub const KEPT_UNDER: Policy = Policy::GRAPH;
