//! The bodies of calls.

use super::call::{Action, Call};
use super::written::written;
use crate::buffer::BufferFull;
#[cfg(feature = "details")]
use crate::details::WorkPlace;
use crate::graph::{Writer, write_template};
#[cfg(feature = "details")]
use crate::graph::{date_time, write_string};
use crate::id::SessionId;
#[cfg(feature = "batch")]
use crate::id::UserId;
use crate::presence::Presence;
use crate::time::Duration;
use crate::user::Command;

impl Call<'_> {
    /// Reports whether there is a body.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        match self.action {
            Action::Execute(..) => true,
            #[cfg(feature = "batch")]
            Action::PresencesByUserId(_) => true,
            #[cfg(feature = "details")]
            Action::SetStatusMessage(..) | Action::SetLocation(..) => true,
            #[cfg(feature = "details")]
            Action::User(_) | Action::ClearLocation(..) => false,
            #[cfg(feature = "batch")]
            Action::Presences(_) => false,
            Action::Presence(_) => false,
        }
    }

    /// Writes the body, a JSON text, to the beginning of a buffer, and returns it; an empty one if there is none.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]. [`MAX_COMMAND_BODY`](Self::MAX_COMMAND_BODY) bytes suffice for commands; a bulk read takes 10 bytes
    /// and 39 for each id, a status message 180 and six for each of its bytes, a location 80 and six for each byte of its
    /// place.
    pub fn write_body<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], BufferFull> {
        written(buffer, |writer| write_body(writer, self))
    }
}

/// Writes the body, if there is one.
pub(super) fn write_body(writer: &mut dyn Writer, call: &Call<'_>) -> Result<(), BufferFull> {
    match call.action {
        Action::Execute(_, command) => write_command(writer, command),
        #[cfg(feature = "batch")]
        Action::PresencesByUserId(ids) => write_ids(writer, ids),
        #[cfg(feature = "details")]
        Action::SetStatusMessage(_, content, expires_at) => write_status_message(writer, content, expires_at),
        #[cfg(feature = "details")]
        Action::SetLocation(_, _, place) => write_location(writer, place),
        _ => Ok(()),
    }
}

fn write_command(writer: &mut dyn Writer, command: Command<SessionId>) -> Result<(), BufferFull> {
    match command {
        Command::SetPresence { session, presence, lease } => {
            write_template(writer, r#"{"sessionId":"*","#, &[&session.to_text()])?;
            write_presence(writer, presence, lease)
        }
        Command::ClearPresence { session } => write_template(writer, r#"{"sessionId":"*"}"#, &[&session.to_text()]),
        Command::SetPreferredPresence { presence, duration } => {
            writer.write(b"{")?;
            write_presence(writer, presence, duration)
        }
        // Graph's documentation wants an object here, and none for the other actions without members.
        Command::ClearPreferredPresence => writer.write(b"{}"),
    }
}

/// Writes what an object with a presence ends with.
fn write_presence(writer: &mut dyn Writer, presence: Presence, lease: Option<Duration>) -> Result<(), BufferFull> {
    let (availability, activity) = (presence.availability().name(), presence.activity().name());
    write_template(writer, r#""availability":"*","activity":"*""#, &[availability.as_bytes(), activity.as_bytes()])?;
    if let Some(lease) = lease {
        write_template(writer, r#","expirationDuration":"*""#, &[&lease.to_text()])?;
    }
    writer.write(b"}")
}

#[cfg(feature = "batch")]
fn write_ids(writer: &mut dyn Writer, ids: &[UserId]) -> Result<(), BufferFull> {
    let mut opening = r#"{"ids":["*""#;
    for id in ids {
        write_template(writer, opening, &[&id.to_text()])?;
        opening = r#","*""#;
    }
    writer.write(b"]}")
}

#[cfg(feature = "details")]
fn write_status_message(writer: &mut dyn Writer, content: &str, expires_at: Option<u64>) -> Result<(), BufferFull> {
    writer.write(br#"{"statusMessage":{"message":{"content":"#)?;
    write_string(writer, content)?;
    writer.write(br#","contentType":"text"}"#)?;
    if let Some(unix) = expires_at {
        // Without a zone, which stands beside it.
        write_template(writer, r#","expiryDateTime":{"dateTime":"*","timeZone":"UTC"}"#, &[&date_time(unix)])?;
    }
    writer.write(b"}}")
}

#[cfg(feature = "details")]
fn write_location(writer: &mut dyn Writer, place: WorkPlace<'_>) -> Result<(), BufferFull> {
    write_template(writer, r#"{"workLocationType":"*""#, &[place.kind.name().as_bytes()])?;
    if let Some(id) = place.id {
        writer.write(br#","placeId":"#)?;
        write_string(writer, id)?;
    }
    writer.write(b"}")
}
