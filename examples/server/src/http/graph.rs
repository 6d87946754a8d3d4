//! Graph's paths: one request, checked in the order of rule H2, sent to the shards it is about, and answered.

use super::App;
use super::batch;
use super::body::{Held, is_too_large, throw_away};
use super::dispatch::Outcome;
use super::response::{Ids, OperationName, Refused, THROTTLED, done, json};
use axum::body::{Body, Bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use presence_core::graph::{Caller, Context, DateTime, Environment, Error, Operation, RawRequest, Request, Target};
use presence_core::{Policy, UserId};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};

/// Serves a request of Graph's.
pub async fn serve(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let (parts, mut body) = request.into_parts();
    let Some(ids) = parts.extensions.get::<Ids>().cloned() else { return super::response::panicked(Box::new(())) };
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
        return Err(Error::TooLarge.into());
    }
    // That there is too much to do is said before all else (rule H2). No place is kept while a body comes: nobody knows how
    // long that takes.
    drop(app.enter()?);
    let Some(caller) = app.tokens.caller(&parts.headers) else {
        app.discard_body(body).await?;
        return Err(Error::Unauthenticated.into());
    };
    let held = app.read_body(body, &parts.headers).await?;
    let _in_flight = app.enter()?;
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
    let raw = RawRequest::new(parts.method.as_str(), target).with_content_type(content_type).with_body(&held.bytes);
    let parsed = Request::parse(&raw, &app.context(caller), &Policy::GRAPH);
    parsed.map_err(|error| match (error, Target::parse(target)) {
        (Error::MethodNotAllowed, Ok(target)) => Refused::Method(target.method()),
        _ => error.into(),
    })
}

/// What the library asks of the world. Rules T1, W1.
impl Environment for App {
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
pub fn long(text: Vec<u8>, shares: OwnedSemaphorePermit) -> Response {
    struct UserRef(Vec<u8>, #[expect(dead_code, reason = "held until the bytes are gone")] OwnedSemaphorePermit);
    impl AsRef<[u8]> for UserRef {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let mut response = json(Vec::new());
    *response.body_mut() = Body::from(Bytes::from_owner(UserRef(text, shares)));
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
            Operation::SetStatusMessage => "setStatusMessage",
            Operation::SetManualLocation => "setManualLocation",
            Operation::SetAutomaticLocation => "setAutomaticLocation",
            Operation::ClearAutomaticLocation => "clearAutomaticLocation",
            Operation::ClearLocation => "clearLocation",
            _ => "other",
        },
        Ok(Target::PresencesByUserId) => "getPresencesByUserId",
        Ok(Target::Batch) => "batch",
        _ => "unknown",
    }
}

impl App {
    /// A place among the requests that are served.
    fn enter(&self) -> Result<InFlight<'_>, Error> {
        let permit = self.limits.in_flight.try_acquire().map_err(|_| THROTTLED)?;
        self.metrics.in_flight.inc();
        Ok(InFlight { app: self, _permit: permit })
    }

    /// What the library needs to know of a request besides the request.
    pub fn context(&self, caller: Caller) -> Context<'_> {
        Context::new(self.clock.now(), caller).with_environment(self)
    }
}

/// A request that is being served.
struct InFlight<'a> {
    app: &'a App,
    _permit: SemaphorePermit<'a>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.app.metrics.in_flight.dec();
    }
}
