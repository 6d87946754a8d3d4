//! Connections: accepted up to a limit, closed on time-outs, and shut down when the server ends.

use super::App;
use super::guesses::Guesses;
use super::response::{Ids, error_body};
use crate::clock::{Clock, date};
use crate::listen::{Listeners, Stream};
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

#[cfg(test)]
mod tests;

/// The most bytes of a head: a filter of 650 ids in quotation marks, escaped as clients escape it, and a long token.
const MAX_HEAD: usize = 64 * 1024;
/// The most headers of a head.
const MAX_HEADERS: usize = 100;
/// The time after which a client that reads nothing of its response is disconnected.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// The time that requests in flight have when the server is ending.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// The limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// The most connections at a time; others wait to be accepted.
    pub count: u32,
    /// The time in which the head of a request must have come, counted from the last response.
    pub idle: Duration,
}

/// Serves connections until `stopping`, then shuts the open ones down.
pub async fn serve(
    listeners: Listeners,
    limits: ConnectionLimits,
    router: Router,
    app: &Arc<App>,
    mut stopping: watch::Receiver<bool>,
) {
    let permits = Arc::new(Semaphore::new(limits.count as usize));
    let http = protocol(limits.idle);
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listeners.accept() => accepted,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => break,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                // Most likely no file descriptor is free: wait until some are closed.
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (http, router, stopping) = (http.clone(), router.clone(), stopping.clone());
        let app = app.clone();
        app.metrics.connections.inc();
        tokio::spawn(async move {
            serve_connection(stream, &http, router, stopping, &app).await;
            app.metrics.connections.dec();
            drop(permit);
        });
    }
    drop(listeners);
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, permits.acquire_many(limits.count)).await.is_err() {
        tracing::warn!("some clients were too slow to wait for");
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
    http: &Builder,
    router: Router,
    mut stopping: watch::Receiver<bool>,
    app: &Arc<App>,
) {
    let guesses = Arc::new(Guesses::default());
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let (router, app, guesses) = (router.clone(), app.clone(), guesses.clone());
        Box::pin(async move {
            let is_known = app.tokens.identify(request.headers()).is_some();
            let response = router.oneshot(request.map(|body| Body::new(body.map_err(axum::Error::new)))).await?;
            guesses.slow(is_known, response.status()).await;
            Ok::<_, Infallible>(response)
        })
    });
    let mut served = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let outcome = {
        let mut stopped = std::pin::pin!(stopping.wait_for(|is_stopping| *is_stopping));
        let mut is_shutting_down = false;
        std::future::poll_fn(|context| {
            if !is_shutting_down && stopped.as_mut().poll(context).is_ready() {
                is_shutting_down = true;
                Pin::new(&mut served).graceful_shutdown();
            }
            served.poll_without_shutdown(context)
        })
        .await
    };
    let is_timeout = outcome.as_ref().is_err_and(hyper::Error::is_timeout);
    if let Err(error) = outcome {
        tracing::debug!("a connection ended: {error}");
    }
    let parts = served.into_parts();
    let mut stream = parts.io.into_inner();
    if is_timeout && !parts.read_buf.is_empty() {
        // hyper sends no response then; a client that has begun a head gets one.
        let _ = stream.write_all(timeout_response(&app.clock).as_bytes()).await;
    }
    let _ = stream.shutdown().await;
}

/// Returns the whole response to a head that did not come in time.
fn timeout_response(clock: &Clock) -> String {
    let ids = Ids::new(None);
    let message = "The request did not come in time.";
    let body = error_body("RequestTimeout", message, &ids, &date(clock.now()));
    format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\nrequest-id: {}\r\nclient-request-id: {}\r\ncontent-length: {}\r\n\r\n{body}",
        ids.request,
        ids.client,
        body.len()
    )
}
