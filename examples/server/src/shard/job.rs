//! What a shard is asked to do, and what it answers.

use presence_core::directory::Cursor;
use presence_core::{Command, CommandError, Instant, Presence, SessionId, UserId};
use tokio::sync::oneshot::Sender;

/// A user as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Who.
    pub user: UserId,
    /// What is published.
    pub presence: Presence,
    /// The version, 0 while nothing visible has ever changed.
    pub version: u64,
}

/// What changed after a cursor.
#[derive(Debug)]
pub enum Changes {
    /// These users, each with where to go on after it.
    Users(Vec<(Shown, Cursor)>),
    /// What changed is not known any more, or it is too much: read everybody.
    StartOver,
}

/// Some of all users.
#[derive(Debug)]
pub struct Everybody {
    /// Some users, none of them twice.
    pub users: Vec<Shown>,
    /// Where to go on; `None` behind the last.
    pub next: Option<usize>,
    /// Where the changes are now.
    pub cursor: Cursor,
}

/// What a shard is asked to do.
#[derive(Debug)]
pub enum Job {
    /// Carry out a command.
    Execute {
        /// Whose presence it changes.
        user: UserId,
        /// How.
        command: Command<SessionId>,
        /// Where the outcome goes.
        answer: Sender<Result<(), CommandError>>,
    },
    /// Read a user.
    Read {
        /// Whose presence.
        user: UserId,
        /// Where it goes.
        answer: Sender<Shown>,
    },
    /// Read many users.
    ReadMany {
        /// Whose presences.
        users: Vec<UserId>,
        /// Where they go, in the order asked.
        answer: Sender<Vec<Shown>>,
    },
    /// Tell who changed, some at a time.
    Changes {
        /// After which change.
        since: Cursor,
        /// Where they go.
        answer: Sender<Changes>,
    },
    /// Tell everybody's presence, some at a time.
    Everybody {
        /// Where to go on.
        from: usize,
        /// Where they go.
        answer: Sender<Everybody>,
    },
    /// Let time pass on a virtual clock.
    Advance {
        /// Until when.
        to: Instant,
        /// Told when all that was due has happened, and the clock is durable.
        answer: Sender<()>,
    },
    /// Look around: a group has become durable.
    Wake,
    /// Finish what was asked before, and end.
    Stop,
}

/// An answer that may have to wait until what it tells is durable. Whoever asked may have gone away meanwhile.
#[derive(Debug)]
pub enum Answer {
    /// Of a command.
    Outcome(Sender<Result<(), CommandError>>, Result<(), CommandError>),
    /// Of a read.
    Shown(Sender<Shown>, Shown),
    /// Of a read of many.
    ShownMany(Sender<Vec<Shown>>, Vec<Shown>),
    /// Of a look at changes.
    Changes(Sender<Changes>, Changes),
    /// Of a look at everybody.
    Everybody(Sender<Everybody>, Everybody),
    /// Of time that passed.
    Advanced(Sender<()>),
}

impl Answer {
    /// Sends it.
    pub fn send(self) {
        // Nobody waits any more if this fails: a client that hung up.
        match self {
            Self::Outcome(to, outcome) => drop(to.send(outcome)),
            Self::Shown(to, shown) => drop(to.send(shown)),
            Self::ShownMany(to, shown) => drop(to.send(shown)),
            Self::Changes(to, changes) => drop(to.send(changes)),
            Self::Everybody(to, everybody) => drop(to.send(everybody)),
            Self::Advanced(to) => drop(to.send(())),
        }
    }
}
