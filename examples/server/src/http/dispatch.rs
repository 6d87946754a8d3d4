//! Dispatch: sends an authorised request to the shards of its users, and writes their responses as JSON.

use super::App;
use super::explain;
use super::request::ServerRequest;
use super::response::{RequestError, THROTTLED};
use super::response_body::ResponseBody;
use crate::clock::{Shift, Time};
use crate::shard::QueueFullError;
use crate::shard::job::{ActionError, ActionOutcome, Job, OwnedDetailsCommand, UserExplanation, UserView};
use presence_core::graph::{Caller, Error, Ids, Request, Resource, Select, TextBuffer, Writer};
use presence_core::{BufferFull, SessionId, UserId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot::{Receiver, channel};

/// The outcome of a request that was not rejected.
#[derive(Debug)]
pub enum Outcome {
    /// An empty response.
    Done,
    /// A JSON body.
    Body(ResponseBody),
}

/// A request whose shards have not responded yet.
#[derive(Debug)]
pub enum Dispatched {
    /// A command.
    Action(Receiver<ActionOutcome>),
    /// A read.
    Read(Receiver<UserView>, Select),
    /// A body that needs no shard.
    Written(ResponseBody),
    /// An explanation.
    Explain(Receiver<UserExplanation>),
    /// A bulk read: the ids in order, the response of each shard about its own users, and the permit for their memory.
    ReadMany(Vec<UserId>, Vec<Receiver<Vec<UserView>>>, Select, OwnedSemaphorePermit),
}

impl From<QueueFullError> for RequestError {
    fn from(_: QueueFullError) -> Self {
        THROTTLED.into()
    }
}

impl App {
    /// Sends a caller's request, but no batch, to its shards, to be decided under the caller's policy. A later request about
    /// the same user is executed later.
    ///
    /// The request was read at this time.
    pub fn dispatch(
        &self,
        request: &ServerRequest<'_>,
        caller: &Caller,
        time: Time,
    ) -> Result<Dispatched, RequestError> {
        let request = match request {
            ServerRequest::Graph(request) => request,
            ServerRequest::Explain(user) => {
                let (to, explanation) = channel();
                self.shards.send(self.shards.of(*user), Job::Explain(*user, to))?;
                return Ok(Dispatched::Explain(explanation));
            }
        };
        match request {
            Request::Execute { user, command } => {
                let (to, outcome) = channel();
                let job = Job::Execute(*user, *command, self.policies.of(caller), creator(caller), to);
                self.shards.send(self.shards.of(*user), job)?;
                Ok(Dispatched::Action(outcome))
            }
            Request::ExecuteDetails { user, action } => {
                let command = OwnedDetailsCommand::from_command(action.command(&mut TextBuffer::new()));
                self.dispatch_details(*user, command, time.shift, creator(caller))
            }
            Request::Get { user, select } => {
                let (to, view) = channel();
                self.shards.send(self.shards.of(*user), Job::Read(*user, to))?;
                Ok(Dispatched::Read(view, *select))
            }
            Request::GetUser { user, select } => {
                let context = self.context(*caller, time);
                Ok(Dispatched::Written(self.write_body(|writer| context.write_user(*user, *select, writer))?))
            }
            Request::GetPresences(requested) => {
                let ids: Vec<UserId> = requested.iter().take(Ids::MAX_COUNT).collect();
                let permit = self.reserve(ids.len() * BULK_USER)?;
                let mut by_shard = vec![Vec::new(); self.shards.len()];
                for id in &ids {
                    by_shard[self.shards.of(*id)].push(*id);
                }
                let mut responses = Vec::with_capacity(by_shard.len());
                for (shard, users) in by_shard.into_iter().enumerate() {
                    let (to, views) = channel();
                    if users.is_empty() {
                        drop(to.send(Vec::new()));
                    } else {
                        self.shards.send(shard, Job::ReadMany(users, to))?;
                    }
                    responses.push(views);
                }
                Ok(Dispatched::ReadMany(ids, responses, requested.select(), permit))
            }
            _ => Err(RequestError::Internal),
        }
    }

    /// Sends a command about a user's details to its shard, for the application that a new user counts for.
    pub fn dispatch_details(
        &self,
        user: UserId,
        command: OwnedDetailsCommand,
        shift: Shift,
        creator: Option<SessionId>,
    ) -> Result<Dispatched, RequestError> {
        let (to, outcome) = channel();
        self.shards.send(self.shards.of(user), Job::ExecuteDetails(user, Box::new(command), shift, creator, to))?;
        Ok(Dispatched::Action(outcome))
    }

    /// Merges the shards' responses into the body of a bulk read, in the order of the ids.
    fn merge(
        &self,
        ids: &[UserId],
        by_shard: &[Vec<UserView>],
        write: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
        writer: &mut dyn Writer,
    ) -> Result<(), BufferFull> {
        let mut by_shard: Vec<_> = by_shard.iter().map(|views| views.iter()).collect();
        writer.write(b"{\"value\":[")?;
        let mut separator: &[u8] = b"";
        for id in ids {
            if let Some(view) = by_shard.get_mut(self.shards.of(*id)).and_then(Iterator::next) {
                writer.write(separator)?;
                write(writer, view)?;
                separator = b",";
            }
        }
        writer.write(b"]}")
    }
}

/// Returns the application that a user counts for if this caller stores something of it first.
///
/// A signed-in user writes only about itself, whom somebody has vouched for, so its application needs no limit. A developer
/// has none.
const fn creator(caller: &Caller) -> Option<SessionId> {
    match caller {
        Caller::Application { application, .. } => Some(*application),
        Caller::Trusted { .. } | Caller::Delegated { .. } => None,
    }
}

/// The bytes of a presence object without long details.
pub const TYPICAL_PRESENCE: usize = 384;
/// The bytes of a user in a bulk read, before anything is written: its id, which its shard gets too, and its view.
const BULK_USER: usize = size_of::<([UserId; 2], UserView)>();

/// Writes a presence object as the user `me` may see it ([H3](../../../../docs/behaviour.md#h3)).
pub fn write_presence(
    writer: &mut dyn Writer,
    view: &UserView,
    me: Option<UserId>,
    select: Select,
) -> Result<(), BufferFull> {
    let UserView { user, presence, version, details } = view;
    let details = details.as_ref().map(|details| details.view()).unwrap_or_default();
    let mut resource = Resource::new(*user, *presence, *version).with_select(select).with_details(details);
    if me == Some(*user) {
        // Instants are Unix milliseconds.
        resource = resource.for_owner(Some(0));
    }
    resource.write(writer)
}

/// Waits for a shard's response. It never comes if the disk has no room for the change, or the server is ending.
pub async fn receive<T>(response: Receiver<T>) -> Result<T, RequestError> {
    response.await.map_err(|_| RequestError::Unavailable)
}

impl From<ActionError> for RequestError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Command(error) => Error::from(error).into(),
            ActionError::Details(error) => Error::from(error).into(),
            ActionError::ApplicationFull => Self::ApplicationFull,
            ActionError::UnknownUser => Error::UnknownUser.into(),
        }
    }
}

impl Dispatched {
    /// Waits for the responses, and writes them as the user `me` may see them.
    pub async fn finish(self, app: &App, me: Option<UserId>) -> Result<Outcome, RequestError> {
        match self {
            Self::Action(outcome) => Ok(receive(outcome).await?.map(|()| Outcome::Done)?),
            Self::Read(view, select) => {
                let view = receive(view).await?;
                Ok(Outcome::Body(app.write_body(|writer| write_presence(writer, &view, me, select))?))
            }
            Self::Written(body) => Ok(Outcome::Body(body)),
            Self::Explain(explanation) => {
                let explanation = receive(explanation).await?;
                Ok(Outcome::Body(app.write_body(|writer| explain::write(&explanation, writer))?))
            }
            Self::ReadMany(ids, responses, select, _permit) => {
                let mut by_shard = Vec::with_capacity(responses.len());
                for response in responses {
                    by_shard.push(receive(response).await?);
                }
                let write = |writer: &mut dyn Writer, view: &UserView| write_presence(writer, view, me, select);
                Ok(Outcome::Body(app.write_body(|writer| app.merge(&ids, &by_shard, write, writer))?))
            }
        }
    }
}
