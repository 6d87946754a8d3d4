//! The users of one shard, in memory that is allocated once.

use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory};
use presence_core::{Policy, SessionId, UserId};
use std::hash::RandomState;

/// How many applications may have a session of one user at a time.
pub const SESSIONS: usize = 8;

/// The users. Clients choose their ids, so they are hashed with a secret.
pub type Users = BoxedDirectory<UserId, SessionId, SESSIONS, RandomState>;

/// Room for so many users.
pub fn allocate(users: usize) -> Users {
    Directory::with_hasher(BoxedMemory::new(users), Policy::GRAPH, RandomState::new())
}
