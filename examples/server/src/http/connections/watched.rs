//! A stream and a body that tell a connection when nothing more has come, and when a response has ended and was sent.

use super::super::access::AccessEntry;
use super::admission::Connection;
use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that tells its connection when nothing more has come, and when all that was written has been sent.
pub struct WatchedStream<S> {
    /// The stream.
    pub stream: S,
    /// The connection.
    pub connection: Arc<Connection>,
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buf);
        if read.is_pending() {
            self.connection.has_read_all();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    /// Is called by hyper only when its own buffer is empty.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.connection.has_sent_all();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The body of a response, which tells its connection that it has ended when hyper drops it, and ends the line of its request.
pub struct WatchedBody {
    /// The body.
    pub body: Body,
    /// The connection.
    pub connection: Arc<Connection>,
    /// The line for the access log.
    pub entry: Option<Box<AccessEntry>>,
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.connection.end();
    }
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let (Some(entry), Poll::Ready(frame)) = (&mut self.entry, &polled) {
            match frame {
                Some(Ok(frame)) => entry.sent(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(_)) => {}
                None => entry.ended(),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
