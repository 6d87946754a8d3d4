//! The directory of a shard's users, in memory that is allocated once.

use crate::policies::KEPT_UNDER;
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory};
use presence_core::{SessionId, UserId};
use std::hash::RandomState;

/// The most sessions of one user at a time.
pub const SESSIONS: usize = 8;

/// The directory of a shard's users. Clients choose the ids, so they are hashed with a secret.
pub type Users = BoxedDirectory<UserId, SessionId, SESSIONS, RandomState>;

/// Creates an empty directory for at most this many users.
pub fn allocate(users: usize) -> Users {
    Directory::with_hasher(BoxedMemory::new(users), KEPT_UNDER, RandomState::new())
}
