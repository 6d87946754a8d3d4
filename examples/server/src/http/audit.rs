//! The audit log: who changed what for whom, who read what only operators may, and who was refused.
//!
//! A handler notes what it is about to do in the [`Trail`] of its request, before it does so. The lines are written when the
//! outcome is known and before the response is sent. If the client has hung up by then, or the response takes too long, they
//! say that the outcome is unknown, because a change is carried out nevertheless. They hold no token, no text of a status
//! message, and no place of a work location.

use super::App;
use super::client::{Client, ClientFields};
use super::request::ServerRequest;
use super::response::Ids;
use crate::logs::json::{ClientText, append_line};
use crate::logs::now;
use http::Extensions;
use presence_core::graph::Request;
use presence_core::{Command, Presence, SessionId, UserId};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of the path of a refused request.
const MAX_PATH: usize = 256;

/// What a request, or an element of a batch, is about to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// The name of the operation.
    pub operation: &'static str,
    /// The user concerned.
    pub user: Option<UserId>,
    session: Option<SessionId>,
    presence: Option<Presence>,
    /// True for a read that needs no permission of an operator: only its refusal is written.
    is_plain_read: bool,
}

impl Act {
    /// Creates an act about a user, or about none.
    pub const fn new(operation: &'static str, user: Option<UserId>) -> Self {
        Self { operation, user, session: None, presence: None, is_plain_read: false }
    }

    /// Returns what a request of this operation is about to do.
    pub fn of(operation: &'static str, request: &ServerRequest<'_>) -> Self {
        let about = |user| Self::new(operation, user);
        match request {
            ServerRequest::Graph(Request::Execute { user, command }) => {
                let (session, presence) = match *command {
                    Command::SetPresence { session, presence, .. } => (Some(session), Some(presence)),
                    Command::ClearPresence { session } => (Some(session), None),
                    Command::SetPreferredPresence { presence, .. } => (None, Some(presence)),
                    Command::ClearPreferredPresence => (None, None),
                };
                Self { session, presence, ..about(Some(*user)) }
            }
            ServerRequest::Graph(Request::ExecuteDetails { user, .. }) | ServerRequest::Explain(user) => {
                about(Some(*user))
            }
            ServerRequest::Graph(Request::Get { user, .. } | Request::GetUser { user, .. }) => {
                Self { is_plain_read: true, ..about(Some(*user)) }
            }
            ServerRequest::Graph(_) => Self { is_plain_read: true, ..about(None) },
        }
    }
}

/// The outcome of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    /// It was carried out, and is durable.
    Done,
    /// The caller may not do it, or is not known.
    Refused,
    /// It was rejected for another reason. Nothing was changed.
    Rejected,
    /// The client has hung up, or the response took too long. It may have been carried out, or may still be.
    Unknown,
}

impl Outcome {
    const fn of(status: u16) -> Self {
        match status {
            202 | 500 => Self::Unknown,
            200..300 => Self::Done,
            401 | 403 => Self::Refused,
            _ => Self::Rejected,
        }
    }
}

/// An act in a trail.
#[derive(Debug)]
struct Entry {
    act: Act,
    /// Its position in a batch.
    element: Option<usize>,
    /// Its status, if it has another than the request.
    status: Option<u16>,
}

/// The acts of a request. Without an audit log it keeps none.
#[derive(Clone, Debug, Default)]
pub struct Trail(Option<Arc<Mutex<Vec<Entry>>>>);

impl Trail {
    /// Returns the trail of a request.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Notes what the request is about to do.
    pub fn note(&self, act: impl FnOnce() -> Act) {
        self.push(act, None);
    }

    /// Notes what an element of a batch is about to do.
    pub fn note_element(&self, element: usize, act: impl FnOnce() -> Act) {
        self.push(act, Some(element));
    }

    fn push(&self, act: impl FnOnce() -> Act, element: Option<usize>) {
        self.change(|entries| entries.push(Entry { act: act(), element, status: None }));
    }

