//! Presence objects, with all their members.

use super::error::AnswerError;
#[cfg(feature = "details")]
use super::read::inner;
use super::read::{object, string};
#[cfg(feature = "details")]
use crate::details::{LocationLayer, WorkLocationType};
use crate::graph::Resource;
use crate::graph::json::Value;
#[cfg(feature = "details")]
use crate::graph::{DateTime, is_utc};
use crate::id::UserId;
use crate::presence::Presence;

/// A presence object, received; its texts are borrowed from the answer ([P3](crate::rules#p3), [H3](crate::rules#h3)).
///
/// A text is a JSON string, as it was written: [`Value::text_start`] decodes as much of it as there is room for.
///
/// ```
/// use presence_core::client::PresenceObject;
/// use presence_core::{Presence, UserId};
///
/// let body = br#"{
///     "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users('me')/presence/$entity",
///     "id": "fa8bf3dc-eca7-46b7-bad1-db199b62afc3", "availability": "Busy", "activity": "InAMeeting",
///     "statusMessage": null, "outOfOfficeSettings": {"message": "Back on \u004donday", "isOutOfOffice": true},
///     "sequenceNumber": "A0129311063"
/// }"#;
/// let read = PresenceObject::parse(body)?;
/// assert_eq!(read.id, UserId::parse("fa8bf3dc-eca7-46b7-bad1-db199b62afc3").ok());
/// assert_eq!((read.presence, read.is_out_of_office), (Presence::InAMeeting, true));
/// assert!(read.sequence_number.is_some_and(|number| number.is_text("A0129311063")));
/// // What is not understood is no presence, and the error names the member.
/// let error = PresenceObject::parse(br#"{"availability":"Busy"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "activity is missing");
/// # Ok::<(), presence_core::client::AnswerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct PresenceObject<'a> {
    /// The user's id.
    pub id: Option<UserId>,
    /// The presence.
    pub presence: Presence,
    /// True if the activity or the out-of-office settings say so ([P4](crate::rules#p4)).
    pub is_out_of_office: bool,
    /// A text that grows, as strings do, whenever something of the user changes ([V1](crate::rules#v1)).
    pub sequence_number: Option<Value<'a>>,
    /// The out-of-office message. Feature `details`.
    #[cfg(feature = "details")]
    pub out_of_office_message: Option<Value<'a>>,
    /// The status message. Feature `details`.
    #[cfg(feature = "details")]
    pub status_message: Option<ReceivedMessage<'a>>,
    /// The work location; `None` for one that is unspecified or of a kind that is not known. Feature `details`.
    #[cfg(feature = "details")]
    pub work_location: Option<ReceivedLocation<'a>>,
}

/// A status message, received. Feature `details`.
#[cfg(feature = "details")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ReceivedMessage<'a> {
    /// The text.
    pub content: Value<'a>,
    /// The time at which it was set, in UTC.
    pub published: Option<DateTime>,
    /// The time from which it is no longer shown, and the name of the zone in which that is; no name for UTC.
    pub expiry: Option<(DateTime, Option<Value<'a>>)>,
}

/// A work location, received. Feature `details`.
#[cfg(feature = "details")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ReceivedLocation<'a> {
    /// The kind of place.
    pub kind: WorkLocationType,
    /// The id of the place.
    pub place_id: Option<Value<'a>>,
    /// The layer that it comes from, if that is known.
    pub source: Option<LocationLayer>,
}

impl<'a> PresenceObject<'a> {
    /// Reads the answer to a read of one user's presence.
    ///
    /// # Errors
    ///
    /// [`AnswerError`], also for an answer without availability or activity.
    pub fn parse(body: &'a [u8]) -> Result<Self, AnswerError> {
        Self::read(object(body)?)
    }

    /// Reads the answer to a read of selected members: those that were not selected may be missing. Feature `details`.
    ///
    /// An availability alone is its plain presence, an activity alone the presence of that activity; without both it is
    /// [`Presence::Unknown`].
    ///
    /// # Errors
    ///
    /// [`AnswerError`].
    #[cfg(feature = "details")]
    pub fn parse_selected(body: &'a [u8]) -> Result<Self, AnswerError> {
        Self::read_selected(object(body)?)
    }

    #[cfg(feature = "details")]
    pub(super) fn read_selected(value: Value<'a>) -> Result<Self, AnswerError> {
        Self::with_presence(value, Resource::read_selected(value).map_err(AnswerError::of_presence)?)
    }

