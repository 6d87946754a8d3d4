//! Responses: JSON bodies, and errors in Graph's shape ([H1](../../../../docs/behaviour.md#h1)).

use super::bounded::Bounded;
use super::throttle::Throttled;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use presence_core::BufferFull;
use presence_core::graph::{self, Error, Writer};
use presence_engine::clock::{Clock, date};
use std::any::Any;
use std::sync::Arc;

/// The seconds after which to retry when the disk does not respond, or has no room.
const STALLED: u8 = 10;

/// The ids of a request, for its response. [`observe`](super::observe) creates them.
#[derive(Clone, Debug)]
pub struct Ids {
    /// The server's id of the request.
    pub request: Arc<str>,
    /// The client's id of the request; the server's if the client gave none (rule H9).
    pub client: Arc<str>,
}

impl Ids {
    /// Creates the ids of a request, to which the client may have given one.
    pub fn new(client: Option<Arc<str>>) -> Self {
        let request: Arc<str> = uuid::Uuid::new_v4().to_string().into();
        Self { client: client.unwrap_or_else(|| request.clone()), request }
    }
}

/// The operation of a request, attached to its response for the metrics.
#[derive(Clone, Copy, Debug)]
pub struct OperationName(pub &'static str);

impl OperationName {
    /// Attaches an operation's name to its response.
    pub fn attach(operation: &'static str, mut response: Response) -> Response {
        response.extensions_mut().insert(Self(operation));
        response
    }
}

/// Marks a response that replaces one of more bytes than were reserved for it, to be counted.
#[derive(Clone, Copy, Debug)]
pub struct ReserveFault;

/// A rejected request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// An error of the library's wire rules.
    Graph(Error),
    /// A request beyond a limit of the server or of the caller.
    Throttled(Throttled),
    /// A method that the path does not have; this is the one it has.
    MethodNotAllowed(&'static str),
    /// A body in a content coding, which the client sends again as it is.
    CodedBody,
    /// No `Host`, more than one, or one that is none.
    InvalidHost,
    /// A request for a name that this server does not have.
    Misdirected,
    /// A development token that came through a proxy.
    ForwardedDevelopment,
    /// A body that did not come in time.
    BodyTimeout,
    /// A body that was cut off, or framed wrongly.
    BrokenBody,
    /// As many users count for the application as may. Nothing was changed.
    ApplicationFull,
    /// A backup while another one is being made.
    BackupRunning,
    /// A backup for which there is no room.
    NoRoomForBackup,
    /// A backup that has failed.
    BackupFailed,
    /// A page of a list that does not exist.
    InvalidPage,
    /// A fault of the server.
    Internal,
    /// A request that was not carried out, because the disk has no room or the server is ending.
    Unavailable,
    /// A request that took too long. It may have been executed, or may still be.
    Stalled,
}

impl From<Error> for RequestError {
    fn from(error: Error) -> Self {
        Self::Graph(error)
    }
}

impl RequestError {
    /// The most bytes of an error body, with the longest ids.
    pub const MAX_LEN: usize = 512;

    /// Returns the HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Graph(error) => error.status(),
            Self::Throttled(_) => 429,
            Self::MethodNotAllowed(_) => 405,
            Self::CodedBody => 415,
            Self::BodyTimeout => 408,
            Self::ForwardedDevelopment => 403,
            Self::Misdirected => 421,
            Self::BrokenBody | Self::InvalidHost | Self::InvalidPage => 400,
            Self::BackupRunning => 409,
            Self::ApplicationFull | Self::NoRoomForBackup => 507,
            Self::Internal => 500,
            Self::Stalled | Self::Unavailable | Self::BackupFailed => 503,
        }
    }

    /// Returns the least seconds after which to retry, if a retry would help. [`App::retry_after`](super::App::retry_after)
    /// spreads clients over more.
    pub const fn retry_after(self) -> Option<u8> {
        match self {
            Self::Graph(error) => error.retry_after(),
            Self::Throttled(_) => Some(1),
            Self::Stalled | Self::Unavailable | Self::BackupFailed => Some(STALLED),
            _ => None,
        }
    }

    /// Writes the error body.
    pub fn write(self, writer: &mut dyn Writer, ids: &Ids, clock: &Clock) -> Result<(), BufferFull> {
        let date = date(clock.now());
        let trace =
            graph::Trace { date: Some(&date), request_id: Some(&ids.request), client_request_id: Some(&ids.client) };
        let throttled;
        let (code, message) = match self {
            Self::Graph(error) => return error.write(&trace, writer),
            Self::Throttled(error) => {
                throttled = error.message();
                ("TooManyRequests", throttled.as_str())
            }
            Self::MethodNotAllowed(_) => return Error::MethodNotAllowed.write(&trace, writer),
            Self::CodedBody => return Error::UnsupportedMediaType.write(&trace, writer),
            Self::BodyTimeout => ("RequestTimeout", "The request did not come in time."),
            Self::InvalidHost => ("BadRequest", "A request names its server in exactly one valid Host header."),
            Self::Misdirected => (
                "MisdirectedRequest",
                "This server is not known under the name in Host. On a loopback address other names need --host.",
            ),
            Self::ForwardedDevelopment => (
                "Forbidden",
                "A development token is for this machine alone, and this request came through a proxy for somebody else.",
            ),
            Self::BrokenBody => ("InvalidArgument", "The body of the request could not be read."),
            Self::InvalidPage => (
                "InvalidArgument",
                "$top must be 1 to 999, and $skiptoken that of a page of this run of the server. Begin without one.",
            ),
            Self::ApplicationFull => (
                "InsufficientStorage",
                "The limit of users per application is reached: the application stores something of as many users as it may.",
            ),
            Self::BackupRunning => ("Conflict", "Another backup is being made. GET /admin/backup tells how it goes."),
            Self::NoRoomForBackup => (
                "InsufficientStorage",
                "There is no room for a backup. GET /admin/backup tells how much is needed. Nothing is left of it.",
            ),
            Self::BackupFailed => {
                ("ServiceUnavailable", "The backup has failed, and GET /admin/backup tells why. Nothing is left of it.")
            }
            Self::Internal => ("InternalServerError", "Something went wrong here."),
            Self::Unavailable => {
                ("ServiceUnavailable", "Nothing can be stored at the moment, so the request was not carried out.")
            }
            Self::Stalled => (
                "ServiceUnavailable",
                "It takes too long here. The request may have been carried out; it can be repeated.",
            ),
        };
        writer.write(error_body(code, message, ids, &date).as_bytes())
    }

    /// Returns the whole response.
    pub fn response(self, ids: &Ids, clock: &Clock) -> Response {
        let mut body = Bounded::new(Self::MAX_LEN);
        // A body that does not fit is a fault, which `finish` reports.
        let _ = self.write(&mut body, ids, clock);
        let Some(body) = body.finish() else {
            tracing::error!("an error of more than {} bytes: {self:?}", Self::MAX_LEN);
            let mut response = panic_response(Box::new(()));
            response.extensions_mut().insert(ReserveFault);
            return response;
        };
        let mut response = json(body);
        *response.status_mut() = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Self::Throttled(throttled) = self {
            response.extensions_mut().insert(throttled);
        }
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, u16::from(seconds).into());
        }
        match self {
            Self::MethodNotAllowed(allowed) => drop(headers.insert(ALLOW, HeaderValue::from_static(allowed))),
            Self::BodyTimeout | Self::BrokenBody => drop(headers.insert(CONNECTION, HeaderValue::from_static("close"))),
            // Not for other media types: the header tells clients which of the two is wrong (RFC 9110, section 12.5.3).
            Self::CodedBody => drop(headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            _ if self.status() == 401 => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            _ => {}
        }
        response
    }
}

