//! A request before anything of it is parsed.

use crate::graph::error::Error;
use crate::graph::json::Value;
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
    /// The method: `GET` or `POST`, in any case.
    pub method: &'h str,
    /// The path and the query.
    pub target: &'h str,
    /// The media type, if one was sent. Clients send none with an empty body.
    pub content_type: Option<&'h str>,
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
        Self { method, target, content_type: None, body: Body::Bytes(&[]) }
    }

    /// Sets the media type.
    #[must_use]
    pub fn with_content_type(self, content_type: impl Into<Option<&'h str>>) -> Self {
        Self { content_type: content_type.into(), ..self }
    }

    /// Sets the body, a JSON text; an empty one is no body.
    #[must_use]
    pub const fn with_body(mut self, body: &'b [u8]) -> Self {
        self.body = Body::Bytes(body);
        self
    }

    pub(super) fn is_too_large(&self) -> bool {
        matches!(self.body, Body::Bytes(bytes) if bytes.len() > Self::MAX_BODY)
    }

    /// Validates the body: an object, or none.
    pub(super) fn body(&self) -> Result<Option<Value<'b>>, Error> {
        let is_empty = match self.body {
            Body::Bytes(bytes) => bytes.is_empty(),
            Body::Json(value) => value.is_none(),
        };
        if is_empty {
            return Ok(None);
        }
        if !self.content_type.is_none_or(is_json) {
            return Err(Error::UnsupportedMediaType);
        }
        let value = match self.body {
            Body::Bytes(bytes) => Some(Value::parse(bytes)?),
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
