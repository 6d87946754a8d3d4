//! Requests, parsed and checked in the order of rule H2, before authorisation.

pub(in crate::graph) mod batch;
#[cfg(feature = "details")]
pub(in crate::graph) mod details;
pub(in crate::graph) mod element;
mod fields;
#[cfg(feature = "batch")]
mod filter;
pub(in crate::graph) mod ids;
mod query;
pub(in crate::graph) mod raw;
pub(in crate::graph) mod select;
pub(in crate::graph) mod target;
pub(super) mod uri;

use crate::graph::HAS_BATCH;
use crate::graph::context::Context;
use crate::graph::error::{Error, Field};
use crate::graph::json::{Value, decode};
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::user::Command;
use batch::Batch;
#[cfg(feature = "details")]
use details::DetailsAction;
use element::{Element, MediaType, Method, Url};
use ids::Ids;
use query::Query;
use raw::{Body, RawRequest};
use select::Select;
use target::{Operation, Target};
use uri::until;

/// A request that is well formed and within the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Request<'a> {
    /// A read of one user's presence.
    Get {
        /// The user to read.
        user: UserId,
        /// The members of the presence object to write.
        select: Select,
    },
    /// A change of one user's presence.
    Execute {
        /// The user to change.
        user: UserId,
        /// The change.
        command: Command<SessionId>,
    },
    /// A change of one user's details. Feature `details`.
    #[cfg(feature = "details")]
    ExecuteDetails {
        /// The user to change.
        user: UserId,
        /// The change.
        action: DetailsAction<'a>,
    },
    /// A read of what is known of one user. Feature `details`.
    #[cfg(feature = "details")]
    GetUser {
        /// The user to read.
        user: UserId,
        /// The members of the user object to write.
        select: Select,
    },
    /// A read of many users' presences.
    GetPresences(Ids<'a>),
    /// Many requests in one.
    Batch(Batch<'a>),
}

impl<'a> Request<'a> {
    /// Parses a request and checks it against a policy.
    ///
    /// Checks run in the order of [H2](crate::rules#h2): size, path, method, media type, syntax, required fields, form of ids,
    /// duration syntax, duration range, pair.
    ///
    /// # Errors
    ///
    /// The [`Error`] of the first check that fails.
    ///
    /// ```
    /// use presence_core::graph::{Caller, Context, Error, Field, RawRequest, Request};
    /// use presence_core::{Instant, Policy};
    ///
    /// let target = "/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/clearPresence";
    /// let raw = RawRequest::new("POST", target).with_body(b"{}");
    /// let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
    /// let error = Request::parse(&raw, &context, &Policy::GRAPH).unwrap_err();
    /// assert_eq!(error, Error::Missing(Field::SessionId));
    /// assert_eq!(error.to_string(), "[SessionId]: The SessionId field is required.");
    /// ```
    pub fn parse(raw: &RawRequest<'a, 'a>, context: &Context<'_>, policy: &Policy) -> Result<Self, Error> {
        let method = if raw.is_head() { "GET" } else { raw.method };
        Self::parse_for(raw, method, Query::new(raw.target), context.me(), context, policy)
    }

    fn parse_for(
        raw: &RawRequest<'_, 'a>,
        method: &str,
        query: Query<'a>,
        me: Option<&UserId>,
        context: &Context<'_>,
        policy: &Policy,
    ) -> Result<Self, Error> {
        if raw.is_too_large() {
            return Err(Error::TooLarge);
        }
        let (user, operation) = match Target::route(method, raw.target, me, context)? {
            Target::Presence(user, operation) => (user, operation),
            #[cfg(feature = "details")]
            Target::User(user) => {
                return Ok(Self::GetUser { user: user.user(me, context)?, select: Select::of_user(query) });
            }
            Target::Batch if HAS_BATCH => return Batch::parse(raw.body()?).map(Self::Batch),
            Target::PresencesByUserId if HAS_BATCH => {
                let ids = Ids::parse(raw.body()?)?;
                return Ok(Self::GetPresences(ids.with_select(select(query)?)));
            }
            Target::Presences if HAS_BATCH => {
                return Ok(Self::GetPresences(filter(query)?.with_select(select(query)?)));
            }
            Target::Batch | Target::PresencesByUserId | Target::Presences => return Err(Error::UnknownPath),
        };
        if operation == Operation::Get {
            return Ok(Self::Get { user: user.user(me, context)?, select: select(query)? });
        }
        #[cfg(feature = "details")]
        if DetailsAction::is_named_by(operation) {
            let body = raw.body()?;
            DetailsAction::require(operation, body)?;
            let user = user.user(me, context)?;
            return Ok(Self::ExecuteDetails { user, action: DetailsAction::parse(operation, body, user, context)? });
        }
        let mut fields = [None; 4];
        fields::find(&mut fields, raw.body()?, operation)?;
        let user = user.user(me, context)?;
        Ok(Self::Execute { user, command: fields::command(&fields, operation, policy)? })
    }
}

impl<'a> Element<'a> {
    /// Parses the request in this element, as [`Request::parse`] does.
    ///
    /// # Errors
    ///
    /// The first [`Error`] of the element, or of its request.
    pub fn request(self, context: &Context<'_>, policy: &Policy) -> Result<Request<'a>, Error> {
        let (mut method_buffer, mut url_buffer) = (Method::new(), Url::new());
        let method = self.member(Field::Method)?.ok_or(Error::Missing(Field::Method))?;
        let url = self.member(Field::Url)?.ok_or(Error::Missing(Field::Url))?;
        if !method.is_string() {
            return Err(Error::Malformed(Field::Method));
        }
        let url = url.escaped().ok_or(Error::Malformed(Field::Url))?;
        // A path too long to decode names nothing here, and neither does such a method.
        let target = decode(until(url, b"?"), &mut url_buffer).ok_or(Error::UnknownPath)?;
        let method = method.text_in(&mut method_buffer).unwrap_or_default();
        let me = context.me();
        Target::route(method, target, me, context)?;
        let mut media_type = MediaType::new();
        let raw = self.raw(method, target, &mut media_type)?;
        Request::parse_for(&raw, method, Query::in_json(url), me, context, policy)
    }

    /// Returns the body of an element, an object or none, for an application that has requests of its own.
    ///
    /// It is checked as that of any other request: the media type, the coding, the kind of value.
    ///
    /// # Errors
    ///
    /// The first [`Error`] of the element's headers or its body.
    ///
    /// ```
    /// use presence_core::graph::{Element, Error, json::Value};
    ///
    /// let body = |text: &'static [u8]| Element::parse(Value::parse(text)?)?.body();
    /// let value = body(br#"{"id":"1","body":{"brightness":48}}"#)?.expect("a body");
    /// assert_eq!(value.as_str(), r#"{"brightness":48}"#);
    /// assert_eq!(body(br#"{"id":"1","body":48}"#), Err(Error::NotAnObject));
    /// assert_eq!(body(br#"{"id":"1"}"#), Ok(None));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn body(self) -> Result<Option<Value<'a>>, Error> {
        self.raw("", "", &mut MediaType::new())?.body()
    }

    /// Returns the request in this element, with its headers and its body.
    // A call, and what it returns through memory, is more bytes on a small device.
    #[inline(always)]
    fn raw<'h>(
        self,
        method: &'h str,
        target: &'h str,
        media_type: &'h mut MediaType,
    ) -> Result<RawRequest<'h, 'a>, Error>
    where
        'a: 'h,
    {
        let headers = self.headers()?;
        let content_type = headers.content_type.map(|value| value.text_in(media_type).unwrap_or_default());
        let content_encoding = if headers.is_coded { Some("unknown") } else { None };
        let body = Body::Json(self.member(Field::Body)?);
        Ok(RawRequest { method, target, content_type, content_encoding, body })
    }
}

/// Parses `$select`; without feature `details` everything is selected.
fn select(query: Query<'_>) -> Result<Select, Error> {
    #[cfg(feature = "details")]
    return Select::of(query);
    #[cfg(not(feature = "details"))]
    {
        let _ = query;
        Ok(Select::ALL)
    }
}

/// Parses `$filter`; without feature `batch` there is no collection to filter.
fn filter(query: Query<'_>) -> Result<Ids<'_>, Error> {
    #[cfg(feature = "batch")]
    return Ids::filtered(query);
    #[cfg(not(feature = "batch"))]
    {
        let _ = query;
        Err(Error::UnknownPath)
    }
}