/// Returns an error body of the server's own. The ids need no escapes.
pub fn error_body(code: &str, message: &str, ids: &Ids, date: &str) -> String {
    let Ids { request, client } = ids;
    format!(
        r#"{{"error":{{"code":"{code}","message":"{message}","innerError":{{"date":"{date}","request-id":"{request}","client-request-id":"{client}"}}}}}}"#
    )
}

/// Returns 200 with a JSON body.
pub fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// Returns 200 without a body, the response to actions.
pub fn empty() -> Response {
    Response::new(Body::empty())
}

/// Returns 500 without a body, the response to a panic. `observe` adds the body, because the request is lost here.
pub fn panic_response(_: Box<dyn Any + Send>) -> Response {
    let mut response = empty();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests {
    use super::super::account::Account;
    use super::super::bounded::Length;
    use super::super::shares::ShareError;
    use super::super::throttle::Limit;
    use super::*;
    use presence_core::graph::Field;
    use presence_core::graph::json::JsonError;
    use presence_core::{Instant, SessionId};

    #[test]
    fn h1_error_bodies_have_a_longest_length() {
        use RequestError::*;
        let ids = Ids::new(Some("x".repeat(128).into()));
        let clock = Clock::virtual_at(Instant::from_secs(1_800_000_000));
        let own = [MethodNotAllowed("GET"), CodedBody, InvalidHost, Misdirected, ForwardedDevelopment, BodyTimeout];
        let more = [BrokenBody, ApplicationFull, InvalidPage, Internal, Unavailable, Stalled];
        let backup = [BackupRunning, NoRoomForBackup, BackupFailed];
        // The longest of the library: those with the longest text, or that name the longest field.
        let library = [Error::Pair, Error::NoSignedInUser, Error::Missing(Field::ExpirationDuration), Error::OtherUser];
        let library = library.into_iter().chain([Error::Json(JsonError::Syntax)]).map(Graph);
        let application = Account::Application(SessionId::from_bytes([1; 16]));
        let throttled = Limit::Memory.reached(ShareError::Beyond(application));
        for error in own.into_iter().chain(more).chain(backup).chain(library).chain([throttled]) {
            let length = Length::of(|writer| error.write(writer, &ids, &clock));
            assert!(length <= RequestError::MAX_LEN, "{error:?}: {length} bytes");
        }
        // Those of the library with an empty trace, and what is longer in it than null.
        let trace = date(clock.now()).len() + ids.request.len() + ids.client.len();
        assert!(Error::MAX_LEN + trace <= RequestError::MAX_LEN);
    }
    /// In every build: what does not fit is not written, and the fault shows.
    #[test]
    fn h1_an_error_longer_than_its_memory_is_a_fault() {
        let clock = Clock::virtual_at(Instant::from_secs(1_800_000_000));
        let response = RequestError::Internal.response(&Ids::new(Some("x".repeat(512).into())), &clock);
        assert_eq!(response.status(), 500);
        assert!(response.extensions().get::<ReserveFault>().is_some());
        assert!(RequestError::Internal.response(&Ids::new(None), &clock).extensions().get::<ReserveFault>().is_none());
    }
}
