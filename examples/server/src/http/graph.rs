//! Graph's paths: one request, checked in the order of rule H2, sent to the shards it is about, and answered.

use super::App;
use super::answer::{Ids, OperationName, Refused, THROTTLED, Text, done, json};
use super::batch;
use super::body::{Held, is_too_large, throw_away};
use axum::body::{Body, Bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use presence_core::details::{DetailsError, LocationLayer};
use presence_core::graph::{
    self, Caller, DateTime, DetailsOperation, Exchange, Hooks, Incoming, MAX_IDS, Operation, Refusal, Request,
    Resource, Select, Target, TextBuffer, write_resource,
};
use presence_core::{CommandError, Instant, Policy, UserId};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot::{Receiver, channel};

use crate::shard::Busy;
use crate::shard::job::{Job, Shown, TellCommand};

/// Serves a request of Graph's.
pub async fn serve(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let (parts, mut body) = request.into_parts();
    let Some(ids) = parts.extensions.get::<Ids>().cloned() else { return super::answer::panicked(Box::new(())) };
    let mut response = match answer(&app, &parts, &mut body, &ids).await {
        Ok(response) => response,
        Err(refused) => {
            // Who was too slow would only be so again.
            let is_worth_it = !matches!(refused, Refused::TooSlow | Refused::BrokenBody);
            if is_worth_it && !http_body::Body::is_end_stream(&body) {
                throw_away(body, &parts.headers);
            }
            refused.answer(&ids, &app.clock)
        }
    };
    response.extensions_mut().insert(OperationName(operation_name(parts.uri.path())));
    response
}

async fn answer(app: &App, parts: &Parts, body: &mut Body, ids: &Ids) -> Result<Response, Refused> {
    if is_too_large(&parts.headers) {
        return Err(Refusal::TooLarge.into());
    }
    let _in_flight = app.enter()?;
    let Some(caller) = app.tokens.caller(&parts.headers) else {
        app.discard_body(body).await?;
        return Err(Refusal::Unauthenticated.into());
    };
    let held = app.read_body(body, &parts.headers).await?;
    let request = parse(app, parts, &held, caller)?;
    caller.authorise(&request)?;
    match &request {
        Request::Batch(batch) => batch::run(app, *batch, caller, ids).await,
        _ => match app.start(&request)?.finish(app, caller.me()).await? {
            Outcome::Done => Ok(done()),
            Outcome::Body(text) => Ok(json(text)),
            Outcome::Long(text, shares) => Ok(long(text, shares)),
        },
    }
}

fn parse<'a>(app: &App, parts: &Parts, held: &'a Held, caller: Caller) -> Result<Request<'a>, Refused> {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    // What is no text names no media type either.
    let content_type = parts.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let body = graph::Body::Bytes(&held.bytes);
    let incoming = Incoming { method: parts.method.as_str(), target, content_type, body };
    let parsed = Request::parse_in(&incoming, &app.exchange(caller), &Policy::GRAPH);
    parsed.map_err(|refusal| match (refusal, Target::parse(target)) {
        (Refusal::MethodNotAllowed, Ok(target)) => Refused::Method(target.method()),
        _ => refusal.into(),
    })
}

/// What the library asks of the world. Rules T1, W1.
impl Hooks for App {
    fn epoch(&self) -> Option<u64> {
        // Instants are Unix milliseconds.
        Some(0)
    }

    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        crate::zones::to_unix(local, zone)
    }

    fn user(&self, principal_name: &str) -> Option<UserId> {
        self.names.get(&principal_name.to_lowercase()).copied()
    }
}

