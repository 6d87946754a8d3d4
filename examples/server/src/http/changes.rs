//! `GET /presence/changes`: who changed, as server-sent events.
//!
//! A reader is where it stands in the changes of every shard, and at most one chunk of users that it has not taken yet. It
//! asks for more only when its client has read, so a slow client costs nobody anything. One that is too far behind, or
//! comes from another run of the server, is told to start over, and is given everybody first.
//!
//! | event | data | id |
//! | --- | --- | --- |
//! | `start-over` | `{}`: forget what you know; everybody follows | |
//! | `presence` | a presence object | while everybody is told: none; then: where to go on after it |
//! | `up-to-date` | `{}`: everybody was told; changes follow | where to go on |

use super::App;
use super::answer::{Ids, OperationName, Refused, THROTTLED, Text};
use super::work::{USUAL_PRESENCE, write};
use crate::shard::job::{Changes, Everybody, Job, Shown};
use crate::tokens::may_read_all;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, Uri};
use presence_core::UserId;
use presence_core::directory::Cursor;
use presence_core::graph::{Refusal, Select};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, watch};

/// A client hears something at least this often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a shard is busy, a reader lets others go first for so long.
const LATER: Duration = Duration::from_millis(20);

/// Streams changes.
pub async fn follow(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let mut response = match open(&app, &uri, &headers) {
        Ok(reader) => {
            let events = stream::unfold(reader, |mut reader| async move {
                let event = reader.next().await?;
                Some((Ok::<_, Infallible>(event), reader))
            });
            Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
        }
        Err(refusal) => Refused::from(refusal).answer(&ids, &app.clock),
    };
    response.extensions_mut().insert(OperationName("changes"));
    response
}

fn open(app: &Arc<App>, uri: &Uri, headers: &HeaderMap) -> Result<Reader, Refusal> {
    let place = app.limits.readers.clone().try_acquire_owned().map_err(|_| THROTTLED)?;
    let caller = app.tokens.caller(headers).ok_or(Refusal::Unauthenticated)?;
    if !may_read_all(&caller) {
        return Err(Refusal::MissingPermission);
    }
    // A client that reconnects by itself repeats its first address, and says in the header how far it came.
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let query = uri.query().unwrap_or_default();
    let since = last.or_else(|| query.split('&').find_map(|pair| pair.strip_prefix("since=")));
    let cursors = since.and_then(|text| read_cursor(text, app.epoch, app.shards.len()));
    app.metrics.change_readers.inc();
    let mut reader = Reader {
        bell: app.shards.bell(),
        stopping: app.stopping.clone(),
        app: app.clone(),
        me: caller.me(),
        cursors: Vec::new(),
        everybody: None,
        waiting: VecDeque::new(),
        _place: place,
    };
    match cursors {
        Some(cursors) => reader.cursors = cursors,
        None => reader.start_over(),
    }
    Ok(reader)
}

/// A client that follows changes.
struct Reader {
    app: Arc<App>,
    /// The user who asks, if it is one.
    me: Option<UserId>,
    /// Where it stands in each shard.
    cursors: Vec<Cursor>,
    /// While everybody is told: which shard, and where in it.
    everybody: Option<(usize, usize)>,
    waiting: VecDeque<Waiting>,
    bell: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

/// An event that was not sent yet.
enum Waiting {
    StartOver,
    Everybody(Shown),
    UpToDate,
    Changed(usize, Shown, Cursor),
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.app.metrics.change_readers.dec();
    }
}

impl Reader {
    fn start_over(&mut self) {
        self.cursors = vec![Cursor::START; self.app.shards.len()];
        self.everybody = Some((0, 0));
        self.waiting.push_back(Waiting::StartOver);
    }