    /// Records the status of an element of a batch.
    pub fn settle(&self, element: usize, status: u16) {
        self.change(|entries| {
            entries
                .iter_mut()
                .filter(|entry| entry.element == Some(element))
                .for_each(|entry| entry.status = Some(status));
        });
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) {
        if let Some(entries) = &self.0 {
            change(&mut entries.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn take(&self) -> Vec<Entry> {
        let mut taken = Vec::new();
        self.change(|entries| taken = std::mem::take(entries));
        taken
    }
}

/// Watches the trail of a request, and writes its lines in any case.
pub struct Audited<'a> {
    app: &'a App,
    /// The trail, to be attached to the request.
    pub trail: Trail,
    client: Client,
    ids: Ids,
    path: String,
}

impl<'a> Audited<'a> {
    /// Begins the trail of a request.
    pub fn begin(app: &'a App, client: Client, ids: &Ids, path: &str) -> Self {
        let trail = Trail(app.logs.audit.as_ref().map(|_| Arc::default()));
        let path = if trail.0.is_some() { path.to_owned() } else { String::new() };
        Self { app, trail, client, ids: ids.clone(), path }
    }

    /// Writes the lines of a request whose response has this status. Returns when they are written.
    ///
    /// Without a status the request took too long, and nothing is known.
    pub async fn finish(self, operation: &'static str, status: u16, is_known: bool) {
        let Some(log) = &self.app.logs.audit else { return };
        let mut lines = Vec::new();
        let entries = self.trail.take();
        let is_refused = Outcome::of(status) == Outcome::Refused;
        // Who was refused before it was known what the request is about.
        if is_refused && entries.is_empty() {
            let path = Some(ClientText::new(self.path.as_bytes(), MAX_PATH));
            append_line(&mut lines, &AuditLine { path, ..self.line(&Act::new(operation, None), Some(status)) });
        }
        for entry in entries {
            let of_request = (entry.element.is_none() && is_known).then_some(status);
            self.append(&mut lines, &entry, entry.status.or(of_request));
        }
        if !lines.is_empty() {
            log.write(&lines).await;
        }
    }

    fn append(&self, lines: &mut Vec<u8>, entry: &Entry, status: Option<u16>) {
        let is_refused = status.map(Outcome::of) == Some(Outcome::Refused);
        if is_refused || !entry.act.is_plain_read {
            append_line(lines, &AuditLine { element: entry.element, ..self.line(&entry.act, status) });
        }
    }

    fn line(&self, act: &Act, status: Option<u16>) -> AuditLine<'_> {
        AuditLine {
            time: now(),
            log: "audit",
            event: act.operation,
            outcome: status.map_or(Outcome::Unknown, Outcome::of),
            status,
            user: act.user.map(|user| user.to_string()),
            client: self.client.into(),
            session_id: act.session.map(|session| session.to_string()),
            availability: act.presence.map(|presence| presence.availability().name()),
            activity: act.presence.map(|presence| presence.activity().name()),
            path: None,
            element: None,
            request_id: &self.ids.request,
            client_request_id: &self.ids.client,
        }
    }
}

impl Drop for Audited<'_> {
    /// Writes the lines of a request whose client has hung up.
    fn drop(&mut self) {
        let Some(log) = &self.app.logs.audit else { return };
        let mut lines = Vec::new();
        for entry in self.trail.take() {
            self.append(&mut lines, &entry, entry.status);
        }
        if !lines.is_empty() {
            log.push(&lines);
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditLine<'a> {
    time: String,
    log: &'static str,
    event: &'static str,
    outcome: Outcome,
    status: Option<u16>,
    user: Option<String>,
    #[serde(flatten)]
    client: ClientFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<ClientText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    element: Option<usize>,
    request_id: &'a str,
    client_request_id: &'a str,
}

#[cfg(test)]
mod tests;
