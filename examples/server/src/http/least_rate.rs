//! A least rate at which a peer moves bytes: it sends its body, or takes its response, or is given up.
//!
//! [`LeastRate`] decides, from bytes and times alone. [`LeastRateStream`] applies it to what is written to a connection;
//! [`body`](super::body) applies it to what is read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// The least rate: what the slowest links that people use bring.
const BYTES_PER_SECOND: u32 = 1024;

/// How long a peer may still keep the server waiting. Waiting uses it up, and bytes that move renew it, never beyond its start.
///
/// So a peer that moves many bytes at first cannot stop for long then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastRate {
    grace: Duration,
    left: Duration,
}

impl LeastRate {
    /// Creates a meter that allows this time without a byte.
    pub const fn new(grace: Duration) -> Self {
        Self { grace, left: grace }
    }

    /// Returns how much longer the server waits for the next byte.
    pub const fn left(&self) -> Duration {
        self.left
    }

    /// Records that the server waited for so long, and then so many bytes moved.
    pub fn record(&mut self, waited: Duration, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let worth = Duration::from_secs(bytes.into()) / BYTES_PER_SECOND;
        self.left = self.left.saturating_sub(waited).saturating_add(worth).min(self.grace);
    }
}

/// A connection whose writes fail with [`io::ErrorKind::TimedOut`] if its peer takes bytes too slowly.
///
/// Only the time counts in which the server waits to write: a stream on which nothing happens is not slow.
#[derive(Debug)]
pub struct LeastRateStream<S> {
    stream: S,
    rate: LeastRate,
    /// The moment since which a write waits.
    since: Option<Instant>,
    /// The moment at which it has waited for too long.
    end: Pin<Box<Sleep>>,
}

impl<S> LeastRateStream<S> {
    /// Wraps a stream whose peer may take nothing for this time.
    pub fn new(stream: S, grace: Duration) -> Self {
        // The timer is set again when a write begins to wait.
        Self { stream, rate: LeastRate::new(grace), since: None, end: Box::pin(tokio::time::sleep(grace)) }
    }

    /// Accounts for a write that took so many bytes, or waits.
    fn poll_taken<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Ok(written)) => {
                let waited = self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
                self.rate.record(waited, bytes(&written));
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if self.since.is_none() {
                    let now = Instant::now();
                    self.since = Some(now);
                    self.end.as_mut().reset(now + self.rate.left());
                }
                ready!(self.end.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LeastRateStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LeastRateStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.poll_taken(context, written, |count| *count)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.poll_taken(context, written, |count| *count)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.poll_taken(context, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.poll_taken(context, shut, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waiting_uses_the_time_up_and_bytes_renew_it() {
        let mut rate = LeastRate::new(seconds(5));
        rate.record(seconds(3), 1024);
        assert_eq!(rate.left(), seconds(3));
        // Exactly the least rate keeps it as it is, for ever.
        (0..10_000).for_each(|_| rate.record(seconds(2), 2048));
        assert_eq!(rate.left(), seconds(3));
        // A little less does not.
        let steps = (1..10_000).find(|_| {
            rate.record(seconds(1), 1000);
            rate.left() < seconds(1)
        });
        // Each costs 24/1024 seconds more than it is worth, until the next would come too late.
        assert_eq!(steps, Some(86));
        // Many bytes at once are worth no more than the grace.
        rate.record(Duration::ZERO, usize::MAX);
        assert_eq!(rate.left(), seconds(5));
        rate.record(seconds(u64::MAX), 0);
        assert_eq!(rate.left(), Duration::ZERO);
    }

    /// Lets the server write to a peer that takes so many bytes every so many seconds; returns how long that goes on.
    async fn written_for(bytes: usize, every: u64) -> (Duration, io::Error) {
        let (mut peer, server) = duplex(4096);
        let began = Instant::now();
        tokio::spawn(async move {
            let mut buffer = vec![0; bytes];
            while bytes > 0 && peer.read_exact(&mut buffer).await.is_ok() {
                tokio::time::sleep(seconds(every)).await;
            }
            tokio::time::sleep(seconds(1_000_000)).await;
        });
        let mut server = LeastRateStream::new(server, seconds(60));
        let mut written = 0;
        loop {
            match server.write_all(&[b' '; 512]).await {
                // Ten hours are for ever.
                Ok(()) if began.elapsed() < seconds(36_000) => written += 512,
                Ok(()) => return (began.elapsed(), io::Error::other(format!("{written} bytes"))),
                Err(error) => return (began.elapsed(), error),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_too_little_is_given_up() {
        // None at all, a byte every 59 seconds, and half the least rate.
        for (bytes, every, expected) in [(0, 0, 60..61), (1, 59, 60..120), (5 * 1024, 10, 60..150)] {
            let (elapsed, error) = written_for(bytes, every).await;
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(expected.contains(&elapsed.as_secs()), "{bytes} every {every}: {elapsed:?}");
        }
        // Slow and steady, or with long pauses.
        for (bytes, every) in [(1024, 1), (60 * 1024, 50)] {
            let (_, error) = written_for(bytes, every).await;
            assert_eq!(error.kind(), io::ErrorKind::Other, "{bytes} every {every}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_on_which_nothing_happens_is_not_slow() {
        let (mut peer, server) = duplex(64);
        let mut server = LeastRateStream::new(server, seconds(60));
        for _ in 0..100 {
            server.write_all(&[b' '; 64]).await.unwrap();
            server.flush().await.unwrap();
            tokio::time::sleep(seconds(3600)).await;
            peer.read_exact(&mut [0; 64]).await.unwrap();
            // Reading is not writing.
            let silent = tokio::time::timeout(seconds(3600), server.read_u8()).await;
            assert!(silent.is_err());
        }
    }
}
