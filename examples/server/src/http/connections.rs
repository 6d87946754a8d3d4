//! Connections: taken in while there is room, given up when a client is too slow, and ended when the server ends.

use super::App;
use super::response::{Ids, error_body};
use crate::clock::{date, wall_clock};
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

/// Most connections at a time; others wait to be taken in.
const CONNECTIONS: u32 = 8192;
/// Within this time a head of a request must have come, counted from the last answer.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// Most bytes, and most headers, of a head.
const MAX_HEAD: usize = 32 * 1024;
const MAX_HEADERS: usize = 100;
/// A client that takes nothing of its answer for so long is given up.
const WRITE_WITHIN: Duration = Duration::from_secs(60);
/// Requests that are being served when the server is told to end have so long.
const END_WITHIN: Duration = Duration::from_secs(20);

/// Serves connections until `stopping`, and then ends those that are open.
pub async fn serve(listener: TcpListener, router: Router, app: &App, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let mut http = Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .max_buf_size(2 * MAX_HEAD);
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: let some be closed.
                tracing::warn!("cannot take a connection in: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (http, router, stopping) = (http.clone(), router.clone(), stopping.clone());
        let connections = app.metrics.connections.clone();
        connections.inc();
        tokio::spawn(async move {
            connection(stream, &http, router, stopping).await;
            connections.dec();
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(END_WITHIN, places.acquire_many(CONNECTIONS)).await.is_err() {
        tracing::warn!("some clients were too slow to wait for");
    }
}

async fn connection(stream: TcpStream, http: &Builder, router: Router, mut stopping: watch::Receiver<bool>) {
    // Answers are written whole, so nothing is won by waiting for more.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_WITHIN));
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        router.clone().oneshot(request.map(|body| Body::new(body.map_err(axum::Error::new))))
    });
    let mut served = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let outcome = {
        let mut stopped = std::pin::pin!(stopping.wait_for(|is_stopping| *is_stopping));
        let mut is_told = false;
        std::future::poll_fn(|context| {
            if !is_told && stopped.as_mut().poll(context).is_ready() {
                is_told = true;
                Pin::new(&mut served).graceful_shutdown();
            }
            served.poll_without_shutdown(context)
        })
        .await
    };
    let is_late = outcome.as_ref().is_err_and(hyper::Error::is_timeout);
    if let Err(error) = outcome {
        tracing::debug!("a connection ended: {error}");
    }
    let parts = served.into_parts();
    let mut stream = parts.io.into_inner();
    if is_late && !parts.read_buf.is_empty() {
        // The library that reads heads closes without a word; a client that has begun one is told why.
        let _ = stream.write_all(too_late().as_bytes()).await;
    }
    let _ = stream.shutdown().await;
}

/// The whole answer to a head that did not come in time.
fn too_late() -> String {
    let ids = Ids { request: uuid::Uuid::new_v4().to_string().into(), client: None };
    let message = "The request did not come in time.";
    let body = error_body("RequestTimeout", message, &ids, &date(wall_clock()));
    format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\nrequest-id: {}\r\ncontent-length: {}\r\n\r\n{body}",
        ids.request,
        body.len()
    )
}
