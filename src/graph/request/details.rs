//! Changes of a user's details, parsed and checked in the order of rule H2.

use crate::details::{DetailsCommand, LocationLayer, LocationLayers, WorkLocationType, WorkPlace};
use crate::graph::context::Context;
use crate::graph::date_time::DateTime;
use crate::graph::error::{Error, Field};
use crate::graph::json::Value;
use crate::graph::request::fields::member;
use crate::graph::request::target::Operation;
use crate::id::UserId;
use crate::time::Instant;

const MAX_MESSAGE: usize = 1120;

/// Memory for the text of an action, needed if something in it is escaped.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TextBuffer(heapless::Vec<u8, MAX_MESSAGE>);

impl TextBuffer {
    /// The length of the longest text that is accepted, in bytes of UTF-8: a status message of 280 characters of any kind.
    pub const CAPACITY: usize = MAX_MESSAGE;

    /// Creates an empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }
}

/// A buffer for texts with escapes, but for a message: longer than any date, and any name of a zone, a place or a type.
type Name = heapless::Vec<u8, 128>;

/// A change of a user's details, well formed, its text borrowed from the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsAction<'a> {
    /// `setStatusMessage`. See [T1](crate::rules#t1).
    SetStatusMessage {
        /// The message, a JSON string; `None` removes it.
        content: Option<Value<'a>>,
        /// The instant from which it is no longer shown.
        expires_at: Instant,
    },
    /// `setManualLocation`, `setAutomaticLocation`. See [W1](crate::rules#w1).
    SetLocation {
        /// The layer to set.
        layer: LocationLayer,
        /// The kind of place.
        kind: WorkLocationType,
        /// The id of the place, a JSON string, if the request has one.
        place_id: Option<Value<'a>>,
        /// The instant at which the day ends.
        until: Instant,
    },
    /// `clearAutomaticLocation`, `clearLocation`. See [W1](crate::rules#w1).
    ClearLocations(LocationLayers),
}

impl<'a> DetailsAction<'a> {
    /// Reports whether an operation is about details.
    pub(super) const fn is_named_by(operation: Operation) -> bool {
        match operation {
            Operation::SetStatusMessage
            | Operation::SetManualLocation
            | Operation::SetAutomaticLocation
            | Operation::ClearAutomaticLocation
            | Operation::ClearLocation => true,
            Operation::Get
            | Operation::SetPresence
            | Operation::ClearPresence
            | Operation::SetUserPreferredPresence
            | Operation::ClearUserPreferredPresence => false,
        }
    }

    /// Requires the member that an operation needs, before anything else is checked.
    pub(super) fn require(operation: Operation, body: Option<Value<'a>>) -> Result<(), Error> {
        let field = match operation {
            Operation::SetStatusMessage => return required_or_null(body, Field::StatusMessage).map(|_| ()),
            Operation::SetManualLocation | Operation::SetAutomaticLocation => Field::WorkLocationType,
            Operation::ClearAutomaticLocation | Operation::ClearLocation => return Ok(()),
            Operation::Get
            | Operation::SetPresence
            | Operation::ClearPresence
            | Operation::SetUserPreferredPresence
            | Operation::ClearUserPreferredPresence => return Err(Error::UnknownPath),
        };
        required(body, field).map(|_| ())
    }

    /// Parses the body of an operation on this user.
    pub(super) fn parse(
        operation: Operation,
        body: Option<Value<'a>>,
        user: UserId,
        context: &Context<'_>,
    ) -> Result<Self, Error> {
        let layer = match operation {
            Operation::SetStatusMessage => return status_message(body, context),
            Operation::SetManualLocation => LocationLayer::Manual,
            Operation::SetAutomaticLocation => LocationLayer::Automatic,
            Operation::ClearAutomaticLocation => return Ok(Self::ClearLocations(LocationLayers::AUTOMATIC)),
            Operation::ClearLocation => return Ok(Self::ClearLocations(LocationLayers::MANUAL_AND_AUTOMATIC)),
            Operation::Get
            | Operation::SetPresence
            | Operation::ClearPresence
            | Operation::SetUserPreferredPresence
            | Operation::ClearUserPreferredPresence => return Err(Error::UnknownPath),
        };
        let kind = required(body, Field::WorkLocationType)?;
        let place_id = member(body, Field::PlaceId)?;
        let kind = kind.text_in(&mut Name::new()).and_then(WorkLocationType::from_name);
        let kind = kind.ok_or(Error::Malformed(Field::WorkLocationType))?;
        check_text(place_id, Field::PlaceId, WorkPlace::MAX_ID_LEN)?;
        Ok(Self::SetLocation { layer, kind, place_id, until: context.end_of_day(user) })
    }

