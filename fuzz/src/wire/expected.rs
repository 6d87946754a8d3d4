//! The expected response: the library parses the request, which is checked against section 7 as written down here again; all
//! that follows, and the text, is computed independently. Rules H1 to H5.

use super::bodies::{assert_body_read, assert_headers_read};
use super::expiry::assert_ends;
use super::json::depth;
use super::route::{assert_element_routed, assert_routed};
use super::rules::{may, status};
use super::served::{Input, Served};
use super::tree::Tree;
use super::users::Users;
use super::writer::{self, Presences, response};
use presence_core::graph::json::Value;
use presence_core::graph::{
    Batch, Buffer, ChangeEvent, Context, Element, Error, Field, Line, Request, Select, Store, TextBuffer,
};
use presence_core::{CommandError, Instant, Presence, SessionId, Transition, UserId};
use serde::de::IgnoredAny;

/// Checks the response to a request, the users after it, and the changes that were reported.
pub fn assert_well_formed(input: Input<'_>, context: &Context<'_>, before: &Users, full: &Served) {
    let mut expected = Expected { context, users: before.clone(), changes: Vec::new() };
    let (status, text) = expected.response(input);
    assert_eq!(full.status, status, "{input:?}");
    assert_eq!(String::from_utf8_lossy(&full.written), text, "{input:?}");
    assert_eq!(full.changes, expected.changes, "{input:?}");
    assert_eq!(full.users.contents(), expected.users.contents(), "{input:?}");
    assert!(text.is_empty() || serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{text} is no JSON");
    if let Input::Line(line) = input {
        assert_answered_under_its_id(line, &text);
    }
    for (user, transition) in full.changes.iter().filter(|(_, transition)| transition.is_visible()) {
        for start in [Instant::from_millis(7), context.now] {
            let mut bytes = [0; ChangeEvent::MAX_LEN];
            let mut event = Buffer::new(&mut bytes);
            ChangeEvent::new(start, *user, transition).write(&mut event).expect("the longest event");
            assert_eq!(String::from_utf8_lossy(event.written()), writer::change(start, *user, transition));
        }
    }
}

/// Checks that a response has the id of its line, as serde_json reads both; null if the line has none.
fn assert_answered_under_its_id(line: &[u8], text: &str) {
    let (Ok(input), Ok(response)) = (Tree::parse(line), Tree::parse(text.as_bytes())) else { return };
    let is_accepted = line.len() <= Line::MAX_LEN && input.all("id").len() == 1;
    let id = input.member("id").and_then(Tree::text).filter(|_| is_accepted);
    if depth(&String::from_utf8_lossy(line)) <= Value::MAX_DEPTH {
        assert_eq!(response.member("id").and_then(Tree::text), id, "{text}");
    }
}

/// The users, and the changes so far.
struct Expected<'a> {
    context: &'a Context<'a>,
    users: Users,
    changes: Vec<(UserId, Transition<SessionId>)>,
}

