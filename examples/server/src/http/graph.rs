//! Graph's paths: a request is checked in the order of [H2](../../../../docs/behaviour.md#h2) and dispatched to its shards.

use super::App;
use super::account::Account;
use super::audit::{Act, Trail};
use super::batch;
use super::body::{drain, is_too_large};
use super::content::Rendered;
use super::dispatch::Outcome;
use super::request::{ServerRequest, explained, operation_name};
use super::response::{Ids, OperationName, RequestError, empty, panic_response};
use super::response_body::ResponseBody;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use presence_core::UserId;
use presence_core::graph::{Caller, Context, DateTime, Environment, Error, RawRequest, Request, Target};
use presence_engine::clock::Time;
use std::sync::Arc;

/// Serves a request of Graph's API.
pub async fn serve(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let (parts, mut body) = request.into_parts();
    let Some(ids) = parts.extensions.get::<Ids>().cloned() else { return panic_response(Box::new(())) };
    let response = match respond(&app, &parts, &mut body, &ids).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = error.response(&ids, &app.clock);
            // The rest of a slow or broken body would not come either.
            let is_body_error = matches!(error, RequestError::BodyTimeout | RequestError::BrokenBody);
            if !is_body_error && !http_body::Body::is_end_stream(&body) {
                drain(body, &parts.headers, &mut response);
            }
            response
        }
    };
    OperationName::attach(operation_name(parts.uri.path()), response)
}

async fn respond(app: &App, parts: &Parts, body: &mut Body, ids: &Ids) -> Result<Response, RequestError> {
    if is_too_large(&parts.headers) {
        return Err(Error::TooLarge.into());
    }
    // Overload is reported before all other errors (rule H2). No place is held while a body comes, which may take long.
    app.check_overload()?;
    let identity = match app.identify(&parts.headers) {
        Ok(identity) => identity,
        Err(error) => {
            app.discard_body(body).await?;
            return Err(error);
        }
    };
    let account = Account::from(&identity.caller);
    // A batch counts as its elements do, so it is looked at in any case; its first element gets this result.
    let counted = app.count(account);
    if !is_batch(parts) {
        counted?;
    }
    app.check_in_flight(account)?;
    let codings = content_codings(&parts.headers);
    // A coded body is not read: its client sends it again as it is, on this connection. Of an empty body, only the coding counts.
    if codings.is_some()
        && is_unsupported(&parse(app, parts, codings.as_deref(), b"", identity.caller, app.clock.time()))
    {
        return Err(RequestError::CodedBody);
    }
    let body = app.read_body(account, body, &parts.headers).await?;
    let _in_flight = app.enter(account)?;
    let time = app.clock.time();
    let request = parse(app, parts, codings.as_deref(), &body.bytes, identity.caller, time)
        .map_err(|error| counted.err().unwrap_or(error))?;
    let trail = Trail::of(&parts.extensions);
    if !matches!(request, ServerRequest::Graph(Request::Batch(_))) {
        trail.note(|| Act::of(operation_name(parts.uri.path()), &request));
    }
    request.authorise(&identity)?;
    match &request {
        ServerRequest::Graph(Request::Batch(batch)) => batch::run(app, *batch, &identity, ids, counted, trail).await,
        _ => match app.dispatch(&request, &identity.caller, time)?.receive().await? {
            Outcome::Done => Ok(empty()),
            Outcome::Content(content) => {
                let mut response = ResponseBody::new(app, account, 0)?;
                content.append(&mut response, &mut Rendered::of_one(app, account)?, app, identity.caller)?;
                response.into_response(app)
            }
        },
    }
}

/// Reports whether a request is for `$batch`.
fn is_batch(parts: &Parts) -> bool {
    matches!(Target::parse(parts.uri.path()), Ok(Target::Batch))
}

/// Returns the content codings of the body, of all lines of the header.
fn content_codings(headers: &HeaderMap) -> Option<String> {
    // A value that is no text names no coding that is known.
    let values = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("unknown"));
    values.map(str::to_owned).reduce(|first, next| format!("{first},{next}"))
}

/// Returns the method for the library, which reads one in any case, as batches need. Over HTTP `get` is another than `GET`, and
/// no path has it (RFC 9110, section 9.1).
fn method(parts: &Parts) -> &str {
    let method = parts.method.as_str();
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) { "" } else { method }
}

fn is_unsupported(parsed: &Result<ServerRequest<'_>, RequestError>) -> bool {
    matches!(parsed, Err(RequestError::Graph(Error::UnsupportedMediaType)))
}

fn parse<'a>(
    app: &App,
    parts: &'a Parts,
    codings: Option<&'a str>,
    body: &'a [u8],
    caller: Caller,
    time: Time,
) -> Result<ServerRequest<'a>, RequestError> {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    // A value that is no text cannot name JSON.
    let content_type = parts.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let raw = RawRequest::new(method(parts), target)
        .with_content_type(content_type)
        .with_content_encoding(codings)
        .with_body(body);
    let parsed = ServerRequest::parse(&raw, &app.context(caller, time), app.current().policies.of(&caller));
    parsed.map_err(|error| match (error, Target::parse(explained(target).unwrap_or(target))) {
        (Error::MethodNotAllowed, Ok(target)) => RequestError::MethodNotAllowed(match target.method() {
            "GET" => "GET, HEAD",
            method => method,
        }),
        _ => error.into(),
    })
}

/// The application's answers to the library: time zones, the epoch, user principal names.
impl Environment for App {
    fn epoch(&self) -> Option<u64> {
        // Instants are Unix milliseconds.
        Some(0)
    }

    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        crate::zones::to_unix(local, zone)
    }

    fn user(&self, principal_name: &str) -> Option<UserId> {
        self.current().names.user(principal_name)
    }

    fn principal_name(&self, user: UserId, read: &mut dyn FnMut(&str)) {
        self.current().names.of(user).into_iter().for_each(read);
    }
}

impl App {
    /// Returns the library's context for a request of this caller at this time.
    pub fn context(&self, caller: Caller, time: Time) -> Context<'_> {
        Context::new(time.now, caller).with_environment(self)
    }
}
