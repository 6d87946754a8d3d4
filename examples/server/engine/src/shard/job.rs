//! The jobs that a shard accepts, and its responses.

use super::creators::ApplicationFullError;
use super::details::UserDetails;
use crate::clock::Shift;
use crate::journal::copying::CopyOrder;
use presence_core::details::{
    DetailsCommand, DetailsError, LocationLayer, LocationLayers, OutOfOffice, WorkLocationType, WorkPlace,
};
use presence_core::directory::Cursor;
use presence_core::{
    Absence, Command, CommandError, Duration, Explanation, Instant, Policy, Preferred, Presence, Session, SessionId,
    UserId,
};
use std::sync::Arc;
use tokio::sync::oneshot::Sender;

/// A user as a read shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserView {
    /// The user's id.
    pub user: UserId,
    /// The published presence.
    pub presence: Presence,
    /// The version, without that of the details; 0 until something visible changes.
    pub version: u64,
    /// The user's details, if it has any.
    pub details: Option<Arc<UserDetails>>,
}

/// A user's published presence, explained ([A4](../../../../../docs/behaviour.md#a4)).
#[derive(Clone, Debug)]
pub struct UserExplanation {
    /// The user's id.
    pub user: UserId,
    /// The moment of the explanation.
    pub at: Instant,
    /// The layer that decides, since when, and the next change.
    pub why: Explanation,
    /// How the last session ended; `None` while there is one.
    pub absence: Option<Absence>,
    /// The preferred presence.
    pub preferred: Option<Preferred>,
    /// The sessions, in the order of their ids.
    pub sessions: Vec<Session<SessionId>>,
}

/// The users that changed after a cursor.
#[derive(Debug)]
pub enum Changes {
    /// Some of these users, each with the cursor that follows it.
    Users(Vec<(UserView, Cursor)>),
    /// The cursor is too old, or too far behind: read every user again.
    StartOver,
}

/// A chunk of a scan over all users.
#[derive(Debug)]
pub struct FullScan {
    /// The users of this chunk, each with the offset behind it.
    pub users: Vec<(UserView, usize)>,
    /// The offset of the next chunk; `None` after the last.
    pub next: Option<usize>,
    /// The cursor of the latest change.
    pub cursor: Cursor,
    /// The generation of the offsets. A higher one than before has the users in other places.
    pub generation: u64,
}

/// A user in a list for operators.
#[derive(Debug)]
pub struct ListedUser {
    /// The user as a read shows it.
    pub view: UserView,
    /// The number of its sessions.
    pub sessions: usize,
    /// True if it has a preferred presence.
    pub has_preferred: bool,
    /// The application that it counts for.
    pub creator: Option<SessionId>,
}

/// A piece of a list of all users of whom something is stored.
#[derive(Debug)]
pub struct UserList {
    /// The users of this piece.
    pub users: Vec<ListedUser>,
    /// The offset of the next piece; `None` after the last.
    pub next: Option<usize>,
    /// The generation of the offsets.
    pub generation: u64,
}

/// A [`DetailsCommand`] that owns its text, so that it can be sent to another thread.
#[derive(Debug)]
pub enum OwnedDetailsCommand {
    /// The text of a status message, and its expiry.
    SetStatusMessage(String, Instant),
    /// The work location of a layer, and its expiry.
    SetLocation(LocationLayer, WorkLocationType, Option<String>, Instant),
    /// The layers of the work location to clear.
    ClearLocations(LocationLayers),
    /// The out-of-office settings: true if the user is out of office, and the message.
    SetOutOfOffice(bool, Option<String>),
}

impl OwnedDetailsCommand {
    /// Copies a command out of the body that it borrows from.
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

    /// Shifts the command's instants back by as much as the clock was since.
    pub fn shift_back(&mut self, by: Duration) {
        if let Self::SetStatusMessage(_, at) | Self::SetLocation(_, _, _, at) = self {
            *at = at.rebased(Instant::ZERO.saturating_add(by), Instant::ZERO);
        }
    }

    /// Returns the library's command.
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

/// The error of a command. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionError {
    /// A command about a user's presence was rejected.
    Command(CommandError),
    /// A command about a user's details was rejected.
    Details(DetailsError),
    /// As many users count for the application as may.
    ApplicationFull,
    /// Nothing is stored of the user.
    UnknownUser,
}

impl ActionError {
    /// Reports whether the error follows from changes of other users.
    pub const fn is_about_others(self) -> bool {
        matches!(
            self,
            Self::Command(CommandError::UsersFull) | Self::Details(DetailsError::UsersFull) | Self::ApplicationFull
        )
    }
}

impl std::fmt::Display for ActionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(error) => error.fmt(f),
            Self::Details(error) => error.fmt(f),
            Self::ApplicationFull => f.write_str("as many users count for the application as may"),
            Self::UnknownUser => f.write_str("nothing is stored of the user"),
        }
    }
}

