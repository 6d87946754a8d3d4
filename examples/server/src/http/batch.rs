//! `$batch`: every element is authorised by itself and sent to its user's shard at once, so that a batch takes as long as
//! its slowest element. What one user's elements do happens in their order. Rule H5.

use super::App;
use super::answer::{Ids, Refused, Text, json};
use super::graph::{Outcome, Started};
use axum::response::Response;
use presence_core::Policy;
use presence_core::graph::json::Value;
use presence_core::graph::{Batch, Caller, Element, Field, MAX_ELEMENTS, Refusal};

/// An element, and what became of it.
struct Slot<'a> {
    id: Value<'a>,
    state: State,
}

enum State {
    Started(Started),
    Ended(Result<Outcome, Refused>),
}

/// Runs a batch and answers it.
pub async fn run(app: &App, batch: Batch<'_>, caller: &Caller, ids: &Ids) -> Result<Response, Refused> {
    let mut slots: Vec<Slot<'_>> = Vec::with_capacity(MAX_ELEMENTS);
    for element in batch.elements() {
        let refused = depends_on(app, element, &mut slots).await;
        let state = match refused.and_then(|()| start(app, element, caller)) {
            Ok(started) => State::Started(started),
            Err(refused) => State::Ended(Err(refused)),
        };
        slots.push(Slot { id: element.id(), state });
    }
    let mut text = Text(b"{\"responses\":[".to_vec());
    let mut separator: &[u8] = b"";
    for mut slot in slots {
        slot.end(app).await;
        text.0.extend_from_slice(separator);
        slot.write(&mut text, ids, app);
        separator = b",";
    }
    text.0.extend_from_slice(b"]}");
    Ok(json(text.0))
}

fn start(app: &App, element: Element<'_>, caller: &Caller) -> Result<Started, Refused> {
    let request = element.request(caller.me(), &Policy::GRAPH)?;
    caller.authorise(&request)?;
    app.start(&request)
}

/// Waits for the elements that one depends on.
async fn depends_on(app: &App, element: Element<'_>, slots: &mut [Slot<'_>]) -> Result<(), Refused> {
    let depends_on: Vec<Value<'_>> = element.depends_on()?.take(MAX_ELEMENTS + 1).collect();
    let mut outcome = Ok(());
    for id in &depends_on {
        let found = slots.iter_mut().find(|slot| slot.id.is_same_text(*id));
        // An element can only depend on those before it.
        let Some(slot) = found.filter(|_| depends_on.len() <= MAX_ELEMENTS) else {
            return Err(Refusal::Malformed(Field::DependsOn).into());
        };
        slot.end(app).await;
        if slot.has_failed() {
            outcome = Err(Refusal::FailedDependency.into());
        }
    }
    outcome
}

impl Slot<'_> {
    async fn end(&mut self, app: &App) {
        let state = std::mem::replace(&mut self.state, State::Ended(Err(Refused::Internal)));
        self.state = State::Ended(match state {
            State::Started(started) => started.finish(app).await,
            State::Ended(outcome) => outcome,
        });
    }

    const fn has_failed(&self) -> bool {
        matches!(self.state, State::Ended(Err(_)))
    }

    fn write(&self, text: &mut Text, ids: &Ids, app: &App) {
        let State::Ended(outcome) = &self.state else { return };
        let status = outcome.as_ref().map_or_else(|refused| refused.status(), |_| 200);
        let bytes = &mut text.0;
        bytes.extend_from_slice(format!("{{\"id\":{},\"status\":{status}", self.id.as_str()).as_bytes());
        match outcome {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Body(body) | Outcome::Long(body, _)) => {
                bytes.extend_from_slice(b",\"body\":");
                bytes.extend_from_slice(body);
            }
            Err(refused) => {
                if *refused == Refused::Rule(Refusal::Throttled) {
                    bytes.extend_from_slice(b",\"headers\":{\"Retry-After\":\"1\"}");
                }
                bytes.extend_from_slice(b",\"body\":");
                let _ = refused.write(text, ids, &app.clock);
            }
        }
        text.0.push(b'}');
    }
}
