//! Errors that a server answers.

use super::read::object;
use crate::graph::json::Value;
use crate::time::Duration;

/// An error that a server answers: the status, what it says of it, and how long to wait ([H1](crate::rules#h1)).
///
/// It is read whatever it is: proxies answer pages in place of JSON, of which the status is left.
///
/// ```
/// use presence_core::Duration;
/// use presence_core::client::ErrorAnswer;
///
/// let body = br#"{"error":{"code":"TooManyRequests","message":"Later.","innerError":{"request-id":"42"}}}"#;
/// let retry_after = ErrorAnswer::parse_retry_after("30", None);
/// let error = ErrorAnswer::read(429, retry_after, body);
/// assert!(error.code.is_some_and(|code| code.is_text("TooManyRequests")));
/// assert_eq!(error.retry_after, Some(Duration::from_secs(30)));
/// assert_eq!(ErrorAnswer::read(502, None, b"<html>").code, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ErrorAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The error code, a JSON string such as `"NotFound"`.
    pub code: Option<Value<'a>>,
    /// The message, a JSON string.
    pub message: Option<Value<'a>>,
    /// The server's name of the request, a JSON string, with which it is found in the server's logs.
    pub request_id: Option<Value<'a>>,
    /// The client's name of the request, a JSON string.
    pub client_request_id: Option<Value<'a>>,
    /// The time to wait before another request.
    pub retry_after: Option<Duration>,
}

impl<'a> ErrorAnswer<'a> {
    /// Reads an answer whose status is 400 or more.
    ///
    /// `retry_after` is what the header says, as [`parse_retry_after`](Self::parse_retry_after) reads it.
    #[must_use]
    pub fn read(status: u16, retry_after: Option<Duration>, body: &'a [u8]) -> Self {
        Self::of(status, retry_after, object(body).ok())
    }

    /// Reads the error in the body of an answer, if that is one.
    pub(super) fn of(status: u16, retry_after: Option<Duration>, body: Option<Value<'a>>) -> Self {
        let text = |object: Option<Value<'a>>, name| object?.member(name).ok()?.filter(|value| value.is_string());
        let inside = |object: Option<Value<'a>>, name| object?.member(name).ok()?.filter(|value| value.is_object());
        let error = inside(body, "error");
        let inner = inside(error, "innerError");
        Self {
            status,
            code: text(error, "code"),
            message: text(error, "message"),
            request_id: text(inner, "request-id"),
            client_request_id: text(inner, "client-request-id"),
            retry_after,
        }
    }
}
