//! Batches: requests to `$batch` ([H5](../../../../docs/behaviour.md#h5)).
//!
//! Every element is authorised by itself and dispatched to its user's shard at once, so that a batch takes as long as its
//! slowest element. Elements about one user are executed in order. Responses are written in order, each into the memory of the
//! whole.

use super::App;
use super::account::Account;
use super::audit::{Act, Trail};
use super::bounded::Bounded;
use super::content::{Content, Rendered};
use super::dispatch::{Dispatched, Outcome};
use super::request::{ServerRequest, element_operation};
use super::response::{Ids, RequestError};
use super::response_body::ResponseBody;
use crate::tokens::Identity;
use axum::response::Response;
use presence_core::BufferFull;
use presence_core::graph::{Batch, Dependencies, Element, Writer};

/// What is before and after the responses to the elements.
const OPENING: &[u8] = b"{\"responses\":[";
const CLOSING: &[u8] = b"]}";
/// The bytes around the id and the body of an element's response, and its separator.
const ENVELOPE: usize = 110 + 1;

/// Executes a batch and returns the response.
///
/// Each element counts for the rates of the caller; the request has counted for the first, with this result.
pub async fn run(
    app: &App,
    batch: Batch<'_>,
    identity: &Identity,
    ids: &Ids,
    counted: Result<(), RequestError>,
    trail: Trail,
) -> Result<Response, RequestError> {
    let account = Account::from(&identity.caller);
    let mut counted = Some(counted);
    // Every element has room for an error before any is executed; a body reserves more.
    let mut response = ResponseBody::new(app, account, reserved_first(batch))?;
    let rendered = Rendered::of_batch(app, account)?;
    // Writing does not fail but for a fault, which `into_response` reports.
    let _ = response.write(OPENING);
    let (dependencies, separator) = (Dependencies::new(), b"".as_slice());
    let mut run = Run { app, identity, ids, trail, dependencies, response, rendered, separator };
    let mut waiting = Vec::with_capacity(Batch::MAX_ELEMENTS);
    for (position, element) in batch.elements().enumerate() {
        // An element with dependencies waits for all elements before it, which decides all that it depends on.
        if element.depends_on().is_ok_and(|mut others| others.next().is_some()) {
            run.finish(&mut waiting).await;
        }
        let counted = counted.take().unwrap_or_else(|| app.count(account));
        let is_allowed = counted.and_then(|()| Ok(run.dependencies.check(element)?));
        let dispatched = is_allowed.and_then(|()| run.dispatch(position, element));
        waiting.push((position, element, dispatched));
    }
    run.finish(&mut waiting).await;
    let _ = run.response.write(CLOSING);
    run.response.into_response(app)
}

/// Returns the bytes of the response if every element is rejected.
fn reserved_first(batch: Batch<'_>) -> usize {
    let elements = batch.elements().map(|element| element.id_len() + ENVELOPE + RequestError::MAX_LEN);
    elements.sum::<usize>() + OPENING.len() + CLOSING.len()
}

/// A batch that is being executed.
struct Run<'a> {
    app: &'a App,
    identity: &'a Identity,
    ids: &'a Ids,
    trail: Trail,
    dependencies: Dependencies<'a>,
    response: ResponseBody,
    rendered: Rendered,
    /// What is written before the next element's response.
    separator: &'static [u8],
}

impl<'a> Run<'a> {
    /// Sends the element at this position to its shards.
    fn dispatch(&self, position: usize, element: Element<'_>) -> Result<Dispatched, RequestError> {
        let Self { app, identity, .. } = self;
        let (caller, time) = (identity.caller, app.clock.time());
        let request =
            ServerRequest::of_element(element, &app.context(caller, time), app.current().policies.of(&caller))?;
        self.trail.note_element(position, || Act::of(element_operation(element), &request));
        request.authorise(identity)?;
        app.dispatch(&request, &caller, time)
    }

    /// Waits for elements, in order, and writes the response to each.
    async fn finish(&mut self, waiting: &mut Vec<(usize, Element<'a>, Result<Dispatched, RequestError>)>) {
        for (position, element, dispatched) in waiting.drain(..) {
            let outcome = match dispatched {
                Ok(dispatched) => dispatched.receive().await,
                Err(error) => Err(error),
            };
            let status = self.write(element, outcome).unwrap_or_else(|BufferFull| {
                self.response.mark_overrun();
                RequestError::Internal.status()
            });
            self.trail.settle(position, status);
            self.dependencies.record(element, status);
        }
    }

    /// Writes the response to an element, and returns its status.
    fn write(&mut self, element: Element<'_>, outcome: Result<Outcome, RequestError>) -> Result<u16, BufferFull> {
        self.response.write(std::mem::replace(&mut self.separator, b","))?;
        let written = match outcome {
            Ok(Outcome::Done) => element.write_response(200, None, b"", &mut self.response).map(Ok)?,
            Ok(Outcome::Content(content)) => self.write_content(element, content)?,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => Ok(200),
            Err(error) => self.write_error(element, error),
        }
    }

    /// Writes a successful response, or returns the error that is to take its place.
    fn write_content(
        &mut self,
        element: Element<'_>,
        content: Content,
    ) -> Result<Result<(), RequestError>, BufferFull> {
        const NOTHING: &[u8] = b"null";
        let start = self.response.len();
        element.write_response(200, None, NOTHING, &mut self.response)?;
        // The response goes on with the content in the place of `null`.
        self.response.discard_last(NOTHING.len() + 1);
        let appended = content.append(&mut self.response, &mut self.rendered, self.app, self.identity.caller);
        match appended {
            Ok(()) => self.response.write(b"}")?,
            Err(_) => self.response.discard_last(self.response.len() - start),
        }
        Ok(appended)
    }

    fn write_error(&mut self, element: Element<'_>, error: RequestError) -> Result<u16, BufferFull> {
        let mut body = Bounded::new(RequestError::MAX_LEN);
        error.write(&mut body, self.ids, &self.app.clock)?;
        let retry_after = self.app.come_back(error);
        element.write_response(error.status(), retry_after, body.written(), &mut self.response)?;
        Ok(error.status())
    }
}
