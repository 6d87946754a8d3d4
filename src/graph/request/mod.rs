//! Requests: parsed and checked, in the order of rule H2, before anyone asks whether the caller may.

pub(in crate::graph) mod batch;
#[cfg(feature = "details")]
pub(in crate::graph) mod details;
pub(in crate::graph) mod select;
pub(in crate::graph) mod target;

use crate::graph::error::{Error, Field};
use crate::graph::json::Value;
use crate::graph::request::batch::Batch;
use crate::graph::request::select::Select;
use crate::graph::request::target::{Operation, Target, until};
use crate::graph::serve::Context;
use crate::graph::{HAS_BATCH, MAX_BODY, MAX_IDS};
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, DurationRange, IsoDuration};
use crate::user::{Command, CommandError};
#[cfg(feature = "details")]
use details::DetailsAction;

/// A request as it comes in: over HTTP, or out of an element of a batch.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RawRequest<'h, 'b> {
    /// `GET` or `POST`.
    pub method: &'h str,
    /// Path and query.
    pub target: &'h str,
    /// The media type, where one was sent. Clients send none with an empty body.
    pub content_type: Option<&'h str>,
    /// The body.
    pub body: Body<'b>,
}

#[cfg(feature = "details")]
pub(in crate::graph) use crate::graph::environment::World;

/// What the embedder knows of the world: nothing is asked without feature `details`.
#[cfg(not(feature = "details"))]
#[derive(Clone, Copy)]
pub(in crate::graph) struct World<'a>(core::marker::PhantomData<&'a ()>);

