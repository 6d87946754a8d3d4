//! The body of `GET …/presence/explain`: what decides a user's presence ([A4](../../../../docs/behaviour.md#a4)).

use presence_core::graph::Writer;
use presence_core::{Absence, BufferFull, Instant, Layer, Presence, SessionId, UserId};
use presence_engine::clock::timestamp;
use presence_engine::shard::job::UserExplanation;
use serde::Serialize;
use std::io;

/// A user's published presence, and what decides it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    id: Shown<UserId>,
    #[serde(flatten)]
    presence: Pair,
    /// `nothing`, `preferred` or `session`.
    layer: &'static str,
    /// The session that decides.
    session_id: Option<Shown<SessionId>>,
    /// The moment of the latest visible change.
    since: Option<String>,
    /// The next change if nobody does anything.
    next: Option<Change>,
    /// How the last session ended; null while there is one.
    last_ended: Option<&'static str>,
    preferred: Option<Lasting>,
    sessions: Vec<Session>,
}

#[derive(Serialize)]
struct Pair {
    availability: &'static str,
    activity: &'static str,
}

#[derive(Serialize)]
struct Change {
    at: String,
    #[serde(flatten)]
    presence: Pair,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    session_id: Shown<SessionId>,
    #[serde(flatten)]
    lasting: Lasting,
}

/// A presence, and when it ends: both null if it does not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lasting {
    #[serde(flatten)]
    presence: Pair,
    expires_at: Option<String>,
    remaining: Option<String>,
}

/// A value as `Display` writes it.
struct Shown<T>(T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl From<Presence> for Pair {
    fn from(presence: Presence) -> Self {
        Self { availability: presence.availability().name(), activity: presence.activity().name() }
    }
}

impl Lasting {
    fn new(presence: Presence, expires_at: Instant, now: Instant) -> Self {
        let remaining = expires_at.saturating_duration_since(now).to_string();
        let ends = expires_at != Instant::NEVER;
        Self { presence: presence.into(), expires_at: utc(expires_at), remaining: ends.then_some(remaining) }
    }
}

/// Returns a moment in UTC, with milliseconds if it has any; `None` if it never comes.
fn utc(at: Instant) -> Option<String> {
    (at != Instant::NEVER).then(|| timestamp(at).to_string())
}

const fn name(absence: Absence) -> &'static str {
    match absence {
        Absence::NeverSeen => "neverSeen",
        Absence::Cleared => "cleared",
        Absence::Expired => "expired",
        Absence::Lost => "lost",
    }
}

/// Writes the body as JSON.
pub fn write(explanation: &UserExplanation, writer: &mut dyn Writer) -> Result<(), BufferFull> {
    let UserExplanation { user, at, why, absence, preferred, sessions } = explanation;
    let (layer, session) = match why.layer {
        Layer::Nothing(_) => ("nothing", None),
        Layer::Preferred => ("preferred", None),
        Layer::Session(session) => ("session", Some(session)),
    };
    let body = Body {
        id: Shown(*user),
        presence: why.presence.into(),
        layer,
        session_id: session.map(Shown),
        since: why.since.and_then(utc),
        next: why.next.map(|(at, presence)| Change { at: timestamp(at).to_string(), presence: presence.into() }),
        last_ended: absence.map(name),
        preferred: preferred.map(|preferred| Lasting::new(preferred.presence(), preferred.expires_at(), *at)),
        sessions: sessions
            .iter()
            .map(|session| Session {
                session_id: Shown(session.id()),
                lasting: Lasting::new(session.presence(), session.expires_at(), *at),
            })
            .collect(),
    };
    // Texts and lists are all there is: only writing fails.
    serde_json::to_writer(Output(writer), &body).map_err(|_| BufferFull)
}

/// A writer of a response, for serde.
struct Output<'a>(&'a mut dyn Writer);

impl io::Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map(|()| bytes.len()).map_err(|BufferFull| io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
