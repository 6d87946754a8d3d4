//! The users of one shard, in memory that is allocated once.

use presence_core::directory::{Directory, IndexCell, QueueCell, SliceMemory, Slot, TagCell};
use presence_core::{Policy, SessionId, UserId};
use std::hash::RandomState;

/// How many applications may have a session of one user at a time.
pub const SESSIONS: usize = 8;

type Memory = SliceMemory<Box<[Slot<UserId, SessionId, SESSIONS>]>, Box<[TagCell]>, Box<[IndexCell]>, Box<[QueueCell]>>;

/// The users. Clients choose their ids, so they are hashed with a secret.
pub type Users = Directory<UserId, SessionId, SESSIONS, Memory, RandomState>;

/// Room for so many users.
pub fn allocate(users: usize) -> Users {
    let memory = SliceMemory {
        slots: vec![Slot::EMPTY; users].into_boxed_slice(),
        tags: vec![TagCell::EMPTY; users].into_boxed_slice(),
        index: vec![IndexCell::EMPTY; users].into_boxed_slice(),
        queue: vec![QueueCell::EMPTY; users].into_boxed_slice(),
    };
    Directory::with_hasher(memory, Policy::GRAPH, RandomState::new())
}
