//! A request before anything of it is parsed.

use crate::graph::error::Error;
use crate::graph::json::{Value, without_mark};
use crate::graph::request::uri::until;

/// A request as HTTP delivers it, or an element of a batch.
///
/// ```
/// use presence_core::graph::RawRequest;
///
/// let raw = RawRequest::new("POST", "/me/presence/clearUserPreferredPresence")
///     .with_content_type("application/json")
///     .with_body(b"{}");
/// assert_eq!(raw.content_type, Some("application/json"));
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RawRequest<'h, 'b> {
    /// The method: `GET`, `HEAD` or `POST`, in any case.
    pub method: &'h str,
    /// The path and the query.
    pub target: &'h str,
    /// The media type, if one was sent. Clients send none with an empty body.
    pub content_type: Option<&'h str>,
    /// The content codings, if the header was sent. A body in any but `identity` is rejected, so that clients send it plain.
    pub content_encoding: Option<&'h str>,
    pub(super) body: Body<'b>,
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Body<'a> {
    /// Text as HTTP delivers it, not validated; none if it is empty.
    Bytes(&'a [u8]),
    /// A member of an element of a batch, validated with it.
    Json(Option<Value<'a>>),
}

impl<'h, 'b> RawRequest<'h, 'b> {
    /// The length of the longest body that is accepted, in bytes: twenty bulk reads of the most ids, with some white space.
    pub const MAX_BODY: usize = 1 << 20;

    /// Creates a request without a media type and without a body.
    #[must_use]
    pub const fn new(method: &'h str, target: &'h str) -> Self {
        Self { method, target, content_type: None, content_encoding: None, body: Body::Bytes(&[]) }
    }

    /// Sets the media type.
    #[must_use]
    pub fn with_content_type(self, content_type: impl Into<Option<&'h str>>) -> Self {
        Self { content_type: content_type.into(), ..self }
    }

    /// Sets the value of the header `Content-Encoding`.
    ///
    /// ```
    /// use presence_core::graph::{Caller, Context, Error, RawRequest, Request};
    /// use presence_core::{Instant, Policy, UserId};
    ///
    /// let raw = RawRequest::new("POST", "/me/presence/setPresence").with_content_encoding("gzip");
    /// let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(UserId::from_bytes([0x11; 16])) });
    /// assert_eq!(Request::parse(&raw, &context, &Policy::GRAPH), Err(Error::UnsupportedMediaType));
    /// ```
    #[must_use]
    pub fn with_content_encoding(self, content_encoding: impl Into<Option<&'h str>>) -> Self {
        Self { content_encoding: content_encoding.into(), ..self }
    }

    /// Sets the body, a JSON text; an empty one is no body, and neither is `null`.
    #[must_use]
    pub const fn with_body(mut self, body: &'b [u8]) -> Self {
        self.body = Body::Bytes(body);
        self
    }

    /// Reports whether the method is `HEAD`: such a request is answered like `GET`, without a body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method.eq_ignore_ascii_case("HEAD")
    }

    pub(super) fn is_too_large(&self) -> bool {
        matches!(self.body, Body::Bytes(bytes) if bytes.len() > Self::MAX_BODY)
    }

    /// Validates the body: an object, or none.
    pub(super) fn body(&self) -> Result<Option<Value<'b>>, Error> {
        // Before the body is looked at: a client may send it coded to learn whether it can be read.
        if !self.content_encoding.is_none_or(is_identity) {
            return Err(Error::UnsupportedMediaType);
        }
        let body = match self.body {
            Body::Bytes(bytes) => Body::Bytes(without_mark(bytes)),
            body @ Body::Json(_) => body,
        };
        let is_empty = match body {
            Body::Bytes(bytes) => bytes.is_empty(),
            Body::Json(value) => value.is_none(),
        };
        if is_empty {
            return Ok(None);
        }
        if !self.content_type.is_none_or(is_json) {
            return Err(Error::UnsupportedMediaType);
        }
        let value = match body {
            Body::Bytes(bytes) => Some(Value::parse(bytes)?).filter(|value| !value.is_null()),
            Body::Json(value) => value,
        };
        match value {
            Some(value) if !value.is_object() => Err(Error::NotAnObject),
            value => Ok(value),
        }
    }
}

/// Reports whether a media type, parameters aside, is JSON.
fn is_json(content_type: &str) -> bool {
    until(content_type, b";").as_bytes().trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// Reports whether a list of content codings leaves the body as it is.
pub(super) fn is_identity(codings: &str) -> bool {
    let mut rest = codings;
    loop {
        let coding = until(rest, b",");
        let trimmed = coding.as_bytes().trim_ascii();
        if !trimmed.is_empty() && !trimmed.eq_ignore_ascii_case(b"identity") {
            return false;
        }
        match rest.get(coding.len().saturating_add(1)..) {
            Some(others) => rest = others,
            None => return true,
        }
    }
}
