//! Bodies of requests: never more than the wire allows, never for long, and never kept when nobody will look at them.

use super::App;
use super::response::{Refused, THROTTLED};
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt;
use presence_core::graph::{Error, RawRequest};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Within this time a body must have come.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// How much of a body that is too large is read and thrown away, so that a client that sends before it reads sees why.
const THROWN_AWAY: usize = 16 << 20;
/// A share of the memory for bodies is one kibibyte.
const SHARE: usize = 1024;

/// A body, and its share of the memory for all bodies.
#[derive(Debug)]
pub struct Held {
    /// The body.
    pub bytes: Bytes,
    _shares: OwnedSemaphorePermit,
}

/// The length that the headers promise.
pub fn promised(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the headers promise more than the wire allows.
pub fn is_too_large(headers: &HeaderMap) -> bool {
    promised(headers).is_some_and(|length| length > RawRequest::MAX_BODY as u64)
}

impl App {
    /// A share of the memory for bodies and answers.
    pub fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let shares = u32::try_from(bytes.div_ceil(SHARE)).unwrap_or(u32::MAX);
        self.limits.buffers.clone().try_acquire_many_owned(shares).map_err(|_| THROTTLED)
    }

    /// Reads a body. Its memory is reserved before it is used, and never more than twice what has come: what a client only
    /// promises costs nobody anything.
    pub async fn read_body(&self, body: &mut Body, headers: &HeaderMap) -> Result<Held, Refused> {
        let promised = promised(headers).and_then(|length| usize::try_from(length).ok());
        let read = async {
            let mut shares = self.reserve(0)?;
            let (mut bytes, mut room) = (Vec::new(), 0);
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.map_err(|_| Refused::BrokenBody)?.into_data() else { continue };
                let len = bytes.len() + data.len();
                if len > RawRequest::MAX_BODY {
                    return Err(Refused::Rule(Error::TooLarge));
                }
                if len > room {
                    let wanted = (2 * len).min(promised.unwrap_or(RawRequest::MAX_BODY)).max(len);
                    shares.merge(self.reserve(wanted - room)?);
                    room = wanted;
                }
                if promised == Some(data.len()) {
                    // It came in one piece.
                    return Ok(Held { bytes: data, _shares: shares });
                }
                bytes.reserve_exact(room - bytes.len());
                bytes.extend_from_slice(&data);
            }
            Ok(Held { bytes: bytes.into(), _shares: shares })
        };
        tokio::time::timeout(BODY_WITHIN, read).await.unwrap_or(Err(Refused::TooSlow))
    }

    /// Reads a body that nobody will look at, for a request that is refused anyway, and keeps nothing of it. So the size
    /// is checked before the token (rule H2), and the connection stays usable.
    pub async fn discard_body(&self, body: &mut Body) -> Result<(), Refused> {
        let read = async {
            let mut len = 0;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| Refused::BrokenBody)?;
                len += frame.data_ref().map_or(0, Bytes::len);
                if len > RawRequest::MAX_BODY {
                    return Err(Refused::Rule(Error::TooLarge));
                }
            }
            Ok(())
        };
        tokio::time::timeout(BODY_WITHIN, read).await.unwrap_or(Err(Refused::TooSlow))
    }
}

/// Reads on behind the answer for a while, and throws away what comes: a client that sends everything before it reads
/// would otherwise see a connection that was reset, and no answer.
pub fn throw_away(mut body: Body, headers: &HeaderMap) {
    if headers.contains_key(EXPECT) {
        return;
    }
    tokio::spawn(tokio::time::timeout(BODY_WITHIN, async move {
        let mut len = 0;
        while let Some(Ok(frame)) = body.frame().await {
            len += frame.data_ref().map_or(0, Bytes::len);
            if len > THROWN_AWAY {
                break;
            }
        }
    }));
}
