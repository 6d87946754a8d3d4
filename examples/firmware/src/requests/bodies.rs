//! The bodies of answers: the device, its settings, its sessions.

use crate::app::CAPACITY;
use crate::configuration::Configuration;
use crate::identity::Identity;
use core::fmt::{self, Write as _};
use presence_core::graph::Writer;
use presence_core::{BufferFull, Instant, SessionId, User};

/// The length of the longest of these bodies in bytes: all sessions, each with the longest names.
pub(crate) const MAX_BODY: usize = r#"{"value":[]}"#.len() + CAPACITY * (SESSION_LEN + 1);

/// The length of the longest session: the names of the presence that has the longest, and 24 hours but a millisecond.
const SESSION_LEN: usize = r#"{"sessionId":"00000000-0000-4000-8000-000000000000","availability":"DoNotDisturb","activity":"UrgentInterruptionsOnly","expiresAt":null,"remaining":"PT23H59M59.999S"}"#.len();

/// The body of an answer.
pub(super) enum Body<'a> {
    /// What the device is.
    Device(Identity),
    /// The settings. A `POST` of them changes nothing.
    Settings(&'a Configuration, Instant),
    /// The sessions of a user, as the example server explains them. Without a wall clock nobody knows the time of their end.
    Sessions(&'a User<SessionId, CAPACITY>, Instant),
}

impl Body<'_> {
    /// Writes the body.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; [`MAX_BODY`] bytes suffice.
    pub(super) fn write(&self, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        let mut out = Text(writer);
        let written = match self {
            Self::Device(identity) => write_device(*identity, &mut out),
            Self::Settings(configuration, now) => write_settings(configuration, *now, &mut out),
            Self::Sessions(user, now) => write_sessions(user, *now, &mut out),
        };
        written.map_err(|fmt::Error| BufferFull)
    }
}

fn write_device(identity: Identity, out: &mut Text<'_>) -> fmt::Result {
    write!(out, r#"{{"version":"{}","board":"{}","serialNumber":"#, Identity::VERSION, identity.board)?;
    let digits = identity.serial_digits();
    write_optional(digits.as_ref().and_then(|digits| core::str::from_utf8(digits).ok()), out)?;
    out.write_str("}")
}

fn write_settings(configuration: &Configuration, now: Instant, out: &mut Text<'_>) -> fmt::Result {
    let (day, night) = (configuration.brightness(), configuration.night_brightness());
    write!(out, r#"{{"brightness":{day},"nightBrightness":{night},"night":"{}","palette":"#, configuration.night(now))?;
    write_optional(configuration.palette_name(), out)?;
    let (leds, after) = (configuration.leds(), configuration.no_news_dims_after());
    write!(out, r#","leds":{leds},"noNewsDimsAfter":"{after}"}}"#)
}

fn write_sessions(user: &User<SessionId, CAPACITY>, now: Instant, out: &mut Text<'_>) -> fmt::Result {
    out.write_str(r#"{"value":["#)?;
    for (place, session) in user.sessions().iter().enumerate() {
        let (separator, id, presence) = (if place == 0 { "" } else { "," }, session.id(), session.presence());
        let (availability, activity) = (presence.availability().name(), presence.activity().name());
        let remaining = session.expires_at().saturating_duration_since(now);
        write!(out, r#"{separator}{{"sessionId":"{id}","availability":"{availability}","activity":"{activity}","#)?;
        write!(out, r#""expiresAt":null,"remaining":"{remaining}"}}"#)?;
    }
    out.write_str("]}")
}

/// Writes a string that needs no escapes, or null.
fn write_optional(text: Option<&str>, out: &mut Text<'_>) -> fmt::Result {
    match text {
        None => out.write_str("null"),
        Some(text) => write!(out, r#""{text}""#),
    }
}

/// A writer of a response, for formatting.
struct Text<'a>(&'a mut dyn Writer);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes()).map_err(|BufferFull| fmt::Error)
    }
}
