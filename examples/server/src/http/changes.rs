//! `GET /presence/changes`: who changed, as server-sent events. What a [`Reader`] hears, one event each:
//!
//! | event | data | id |
//! | --- | --- | --- |
//! | `start-over` | `{}`: forget what you know; everybody follows | |
//! | `presence` | a presence object | while everybody is told: none; then: where to go on after it |
//! | `up-to-date` | `{}`: everybody was told; changes follow | where to go on |

use super::App;
use super::dispatch::{USUAL_PRESENCE, write};
use super::reader::{News, Reader};
use super::response::{Ids, OperationName, Refused, THROTTLED, Text};
use crate::shard::job::Shown;
use crate::tokens::may_read_all;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, Uri};
use presence_core::UserId;
use presence_core::directory::Cursor;
use presence_core::graph::{Error, Select};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// A client hears something at least this often.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams changes.
pub async fn follow(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let mut response = match open(&app, &uri, &headers) {
        Ok((reader, me)) => {
            let epoch = app.epoch;
            let events = stream::unfold(reader, move |mut reader| async move {
                let news = reader.next().await?;
                Some((Ok::<_, Infallible>(event(&news, &reader, me, epoch)), reader))
            });
            Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
        }
        Err(refusal) => Refused::from(refusal).answer(&ids, &app.clock),
    };
    response.extensions_mut().insert(OperationName("changes"));
    response
}

/// A reader, and the user who asks, if it is one.
fn open(app: &Arc<App>, uri: &Uri, headers: &HeaderMap) -> Result<(Reader, Option<UserId>), Error> {
    let place = app.limits.readers.clone().try_acquire_owned().map_err(|_| THROTTLED)?;
    let caller = app.tokens.caller(headers).ok_or(Error::Unauthenticated)?;
    if !may_read_all(&caller) {
        return Err(Error::MissingPermission);
    }
    // A client that reconnects by itself repeats its first address, and says in the header how far it came.
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let query = uri.query().unwrap_or_default();
    let since = last.or_else(|| query.split('&').find_map(|pair| pair.strip_prefix("since=")));
    let cursors = since.and_then(|text| read_cursor(text, app.epoch, app.shards.len()));
    Ok((Reader::new(app.clone(), place, cursors), caller.me()))
}

/// What a reader hears, as an event.
fn event(news: &News, reader: &Reader, me: Option<UserId>, epoch: u64) -> Event {
    let presence = |shown: &Shown| {
        let mut text = Text(Vec::with_capacity(USUAL_PRESENCE));
        write(&mut text, shown, me, Select::ALL);
        Event::default().event("presence").data(String::from_utf8(text.0).unwrap_or_default())
    };
    match news {
        News::CursorError => Event::default().event("start-over").data("{}"),
        News::Told(shown) => presence(shown),
        News::UpToDate => Event::default().event("up-to-date").data("{}").id(cursor(reader.cursors(), epoch)),
        News::Changed(shown) => presence(shown).id(cursor(reader.cursors(), epoch)),
    }
}

/// Where a reader stands, as text: the run of the server, then a number for each shard.
fn cursor(cursors: &[Cursor], epoch: u64) -> String {
    let mut text = format!("{epoch:016x}");
    for cursor in cursors {
        text.push('-');
        text.push_str(&cursor.to_number().to_string());
    }
    text
}

/// Reads what [`cursor`] wrote, in this run and for so many shards.
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
