//! `$batch`: every element is authorised by itself and sent to its user's shard at once, so that a batch takes as long as
//! its slowest element. What one user's elements do happens in their order. Rule H5.

use super::App;
use super::dispatch::{Outcome, Started, USUAL_PRESENCE};
use super::graph::long;
use super::response::{Ids, Refused, Text};
use axum::response::Response;
use presence_core::Policy;
use presence_core::graph::{Batch, Caller, Dependencies, Element};
use tokio::sync::OwnedSemaphorePermit;

/// What became of an element.
enum State {
    Started(Started),
    Ended(Result<Outcome, Refused>),
}

/// Runs a batch and answers it.
pub async fn run(app: &App, batch: Batch<'_>, caller: Caller, ids: &Ids) -> Result<Response, Refused> {
    // What every element's answer takes at least; longer ones bring or ask for their own share.
    let mut shares = app.reserve(Batch::MAX_ELEMENTS * USUAL_PRESENCE)?;
    let mut elements: Vec<(Element<'_>, State)> = Vec::with_capacity(Batch::MAX_ELEMENTS);
    let mut answered = Dependencies::new();
    let mut ended = 0;
    for element in batch.elements() {
        // Who depends on others waits for all before it, which says all that can be said of them.
        if element.depends_on().is_ok_and(|mut others| others.next().is_some()) {
            for (earlier, state) in elements.iter_mut().skip(ended) {
                end(state, app, caller).await;
                answered.note(*earlier, status(state));
            }
            ended = elements.len();
        }
        let state = match answered.check(element).map_err(Refused::from).and_then(|()| start(app, element, caller)) {
            Ok(started) => State::Started(started),
            Err(refused) => State::Ended(Err(refused)),
        };
        elements.push((element, state));
    }
    let mut text = Text(b"{\"responses\":[".to_vec());
    let mut separator: &[u8] = b"";
    for (element, mut state) in elements {
        end(&mut state, app, caller).await;
        text.0.extend_from_slice(separator);
        keep(&mut state, app, &mut shares);
        write(&mut text, element, &state, ids, app);
        if let State::Ended(Ok(Outcome::Long(_, share))) = state {
            shares.merge(share);
        }
        separator = b",";
    }
    text.0.extend_from_slice(b"]}");
    text.0.shrink_to_fit();
    Ok(long(text.0, shares))
}

/// Sees to it that a single read's answer has a share of memory.
fn keep(state: &mut State, app: &App, shares: &mut OwnedSemaphorePermit) {
    if let State::Ended(Ok(Outcome::Body(body))) = state {
        match app.reserve(body.len()) {
            Ok(share) => shares.merge(share),
            Err(refusal) => *state = State::Ended(Err(refusal.into())),
        }
    }
}

fn start(app: &App, element: Element<'_>, caller: Caller) -> Result<Started, Refused> {
    let request = element.request(&app.context(caller), &Policy::GRAPH)?;
    caller.authorise(&request)?;
    app.start(&request)
}

async fn end(state: &mut State, app: &App, caller: Caller) {
    let outcome = match std::mem::replace(state, State::Ended(Err(Refused::Internal))) {
        State::Started(started) => started.finish(app, caller.me()).await,
        State::Ended(outcome) => outcome,
    };
    *state = State::Ended(outcome);
}

const fn status(state: &State) -> u16 {
    match state {
        State::Ended(Err(refused)) => refused.status(),
        _ => 200,
    }
}

fn write(text: &mut Text, element: Element<'_>, state: &State, ids: &Ids, app: &App) {
    let mut error = Text::default();
    let (body, retry_after): (&[u8], _) = match state {
        State::Ended(Ok(Outcome::Body(body) | Outcome::Long(body, _))) => (body, None),
        State::Ended(Err(refused)) => {
            // A sink that grows takes everything.
            let _ = refused.write(&mut error, ids, &app.clock);
            (&error.0, refused.retry_after())
        }
        _ => (b"", None),
    };
    let _ = element.write_response(status(state), retry_after, body, text);
}
