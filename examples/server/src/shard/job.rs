//! What a shard is asked to do, and what it answers.

use super::details::Told;
use presence_core::details::{
    DetailsCommand, DetailsError, LocationLayer, LocationLayers, OutOfOffice, WorkLocationType, WorkPlace,
};
use presence_core::directory::Cursor;
use presence_core::{Command, CommandError, Instant, Presence, SessionId, UserId};
use std::sync::Arc;
use tokio::sync::oneshot::Sender;

/// A user as it is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Who.
    pub user: UserId,
    /// What is published.
    pub presence: Presence,
    /// The version, without that of what it has told; 0 while nothing visible has ever changed.
    pub version: u64,
    /// What else it has told.
    pub told: Option<Arc<Told>>,
}

/// What changed after a cursor.
#[derive(Debug)]
pub enum Changes {
    /// These users, each with where to go on after it.
    Users(Vec<(Shown, Cursor)>),
    /// What changed is not known any more, or it is too much: read everybody.
    CursorError,
}

/// Some of all users.
#[derive(Debug)]
pub struct Everybody {
    /// Some users.
    pub users: Vec<Shown>,
    /// The place to go on from; `None` behind the last.
    pub next: Option<usize>,
    /// Where the changes are now.
    pub cursor: Cursor,
}

/// A command about what a user tells, with its text.
#[derive(Debug)]
pub enum TellCommand {
    /// Rule T1.
    SetStatusMessage(String, Instant),
    /// Rule W1.
    SetLocation(LocationLayer, WorkLocationType, Option<String>, Instant),
    /// Rule W1.
    ClearLocations(LocationLayers),
    /// Rule O1.
    SetOutOfOffice(bool, Option<String>),
}

impl TellCommand {
    /// The library's command, out of the body that it lies in.
    pub fn from_command(command: DetailsCommand<'_>) -> Self {
        match command {
            DetailsCommand::SetStatusMessage { text, expires_at } => {
                Self::SetStatusMessage(text.to_owned(), expires_at)
            }
            DetailsCommand::SetLocation { layer, place, until } => {
                Self::SetLocation(layer, place.kind, place.id.map(str::to_owned), until)
            }
            DetailsCommand::ClearLocations(layers) => Self::ClearLocations(layers),
            DetailsCommand::SetOutOfOffice(out) => {
                Self::SetOutOfOffice(out.is_out_of_office, out.message.map(str::to_owned))
            }
        }
    }

    /// The library's command.
    pub fn as_command(&self) -> DetailsCommand<'_> {
        match self {
            Self::SetStatusMessage(text, expires_at) => {
                DetailsCommand::SetStatusMessage { text, expires_at: *expires_at }
            }
            Self::SetLocation(layer, kind, id, until) => DetailsCommand::SetLocation {
                layer: *layer,
                place: WorkPlace { kind: *kind, id: id.as_deref() },
                until: *until,
            },
            Self::ClearLocations(layers) => DetailsCommand::ClearLocations(*layers),
            Self::SetOutOfOffice(is_out_of_office, message) => DetailsCommand::SetOutOfOffice(OutOfOffice {
                is_out_of_office: *is_out_of_office,
                message: message.as_deref(),
            }),
        }
    }
}

/// What a shard is asked to do.
#[derive(Debug)]
pub enum Job {
    /// Carry out a command about a user's presence.
    Execute(UserId, Command<SessionId>, Sender<Result<(), CommandError>>),
    /// Carry out a command about what a user tells.
    Tell(UserId, Box<TellCommand>, Sender<Result<(), DetailsError>>),
    /// Read a user.
    Read(UserId, Sender<Shown>),
    /// Read many users, in the order asked.
    ReadMany(Vec<UserId>, Sender<Vec<Shown>>),
    /// Tell who changed, some at a time.
    Changes(Cursor, Sender<Changes>),
    /// Tell everybody's presence, some at a time, from a place on.
    Everybody(usize, Sender<Everybody>),
    /// Let time pass on a virtual clock; told when all that was due has happened, and the clock is durable.
    Advance(Instant, Sender<()>),
    /// Look around: a group has become durable.
    Wake,
    /// Finish what was asked before, and end.
    Stop,
}

/// An answer that may have to wait until what it tells is durable. Whoever asked may have gone away meanwhile.
#[derive(Debug)]
pub enum Answer {
    /// Of a command about a user's presence.
    Executed(Sender<Result<(), CommandError>>, Result<(), CommandError>),
    /// Of a command about what a user tells.
    Told(Sender<Result<(), DetailsError>>, Result<(), DetailsError>),
    /// Of a read.
    Read(Sender<Shown>, Shown),
    /// Of a read of many.
    ReadMany(Sender<Vec<Shown>>, Vec<Shown>),
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
            Self::Executed(to, outcome) => drop(to.send(outcome)),
            Self::Told(to, outcome) => drop(to.send(outcome)),
            Self::Read(to, shown) => drop(to.send(shown)),
            Self::ReadMany(to, shown) => drop(to.send(shown)),
            Self::Changes(to, changes) => drop(to.send(changes)),
            Self::Everybody(to, everybody) => drop(to.send(everybody)),
            Self::Advanced(to) => drop(to.send(())),
        }
    }
}