/// An answer that keeps its share of memory until it has gone out.
fn long(text: Vec<u8>, shares: OwnedSemaphorePermit) -> Response {
    struct Owner(Vec<u8>, #[expect(dead_code, reason = "held until the bytes are gone")] OwnedSemaphorePermit);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let mut response = json(Vec::new());
    *response.body_mut() = Body::from(Bytes::from_owner(Owner(text, shares)));
    response
}

/// What a request asked for, as metrics name it.
fn operation_name(path: &str) -> &'static str {
    match Target::parse(path) {
        Ok(Target::Presence(_, operation)) => match operation {
            Operation::Get => "getPresence",
            Operation::SetPresence => "setPresence",
            Operation::ClearPresence => "clearPresence",
            Operation::SetUserPreferredPresence => "setUserPreferredPresence",
            Operation::ClearUserPreferredPresence => "clearUserPreferredPresence",
            Operation::Details(DetailsOperation::SetStatusMessage) => "setStatusMessage",
            Operation::Details(DetailsOperation::SetLocation(LocationLayer::Manual)) => "setManualLocation",
            Operation::Details(DetailsOperation::SetLocation(_)) => "setAutomaticLocation",
            Operation::Details(DetailsOperation::ClearAutomaticLocation) => "clearAutomaticLocation",
            Operation::Details(DetailsOperation::ClearLocation) => "clearLocation",
            _ => "other",
        },
        Ok(Target::PresencesByUserId) => "getPresencesByUserId",
        Ok(Target::Batch) => "batch",
        _ => "unknown",
    }
}

/// How a request ended that was not refused.
#[derive(Debug)]
pub enum Outcome {
    /// There is nothing to say.
    Done,
    /// This is the body.
    Body(Vec<u8>),
    /// This is the body, and its share of memory.
    Long(Vec<u8>, OwnedSemaphorePermit),
}

/// A request that its shards work at.
#[derive(Debug)]
pub enum Started {
    /// An action.
    Action(Receiver<Result<(), CommandError>>),
    /// An action about what a user tells.
    Telling(Receiver<Result<(), DetailsError>>),
    /// A read.
    Read(Receiver<Shown>, Select),
    /// A bulk read: who was asked for, in order, and what each shard says of its own.
    ReadMany(Vec<UserId>, Vec<Receiver<Vec<Shown>>>, Select, OwnedSemaphorePermit),
}

impl From<Busy> for Refused {
    fn from(_: Busy) -> Self {
        THROTTLED.into()
    }
}

impl App {
    /// A place among the requests that are served.
    fn enter(&self) -> Result<InFlight<'_>, Refusal> {
        let permit = self.limits.in_flight.try_acquire().map_err(|_| THROTTLED)?;
        self.metrics.in_flight.inc();
        Ok(InFlight { app: self, _permit: permit })
    }

    /// Sends a request that is no batch to the shards it is about. Whatever is started later for the same user happens
    /// later.
    pub fn start(&self, request: &Request<'_>) -> Result<Started, Refused> {
        match request {
            Request::Act { user, command } => {
                let (answer, outcome) = channel();
                self.shards.ask(self.shards.of(*user), Job::Execute(*user, *command, answer))?;
                Ok(Started::Action(outcome))
            }
            Request::ActOnDetails { user, action } => {
                let command = TellCommand::from_command(action.command(&mut TextBuffer::new()));
                self.tell(*user, command)
            }
            Request::Get { user, select } => {
                let (answer, shown) = channel();
                self.shards.ask(self.shards.of(*user), Job::Read(*user, answer))?;
                Ok(Started::Read(shown, *select))
            }
            Request::GetPresences(asked) => {
                let ids: Vec<UserId> = asked.iter().take(MAX_IDS).collect();
                let shares = self.reserve(ids.len() * USUAL_PRESENCE)?;
                let mut by_shard = vec![Vec::new(); self.shards.len()];
                for id in &ids {
                    by_shard[self.shards.of(*id)].push(*id);
                }
                let mut answers = Vec::with_capacity(by_shard.len());
                for (shard, users) in by_shard.into_iter().enumerate() {
                    let (answer, shown) = channel();
                    if users.is_empty() {
                        drop(answer.send(Vec::new()));
                    } else {
                        self.shards.ask(shard, Job::ReadMany(users, answer))?;
                    }
                    answers.push(shown);
                }
                Ok(Started::ReadMany(ids, answers, asked.select(), shares))
            }
            _ => Err(Refused::Internal),
        }
    }

    /// Sends a command about what a user tells.
    pub fn tell(&self, user: UserId, command: TellCommand) -> Result<Started, Refused> {
        let (answer, outcome) = channel();
        self.shards.ask(self.shards.of(user), Job::Tell(user, Box::new(command), answer))?;
        Ok(Started::Telling(outcome))
    }

    /// The answer to a bulk read: what each shard says of its own users, in the order asked. Where it grows longer than
    /// usual, it takes a larger share.
    fn merge(
        &self,
        ids: &[UserId],
        by_shard: Vec<Vec<Shown>>,
        write: impl Fn(&mut Text, &Shown),
        shares: &mut OwnedSemaphorePermit,
    ) -> Result<Vec<u8>, Refusal> {
        let mut by_shard: Vec<_> = by_shard.into_iter().map(Vec::into_iter).collect();
        let mut reserved = ids.len() * USUAL_PRESENCE;
        let mut text = Text(Vec::with_capacity(reserved));
        text.0.extend_from_slice(b"{\"value\":[");
        let mut separator: &[u8] = b"";
        for id in ids {
            if let Some(shown) = by_shard.get_mut(self.shards.of(*id)).and_then(Iterator::next) {
                text.0.extend_from_slice(separator);
                write(&mut text, &shown);
                separator = b",";
            }
            if text.0.len() > reserved {
                shares.merge(self.reserve(reserved)?);
                reserved *= 2;
            }
        }
        text.0.extend_from_slice(b"]}");
        Ok(text.0)
    }

    /// What the library needs to know of a request besides the request.
    pub fn exchange(&self, caller: Caller) -> Exchange<'_> {
        Exchange { hooks: Some(self), ..Exchange::new(self.clock.now(), caller) }
    }
}

