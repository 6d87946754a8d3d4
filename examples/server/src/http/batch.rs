//! Batches: requests to `$batch` ([H5](../../../../docs/behaviour.md#h5)).
//!
//! Every element is authorised by itself and dispatched to its user's shard at once, so that a batch takes as long as its
//! slowest element. Elements about one user are executed in order.

use super::App;
use super::dispatch::{Dispatched, Outcome, TYPICAL_PRESENCE};
use super::graph::reserved_json;
use super::request::ServerRequest;
use super::response::{Ids, RequestError, VecWriter};
use crate::tokens::Identity;
use axum::response::Response;
use presence_core::graph::{Batch, Caller, Dependencies, Element};
use tokio::sync::OwnedSemaphorePermit;

/// The progress of an element.
enum State {
    Dispatched(Dispatched),
    Finished(Result<Outcome, RequestError>),
}

/// Executes a batch and returns the response.
pub async fn run(app: &App, batch: Batch<'_>, identity: &Identity, ids: &Ids) -> Result<Response, RequestError> {
    let caller = identity.caller;
    // The least memory for each element's response; longer ones reserve more.
    let mut reserved = app.reserve(Batch::MAX_ELEMENTS * TYPICAL_PRESENCE)?;
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
    let mut body = VecWriter(b"{\"responses\":[".to_vec());
    let mut separator: &[u8] = b"";
    for (element, mut state) in elements {
        finish(&mut state, app, caller).await;
        body.0.extend_from_slice(separator);
        reserve(&mut state, app, &mut reserved);
        write(&mut body, element, &state, ids, app);
        if let State::Finished(Ok(Outcome::Reserved(_, permit))) = state {
            reserved.merge(permit);
        }
        separator = b",";
    }
    body.0.extend_from_slice(b"]}");
    body.0.shrink_to_fit();
    Ok(reserved_json(body.0, reserved))
}

/// Reserves memory for the response to a single read, or replaces it by an error.
fn reserve(state: &mut State, app: &App, reserved: &mut OwnedSemaphorePermit) {
    if let State::Finished(Ok(Outcome::Body(body))) = state {
        match app.reserve(body.len()) {
            Ok(permit) => reserved.merge(permit),
            Err(error) => *state = State::Finished(Err(error.into())),
        }
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

fn write(writer: &mut VecWriter, element: Element<'_>, state: &State, ids: &Ids, app: &App) {
    let mut error_body = VecWriter::default();
    let (body, retry_after): (&[u8], _) = match state {
        State::Finished(Ok(Outcome::Body(body) | Outcome::Reserved(body, _))) => (body, None),
        State::Finished(Err(error)) => {
            // Writing to a vector does not fail.
            let _ = error.write(&mut error_body, ids, &app.clock);
            (&error_body.0, error.retry_after().map(|least| app.retry_after(least)))
        }
        _ => (b"", None),
    };
    let _ = element.write_response(status(state), retry_after, body, writer);
}
