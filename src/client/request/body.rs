//! The bodies of calls, as serde writes them.

use super::call::{Action, Call};
use crate::buffer::BufferFull;
#[cfg(feature = "details")]
use crate::graph::date_time;
use crate::id::SessionId;
#[cfg(feature = "batch")]
use crate::id::UserId;
use crate::presence::Presence;
use crate::time::Duration;
use crate::user::Command;
use core::fmt::Display;
use serde::{Serialize, Serializer};

impl Call<'_> {
    /// Reports whether there is a body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        Body::of(self).is_some()
    }

    /// Writes the body, a JSON text, to the beginning of a buffer, and returns it; an empty one if there is none.
    ///
    /// serde-json-core writes it. The first body links some six kilobytes into a small device, and three places that
    /// end in a panic, which no test has reached.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]. [`MAX_COMMAND_BODY`](Self::MAX_COMMAND_BODY) bytes suffice for commands; a bulk read takes 10 bytes
    /// and 39 for each id, a status message 180 and six for each of its bytes, a location 80 and six for each byte of its
    /// place.
    pub fn write_body<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], BufferFull> {
        Body::of(self).map_or(Ok(&[]), |body| write(&body, buffer))
    }
}

/// Writes a value as JSON to the beginning of a buffer, and returns it.
pub(super) fn write<'b>(value: &impl Serialize, buffer: &'b mut [u8]) -> Result<&'b [u8], BufferFull> {
    let len = serde_json_core::to_slice(value, buffer).map_err(|_| BufferFull)?;
    Ok(buffer.get(..len).unwrap_or_default())
}

/// The body of a call.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum Body<'a> {
    SetPresence {
        session_id: Text<SessionId>,
        availability: &'static str,
        activity: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        expiration_duration: Option<Text<Duration>>,
    },
    ClearPresence {
        session_id: Text<SessionId>,
    },
    SetPreferredPresence {
        availability: &'static str,
        activity: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        expiration_duration: Option<Text<Duration>>,
    },
    /// Graph's documentation wants an object here, and none for the other actions without members.
    ClearPreferredPresence {},
    #[cfg(feature = "batch")]
    PresencesByUserId {
        #[serde(serialize_with = "write_ids")]
        ids: &'a [UserId],
    },
    #[cfg(feature = "details")]
    SetStatusMessage {
        status_message: StatusMessage<'a>,
    },
    #[cfg(feature = "details")]
    SetLocation {
        work_location_type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        place_id: Option<&'a str>,
    },
    #[cfg(not(any(feature = "batch", feature = "details")))]
    #[serde(skip)]
    _None(core::marker::PhantomData<&'a ()>),
}

#[cfg(feature = "details")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusMessage<'a> {
    message: Message<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_date_time: Option<DateTimeTimeZone>,
}

#[cfg(feature = "details")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    content: &'a str,
    content_type: &'static str,
}

#[cfg(feature = "details")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DateTimeTimeZone {
    #[serde(serialize_with = "write_date_time")]
    date_time: u64,
    time_zone: &'static str,
}

impl<'a> Body<'a> {
    pub(super) fn of(call: &Call<'a>) -> Option<Self> {
        Some(match call.action {
            Action::Execute(_, command) => Self::of_command(command),
            #[cfg(feature = "batch")]
            Action::PresencesByUserId(ids) => Self::PresencesByUserId { ids },
            #[cfg(feature = "details")]
            Action::SetStatusMessage(_, content, expires_at) => Self::SetStatusMessage {
                status_message: StatusMessage {
                    message: Message { content, content_type: "text" },
                    expiry_date_time: expires_at.map(|date_time| DateTimeTimeZone { date_time, time_zone: "UTC" }),
                },
            },
            #[cfg(feature = "details")]
            Action::SetLocation(_, _, place) => {
                Self::SetLocation { work_location_type: place.kind.name(), place_id: place.id }
            }
            #[cfg(feature = "details")]
            Action::User(_) | Action::ClearLocation(..) => return None,
            #[cfg(feature = "batch")]
            Action::Presences(_) => return None,
            Action::Presence(_) => return None,
        })
    }

    fn of_command(command: Command<SessionId>) -> Self {
        let names = |presence: Presence| (presence.availability().name(), presence.activity().name());
        match command {
            Command::SetPresence { session, presence, lease } => {
                let (availability, activity) = names(presence);
                let (session_id, expiration_duration) = (Text(session), lease.map(Text));
                Self::SetPresence { session_id, availability, activity, expiration_duration }
            }
            Command::ClearPresence { session } => Self::ClearPresence { session_id: Text(session) },
            Command::SetPreferredPresence { presence, duration } => {
                let (availability, activity) = names(presence);
                Self::SetPreferredPresence { availability, activity, expiration_duration: duration.map(Text) }
            }
            Command::ClearPreferredPresence => Self::ClearPreferredPresence {},
        }
    }
}

/// A value that is written as the text that it displays.
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(feature = "batch")]
fn write_ids<S: Serializer>(ids: &[UserId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(|id| Text(*id)))
}

/// Writes a time without a zone, which stands beside it.
#[cfg(feature = "details")]
fn write_date_time<S: Serializer>(unix: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(core::str::from_utf8(&date_time(*unix)).unwrap_or_default())
}