/// A request that is being served.
struct InFlight<'a> {
    app: &'a App,
    _permit: tokio::sync::SemaphorePermit<'a>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.app.metrics.in_flight.dec();
    }
}

/// Room for a presence object of a user who tells little.
pub const USUAL_PRESENCE: usize = 384;

/// Writes a presence object, as this user sees it. Rule H3.
pub fn write(text: &mut Text, shown: &Shown, me: Option<UserId>, select: Select) {
    let Shown { user, presence, version, told } = shown;
    let resource = Resource {
        user: *user,
        presence: *presence,
        version: *version,
        details: Some(told.as_ref().map(|told| told.shown()).unwrap_or_default()),
        is_own: me == Some(*user),
        epoch: Some(Instant::ZERO.as_millis()),
        select,
    };
    // A sink that grows takes everything.
    let _ = write_resource(text, &resource);
}

/// What was answered; an answer that never comes is that of a server that ends.
async fn told<T>(answer: Receiver<T>) -> Result<T, Refused> {
    answer.await.map_err(|_| Refused::Internal)
}

impl Started {
    /// Waits for the answer, and writes it as this user sees it.
    pub async fn finish(self, app: &App, me: Option<UserId>) -> Result<Outcome, Refused> {
        match self {
            Self::Action(outcome) => {
                told(outcome).await?.map(|()| Outcome::Done).map_err(|error| Refusal::from(error).into())
            }
            Self::Telling(outcome) => {
                told(outcome).await?.map(|()| Outcome::Done).map_err(|error| Refusal::from(error).into())
            }
            Self::Read(shown, select) => {
                let mut text = Text(Vec::with_capacity(USUAL_PRESENCE));
                write(&mut text, &told(shown).await?, me, select);
                Ok(Outcome::Body(text.0))
            }
            Self::ReadMany(ids, answers, select, mut shares) => {
                let mut by_shard = Vec::with_capacity(answers.len());
                for answer in answers {
                    by_shard.push(told(answer).await?);
                }
                let write = |text: &mut Text, shown: &Shown| write(text, shown, me, select);
                Ok(Outcome::Long(app.merge(&ids, by_shard, write, &mut shares)?, shares))
            }
        }
    }
}
