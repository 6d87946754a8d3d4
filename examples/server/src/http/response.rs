//! Answers: bodies of JSON, and refusals in Graph's shape. Rule H1.

use crate::clock::{Clock, date};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use presence_core::BufferFull;
use presence_core::graph::{self, Error, Writer};
use std::any::Any;
use std::sync::Arc;

/// There is too much to do. Clients wait as long as it says, so it says little.
pub const THROTTLED: Error = Error::Throttled { retry_after: 1 };
/// When to come back to a disk that does not answer, in seconds.
const STALLED: u8 = 10;

/// The ids of a request, for its answer. Made by [`observe`](super::observe).
#[derive(Clone, Debug)]
pub struct Ids {
    /// The id that the server gave it.
    pub request: Arc<str>,
    /// The id that the client gave it.
    pub client: Option<Arc<str>>,
}

/// What an answer was about, for whoever counts.
#[derive(Clone, Copy, Debug)]
pub struct OperationName(pub &'static str);

/// A sink that grows. Its users bound what they write.
#[derive(Debug, Default)]
pub struct Text(pub Vec<u8>);

impl Writer for Text {
    fn remaining(&self) -> usize {
        usize::MAX
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.0.truncate(self.0.len().saturating_sub(count));
    }
}

/// Why a request is refused: by the library's rules, or by the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// By the rules of the wire.
    Rule(Error),
    /// The method is wrong, and this one is right.
    Method(&'static str),
    /// The body did not come in time.
    TooSlow,
    /// The body was cut off, or framed wrongly.
    BrokenBody,
    /// Something that must not happen.
    Internal,
    /// It takes too long here. Nobody can say whether it was carried out, or will be.
    Stalled,
}

impl From<Error> for Refused {
    fn from(refusal: Error) -> Self {
        Self::Rule(refusal)
    }
}

impl Refused {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Rule(refusal) => refusal.status(),
            Self::Method(_) => 405,
            Self::TooSlow => 408,
            Self::BrokenBody => 400,
            Self::Internal => 500,
            Self::Stalled => 503,
        }
    }

    /// When to come back, in seconds, where that would help.
    pub const fn retry_after(self) -> Option<u8> {
        match self {
            Self::Rule(refusal) => refusal.retry_after(),
            Self::Stalled => Some(STALLED),
            _ => None,
        }
    }

    /// Writes the error body.
    pub fn write(self, sink: &mut dyn Writer, ids: &Ids, clock: &Clock) -> Result<(), BufferFull> {
        let date = date(clock.now());
        let trace = graph::Trace {
            date: Some(&date),
            request_id: Some(&ids.request),
            client_request_id: ids.client.as_deref(),
        };
        let (code, message) = match self {
            Self::Rule(refusal) => return refusal.write(&trace, sink),
            Self::Method(_) => return Error::MethodNotAllowed.write(&trace, sink),
            Self::TooSlow => ("RequestTimeout", "The request did not come in time."),
            Self::BrokenBody => ("InvalidArgument", "The body of the request could not be read."),
            Self::Internal => ("InternalServerError", "Something went wrong here."),
            Self::Stalled => (
                "ServiceUnavailable",
                "It takes too long here. The request may have been carried out; it can be repeated.",
            ),
        };
        sink.write(error_body(code, message, ids, &date).as_bytes())
    }

    /// The answer.
    pub fn answer(self, ids: &Ids, clock: &Clock) -> Response {
        let mut text = Text::default();
        // A sink that grows takes everything.
        let _ = self.write(&mut text, ids, clock);
        let mut response = json(text.0);
        *response.status_mut() = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, u16::from(seconds).into());
        }
        match self {
            Self::Method(right) => drop(headers.insert(ALLOW, HeaderValue::from_static(right))),
            Self::TooSlow | Self::BrokenBody => drop(headers.insert(CONNECTION, HeaderValue::from_static("close"))),
            _ if self.status() == 401 => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            _ => {}
        }
        response
    }
}

/// An error body of the server's own. The ids hold no character that must be escaped.
pub fn error_body(code: &str, message: &str, ids: &Ids, date: &str) -> String {
    let client = ids.client.as_ref().map_or("null".to_owned(), |id| format!("\"{id}\""));
    format!(
        r#"{{"error":{{"code":"{code}","message":"{message}","innerError":{{"date":"{date}","request-id":"{}","client-request-id":{client}}}}}}}"#,
        ids.request
    )
}

/// 200 with a body of JSON.
pub fn json(text: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// 200 without a body, as actions are answered.
pub fn done() -> Response {
    Response::new(Body::empty())
}

/// A handler panicked. What it was asked is not known any more; `observe` makes a body of it.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