    /// Reports whether the action is about a work location, which applications by themselves may not change.
    #[must_use]
    pub const fn is_about_location(&self) -> bool {
        !matches!(self, Self::SetStatusMessage { .. })
    }

    /// Makes the command; a text with escapes is decoded into the buffer.
    #[must_use]
    pub fn command<'b>(self, buffer: &'b mut TextBuffer) -> DetailsCommand<'b>
    where
        'a: 'b,
    {
        let TextBuffer(buffer) = buffer;
        match self {
            Self::SetStatusMessage { content, expires_at } => {
                let text = content.and_then(|content| content.text_in(buffer)).unwrap_or_default();
                DetailsCommand::SetStatusMessage { text, expires_at }
            }
            Self::SetLocation { layer, kind, place_id, until } => {
                let id = place_id.and_then(|id| id.text_in(buffer));
                DetailsCommand::SetLocation { layer, place: WorkPlace { kind, id }, until }
            }
            Self::ClearLocations(layers) => DetailsCommand::ClearLocations(layers),
        }
    }
}

fn status_message<'a>(body: Option<Value<'a>>, context: &Context<'_>) -> Result<DetailsAction<'a>, Error> {
    let Some(status) = required_or_null(body, Field::StatusMessage)? else {
        return Ok(DetailsAction::SetStatusMessage { content: None, expires_at: Instant::NEVER });
    };
    let status = Some(object(status, Field::StatusMessage)?);
    let message = required_or_null(status, Field::Message)?;
    let message = message.map(|message| object(message, Field::Message)).transpose()?;
    let expiry = match member(status, Field::ExpiryDateTime)? {
        Some(expiry) => {
            let expiry = Some(object(expiry, Field::ExpiryDateTime)?);
            Some((required(expiry, Field::DateTime)?, member(expiry, Field::TimeZone)?))
        }
        None => None,
    };
    let content = member(message, Field::Content)?;
    let content_type = member(message, Field::ContentType)?;
    check_text(content, Field::Content, MAX_MESSAGE)?;
    let is_plain =
        |value: Value<'_>| value.text_in(&mut Name::new()).is_some_and(|text| text.eq_ignore_ascii_case("text"));
    if !content_type.is_none_or(is_plain) {
        return Err(Error::Malformed(Field::ContentType));
    }
    let expires_at = match expiry {
        Some((date_time, zone)) => instant(date_time, zone, context)?,
        None => Instant::NEVER,
    };
    Ok(DetailsAction::SetStatusMessage { content, expires_at })
}

/// Returns the instant of an expiry.
fn instant(date_time: Value<'_>, zone: Option<Value<'_>>, context: &Context<'_>) -> Result<Instant, Error> {
    let mut buffer = Name::new();
    let date_time = date_time.text_in(&mut buffer).and_then(DateTime::parse);
    let (local, offset) = date_time.ok_or(Error::Malformed(Field::DateTime))?;
    // Beside an offset it may be the name of no zone, but it is a text.
    check_text(zone, Field::TimeZone, usize::MAX)?;
    // What is longer than the buffer, and has escapes, is no zone.
    let zone = zone.map(|zone| zone.text_in(&mut buffer).unwrap_or_default());
    context.instant(local, offset, zone).map_err(Error::Malformed)
}

fn object(value: Value<'_>, field: Field) -> Result<Value<'_>, Error> {
    if value.is_object() { Ok(value) } else { Err(Error::Malformed(field)) }
}

fn required<'a>(body: Option<Value<'a>>, field: Field) -> Result<Value<'a>, Error> {
    member(body, field)?.ok_or(Error::Missing(field))
}

/// Returns a member that must be there, but may be null.
fn required_or_null<'a>(body: Option<Value<'a>>, field: Field) -> Result<Option<Value<'a>>, Error> {
    let value = member(body, field)?;
    let is_named = |body: Value<'_>| body.members().any(|(name, _)| Value::is_name(name, field.member()));
    if value.is_none() && !body.is_some_and(is_named) { Err(Error::Missing(field)) } else { Ok(value) }
}

/// Checks that a member, if it is there, is a text and not too long.
fn check_text(value: Option<Value<'_>>, field: Field, longest: usize) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    match value.text_len() {
        None => Err(Error::Malformed(field)),
        Some(length) if length > longest => Err(Error::OutOfRange(field)),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::caller::Caller;

    #[test]
    fn other_operations_are_no_change_of_details() {
        let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
        let user = UserId::from_bytes([0x11; 16]);
        for operation in [Operation::Get, Operation::SetPresence, Operation::ClearUserPreferredPresence] {
            assert!(!DetailsAction::is_named_by(operation));
            assert_eq!(DetailsAction::require(operation, None), Err(Error::UnknownPath));
            assert_eq!(DetailsAction::parse(operation, None, user, &context), Err(Error::UnknownPath));
        }
    }
}
