//! What a request wants changed of a user's details: parsed and checked, in the order of rule H2.

use crate::details::{DetailsCommand, LocationLayer, LocationLayers, WorkLocationType, WorkPlace};
use crate::graph::date_time::DateTime;
use crate::graph::environment::World;
use crate::graph::error::{DetailsField, Error, Field};
use crate::graph::json::Value;
use crate::graph::request::member;
use crate::graph::request::target::DetailsOperation;
use crate::id::UserId;
use crate::time::Instant;

/// The longest status message that is taken in, in bytes of UTF-8: 280 characters of any kind.
pub const MAX_MESSAGE: usize = 1120;

/// Room for the text of an action, where something in it is escaped.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TextBuffer(heapless::Vec<u8, MAX_MESSAGE>);

impl TextBuffer {
    /// An empty one. O(1).
    #[must_use]
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }
}

/// Longest text that is decoded when something in it is escaped, but for a message: longer than any date, and any name of a
/// zone, a place or a type.
type Name = heapless::Vec<u8, 128>;

/// A change of a user's details, well formed, its text where it lies in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsAction<'a> {
    /// `setStatusMessage`. Rule T1.
    SetStatusMessage {
        /// A string; `None` removes the message.
        content: Option<Value<'a>>,
        /// When it is no longer shown.
        expires_at: Instant,
    },
    /// `setManualLocation`, `setAutomaticLocation`. Rule W1.
    SetLocation {
        /// Who says so.
        layer: LocationLayer,
        /// What kind of place.
        kind: WorkLocationType,
        /// A string: which place, if the request says so.
        place_id: Option<Value<'a>>,
        /// When the day ends.
        until: Instant,
    },
    /// `clearAutomaticLocation`, `clearLocation`. Rule W1.
    ClearLocations(LocationLayers),
}

impl<'a> DetailsAction<'a> {
    /// Requires what an action needs, before anything else is looked at. Rule H2.
    pub(in crate::graph) fn require(operation: DetailsOperation, body: Option<Value<'a>>) -> Result<(), Error> {
        match operation {
            DetailsOperation::SetStatusMessage => required(body, DetailsField::StatusMessage).map(|_| ()),
            DetailsOperation::SetLocation(_) => required(body, DetailsField::WorkLocationType).map(|_| ()),
            DetailsOperation::ClearAutomaticLocation | DetailsOperation::ClearLocation => Ok(()),
        }
    }

    /// Reads the body of an action about this user.
    pub(in crate::graph) fn parse(
        operation: DetailsOperation,
        body: Option<Value<'a>>,
        user: UserId,
        world: &World<'_>,
    ) -> Result<Self, Error> {
        match operation {
            DetailsOperation::SetStatusMessage => status_message(body, world),
            DetailsOperation::SetLocation(layer) => {
                let kind = required(body, DetailsField::WorkLocationType)?;
                let place_id = optional(body, DetailsField::PlaceId)?;
                let kind = kind.text(&mut Name::new()).and_then(WorkLocationType::from_name);
                let kind = kind.ok_or(malformed(DetailsField::WorkLocationType))?;
                check_text(place_id, DetailsField::PlaceId, WorkPlace::MAX_ID_LEN)?;
                Ok(Self::SetLocation { layer, kind, place_id, until: world.end_of_day(user) })
            }
            DetailsOperation::ClearAutomaticLocation => Ok(Self::ClearLocations(LocationLayers::AUTOMATIC)),
            DetailsOperation::ClearLocation => Ok(Self::ClearLocations(LocationLayers::MANUAL_AND_AUTOMATIC)),
        }
    }

    /// Whether it is about a work location, which applications by themselves may not touch. Section 7. O(1).
    #[must_use]
    pub const fn is_about_location(&self) -> bool {
        !matches!(self, Self::SetStatusMessage { .. })
    }

    /// The command, its text decoded into a buffer where something in it is escaped. O(bytes).
    #[must_use]
    pub fn command<'b>(self, buffer: &'b mut TextBuffer) -> DetailsCommand<'b>
    where
        'a: 'b,
    {
        let TextBuffer(buffer) = buffer;
        match self {
            Self::SetStatusMessage { content, expires_at } => {
                let text = content.and_then(|content| content.text(buffer)).unwrap_or_default();
                DetailsCommand::SetStatusMessage { text, expires_at }
            }
            Self::SetLocation { layer, kind, place_id, until } => {
                let id = place_id.and_then(|id| id.text(buffer));
                DetailsCommand::SetLocation { layer, place: WorkPlace { kind, id }, until }
            }
            Self::ClearLocations(layers) => DetailsCommand::ClearLocations(layers),
        }
    }
}

fn status_message<'a>(body: Option<Value<'a>>, world: &World<'_>) -> Result<DetailsAction<'a>, Error> {
    let status = required(body, DetailsField::StatusMessage)?;
    if !status.is_object() {
        return Err(malformed(DetailsField::StatusMessage));
    }
    let message = optional(Some(status), DetailsField::Message)?;
    if message.is_none() && !status.members().any(|(name, _)| Value::is_name(name, DetailsField::Message.member())) {
        return Err(Error::Missing(Field::Details(DetailsField::Message)));
    }
    if message.is_some_and(|message| !message.is_object()) {
        return Err(malformed(DetailsField::Message));
    }
    let expiry = optional(Some(status), DetailsField::ExpiryDateTime)?;
    if expiry.is_some_and(|expiry| !expiry.is_object()) {
        return Err(malformed(DetailsField::ExpiryDateTime));
    }
    let expiry = match expiry {
        Some(expiry) => {
            let local = required(Some(expiry), DetailsField::DateTime)?;
            Some((local, required(Some(expiry), DetailsField::TimeZone)?))
        }
        None => None,
    };
    let content = optional(message, DetailsField::Content)?;
    let content_type = optional(message, DetailsField::ContentType)?;
    check_text(content, DetailsField::Content, MAX_MESSAGE)?;
    let mut buffer = Name::new();
    let is_plain = |value: Value<'_>| value.text(&mut buffer).is_some_and(|text| text.eq_ignore_ascii_case("text"));
    if !content_type.is_none_or(is_plain) {
        return Err(malformed(DetailsField::ContentType));
    }
    let expires_at = match expiry {
        None => Instant::NEVER,
        Some((local, zone)) => {
            let local = local.text(&mut buffer).and_then(DateTime::parse);
            let (local, is_utc) = local.ok_or(malformed(DetailsField::DateTime))?;
            let zone = zone.text(&mut buffer).ok_or(malformed(DetailsField::TimeZone))?;
            world.instant(local, is_utc, zone).ok_or(malformed(DetailsField::TimeZone))?
        }
    };
    Ok(DetailsAction::SetStatusMessage { content, expires_at })
}

const fn malformed(field: DetailsField) -> Error {
    Error::Malformed(Field::Details(field))
}

fn optional<'a>(body: Option<Value<'a>>, field: DetailsField) -> Result<Option<Value<'a>>, Error> {
    member(body, Field::Details(field))
}

fn required<'a>(body: Option<Value<'a>>, field: DetailsField) -> Result<Value<'a>, Error> {
    optional(body, field)?.ok_or(Error::Missing(Field::Details(field)))
}

/// Whether this is a text, if it is there at all, and not too long.
fn check_text(value: Option<Value<'_>>, field: DetailsField, longest: usize) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    match value.text_len() {
        None => Err(malformed(field)),
        Some(length) if length > longest => Err(Error::OutOfRange(Field::Details(field))),
        Some(_) => Ok(()),
    }
}
