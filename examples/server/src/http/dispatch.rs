//! Dispatch: sends an authorised request to the shards of its users, and waits for what they respond.

use super::App;
use super::account::Account;
use super::content::Content;
use super::request::ServerRequest;
use super::response::RequestError;
use super::throttle::{Memory, Throttled};
use crate::traces;
use presence_core::graph::{Caller, Error, Ids, Request, Select, TextBuffer};
use presence_core::{SessionId, UserId};
use presence_engine::clock::{Shift, Time};
use presence_engine::shard::QueueFullError;
use presence_engine::shard::job::{ActionError, ActionOutcome, Job, OwnedDetailsCommand, UserExplanation, UserView};
use std::collections::HashMap;
use tokio::sync::oneshot::{Receiver, channel};

/// The outcome of a request that was not rejected.
#[derive(Debug)]
pub enum Outcome {
    /// An empty response.
    Done,
    /// A JSON body that shows this.
    Content(Content),
}

/// A request whose shards have not responded yet.
#[derive(Debug)]
pub enum Dispatched {
    /// A command.
    Action(Receiver<ActionOutcome>),
    /// A read.
    Read(Receiver<UserView>, Select),
    /// What needs no shard.
    Ready(Content),
    /// An explanation.
    Explain(Receiver<UserExplanation>),
    /// A bulk read.
    ReadMany(BulkRead),
}

/// A bulk read, which asks for each of its users once.
#[derive(Debug)]
pub struct BulkRead {
    /// For each id of the request, the position of its user among those of all responses.
    order: Vec<usize>,
    /// The response of each shard about its own users, and their number.
    responses: Vec<(Receiver<Vec<UserView>>, usize)>,
    select: Select,
    /// For the memory of all this.
    memory: Memory,
}

impl From<QueueFullError> for RequestError {
    fn from(_: QueueFullError) -> Self {
        Self::Throttled(Throttled::QUEUE)
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
                let job = Job::Execute(*user, *command, self.current().policies.of(caller), creator(caller), to);
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
            Request::GetUser { user, select } => Ok(Dispatched::Ready(Content::User(*user, *select))),
            Request::GetPresences(requested) => {
                Ok(Dispatched::ReadMany(self.dispatch_bulk(*requested, caller.into())?))
            }
            _ => Err(RequestError::Internal),
        }
    }

    /// Asks the shards for the users of a bulk read, for each once.
    fn dispatch_bulk(&self, ids: Ids<'_>, account: Account) -> Result<BulkRead, RequestError> {
        let count = ids.iter().take(Ids::MAX_COUNT).count();
        let memory = self.reserve(account, count * BULK_USER)?;
        let mut by_shard = vec![Vec::new(); self.shards.len()];
        let mut places = HashMap::with_capacity(count);
        let mut order = Vec::with_capacity(count);
        for id in ids.iter().take(count) {
            order.push(*places.entry(id).or_insert_with(|| {
                let shard = self.shards.of(id);
                by_shard[shard].push(id);
                (shard, by_shard[shard].len() - 1)
            }));
        }
        let (mut responses, mut starts) = (Vec::with_capacity(by_shard.len()), Vec::with_capacity(by_shard.len()));
        let mut start = 0;
        for (shard, users) in by_shard.into_iter().enumerate() {
            let (to, views) = channel();
            responses.push((views, users.len()));
            starts.push(start);
            start += users.len();
            if users.is_empty() {
                drop(to.send(Vec::new()));
            } else {
                self.shards.send(shard, Job::ReadMany(users, to))?;
            }
        }
        let order = order.into_iter().map(|(shard, position)| starts[shard] + position).collect();
        Ok(BulkRead { order, responses, select: ids.select(), memory })
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

/// The most bytes of a user in a bulk read, beside its object. Until the shards respond, its id, in a vector that has grown, and
/// positions; then its view, as its shard sends it and among all, and where it is written.
const BULK_USER: usize = size_of::<([UserId; 2], [UserView; 2], [usize; 6])>();
/// While jobs are made there are no views, but a table of up to sixteen slots for seven users, and a vector that grows.
const _: () =
    assert!(size_of::<([UserId; 3], [usize; 2])>() + 16 * (size_of::<(UserId, [usize; 2])>() + 1) / 7 < BULK_USER);

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
    /// Waits for the responses of the shards.
    pub async fn receive(self) -> Result<Outcome, RequestError> {
        let _span = traces::child("shards");
        Ok(Outcome::Content(match self {
            Self::Action(outcome) => return Ok(receive(outcome).await?.map(|()| Outcome::Done)?),
            Self::Read(view, select) => Content::Presence(receive(view).await?, select),
            Self::Ready(content) => content,
            Self::Explain(explanation) => Content::Explanation(receive(explanation).await?),
            Self::ReadMany(BulkRead { order, responses, select, memory }) => {
                let mut views = Vec::with_capacity(responses.iter().map(|(_, count)| count).sum());
                for (response, count) in responses {
                    let of_shard = receive(response).await?;
                    if of_shard.len() != count {
                        return Err(RequestError::Internal);
                    }
                    views.extend(of_shard);
                }
                Content::Presences(order, views, select, memory)
            }
        }))
    }
}