    /// Reads the presence object in a larger answer.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn read(value: Value<'a>) -> Result<Self, AnswerError> {
        Self::with_presence(value, Resource::read(value).map_err(AnswerError::of_presence)?)
    }

    fn with_presence(value: Value<'a>, (presence, is_out_of_office): (Presence, bool)) -> Result<Self, AnswerError> {
        Ok(Self {
            id: id(value)?,
            presence,
            is_out_of_office,
            sequence_number: string(value, "sequenceNumber")?,
            #[cfg(feature = "details")]
            out_of_office_message: match inner(value, "outOfOfficeSettings")? {
                Some(settings) => string(settings, "message")?,
                None => None,
            },
            #[cfg(feature = "details")]
            status_message: status_message(value)?,
            #[cfg(feature = "details")]
            work_location: work_location(value)?,
        })
    }
}

fn id(value: Value<'_>) -> Result<Option<UserId>, AnswerError> {
    let Some(id) = string(value, "id")? else { return Ok(None) };
    // One in braces takes 38 bytes.
    let text = id.text(&mut [0; 38]).ok().flatten().and_then(|text| UserId::parse(text).ok());
    text.map(Some).ok_or(AnswerError::Malformed("id"))
}

/// Reads the status message; one without content is none.
#[cfg(feature = "details")]
fn status_message(value: Value<'_>) -> Result<Option<ReceivedMessage<'_>>, AnswerError> {
    let Some(status) = inner(value, "statusMessage")? else { return Ok(None) };
    let Some(message) = inner(status, "message")? else { return Ok(None) };
    let Some(content) = string(message, "content")? else { return Ok(None) };
    let published = match string(status, "publishedDateTime")? {
        Some(text) => Some(date_time(text, "publishedDateTime")?.0),
        None => None,
    };
    let expiry = match inner(status, "expiryDateTime")? {
        Some(expiry) => expiry_of(expiry)?,
        None => None,
    };
    Ok(Some(ReceivedMessage { content, published, expiry }))
}

/// Reads a time and its zone; one that is null, or has no time, is none.
#[cfg(feature = "details")]
fn expiry_of(value: Value<'_>) -> Result<Option<(DateTime, Option<Value<'_>>)>, AnswerError> {
    let Some(text) = string(value, "dateTime")? else { return Ok(None) };
    let (date_time, has_offset) = date_time(text, "dateTime")?;
    let zone = string(value, "timeZone")?;
    let is_utc = |zone: &Value<'_>| zone.text(&mut [0; 32]).ok().flatten().is_some_and(is_utc);
    Ok(Some((date_time, zone.filter(|zone| !has_offset && !is_utc(zone)))))
}

/// Reads a time, in UTC if there is an offset behind it, and reports whether there is.
#[cfg(feature = "details")]
fn date_time(text: Value<'_>, name: &'static str) -> Result<(DateTime, bool), AnswerError> {
    let mut buffer = [0; 40];
    let read = text.text(&mut buffer).ok().flatten().and_then(DateTime::parse);
    match read.ok_or(AnswerError::Malformed(name))? {
        (local, None) => Ok((local, false)),
        (local, Some(offset)) => Ok((DateTime::from_unix_millis(local.to_unix_millis_at(offset)), true)),
    }
}

#[cfg(feature = "details")]
fn work_location(value: Value<'_>) -> Result<Option<ReceivedLocation<'_>>, AnswerError> {
    let Some(location) = inner(value, "workLocation")? else { return Ok(None) };
    let (mut kind_buffer, mut source_buffer) = ([0; 32], [0; 32]);
    let kind = name(location, "workLocationType", &mut kind_buffer)?.and_then(WorkLocationType::from_name);
    let source = name(location, "source", &mut source_buffer)?;
    let is_source = |layer: &LocationLayer| source.is_some_and(|source| source.eq_ignore_ascii_case(layer.name()));
    let source = LocationLayer::ALL.into_iter().find(is_source);
    let place_id = string(location, "placeId")?;
    Ok(kind.map(|kind| ReceivedLocation { kind, place_id, source }))
}

/// Returns the name in a member; the beginning of one that is longer than any.
#[cfg(feature = "details")]
fn name<'b>(value: Value<'_>, name: &'static str, buffer: &'b mut [u8]) -> Result<Option<&'b str>, AnswerError> {
    Ok(string(value, name)?.and_then(|text| text.text_start(buffer)))
}
