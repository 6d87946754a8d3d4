//! Bodies of requests: bounded in size, time and memory, and discarded if the request is rejected anyway.

use super::account::Account;
use super::least_rate::LeastRate;
use super::response::RequestError;
use super::response_body::PERMIT;
use super::throttle::Memory;
use super::{App, BUFFERS};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use presence_core::graph::{Error, RawRequest};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The time in which a body must have come.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// The time in which nothing of a body need come, enough for three lost packets.
const BODY_GRACE: Duration = Duration::from_secs(10);
/// The most bytes of a too large body that are drained.
const MAX_DRAINED: usize = 16 << 20;

/// A body, with its memory.
#[derive(Debug)]
pub struct ReservedBody {
    /// The bytes of the body.
    pub bytes: Bytes,
    _memory: Memory,
}

/// Returns the length in the headers.
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reports whether the length in the headers is more than the wire allows.
pub fn is_too_large(headers: &HeaderMap) -> bool {
    content_length(headers).is_some_and(|length| length > RawRequest::MAX_BODY as u64)
}

/// A body that is given up if it comes too slowly.
struct Pieces<'a> {
    body: &'a mut Body,
    rate: LeastRate,
}

impl<'a> Pieces<'a> {
    const fn of(body: &'a mut Body) -> Self {
        Self { body, rate: LeastRate::new(BODY_GRACE) }
    }

    /// Waits for the next piece; returns `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, RequestError> {
        loop {
            let since = Instant::now();
            let frame = timeout(self.rate.left(), self.body.frame()).await.map_err(|_| RequestError::BodyTimeout)?;
            let Some(frame) = frame else { return Ok(None) };
            let data = frame.map_err(|_| RequestError::BrokenBody)?.into_data();
            self.rate.record(since.elapsed(), data.as_ref().map_or(0, Bytes::len));
            // What is no data are trailers.
            if let Ok(data) = data {
                return Ok(Some(data));
            }
        }
    }
}

impl App {
    /// Returns the bytes that are reserved for bodies and responses.
    pub fn reserved(&self) -> usize {
        BUFFERS.saturating_sub(self.limits.buffers.free()) * PERMIT
    }

    /// Reads a body, into the memory of its caller.
    ///
    /// Reserves its memory before using it, and never more than twice what has come: an announced length costs nothing.
    pub async fn read_body(
        &self,
        account: Account,
        body: &mut Body,
        headers: &HeaderMap,
    ) -> Result<ReservedBody, RequestError> {
        let announced = content_length(headers).and_then(|length| usize::try_from(length).ok());
        let read = async {
            let mut memory = self.reserve(account, 0)?;
            let mut pieces = Pieces::of(body);
            let (mut bytes, mut capacity) = (Vec::new(), 0);
            while let Some(data) = pieces.next().await? {
                let len = bytes.len() + data.len();
                if len > RawRequest::MAX_BODY {
                    return Err(RequestError::Graph(Error::TooLarge));
                }
                if len > capacity {
                    let wanted = (2 * len).min(announced.unwrap_or(RawRequest::MAX_BODY)).max(len);
                    memory.grow_to(wanted)?;
                    capacity = wanted;
                }
                if announced == Some(data.len()) {
                    // The whole body came in one piece.
                    return Ok(ReservedBody { bytes: data, _memory: memory });
                }
                bytes.reserve_exact(capacity - bytes.len());
                bytes.extend_from_slice(&data);
            }
            Ok(ReservedBody { bytes: bytes.into(), _memory: memory })
        };
        timeout(BODY_TIMEOUT, read).await.unwrap_or(Err(RequestError::BodyTimeout))
    }

    /// Reads the body of a request that is rejected anyway, and keeps nothing of it.
    ///
    /// So the size is checked before the token ([H2](../../../../docs/behaviour.md#h2)), and the connection stays usable.
    pub async fn discard_body(&self, body: &mut Body) -> Result<(), RequestError> {
        let read = async {
            let mut len = 0;
            let mut pieces = Pieces::of(body);
            while let Some(data) = pieces.next().await? {
                len += data.len();
                if len > RawRequest::MAX_BODY {
                    return Err(RequestError::Graph(Error::TooLarge));
                }
            }
            Ok(())
        };
        timeout(BODY_TIMEOUT, read).await.unwrap_or(Err(RequestError::BodyTimeout))
    }
}

/// Drains a body after its response was sent, for a limited time and up to a limit.
///
/// A client that sends everything before it reads would otherwise see a reset connection, and no response. One that asks
/// first may never send the body, so its next request could not be told from it: the response says that the connection ends.
pub fn drain(mut body: Body, headers: &HeaderMap, response: &mut Response) {
    if headers.contains_key(EXPECT) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return;
    }
    tokio::spawn(timeout(BODY_TIMEOUT, async move {
        let mut len = 0;
        while let Some(Ok(frame)) = body.frame().await {
            len += frame.data_ref().map_or(0, Bytes::len);
            if len > MAX_DRAINED {
                break;
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, REQUESTS};
    use super::*;
    use futures_util::{StreamExt, stream};
    use std::convert::Infallible;
    use std::ops::Range;

    /// A body of so many pieces, which come so many seconds apart.
    fn pieces(count: usize, bytes: usize, seconds: u64) -> Body {
        let pieces = stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<_, Infallible>(Bytes::from(vec![b' '; bytes]))
        });
        Body::from_stream(pieces)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_too_slowly_is_given_up() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        // Nothing, a byte every four seconds, a half of the least rate, and what would come in the end, but too late.
        let slow: [(_, Range<u64>); 5] = [
            ((1, 1, 60), 10..11),
            ((100, 1, 4), 10..11),
            ((100, 512, 1), 18..21),
            ((2, 100 << 10, 11), 10..11),
            ((3, 100 << 10, 9), 20..21),
        ];
        for ((count, bytes, seconds), expected) in slow {
            let began = Instant::now();
            let read = app.read_body(Account::Developer, &mut pieces(count, bytes, seconds), &HeaderMap::new()).await;
            assert_eq!(read.unwrap_err(), RequestError::BodyTimeout);
            assert!(expected.contains(&began.elapsed().as_secs()), "{bytes}: {:?}", began.elapsed());
            let discarded = app.discard_body(&mut pieces(count, bytes, seconds)).await;
            assert_eq!(discarded, Err(RequestError::BodyTimeout));
        }
        for (count, bytes, seconds) in [(1, 1, 9), (19, 1024, 1), (3, 6 << 10, 6), (1, 1 << 20, 9)] {
            let read = app.read_body(Account::Developer, &mut pieces(count, bytes, seconds), &HeaderMap::new()).await;
            assert_eq!(read.unwrap().bytes.len(), count * bytes);
            assert_eq!(app.discard_body(&mut pieces(count, bytes, seconds)).await, Ok(()));
        }
        assert_eq!((app.reserved(), app.limits.in_flight.free()), (0, REQUESTS));
    }

    /// Pieces are not rounded up one by one.
    #[tokio::test]
    async fn a_body_holds_what_was_announced() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        for (count, bytes) in [(1, 1), (16, 1000), (100, 1025), (3, 65_537)] {
            let headers = [(CONTENT_LENGTH, HeaderValue::from(count * bytes))].into_iter().collect();
            let read = app.read_body(Account::Developer, &mut pieces(count, bytes, 0), &headers).await.unwrap();
            assert_eq!((read.bytes.len(), app.reserved()), (count * bytes, (count * bytes).next_multiple_of(PERMIT)));
        }
        assert_eq!(app.reserved(), 0);
    }
}