    /// The next event, as soon as there is one; `None` when the server is about to end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(waiting) = self.waiting.pop_front() {
                return Some(self.event(&waiting));
            }
            if *self.stopping.borrow() {
                return None;
            }
            // What happens from here on rings again.
            self.bell.mark_unchanged();
            let found = match self.everybody {
                Some((shard, place)) => self.read_everybody(shard, place).await?,
                None => self.read_changes().await?,
            };
            if !found {
                tokio::select! {
                    rung = self.bell.changed() => rung.ok()?,
                    _ = self.stopping.wait_for(|is_stopping| *is_stopping) => return None,
                }
            }
        }
    }

    fn event(&mut self, waiting: &Waiting) -> Event {
        let presence = |shown: &Shown| {
            let mut text = Text(Vec::with_capacity(USUAL_PRESENCE));
            write(&mut text, shown, self.me, Select::ALL);
            Event::default().event("presence").data(String::from_utf8(text.0).unwrap_or_default())
        };
        match waiting {
            Waiting::StartOver => Event::default().event("start-over").data("{}"),
            Waiting::Everybody(shown) => presence(shown),
            Waiting::UpToDate => Event::default().event("up-to-date").data("{}").id(self.cursor()),
            Waiting::Changed(shard, shown, cursor) => {
                if let Some(known) = self.cursors.get_mut(*shard) {
                    *known = *cursor;
                }
                presence(shown).id(self.cursor())
            }
        }
    }

    /// Reads some more of everybody.
    async fn read_everybody(&mut self, shard: usize, place: usize) -> Option<bool> {
        let Everybody { users, next, cursor } = self.ask(shard, |answer| Job::Everybody(place, answer)).await?;
        if place == 0
            && let Some(known) = self.cursors.get_mut(shard)
        {
            // What changes after this is told again, later.
            *known = cursor;
        }
        // One that never showed anything is like one never heard of (rule M5).
        self.waiting.extend(
            users.into_iter().filter(|shown| shown.version > 0 || shown.told.is_some()).map(Waiting::Everybody),
        );
        self.everybody = match next {
            Some(place) => Some((shard, place)),
            None if shard + 1 < self.app.shards.len() => Some((shard + 1, 0)),
            None => {
                self.waiting.push_back(Waiting::UpToDate);
                None
            }
        };
        Some(true)
    }

    /// Reads some changes of each shard that has any. Says whether there were any.
    async fn read_changes(&mut self) -> Option<bool> {
        for shard in 0..self.app.shards.len() {
            let since = self.cursors.get(shard).copied().unwrap_or_default();
            if self.app.shards.published(shard) == since {
                continue;
            }
            match self.ask(shard, |answer| Job::Changes(since, answer)).await? {
                Changes::Users(users) => {
                    let changed = users.into_iter().map(|(shown, cursor)| Waiting::Changed(shard, shown, cursor));
                    self.waiting.extend(changed);
                }
                Changes::StartOver => {
                    self.waiting.clear();
                    self.start_over();
                    break;
                }
            }
        }
        Some(!self.waiting.is_empty())
    }

    /// Asks a shard, after others when it is busy.
    async fn ask<T>(&self, shard: usize, job: impl Fn(Sender<T>) -> Job) -> Option<T> {
        loop {
            let (answer, told): (_, Receiver<T>) = channel();
            if self.app.shards.ask(shard, job(answer)).is_ok() {
                return told.await.ok();
            }
            if *self.stopping.borrow() {
                return None;
            }
            tokio::time::sleep(LATER).await;
        }
    }

    /// Where it stands, as text: the run of the server, then a number for each shard.
    fn cursor(&self) -> String {
        let mut text = format!("{:016x}", self.app.epoch);
        for cursor in &self.cursors {
            text.push('-');
            text.push_str(&cursor.to_number().to_string());
        }
        text
    }
}

/// Reads what [`Reader::cursor`] wrote, in this run and for so many shards.
fn read_cursor(text: &str, epoch: u64, shards: usize) -> Option<Vec<Cursor>> {
    let mut parts = text.split('-');
    if u64::from_str_radix(parts.next()?, 16).ok()? != epoch {
        return None;
    }
    let cursors: Option<Vec<_>> = parts.map(|part| part.parse().ok().map(Cursor::from_number)).collect();
    cursors.filter(|cursors| cursors.len() == shards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_of_another_run_or_of_other_shards_is_none() {
        let numbers =
            |text| read_cursor(text, 0xAB, 2).map(|cursors| cursors.iter().map(|c| c.to_number()).collect::<Vec<_>>());
        assert_eq!(numbers("00000000000000ab-7-12"), Some(vec![7, 12]));
        for text in ["", "00000000000000ac-7-12", "00000000000000ab", "ab-7", "ab-7-12-1", "ab-7-x", "7", "-7-12"] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }
}
