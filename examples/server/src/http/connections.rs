//! Connections: accepted up to limits, closed on time-outs, and shut down when the server ends.

mod admission;
mod table;
mod watched;

use self::admission::{AdmissionControl, Connection, Replaced};
use self::table::Limit;
use self::watched::{WatchedBody, WatchedStream};
use super::App;
use super::access::{AccessEntry, log_rejected};
use super::client::Client;
use super::guesses::Guesses;
use super::least_rate::LeastRateStream;
use super::response::{Ids, error_body};
use crate::listen::{Listeners, Stream};
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use presence_engine::clock::{Clock, date};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tower::ServiceExt;

#[cfg(test)]
mod tests;

/// The most bytes of a head: a filter of 650 ids in quotation marks, escaped as clients escape it, and a long token.
const MAX_HEAD: usize = 64 * 1024;
/// The most headers of a head.
const MAX_HEADERS: usize = 100;
/// The time after which a client that takes nothing of its response is disconnected.
const WRITE_GRACE: Duration = Duration::from_secs(60);
/// The most seconds after which a client that was turned away is to come back.
const LONGEST_RETRY: u128 = 10;
/// The time in which the rest of a head must have come when the server is ending, and the first byte of a connection, counted
/// from its beginning: who has just connected is about to ask.
const HEAD_GRACE: Duration = Duration::from_secs(1);
/// The time that requests in flight have when the server is ending.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// The limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// The most connections at a time.
    pub count: u32,
    /// The most connections of one address at a time.
    pub per_address: u32,
    /// The time in which the head of a request must have come, counted from the last response.
    pub idle: Duration,
}

/// Serves connections until `stopping`, then shuts the open ones down. Those of `proxies` have no limit for each address.
pub async fn serve(
    listeners: Listeners,
    limits: ConnectionLimits,
    proxies: Vec<IpNet>,
    router: Router,
    app: &Arc<App>,
    mut stopping: watch::Receiver<bool>,
) {
    let control = Arc::new(AdmissionControl::new(limits, proxies, app.metrics.clone()));
    let http = protocol(limits.idle);
    // Each connection has a sender, so the channel ends with the last one.
    let (open, mut ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listeners, &control, app) => accepted,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => break,
        };
        let Some((stream, connection)) = accepted else { continue };
        let key = connection.key;
        let (http, router, stopping, app, open) =
            (http.clone(), router.clone(), stopping.clone(), app.clone(), open.clone());
        // Made before the task, which may be aborted before it has begun.
        let silent = Silent { stream: Some(stream), connection: connection.clone(), clock: app.clock.clone() };
        let task = tokio::spawn(async move {
            let _open = open;
            if let Some(stream) = silent.begins(stopping.clone()).await {
                // What serving takes is allocated only now: a silent connection costs little.
                Box::pin(serve_connection(stream, connection, &http, router, stopping, &app)).await;
            }
        });
        control.attach(key, task);
    }
    drop((listeners, open));
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, ended.recv()).await.is_err() {
        tracing::warn!("some clients were too slow to wait for");
    }
}

/// Accepts and admits the next connection; `None` if it was turned away, or none could be accepted.
async fn accept(
    listeners: &Listeners,
    control: &Arc<AdmissionControl>,
    app: &App,
) -> Option<(Box<dyn Stream>, Arc<Connection>)> {
    let (stream, peer) = match listeners.accept().await {
        Ok(accepted) => accepted,
        Err(error) => {
            // Most likely no file descriptor is free: wait until some are closed.
            tracing::warn!("cannot accept a connection: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            return None;
        }
    };
    match control.enter(peer, || stream.has_begun()).await {
        Ok(connection) => Some((stream, connection)),
        Err(limit) => {
            stream.send_last(refusal(limit, &app.clock).as_bytes());
            let status = if limit == Limit::Network { 429 } else { 503 };
            log_rejected(app, Client { address: peer, identity: None }, status, "connections");
            None
        }
    }
}

/// A connection of which nothing has come. If it is closed for another, its client is told to come back.
struct Silent {
    stream: Option<Box<dyn Stream>>,
    connection: Arc<Connection>,
    clock: Arc<Clock>,
}

impl Silent {
    /// Waits for the first byte. Returns `None` if it does not come in time, which is short when the server ends.
    async fn begins(mut self, mut stopping: watch::Receiver<bool>) -> Option<Box<dyn Stream>> {
        let grace = Instant::now() + HEAD_GRACE;
        let stream = self.stream.as_ref()?;
        let first = poll_fn(|context| stream.poll_begun(context));
        let ends = async {
            let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
            tokio::time::sleep_until(grace).await;
        };
        tokio::select! {
            biased;
            first = tokio::time::timeout(self.connection.first_byte_timeout(), first) => first.ok()?.ok()?,
            () = ends => return None,
        }
        self.stream.take()
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if let Some(stream) = &self.stream
            && self.connection.is_replaced()
        {
            stream.send_last(refusal(Limit::All, &self.clock).as_bytes());
        }
    }
}

/// Returns the settings of HTTP.
fn protocol(idle: Duration) -> Builder {
    let mut http = Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD);
    http
}