#[cfg(not(feature = "details"))]
impl World<'_> {
    pub(in crate::graph) const NOTHING: Self = Self(core::marker::PhantomData);
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Body<'a> {
    /// As it came over HTTP; nothing if it is empty.
    Bytes(&'a [u8]),
    /// Out of an element of a batch, validated with it.
    Json(Option<Value<'a>>),
}

/// A request that is well formed and within the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Request<'a> {
    /// Read one user's presence.
    Get {
        /// Whose.
        user: UserId,
        /// Which members of it are asked for.
        select: Select,
    },
    /// Change one user's presence.
    Execute {
        /// Whose.
        user: UserId,
        /// How.
        command: Command<SessionId>,
    },
    /// Change one user's details. Feature `details`.
    #[cfg(feature = "details")]
    ExecuteDetails {
        /// Whose.
        user: UserId,
        /// How.
        action: DetailsAction<'a>,
    },
    /// Read many users' presences.
    GetPresences(Ids<'a>),
    /// Carry out many requests.
    Batch(Batch<'a>),
}

impl<'a> Request<'a> {
    /// Parses a request and checks it against a policy, in the order of rule H2: size, path, method, media type, syntax,
    /// required fields, form of ids, duration syntax, duration range, pair. `me` says who `/me` is. O(bytes), in bounded
    /// memory.
    ///
    /// # Errors
    ///
    /// [`Error`] names the first thing that is wrong.
    ///
    /// ```
    /// use presence_core::graph::{Body, Field, RawRequest, Error, Request};
    /// use presence_core::Policy;
    ///
    /// let refused = Request::parse(
    ///     &RawRequest {
    ///         method: "POST",
    ///         target: "/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/clearPresence",
    ///         content_type: None,
    ///         body: Body::Bytes(b"{}"),
    ///     },
    ///     None,
    ///     &Policy::GRAPH,
    /// );
    /// assert_eq!(refused, Err(Error::Missing(Field::SessionId)));
    /// assert_eq!(refused.unwrap_err().to_string(), "[SessionId]: The SessionId field is required.");
    /// ```
    pub fn parse(incoming: &RawRequest<'_, 'a>, me: Option<UserId>, policy: &Policy) -> Result<Self, Error> {
        Self::parse_for(incoming, me.as_ref(), &World::NOTHING, policy)
    }

    /// The same in an exchange, which says who `/me` is, what time it is, and what the embedder knows of the world. Rule H2.
    /// O(bytes), in bounded memory, and whatever the embedder's hooks take.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_in(incoming: &RawRequest<'_, 'a>, exchange: &Context<'_>, policy: &Policy) -> Result<Self, Error> {
        Self::parse_for(incoming, exchange.caller.me_ref(), &exchange.world(), policy)
    }

    pub(in crate::graph) fn parse_for(
        incoming: &RawRequest<'_, 'a>,
        me: Option<&UserId>,
        world: &World<'_>,
        policy: &Policy,
    ) -> Result<Self, Error> {
        if matches!(incoming.body, Body::Bytes(bytes) if bytes.len() > MAX_BODY) {
            return Err(Error::TooLarge);
        }
        let (owner, operation) = match Target::route(incoming.method, incoming.target, me.is_some(), world)? {
            Target::Presence(owner, operation) => (owner, operation),
            Target::Batch if HAS_BATCH => return Batch::parse(incoming.body()?).map(Self::Batch),
            Target::PresencesByUserId if HAS_BATCH => {
                let ids = Ids::parse(incoming.body()?)?;
                return Ok(Self::GetPresences(Ids { select: select(incoming.target)?, ..ids }));
            }
            Target::Batch | Target::PresencesByUserId => return Err(Error::UnknownPath),
        };
        if operation == Operation::Get {
            return Ok(Self::Get { user: owner.user(me, world)?, select: select(incoming.target)? });
        }
        #[cfg(feature = "details")]
        if let Operation::Details(operation) = operation {
            let body = incoming.body()?;
            DetailsAction::require(operation, body)?;
            let user = owner.user(me, world)?;
            return Ok(Self::ExecuteDetails { user, action: DetailsAction::parse(operation, body, user, world)? });
        }
        let mut fields = [None; 4];
        find(&mut fields, incoming.body()?, operation)?;
        let user = owner.user(me, world)?;
        Ok(Self::Execute { user, command: command(&fields, operation, policy)? })
    }
}

impl<'b> RawRequest<'_, 'b> {
    /// The body: an object, or nothing.
    fn body(&self) -> Result<Option<Value<'b>>, Error> {
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

/// Whether a media type, parameters aside, is JSON.
fn is_json(content_type: &str) -> bool {
    until(content_type, b";").as_bytes().trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// A member of a body that may be missing.
pub(in crate::graph) fn member<'a>(body: Option<Value<'a>>, field: Field) -> Result<Option<Value<'a>>, Error> {
    body.map_or(Ok(None), |body| body.member(field.member())).map_err(|_| Error::Duplicate(field))
}

/// Longest text that is decoded when something in it is escaped: longer than any id, name or duration.
type Text = heapless::Vec<u8, 40>;

/// The text of a member; nothing where there is none, or no text of a length that means something.
fn text<'b>(value: Option<Value<'b>>, buffer: &'b mut Text) -> &'b str {
    value.and_then(|value| value.text(buffer)).unwrap_or_default()
}

/// The members of an action's body, found and required, but not looked into.
type Fields<'a> = [Option<Value<'a>>; 4];

/// What they are.
const FIELDS: [Field; 4] = [Field::SessionId, Field::Availability, Field::Activity, Field::ExpirationDuration];

/// Finds what an operation takes, and requires what it needs.
fn find<'a>(fields: &mut Fields<'a>, body: Option<Value<'a>>, operation: Operation) -> Result<(), Error> {
    let names_session = matches!(operation, Operation::SetPresence | Operation::ClearPresence);
    let names_presence = matches!(operation, Operation::SetPresence | Operation::SetUserPreferredPresence);
    let is_named = |field| if matches!(field, Field::SessionId) { names_session } else { names_presence };
    for (value, field) in fields.iter_mut().zip(FIELDS) {
        if is_named(field) {
            *value = member(body, field)?;
        }
    }
    for (value, field) in fields.iter().zip(FIELDS) {
        if is_named(field) && value.is_none() && !matches!(field, Field::ExpirationDuration) {
            return Err(Error::Missing(field));
        }
    }
    Ok(())
}

