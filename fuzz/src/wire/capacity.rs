//! Rule H6: a response that does not fit never hides a change.

use super::served::{Input, Served};
use super::users::Users;
use presence_core::graph::json::Value;
use presence_core::graph::{Batch, Context, DetailsAction, Line, Request, Store};
use presence_core::{Cause, Command};

/// A response: a status, and a body if there is one.
#[derive(Debug, PartialEq)]
struct Response<'a> {
    status: u16,
    body: Option<Value<'a>>,
}

impl<'a> Response<'a> {
    fn of(served: &'a Served) -> Self {
        let value = || Value::parse(&served.written).expect("a response is JSON");
        match served.status {
            Some(status) => Self { status, body: (!served.written.is_empty()).then(value) },
            None => Self::of_element(value()),
        }
    }

    fn of_element(value: Value<'a>) -> Self {
        let member = |name| value.member(name).expect("once");
        let status = member("status").and_then(|status| status.as_str().parse().ok());
        Self { status: status.expect("a status"), body: member("body") }
    }

    fn responses(&self) -> Option<Vec<Value<'a>>> {
        let body = self.body.filter(|_| self.status == 200)?;
        Some(body.member("responses").expect("once")?.elements().collect())
    }
}

/// Compares a request that was served with unlimited and with this capacity.
pub fn assert_nothing_unreported(
    input: Input<'_>,
    context: &Context<'_>,
    before: &Users,
    full: &Served,
    tight: &Served,
    capacity: usize,
) {
    let nothing_was_done = || {
        assert!(tight.changes.is_empty(), "{input:?} in {capacity} bytes: {:?} is not reported", tight.changes);
        assert_eq!(tight.users.contents(), before.contents(), "{input:?} in {capacity} bytes");
    };
    let same_was_done = || {
        assert_eq!(tight.changes, full.changes, "{input:?} in {capacity} bytes");
        assert_eq!(tight.users.contents(), full.users.contents(), "{input:?} in {capacity} bytes");
    };
    assert!(tight.written.len() <= capacity);
    if capacity >= full.written.len() {
        assert_eq!((tight.status, &tight.written), (full.status, &full.written));
        return same_was_done();
    }
    if !tight.is_written {
        return nothing_was_done();
    }
    let (all, some) = (Response::of(full), Response::of(tight));
    match (all.responses(), some.responses()) {
        (Some(all), Some(some)) => {
            let id = |response: &Value<'_>| response.member("id").expect("once").expect("an id").as_str().to_owned();
            assert!(all.iter().map(id).eq(some.iter().map(id)), "every element has a response, in order (H5)");
            let status = |response: &Value<'_>| Response::of_element(*response).status;
            assert_changes_are_reported(input, context, before, &some, tight);
            if all.iter().map(status).eq(some.iter().map(status)) {
                same_was_done();
            }
        }
        (Some(_), None) => {
            assert_eq!(some.status, 507, "{input:?}");
            nothing_was_done();
        }
        (None, _) if some.status == all.status => {
            assert!(some == all || some.status >= 400 && some.body.is_none(), "{some:?} instead of {all:?}");
            same_was_done();
        }
        (None, _) => {
            assert!(some.status == 507 && all.status == 200 && all.body.is_some(), "{some:?} instead of {all:?}");
            nothing_was_done();
        }
    }
}

/// Checks that exactly those actions of a batch were done that have status 200, as far as they change anything (rule U4).
fn assert_changes_are_reported(
    input: Input<'_>,
    context: &Context<'_>,
    before: &Users,
    responses: &[Value<'_>],
    served: &Served,
) {
    let body = match input {
        Input::Http { body, .. } => Value::parse(body).ok(),
        Input::Line(line) => match Line::parse(line) {
            Line::Element(element) => element.value().member("body").expect("once"),
            _ => None,
        },
    };
    let requests = Batch::parse(body).expect("it was run");
    let (mut needed, mut possible) = ([0; 2], [0; 2]);
    for (element, response) in requests.elements().zip(responses) {
        let request = element.request(context, served.users.0.policy());
        let (kind, always_does) = match request {
            Ok(Request::Execute { command, .. }) => (0, command != Command::ClearPreferredPresence),
            Ok(Request::ExecuteDetails { action, .. }) => (1, matches!(action, DetailsAction::SetLocation { .. })),
            _ => continue,
        };
        if Response::of_element(*response).status == 200 {
            possible[kind] += 1;
            needed[kind] += u64::from(always_does);
        }
    }
    let is_commanded =
        |cause| matches!(cause, Cause::Set | Cause::Cleared | Cause::PreferredSet | Cause::PreferredCleared);
    let done = served.changes.iter().filter(|(_, transition)| is_commanded(transition.cause())).count() as u64;
    let done_to_details = served.users.changes_of_details(context.now) - before.changes_of_details(context.now);
    for (kind, done) in [done, done_to_details].into_iter().enumerate() {
        assert!((needed[kind]..=possible[kind]).contains(&done), "{done} of {needed:?} to {possible:?} in {input:?}");
    }
}