async fn serve_connection(
    stream: Box<dyn Stream>,
    connection: Arc<Connection>,
    http: &Builder,
    router: Router,
    mut stopping: watch::Receiver<bool>,
    app: &Arc<App>,
) {
    let guesses = Arc::new(Guesses::default());
    let watched = connection.clone();
    let stream = WatchedStream { stream: LeastRateStream::new(stream, WRITE_GRACE), connection: connection.clone() };
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let (router, app, guesses, connection) = (router.clone(), app.clone(), guesses.clone(), connection.clone());
        Box::pin(async move {
            let client =
                Client { address: connection.peer, identity: app.current().tokens.identify(request.headers()) };
            request.extensions_mut().insert(client);
            let mut entry = AccessEntry::begin(&app, &request, client);
            connection.begin()?;
            let Ok(response) = router.oneshot(request.map(|body| Body::new(body.map_err(axum::Error::new)))).await;
            // No place of the server's is kept by guessing: meanwhile another connection may take this one's.
            connection.pause(guesses.slow(client.identity.is_some(), response.status())).await?;
            if let Some(entry) = &mut entry {
                entry.responded(&response);
            }
            Ok::<_, Replaced>(response.map(|body| WatchedBody { body, connection, entry }))
        })
    });
    let mut served = http.serve_connection(TokioIo::new(stream), service);
    let until_stopped = tokio::select! {
        // What has come is read before hyper is told to end: it closes a connection of which it has read nothing.
        biased;
        outcome = poll_fn(|context| served.poll_without_shutdown(context)) => Some(outcome),
        _ = stopping.wait_for(|is_stopping| *is_stopping) => None,
    };
    let outcome = match until_stopped {
        Some(outcome) => outcome,
        None => {
            Pin::new(&mut served).graceful_shutdown();
            tokio::select! {
                outcome = poll_fn(|context| served.poll_without_shutdown(context)) => outcome,
                // For hyper, a connection whose first head has begun is not idle.
                () = watched.waits_for_head(HEAD_GRACE) => Ok(()),
            }
        }
    };
    let rejected = outcome.as_ref().err().and_then(rejection);
    let is_timeout = outcome.as_ref().is_err_and(hyper::Error::is_timeout);
    if let Err(error) = outcome {
        tracing::debug!("a connection ended: {error}");
    }
    let parts = served.into_parts();
    let mut stream = parts.io.into_inner();
    if let Some((status, reason)) = rejected.filter(|_| !is_timeout || !parts.read_buf.is_empty()) {
        log_rejected(app, Client { address: watched.peer, identity: None }, status, reason);
    }
    if is_timeout && !parts.read_buf.is_empty() {
        // hyper sends no response then; a client that has begun a head gets one.
        let _ = stream.write_all(timeout_response(&app.clock).as_bytes()).await;
    }
    let _ = stream.shutdown().await;
}

/// Returns the status of what hyper itself has rejected, and why.
fn rejection(error: &hyper::Error) -> Option<(u16, &'static str)> {
    match error {
        error if error.is_timeout() => Some((408, "slowHead")),
        error if error.is_parse_too_large() => Some((431, "largeHead")),
        error if error.is_parse() => Some((400, "malformedHead")),
        _ => None,
    }
}

/// Returns the whole response to a head that did not come in time.
fn timeout_response(clock: &Clock) -> String {
    last_response("408 Request Timeout", "RequestTimeout", "The request did not come in time.", "", clock)
}

/// Returns the whole response to a connection that is turned away.
fn refusal(limit: Limit, clock: &Clock) -> String {
    // Official clients wait exactly as long, so those that came at once come back one after another.
    let retry = format!("retry-after: {}\r\n", 1 + uuid::Uuid::new_v4().as_u128() % LONGEST_RETRY);
    match limit {
        Limit::Network => {
            let message = "All connections of this address are taken.";
            last_response("429 Too Many Requests", "TooManyRequests", message, &retry, clock)
        }
        Limit::All => {
            last_response("503 Service Unavailable", "ServiceUnavailable", "All connections are taken.", &retry, clock)
        }
    }
}

/// Returns a whole response, the last one of its connection.
fn last_response(status: &str, code: &str, message: &str, header: &str, clock: &Clock) -> String {
    let ids = Ids::new(None);
    let body = error_body(code, message, &ids, &date(clock.now()));
    format!(
        "HTTP/1.1 {status}\r\n{header}content-type: application/json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\nrequest-id: {}\r\nclient-request-id: {}\r\ncontent-length: {}\r\n\r\n{body}",
        ids.request,
        ids.client,
        body.len()
    )
}