impl std::error::Error for ActionError {}

impl From<CommandError> for ActionError {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl From<DetailsError> for ActionError {
    fn from(error: DetailsError) -> Self {
        Self::Details(error)
    }
}

impl From<ApplicationFullError> for ActionError {
    fn from(_: ApplicationFullError) -> Self {
        Self::ApplicationFull
    }
}

/// The outcome of a command.
pub type ActionOutcome = Result<(), ActionError>;

/// A job for a shard, with the channel for its response.
#[derive(Debug)]
pub enum Job {
    /// Executes a command about a user's presence, decided under a policy, for the application that a new user counts for.
    Execute(UserId, Command<SessionId>, &'static Policy, Option<SessionId>, Sender<ActionOutcome>),
    /// Executes a command about a user's details, likewise for an application. Its instants are those of a clock with this
    /// shift.
    ExecuteDetails(UserId, Box<OwnedDetailsCommand>, Shift, Option<SessionId>, Sender<ActionOutcome>),
    /// Reads a user.
    Read(UserId, Sender<UserView>),
    /// Explains a user's presence.
    Explain(UserId, Sender<UserExplanation>),
    /// Reads many users, in the given order.
    ReadMany(Vec<UserId>, Sender<Vec<UserView>>),
    /// Reads some of the changes after a cursor.
    Changes(Cursor, Sender<Changes>),
    /// Reads a chunk of all users, from an offset on.
    FullScan(usize, Sender<FullScan>),
    /// Lists users from an offset on, at most so many.
    List(usize, usize, Sender<UserList>),
    /// Erases a user.
    Erase(UserId, Sender<ActionOutcome>),
    /// Ends all sessions of a user.
    SignOut(UserId, Sender<ActionOutcome>),
    /// Advances a virtual clock; responds when all due transitions are applied and the clock is durable.
    Advance(Instant, Sender<()>),
    /// Copies the journal, as the shard's part of a backup.
    Copy(Box<CopyOrder>),
    /// Wakes the writer, because a group has become durable.
    Wake,
    /// Ends the writer after all earlier jobs.
    Stop,
}

impl Job {
    /// Reports whether the job only reads, for a client that has hung up.
    pub fn is_abandoned(&self) -> bool {
        match self {
            Self::Read(_, to) => to.is_closed(),
            Self::Explain(_, to) => to.is_closed(),
            Self::ReadMany(_, to) => to.is_closed(),
            Self::Changes(_, to) => to.is_closed(),
            Self::FullScan(_, to) => to.is_closed(),
            Self::List(_, _, to) => to.is_closed(),
            Self::Execute(..) | Self::ExecuteDetails(..) | Self::Erase(..) | Self::SignOut(..) => false,
            Self::Advance(..) | Self::Copy(_) | Self::Wake | Self::Stop => false,
        }
    }
}

/// A response that may have to wait until the state it shows is durable.
#[derive(Debug)]
pub enum Response {
    /// The outcome of a command.
    Executed(Sender<ActionOutcome>, ActionOutcome),
    /// The view of a user.
    Read(Sender<UserView>, UserView),
    /// The explanation of a user's presence.
    Explained(Sender<UserExplanation>, UserExplanation),
    /// The views of many users.
    ReadMany(Sender<Vec<UserView>>, Vec<UserView>),
    /// The changes after a cursor.
    Changes(Sender<Changes>, Changes),
    /// A chunk of all users.
    FullScan(Sender<FullScan>, FullScan),
    /// A piece of a list of users.
    Listed(Sender<UserList>, UserList),
    /// The end of an advance.
    Advanced(Sender<()>),
}

impl Response {
    /// Reports whether the client that the response is for has hung up.
    pub fn is_abandoned(&self) -> bool {
        match self {
            Self::Executed(to, _) => to.is_closed(),
            Self::Read(to, _) => to.is_closed(),
            Self::Explained(to, _) => to.is_closed(),
            Self::ReadMany(to, _) => to.is_closed(),
            Self::Changes(to, _) => to.is_closed(),
            Self::FullScan(to, _) => to.is_closed(),
            Self::Listed(to, _) => to.is_closed(),
            // Others of the same advance may still wait.
            Self::Advanced(_) => false,
        }
    }

    /// Sends the response, unless its receiver is gone.
    pub fn send(self) {
        // Sending fails when a client has hung up meanwhile.
        match self {
            Self::Executed(to, outcome) => drop(to.send(outcome)),
            Self::Read(to, view) => drop(to.send(view)),
            Self::Explained(to, explanation) => drop(to.send(explanation)),
            Self::ReadMany(to, views) => drop(to.send(views)),
            Self::Changes(to, changes) => drop(to.send(changes)),
            Self::FullScan(to, scan) => drop(to.send(scan)),
            Self::Listed(to, list) => drop(to.send(list)),
            Self::Advanced(to) => drop(to.send(())),
        }
    }
}
