//! A store of one value that is written by compare-and-set, and the network before it, in which messages overtake each
//! other, come twice, or never.

use super::state::Truth;
use crate::rules::Event;

/// A user at rest: the snapshot, the moment it was taken, and the command that each server has executed last. Without that
/// mark a server could not know, once a response was lost, whether its write is among those before the newest.
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

/// The history of a write, for the check alone: no server and no store looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    pub server: usize,
    /// Its index in [`COMMANDS`](super::COMMANDS).
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
pub enum Response {
    Loaded { revision: u64, value: Value, truth: Box<Truth> },
    Stored,
    Conflict,
}

/// A request on its way to the store, or a response on its way back, of an attempt of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub server: usize,
    pub attempt: u8,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    Request(Request),
    Response(Response),
}
