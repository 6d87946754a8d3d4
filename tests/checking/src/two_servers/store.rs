//! A store of one value that is written by compare-and-set, and the network before it, in which messages overtake each
//! other, come twice, or never.

use super::state::Truth;
use crate::rules::Event;

/// A user at rest: the snapshot, the moment it was taken, and which command each server has carried out last. Without that
/// mark nobody could tell, once an answer was lost, whether the write is among those before the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    pub snapshot: Vec<u8>,
    pub taken_at: u64,
    pub marks: [u8; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    pub value: Value,
    /// Grows with every write.
    pub revision: u64,
}

/// What a write says of itself, for the check alone: no server and no store looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    pub server: usize,
    /// Its place among [`COMMANDS`](super::COMMANDS).
    pub command: usize,
    pub number: u8,
    pub now: u64,
    pub happened: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    Load,
    /// Without a claim it changes nothing but the revision.
    StoreIf {
        revision: u64,
        value: Value,
        claim: Option<Claim>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Loaded { revision: u64, value: Value, told: Box<Truth> },
    Stored,
    Conflict,
}

/// A request on its way to the store, or an answer on its way back, to which attempt of which server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub server: usize,
    pub attempt: u8,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    Request(Request),
    Answer(Answer),
}
