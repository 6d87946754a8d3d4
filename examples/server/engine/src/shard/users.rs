//! The directory of a shard's users, in memory that is allocated once.

use crate::KEPT_UNDER;
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory};
use presence_core::{SessionId, UserId};
use std::hash::RandomState;

/// The numbers of sessions that a user may have at most. Each is code of its own, because a directory holds them in place.
pub const SESSIONS: [usize; 4] = [8, 16, 32, MAX_SESSIONS];
/// The greatest of these numbers.
pub const MAX_SESSIONS: usize = 64;

/// The directory of a shard's users. Clients choose the ids, so they are hashed with a secret.
pub type Users<const SESSIONS: usize> = BoxedDirectory<UserId, SessionId, SESSIONS, RandomState>;

/// Creates an empty directory for at most this many users.
pub fn allocate<const SESSIONS: usize>(users: usize) -> Users<SESSIONS> {
    Directory::with_hasher(BoxedMemory::new(users), KEPT_UNDER, RandomState::new())
}
