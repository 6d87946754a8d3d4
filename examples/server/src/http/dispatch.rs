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
use std::collections::{HashMap, HashSet};
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
                let mut asked = HashSet::with_capacity(ids.len());
                for id in &ids {
                    if asked.insert(*id) {
                        by_shard[self.shards.of(*id)].push(*id);
                    }
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
}

/// Renders the users that are asked for more than once, each once.
fn render_repeated(
    app: &App,
    ids: &[UserId],
    views: &HashMap<UserId, UserView>,
    write: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
) -> Result<HashMap<UserId, ResponseBody>, RequestError> {
    let mut rendered = HashMap::new();
    if views.len() < ids.len() {
        let mut asked = HashSet::with_capacity(ids.len());
        for id in ids {
            if !asked.insert(*id)
                && !rendered.contains_key(id)
                && let Some(view) = views.get(id)
            {
                rendered.insert(*id, app.write_body(|writer| write(writer, view))?);
            }
        }
    }
    Ok(rendered)
}

/// Writes the body of a bulk read, in the order of the ids.
fn write_many(
    writer: &mut dyn Writer,
    ids: &[UserId],
    views: &HashMap<UserId, UserView>,
    rendered: &HashMap<UserId, ResponseBody>,
    write: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
) -> Result<(), BufferFull> {
    let mut separator: &[u8] = b"{\"value\":[";
    for id in ids {
        writer.write(separator)?;
        match (rendered.get(id), views.get(id)) {
            (Some(body), _) => writer.write(body.written())?,
            (None, Some(view)) => write(writer, view)?,
            (None, None) => return Err(BufferFull),
        }
        separator = b",";
    }
    writer.write(b"]}")
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
/// The most bytes of a user in a bulk read, before anything is written: its id, in the request, for its shard and in a set, and its
/// view. Tables may be half empty.
const BULK_USER: usize = 2 * size_of::<([UserId; 4], UserView)>();

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
                let mut views = HashMap::with_capacity(ids.len());
                for response in responses {
                    views.extend(receive(response).await?.into_iter().map(|view| (view.user, view)));
                }
                let write = |writer: &mut dyn Writer, view: &UserView| write_presence(writer, view, me, select);
                let rendered = render_repeated(app, &ids, &views, write)?;
                Ok(Outcome::Body(app.write_body(|writer| write_many(writer, &ids, &views, &rendered, write))?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;
    use presence_core::Presence;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_user_that_is_asked_for_again_and_again_is_rendered_once() {
        let (fixture, _queue) = Fixture::stalled();
        let (adele, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let view = |user| (user, UserView { user, presence: Presence::Away, version: 1, details: None });
        let views = HashMap::from([view(adele), view(bob)]);
        let mut ids = vec![adele; Ids::MAX_COUNT];
        ids[1] = bob;
        let renderings = Cell::new(0);
        let write = |writer: &mut dyn Writer, view: &UserView| {
            renderings.set(renderings.get() + 1);
            write_presence(writer, view, None, Select::ALL)
        };
        let rendered = render_repeated(&fixture.app, &ids, &views, write).unwrap();
        assert_eq!(rendered.keys().collect::<Vec<_>>(), [&adele]);
        let body = fixture.app.write_body(|writer| write_many(writer, &ids, &views, &rendered, write)).unwrap();
        // Each once to count it, and once to write it.
        assert_eq!(renderings.get(), 4);
        let body: serde_json::Value = serde_json::from_slice(body.written()).unwrap();
        let users =
            body["value"].as_array().unwrap().iter().map(|presence| presence["id"].as_str().unwrap().to_owned());
        assert!(users.eq(ids.iter().map(UserId::to_string)));
        // A shard that forgets one of its users is a fault, and no broken body.
        let incomplete = fixture.app.write_body(|writer| write_many(writer, &ids, &HashMap::new(), &rendered, write));
        assert_eq!(incomplete.unwrap_err(), RequestError::Internal);
    }
}