/// The command, its fields checked in the order of rule H2: id, duration, range, pair.
fn command(fields: &Fields<'_>, operation: Operation, policy: &Policy) -> Result<Command<SessionId>, Error> {
    let [session, availability, activity, duration] = *fields;
    Ok(match operation {
        Operation::SetPresence => {
            let session = session_id(session)?;
            let lease = duration_within(duration, policy.leases)?;
            let presence = presence(availability, activity)?;
            policy.check_session(presence, lease).map_err(CommandError::from)?;
            Command::SetPresence { session, presence, lease }
        }
        Operation::SetUserPreferredPresence => {
            let duration = duration_within(duration, policy.preferred_durations)?;
            let presence = presence(availability, activity)?;
            policy.check_preferred(presence, duration).map_err(CommandError::from)?;
            Command::SetPreferredPresence { presence, duration }
        }
        Operation::ClearPresence => Command::ClearPresence { session: session_id(session)? },
        // Reads have returned before, and so has what is about details.
        _ => Command::ClearPreferredPresence,
    })
}

fn session_id(value: Option<Value<'_>>) -> Result<SessionId, Error> {
    SessionId::parse(text(value, &mut Text::new())).map_err(|_| Error::Malformed(Field::SessionId))
}

fn duration_within(value: Option<Value<'_>>, range: DurationRange) -> Result<Option<Duration>, Error> {
    if value.is_none() {
        return Ok(None);
    }
    let written =
        IsoDuration::parse(text(value, &mut Text::new())).map_err(|_| Error::Malformed(Field::ExpirationDuration))?;
    written.within(range).map(Some).ok_or(Error::OutOfRange(Field::ExpirationDuration))
}

fn presence(availability: Option<Value<'_>>, activity: Option<Value<'_>>) -> Result<Presence, Error> {
    let (mut first, mut second) = (Text::new(), Text::new());
    Presence::from_names(text(availability, &mut first), text(activity, &mut second)).map_err(|_| Error::Pair)
}

/// The ids of a bulk read, 1 to [`MAX_IDS`], each a GUID, walked where they lie in the body. Rule H2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ids<'a> {
    ids: Value<'a>,
    select: Select,
}

impl<'a> Ids<'a> {
    /// The `ids` of a body. Rule H2. O(bytes), in bounded memory.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Malformed`], [`Error::Duplicate`] or [`Error::Count`], of [`Field::Ids`].
    pub fn parse(body: Option<Value<'a>>) -> Result<Self, Error> {
        let ids = member(body, Field::Ids)?.ok_or(Error::Missing(Field::Ids))?;
        if !ids.is_array() {
            return Err(Error::Malformed(Field::Ids));
        }
        let count = ids.elements().take(MAX_IDS.saturating_add(1)).count();
        if count == 0 || count > MAX_IDS {
            return Err(Error::Count(Field::Ids));
        }
        if ids.elements().any(|id| user_id(id).is_none()) {
            return Err(Error::Malformed(Field::Ids));
        }
        Ok(Self { ids, select: Select::ALL })
    }

    /// The ids, in the order asked; one asked twice comes twice. O(bytes) to exhaust.
    pub fn iter(self) -> impl Iterator<Item = UserId> {
        self.ids.elements().filter_map(user_id)
    }

    /// Which members of each presence are asked for. O(1).
    #[must_use]
    pub const fn select(self) -> Select {
        self.select
    }
}

/// What is selected; without feature `details` nobody looks.
fn select(target: &str) -> Result<Select, Error> {
    #[cfg(feature = "details")]
    return Select::parse(target);
    #[cfg(not(feature = "details"))]
    {
        let _ = target;
        Ok(Select::ALL)
    }
}

fn user_id(value: Value<'_>) -> Option<UserId> {
    UserId::parse(value.text(&mut Text::new())?).ok()
}
