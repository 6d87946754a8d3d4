//! Dispatch: sends an authorised request to the shards of its users, and writes their responses as JSON.

use super::App;
use super::explain;
use super::request::ServerRequest;
use super::response::{RequestError, THROTTLED, VecWriter};
use crate::clock::{Shift, Time};
use crate::shard::QueueFullError;
use crate::shard::job::{ActionError, ActionOutcome, Job, OwnedDetailsCommand, UserExplanation, UserView};
use presence_core::graph::{Caller, Error, Ids, Request, Resource, Select, TextBuffer};
use presence_core::{SessionId, UserId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot::{Receiver, channel};

/// The outcome of a request that was not rejected.
#[derive(Debug)]
pub enum Outcome {
    /// An empty response.
    Done,
    /// A JSON body.
    Body(Vec<u8>),
    /// A JSON body, with the permit for its memory.
    Reserved(Vec<u8>, OwnedSemaphorePermit),
}

/// A request whose shards have not responded yet.
#[derive(Debug)]
pub enum Dispatched {
    /// A command.
    Action(Receiver<ActionOutcome>),
    /// A read.
    Read(Receiver<UserView>, Select),
    /// A body that needs no shard.
    Written(Vec<u8>),
    /// An explanation.
    Explain(Receiver<UserExplanation>),
    /// A bulk read: the ids in order, and the response of each shard about its own users.
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
                let mut body = VecWriter::default();
                // Writing to a vector does not fail.
                let _ = self.context(*caller, time).write_user(*user, *select, &mut body);
                Ok(Dispatched::Written(body.0))
            }
            Request::GetPresences(requested) => {
                let ids: Vec<UserId> = requested.iter().take(Ids::MAX_COUNT).collect();
                let permit = self.reserve(ids.len() * TYPICAL_PRESENCE)?;
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
    ///
    /// Reserves more memory if the body becomes longer than typical.
    fn merge(
        &self,
        ids: &[UserId],
        by_shard: Vec<Vec<UserView>>,
        write: impl Fn(&mut VecWriter, &UserView),
        permit: &mut OwnedSemaphorePermit,
    ) -> Result<Vec<u8>, Error> {
        let mut by_shard: Vec<_> = by_shard.into_iter().map(Vec::into_iter).collect();
        let mut reserved = ids.len() * TYPICAL_PRESENCE;
        let mut body = VecWriter(Vec::with_capacity(reserved));
        body.0.extend_from_slice(b"{\"value\":[");
        let mut separator: &[u8] = b"";
        for id in ids {
            if let Some(view) = by_shard.get_mut(self.shards.of(*id)).and_then(Iterator::next) {
                body.0.extend_from_slice(separator);
                write(&mut body, &view);
                separator = b",";
            }
            if body.0.len() > reserved {
                permit.merge(self.reserve(reserved)?);
                reserved *= 2;
            }
        }
        body.0.extend_from_slice(b"]}");
        Ok(body.0)
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

/// Writes a presence object as the user `me` may see it ([H3](../../../../docs/behaviour.md#h3)).
pub fn write_presence(writer: &mut VecWriter, view: &UserView, me: Option<UserId>, select: Select) {
    let UserView { user, presence, version, details } = view;
    let details = details.as_ref().map(|details| details.view()).unwrap_or_default();
    let mut resource = Resource::new(*user, *presence, *version).with_select(select).with_details(details);
    if me == Some(*user) {
        // Instants are Unix milliseconds.
        resource = resource.for_owner(Some(0));
    }
    // Writing to a vector does not fail.
    let _ = resource.write(writer);
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
                let mut body = VecWriter(Vec::with_capacity(TYPICAL_PRESENCE));
                write_presence(&mut body, &receive(view).await?, me, select);
                Ok(Outcome::Body(body.0))
            }
            Self::Written(body) => Ok(Outcome::Body(body)),
            Self::Explain(explanation) => Ok(Outcome::Body(explain::body(&receive(explanation).await?))),
            Self::ReadMany(ids, responses, select, mut permit) => {
                let mut by_shard = Vec::with_capacity(responses.len());
                for response in responses {
                    by_shard.push(receive(response).await?);
                }
                let write = |body: &mut VecWriter, view: &UserView| write_presence(body, view, me, select);
                Ok(Outcome::Reserved(app.merge(&ids, by_shard, write, &mut permit)?, permit))
            }
        }
    }
}
