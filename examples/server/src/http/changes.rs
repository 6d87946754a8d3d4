//! `GET /presence/changes`: changes of presence, as server-sent events. Each [`FeedEvent`] of a [`Reader`] is one event:
//!
//! | event | data |
//! | --- | --- |
//! | `start-over` | `{}`: discard all you know; a full scan follows |
//! | `presence` | a presence object |
//! | `up-to-date` | `{}`: the scan is complete; changes follow |
//!
//! Each has an [id](presence_engine::feed::ids) to resume after it, in a scan too.

use super::App;
use super::account::Account;
use super::bounded::Bounded;
use super::content::write_presence;
use super::response::{Ids, OperationName, RequestError};
use super::shares::Share;
use super::throttle::Limit;
use crate::tokens::{Digested, Identity, bearer};
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use presence_core::UserId;
use presence_core::graph::{Error, Resource, Select, TextBuffer};
use presence_engine::feed::{FeedEvent, Reader};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// The headers that make proxies pass events on as they come: nginx's own, and those of RFC 9111.
const THROUGH_PROXIES: [(HeaderName, &str); 2] =
    [(HeaderName::from_static("x-accel-buffering"), "no"), (CACHE_CONTROL, "no-cache, no-transform")];
/// The least time after which a client whose stream has ended connects again, and the most that chance adds to it.
///
/// Many streams end at once, when the server or a proxy restarts.
const RECONNECT: [u64; 2] = [2000, 2000];

/// The most bytes of a presence object.
const MAX_PRESENCE: usize = Resource::max_len(TextBuffer::CAPACITY);

/// Streams changes.
pub async fn follow(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let response = match open(&app, &uri, &headers) {
        Ok((follower, me)) => {
            let events = stream::unfold(follower, move |mut follower| async move {
                let event = follower.reader.next().await?;
                // A token that a reload has withdrawn sees nothing more.
                follower.may_follow().then_some(())?;
                Some((to_sse(&event, &follower, me)?, follower))
            });
            let events = stream::iter([Event::default().retry(reconnect_delay())]).chain(events);
            let heartbeat = KeepAlive::new().interval(app.limits.heartbeat);
            let stream = Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(heartbeat);
            (THROUGH_PROXIES.map(|(name, value)| (name, HeaderValue::from_static(value))), stream).into_response()
        }
        Err(error) => error.response(&ids, &app.clock),
    };
    OperationName::attach("changes", response)
}

/// Returns the time after which this client is to connect again, when its stream has ended.
fn reconnect_delay() -> Duration {
    let [least, spread] = RECONNECT;
    Duration::from_millis(least + uuid::Uuid::new_v4().as_u64_pair().1 % spread)
}

/// A client that follows changes, in its caller's share of all of them.
struct Follower {
    reader: Reader,
    app: Arc<App>,
    token: Option<Digested>,
    _share: Share,
}

impl Follower {
    /// Reports whether the token still may read every user.
    fn may_follow(&self) -> bool {
        let identity = self.token.and_then(|token| self.app.current().tokens.of(&token));
        identity.is_some_and(|Identity { caller, .. }| caller.may_read_all())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.app.metrics.change_readers.dec();
    }
}

/// Opens a reader, and returns the user that the caller is signed in as.
fn open(app: &Arc<App>, uri: &Uri, headers: &HeaderMap) -> Result<(Follower, Option<UserId>), RequestError> {
    let Identity { caller, .. } = app.identify(headers)?;
    let account = Account::from(&caller);
    app.count(account)?;
    app.limits.readers.check(account).map_err(|error| Limit::Readers.reached(error))?;
    if !caller.may_read_all() {
        return Err(Error::MissingPermission.into());
    }
    // Only those who may read take a place of those who read.
    let share = app.limits.readers.take(account, 1).map_err(|error| Limit::Readers.reached(error))?;
    // A client that reconnects by itself repeats its first address, and sends the last id in the header.
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let query = uri.query().unwrap_or_default();
    let since = last.or_else(|| query.split('&').find_map(|pair| pair.strip_prefix("since=")));
    let reader = Reader::new(app.shards.clone(), app.feed_ids.clone(), app.stopping.clone(), since);
    app.metrics.change_readers.inc();
    Ok((Follower { reader, app: app.clone(), token: bearer(headers), _share: share }, caller.me()))
}

/// Converts a feed event to a server-sent event; `None` of one that is too long, a fault of the server, which ends the stream.
fn to_sse(event: &FeedEvent, follower: &Follower, me: Option<UserId>) -> Option<Event> {
    let event = match event {
        FeedEvent::StartOver => Event::default().event("start-over").data("{}"),
        FeedEvent::Presence(view) => {
            let mut body = Bounded::new(MAX_PRESENCE);
            // A presence that does not fit is a fault, which `finish` reports.
            let _ = write_presence(&mut body, view, me, Select::ALL);
            let Some(body) = body.finish() else {
                tracing::error!("an event that is longer than any presence object");
                follower.app.metrics.reserve_faults.inc();
                return None;
            };
            Event::default().event("presence").data(String::from_utf8(body).unwrap_or_default())
        }
        FeedEvent::UpToDate => Event::default().event("up-to-date").data("{}"),
    };
    Some(event.id(follower.reader.id()))
}
