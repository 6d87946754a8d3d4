//! What an answer must be: the parts of the wire one after the other, and a naive writer. Rules H1 to H5.

use super::Users;
use super::json::depth;
use super::served::{Asked, Served, contents};
use super::tree::Tree;
use presence_core::graph::json::{MAX_DEPTH, Value};
use presence_core::graph::{
    Batch, Buffer, Element, Exchange, Field, Line, MAX_CHANGE, MAX_ELEMENTS, MAX_LINE, Refusal, Request, write_change,
};
use presence_core::{CommandError, Presence, SessionId, Transition, UserId};
use serde::de::IgnoredAny;

/// A served request has this very answer, this became of the users, and nothing else was reported.
pub fn assert_well_formed(asked: Asked<'_>, exchange: &Exchange<'_>, before: &Users, full: &Served) {
    let mut expected = Expected { exchange, users: before.clone(), changes: Vec::new() };
    let (status, text) = expected.answer(asked);
    assert_eq!(full.status, status, "{asked:?}");
    assert_eq!(String::from_utf8_lossy(&full.written), text, "{asked:?}");
    assert_eq!(full.changes, expected.changes, "{asked:?}");
    assert_eq!(contents(&full.users), contents(&expected.users), "{asked:?}");
    assert!(text.is_empty() || serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{text} is no JSON");
    if let Asked::Line(line) = asked {
        assert_answered_under_its_id(line, &text);
    }
    for (user, transition) in full.changes.iter().filter(|(_, transition)| transition.is_visible()) {
        let mut bytes = [0; MAX_CHANGE];
        let mut event = Buffer::new(&mut bytes);
        write_change(&mut event, exchange.now, *user, transition).expect("the longest event");
        let event = Tree::parse(event.written()).expect("JSON");
        assert_eq!(event.names(), ["at", "user", "from", "to", "cause"]);
    }
}

/// An answer has the id of its line, as serde_json reads both; null if the line has none.
fn assert_answered_under_its_id(line: &[u8], text: &str) {
    let (Ok(asked), Ok(answer)) = (Tree::parse(line), Tree::parse(text.as_bytes())) else { return };
    let is_taken_in = line.len() <= MAX_LINE && asked.all("id").len() == 1;
    let id = asked.member("id").and_then(Tree::text).filter(|_| is_taken_in);
    if depth(&String::from_utf8_lossy(line)) <= MAX_DEPTH {
        assert_eq!(answer.member("id").and_then(Tree::text), id, "{text}");
    }
}

/// The users, as what is asked goes on.
struct Expected<'a> {
    exchange: &'a Exchange<'a>,
    users: Users,
    changes: Vec<(UserId, Transition<SessionId>)>,
}

