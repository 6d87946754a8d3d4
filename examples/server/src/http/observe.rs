//! A layer around every request: assigns its ids, counts it, limits its time, and says that nothing of it is to be stored.

use super::App;
use super::audit::Audited;
use super::client::Client;
use super::response::{Ids, OperationName, RequestError, ReserveFault};
use crate::metrics::{OperationLabels, RequestLabels};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Instant;

/// The header of the server's id of a request.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The header of the client's id of a request.
pub static CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// The longest id of a client that is echoed, in bytes.
const MAX_CLIENT_ID: usize = 128;

/// Serves a request, and adds its ids to the response.
pub async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let ids = Ids::new(client_id(request.headers()));
    request.extensions_mut().insert(ids.clone());
    let client: Client = request.extensions().get().copied().unwrap_or_default();
    let audited = Audited::begin(&app, client, &ids, request.uri().path());
    request.extensions_mut().insert(audited.trail.clone());
    let span = app.traces.begin(&request, client.address);
    let served = tokio::time::timeout(app.limits.request_timeout, span.run(next.run(request))).await;
    let is_known = served.is_ok();
    let mut response = served.unwrap_or_else(|_| RequestError::Stalled.response(&ids, &app.clock));
    if response.extensions().get::<ReserveFault>().is_some() {
        app.metrics.reserve_faults.inc();
    }
    // The response to a panic has no body yet.
    if response.status().is_server_error() && !response.headers().contains_key(CONTENT_TYPE) {
        response = RequestError::Internal.response(&ids, &app.clock);
    }
    let operation = response.extensions().get().map_or("unknown", |OperationName(name)| name);
    let status = response.status().as_u16();
    app.metrics.requests.get_or_create(&RequestLabels { operation, status }).inc();
    app.metrics.request_seconds.get_or_create(&OperationLabels { operation }).observe(started.elapsed().as_secs_f64());
    span.finish(operation, status);
    audited.finish(operation, status, is_known).await;
    let throttled = response.extensions().get().copied();
    let headers = response.headers_mut();
    // Errors say the least time. Here, where all of them pass, clients are spread over the seconds that follow.
    if let Some(seconds) = headers.get_mut(RETRY_AFTER) {
        let least = seconds.to_str().ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(1);
        let turn = throttled.map_or_else(|| app.retry_after(None, least), |throttled| app.throttle(throttled));
        *seconds = u16::from(turn).into();
    }
    // The stream of changes has its own, for proxies.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if *app.ending.borrow() {
        // So that clients that keep connections open go elsewhere.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, id) in [(&REQUEST_ID, &ids.request), (&CLIENT_REQUEST_ID, &ids.client)] {
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert(name.clone(), id);
        }
    }
    response
}

/// Returns the client's id of the request, if it is short and needs no escapes.
fn client_id(headers: &HeaderMap) -> Option<Arc<str>> {
    let id = headers.get(&CLIENT_REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.{}:".contains(&byte);
    ((1..=MAX_CLIENT_ID).contains(&id.len()) && id.bytes().all(is_plain)).then(|| id.into())
}
