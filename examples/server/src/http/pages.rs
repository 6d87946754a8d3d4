//! `/metrics`, `/openapi.json`, and what is said to a wrong method on a path that is not Graph's.

use super::App;
use super::response::{Ids, OperationName, Refused};
use crate::tokens::may_read_all;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};
use presence_core::graph::Error;
use std::sync::Arc;

/// The media type of Prometheus's text.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

static OPENAPI: &str = include_str!("../../openapi.json");

/// What is counted. It names no user; where others than this machine can ask, they need a token that may read.
pub async fn metrics(State(app): State<Arc<App>>, Extension(ids): Extension<Ids>, headers: HeaderMap) -> Response {
    let may_read = match app.tokens.caller(&headers) {
        _ if app.is_loopback => Ok(()),
        None => Err(Error::Unauthenticated),
        Some(caller) if !may_read_all(&caller) => Err(Error::MissingPermission),
        Some(_) => Ok(()),
    };
    let mut response = match may_read {
        Ok(()) => ([(CONTENT_TYPE, METRICS)], app.metrics.text()).into_response(),
        Err(refusal) => Refused::from(refusal).answer(&ids, &app.clock),
    };
    response.extensions_mut().insert(OperationName("metrics"));
    response
}

/// What this server can be asked.
pub async fn openapi() -> Response {
    let mut response = ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response();
    response.extensions_mut().insert(OperationName("openapi"));
    response
}

/// The path is there, the method is not; whoever is not known is told nothing.
pub async fn wrong_method(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let is_open = matches!(uri.path(), "/openapi.json" | "/metrics");
    if !is_open && app.tokens.caller(&headers).is_none() {
        return Refused::from(Error::Unauthenticated).answer(&ids, &app.clock);
    }
    let right = if uri.path().starts_with("/dev/") { "POST" } else { "GET, HEAD" };
    Refused::Method(right).answer(&ids, &app.clock)
}