impl Expected<'_> {
    fn answer(&mut self, asked: Asked<'_>) -> (Option<u16>, String) {
        let (me, policy) = (self.exchange.caller.me(), *self.users.policy());
        match asked {
            Asked::Http { .. } => {
                let incoming = asked.incoming().expect("one over HTTP");
                let (status, body) = self.carry_out(Request::parse(&incoming, me, &policy));
                (Some(status), body)
            }
            Asked::Line(line) => match Line::parse(line) {
                Line::Blank => (None, String::new()),
                Line::Element(element) => {
                    let (status, body) = self.carry_out(element.request(me, &policy));
                    (None, response(element.id(), status, &body))
                }
                Line::Refused { id, refusal } => {
                    (None, response(id.unwrap_or(Value::NULL), refusal.status(), &self.error(refusal)))
                }
            },
        }
    }

    fn carry_out(&mut self, request: Result<Request<'_>, Refusal>) -> (u16, String) {
        let done = request.and_then(|request| {
            self.exchange.caller.authorise(&request)?;
            match request {
                Request::Act { user, .. } if !self.knows(user) => Err(Refusal::UnknownUser),
                Request::Act { user, command } => {
                    let Self { exchange, users, changes } = self;
                    let note = |user, transition: &Transition<SessionId>| changes.push((user, *transition));
                    let done = users.execute(exchange.now, user, command, note);
                    done.map(|()| String::new()).map_err(|error: CommandError| error.into())
                }
                Request::Get { user } => Ok(self.presence(user)),
                Request::GetPresences(ids) => {
                    let presences: Vec<_> = ids.iter().map(|user| self.presence(user)).collect();
                    Ok(format!(r#"{{"value":[{}]}}"#, presences.join(",")))
                }
                Request::Batch(batch) => Ok(self.batch(batch)),
                _ => panic!("{request:?} is a new kind of request"),
            }
        });
        match done {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status(), self.error(refusal)),
        }
    }

    fn knows(&self, user: UserId) -> bool {
        self.exchange.known.is_none_or(|known| known(user))
    }

    /// Rules H3, V1.
    fn presence(&self, user: UserId) -> String {
        let now = self.exchange.now;
        let (presence, version) = if self.knows(user) {
            (self.users.presence(user, now), self.users.version(user, now))
        } else {
            (Presence::Unknown, 0)
        };
        const LETTER: u64 = 10_000_000_000;
        let letter = char::from(b'A' + (version / LETTER).min(25) as u8);
        let number = if version == 0 { "null".to_owned() } else { format!("\"{letter}{:010}\"", version % LETTER) };
        let (availability, activity) = (presence.availability(), presence.activity());
        format!(
            r#"{{"id":"{user}","availability":"{availability}","activity":"{activity}","outOfOfficeSettings":null,"statusMessage":null,"sequenceNumber":{number},"workLocation":null}}"#
        )
    }

    /// Rule H5.
    fn batch(&mut self, batch: Batch<'_>) -> String {
        let (me, policy) = (self.exchange.caller.me(), *self.users.policy());
        let (mut statuses, mut responses) = (Vec::<(Value<'_>, u16)>::new(), Vec::new());
        for element in batch.elements() {
            let request = match blocked(element, &statuses) {
                Some(refusal) => Err(refusal),
                None => element.request(me, &policy),
            };
            let (status, body) = self.carry_out(request);
            responses.push(response(element.id(), status, &body));
            statuses.push((element.id(), status));
        }
        assert!((1..=MAX_ELEMENTS).contains(&responses.len()));
        format!(r#"{{"responses":[{}]}}"#, responses.join(","))
    }

    /// Rule H1.
    fn error(&self, refusal: Refusal) -> String {
        let code = match refusal.status() {
            400 => "InvalidArgument",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            405 => "MethodNotAllowed",
            413 => "RequestEntityTooLarge",
            415 => "UnsupportedMediaType",
            424 => "FailedDependency",
            507 => "InsufficientStorage",
            status => panic!("{status} for {refusal:?} is not documented"),
        };
        let trace = &self.exchange.trace;
        let [date, id, client_id] = [trace.date, trace.request_id, trace.client_request_id].map(text_or_null);
        format!(
            r#"{{"error":{{"code":"{code}","message":"{refusal}","innerError":{{"date":{date},"request-id":{id},"client-request-id":{client_id}}}}}}}"#
        )
    }
}

/// Whether an element must not run: one that it depends on failed, or did not come before it.
fn blocked(element: Element<'_>, earlier: &[(Value<'_>, u16)]) -> Option<Refusal> {
    let ids: Vec<_> = match element.depends_on() {
        Ok(ids) => ids.collect(),
        Err(refusal) => return Some(refusal),
    };
    let status = |id: &Value<'_>| earlier.iter().find(|(other, _)| other.is_same_text(*id)).map(|(_, status)| *status);
    let statuses: Option<Vec<_>> = ids.iter().map(status).collect();
    // No more of them are looked at than there can be elements.
    let is_endless = |statuses: &Vec<u16>| statuses.iter().skip(MAX_ELEMENTS).any(|status| *status < 400);
    match statuses {
        Some(statuses) if is_endless(&statuses) => Some(Refusal::Malformed(Field::DependsOn)),
        Some(statuses) => statuses.iter().any(|status| *status >= 400).then_some(Refusal::FailedDependency),
        None => Some(Refusal::Malformed(Field::DependsOn)),
    }
}

fn response(id: Value<'_>, status: u16, body: &str) -> String {
    let body = if body.is_empty() { String::new() } else { format!(r#","body":{body}"#) };
    format!(r#"{{"id":{},"status":{status}{body}}}"#, id.as_str())
}

fn text_or_null(text: Option<&str>) -> String {
    let Some(text) = text else { return "null".to_owned() };
    let escaped = text.chars().map(|character| match character {
        '"' | '\\' => format!("\\{character}"),
        '\0'..='\x1F' => format!("\\u{:04x}", u32::from(character)),
        _ => character.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