impl Expected<'_> {
    fn response(&mut self, input: Input<'_>) -> (Option<u16>, String) {
        let policy = *self.users.0.policy();
        match input {
            Input::Http { body, .. } => {
                let raw = input.raw().expect("one over HTTP");
                let request = Request::parse(&raw, self.context, &policy);
                // Rule H9: over HTTP, `HEAD` is answered like `GET`, without a body.
                let is_head = raw.method.eq_ignore_ascii_case("HEAD");
                let method = if is_head { "GET" } else { raw.method };
                assert_routed(method, raw.target, self.context, &request, usize::MAX);
                assert_body_read(&raw, body, self.context, &policy, &request);
                if let Ok(body) = Tree::parse(body) {
                    assert_ends(&body, self.context, &request);
                }
                let (status, body) = self.carry_out(request);
                (Some(status), if is_head { String::new() } else { body })
            }
            Input::Line(line) => match Line::parse(line) {
                Line::Blank => (None, String::new()),
                Line::Element(element) => {
                    let request = element.request(self.context, &policy);
                    assert_element_routed(element, self.context, &request);
                    assert_headers_read(element, &request);
                    let (status, body) = self.carry_out(request);
                    (None, response(element.id(), status, &body, false))
                }
                Line::Invalid { id, error } => (None, response(id, status(error), &self.error(error), false)),
            },
        }
    }

    fn carry_out(&mut self, request: Result<Request<'_>, Error>) -> (u16, String) {
        let done = request.and_then(|request| {
            let verdict = may(&self.context.caller, &request);
            assert_eq!(self.context.caller.authorise(&request), verdict, "{request:?}");
            verdict?;
            match request {
                Request::Execute { user, .. } if !self.knows(user) => Err(Error::UnknownUser),
                Request::Execute { user, command } => {
                    let Self { context, users, changes } = self;
                    let mut note = |user, transition: &Transition<SessionId>| changes.push((user, *transition));
                    let done = users.0.execute(context.now, user, command, &mut note);
                    done.map(|()| String::new()).map_err(|error: CommandError| error.into())
                }
                Request::ExecuteDetails { user, .. } if !self.knows(user) => Err(Error::UnknownUser),
                Request::ExecuteDetails { user, action } => {
                    let Self { context, users, changes } = self;
                    let mut note = |user, transition: &Transition<SessionId>| changes.push((user, *transition));
                    let mut buffer = TextBuffer::new();
                    let done = users.0.execute_details(context.now, user, action.command(&mut buffer), &mut note);
                    done.map(|()| String::new()).map_err(|error| error.into())
                }
                Request::Get { user, select } => Ok(self.presence(user, select)),
                Request::GetUser { user, .. } if !self.knows(user) => Err(Error::UnknownUser),
                Request::GetUser { user, select } => Ok(writer::user(user, self.context.environment.is_some(), select)),
                Request::GetPresences(ids) => {
                    let presences: Vec<_> = ids.iter().map(|user| self.presence(user, ids.select())).collect();
                    Ok(format!(r#"{{"value":[{}]}}"#, presences.join(",")))
                }
                Request::Batch(batch) => Ok(self.batch(batch)),
                _ => panic!("{request:?} is a new kind of request"),
            }
        });
        match done {
            Ok(body) => (200, body),
            Err(error) => (status(error), self.error(error)),
        }
    }

    fn knows(&self, user: UserId) -> bool {
        self.context.known_users.is_none_or(|known| known(user))
    }

    fn presence(&self, user: UserId, select: Select) -> String {
        let now = self.context.now;
        let knows_user = self.knows(user);
        let (presence, version) = if knows_user { self.users.0.read(now, user) } else { (Presence::Unknown, 0) };
        let details = self.users.details(now, user);
        let presences = Presences {
            user,
            presence,
            version,
            details: knows_user.then(|| details.view()),
            is_own: self.context.caller.me() == Some(user),
            knows_the_time: self.context.environment.is_some(),
        };
        presences.write(select)
    }

    /// Rule H5.
    fn batch(&mut self, batch: Batch<'_>) -> String {
        let policy = *self.users.0.policy();
        let (mut statuses, mut responses) = (Vec::<(Value<'_>, u16)>::new(), Vec::new());
        for element in batch.elements() {
            let request = match blocked(element, &statuses) {
                Some(error) => Err(error),
                None => {
                    let request = element.request(self.context, &policy);
                    assert_element_routed(element, self.context, &request);
                    assert_headers_read(element, &request);
                    request
                }
            };
            let (status, body) = self.carry_out(request);
            responses.push(response(element.id(), status, &body, true));
            statuses.push((element.id(), status));
        }
        assert!((1..=Batch::MAX_ELEMENTS).contains(&responses.len()));
        format!(r#"{{"responses":[{}]}}"#, responses.join(","))
    }

    fn error(&self, error: Error) -> String {
        writer::error(error, &self.context.trace)
    }
}

/// Returns the error of an element that must not run: one that it depends on failed, or did not come before it.
fn blocked(element: Element<'_>, earlier: &[(Value<'_>, u16)]) -> Option<Error> {
    let ids = element.depends_on().map(|ids| ids.collect::<Vec<_>>());
    assert_depends_on(element, &ids);
    let ids = match ids {
        Ok(ids) => ids,
        Err(error) => return Some(error),
    };
    let status = |id: &Value<'_>| earlier.iter().find(|(other, _)| other.is_same_text(*id)).map(|(_, status)| *status);
    let statuses: Option<Vec<_>> = ids.iter().map(status).collect();
    match statuses {
        // More than there can be elements are an error.
        Some(statuses) if statuses.len() > Batch::MAX_ELEMENTS => Some(Error::Malformed(Field::DependsOn)),
        Some(statuses) => statuses.iter().any(|status| *status >= 400).then_some(Error::FailedDependency),
        None => Some(Error::Malformed(Field::DependsOn)),
    }
}

/// Checks that an element depends on a list of strings, or on nothing, as serde_json reads it. Rules H2, H5.
fn assert_depends_on(element: Element<'_>, ids: &Result<Vec<Value<'_>>, Error>) {
    let Ok(tree) = Tree::parse(element.value().as_str().as_bytes()) else { return };
    let expected: Result<&[Tree], Error> = match tree.all("dependsOn")[..] {
        [] | [Tree::Null] => Ok(&[]),
        [Tree::Array(ids)] if ids.iter().all(|id| id.text().is_some()) => Ok(ids),
        [_] => Err(Error::Malformed(Field::DependsOn)),
        _ => Err(Error::Duplicate(Field::DependsOn)),
    };
    match (ids, expected) {
        (Ok(ids), Ok(expected)) => {
            let is_same = |(id, other): (&Value<'_>, &Tree)| other.text().is_some_and(|text| id.is_text(text));
            assert!(ids.len() == expected.len() && ids.iter().zip(expected).all(is_same), "{ids:?}, {expected:?}");
        }
        (ids, expected) => assert_eq!(ids.as_ref().err(), expected.as_ref().err(), "{element:?}"),
    }
}
