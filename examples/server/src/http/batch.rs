//! Batches: requests to `$batch` ([H5](../../../../docs/behaviour.md#h5)).
//!
//! Every element is authorised by itself and dispatched to its user's shard at once, so that a batch takes as long as its
//! slowest element. Elements about one user are executed in order.

use super::App;
use super::dispatch::{Dispatched, Outcome};
use super::request::ServerRequest;
use super::response::{Ids, RequestError, VecWriter};
use super::response_body::ResponseBody;
use crate::tokens::Identity;
use axum::response::Response;
use presence_core::graph::{Batch, Caller, Dependencies, Element, Writer};

/// The progress of an element.
enum State {
    Dispatched(Dispatched),
    Finished(Result<Outcome, RequestError>),
}

/// What is before and after the responses to the elements.
const OPENING: &[u8] = b"{\"responses\":[";
const CLOSING: &[u8] = b"]}";
/// The bytes around the id and the body of an element's response, and its separator.
const ENVELOPE: usize = 110 + 1;

/// Executes a batch and returns the response.
pub async fn run(app: &App, batch: Batch<'_>, identity: &Identity, ids: &Ids) -> Result<Response, RequestError> {
    let caller = identity.caller;
    // Every element has room for an error before any is executed; a body reserves more.
    let mut response = ResponseBody::new(app, reserved_first(batch))?;
    let mut elements: Vec<(Element<'_>, State)> = Vec::with_capacity(Batch::MAX_ELEMENTS);
    let mut dependencies = Dependencies::new();
    let mut finished = 0;
    for element in batch.elements() {
        // An element with dependencies waits for all elements before it, which decides all that it depends on.
        if element.depends_on().is_ok_and(|mut others| others.next().is_some()) {
            for (earlier, state) in elements.iter_mut().skip(finished) {
                finish(state, app, caller).await;
                dependencies.record(*earlier, status(state));
            }
            finished = elements.len();
        }
        let is_allowed = dependencies.check(element).map_err(RequestError::from);
        let state = match is_allowed.and_then(|()| dispatch(app, element, identity)) {
            Ok(dispatched) => State::Dispatched(dispatched),
            Err(error) => State::Finished(Err(error)),
        };
        elements.push((element, state));
    }
    // Writing does not fail but for a fault, which `into_response` reports.
    let _ = response.write(OPENING);
    let mut separator: &[u8] = b"";
    for (element, mut state) in elements {
        finish(&mut state, app, caller).await;
        reserve(&mut state, app, &mut response);
        let _ = response.write(separator);
        write(&mut response, element, &state, ids, app);
        separator = b",";
    }
    let _ = response.write(CLOSING);
    response.into_response(app)
}

/// Returns the bytes of the response if every element is rejected.
fn reserved_first(batch: Batch<'_>) -> usize {
    let elements = batch.elements().map(|element| element.id_len() + ENVELOPE + RequestError::MAX_LEN);
    elements.sum::<usize>() + OPENING.len() + CLOSING.len()
}

/// Reserves room for the body of an element, or replaces it by an error.
fn reserve(state: &mut State, app: &App, response: &mut ResponseBody) {
    if let State::Finished(Ok(Outcome::Body(body))) = state
        && let Err(error) = response.reserve(app, body.written().len())
    {
        *state = State::Finished(Err(error.into()));
    }
}

fn dispatch(app: &App, element: Element<'_>, identity: &Identity) -> Result<Dispatched, RequestError> {
    let (caller, time) = (identity.caller, app.clock.time());
    let request = ServerRequest::of_element(element, &app.context(caller, time), app.policies.of(&caller))?;
    request.authorise(identity)?;
    app.dispatch(&request, &caller, time)
}

async fn finish(state: &mut State, app: &App, caller: Caller) {
    let outcome = match std::mem::replace(state, State::Finished(Err(RequestError::Internal))) {
        State::Dispatched(dispatched) => dispatched.finish(app, caller.me()).await,
        State::Finished(outcome) => outcome,
    };
    *state = State::Finished(outcome);
}

const fn status(state: &State) -> u16 {
    match state {
        State::Finished(Err(error)) => error.status(),
        _ => 200,
    }
}

fn write(response: &mut ResponseBody, element: Element<'_>, state: &State, ids: &Ids, app: &App) {
    let mut error_body = VecWriter::default();
    let (body, retry_after): (&[u8], _) = match state {
        State::Finished(Ok(Outcome::Body(body))) => (body.written(), None),
        State::Finished(Err(error)) => {
            // Writing to a vector does not fail.
            let _ = error.write(&mut error_body, ids, &app.clock);
            (&error_body.0, error.retry_after().map(|least| app.retry_after(least)))
        }
        _ => (b"", None),
    };
    let _ = element.write_response(status(state), retry_after, body, response);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::response_body::PERMIT;
    use super::super::{BUFFERS, router};
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use presence_core::graph::Batch;
    use serde_json::json;
    use tower::ServiceExt;

    const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

    /// Whatever is in it, an unread response holds as much as it is long, and no more than is counted.
    #[tokio::test]
    async fn an_unread_response_holds_what_is_counted() {
        let fixture = Fixture::new(2, 10);
        let held = || BUFFERS - fixture.app.limits.buffers.available_permits();
        let read = json!({"ids": vec![ADELE; 650]});
        // DEL takes six bytes where it is written.
        let id = |number: u8| format!("{}{}", char::from(b'a' + number), "\u{7f}".repeat(Batch::MAX_ID_LEN - 1));
        let elements = |url: &str| -> Vec<_> {
            let element = |number| json!({"id": id(number), "method": "POST", "url": url, "body": read});
            (0..20).map(element).collect()
        };
        for (url, least) in [("/nowhere", 20 * 900), ("/communications/getPresencesByUserId", 20 * 650 * 200)] {
            let body = json!({"requests": elements(url)}).to_string();
            let request =
                Request::post("/v1.0/$batch").header("host", "localhost").header("authorization", "Bearer dev");
            let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
            let response = router(fixture.app.clone()).oneshot(request).await.unwrap();
            assert_eq!(response.status(), 200);
            let unread = held();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            assert!(bytes.len() > least, "{}", bytes.len());
            assert_eq!((unread, held()), (bytes.len().div_ceil(PERMIT), unread));
            drop(bytes);
            assert_eq!((held(), fixture.app.metrics.reserve_faults.get()), (0, 0));
        }
    }
}
