//! `/metrics`, `/openapi.json`, and the response to a wrong method on a path outside Graph's API.

use super::App;
use super::account::Account;
use super::callers::is_forwarded;
use super::response::{Ids, OperationName, RequestError};
use super::response_body::ResponseBody;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Uri};
use presence_core::graph::Error;
use std::sync::Arc;

/// The media type of Prometheus's text format.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub static OPENAPI: &str = include_str!("../../openapi.json");

/// Serves the metrics, which name no user.
///
/// On addresses that other machines can reach, and through proxies for somebody else, the caller needs a token with permission
/// to read.
pub async fn metrics(State(app): State<Arc<App>>, Extension(ids): Extension<Ids>, headers: HeaderMap) -> Response {
    let may_read = match app.identify(&headers) {
        _ if app.is_loopback && !is_forwarded(&headers) => Ok(Account::Anonymous),
        Err(error) => Err(error),
        Ok(identity) if !identity.caller.may_read_all() => Err(Error::MissingPermission.into()),
        Ok(identity) => Ok(Account::from(&identity.caller)),
    };
    let response = may_read.and_then(|account| write_metrics(&app, account));
    let response = response.unwrap_or_else(|error| error.response(&ids, &app.clock));
    OperationName::attach("metrics", response)
}

fn write_metrics(app: &App, account: Account) -> Result<Response, RequestError> {
    app.metrics.reserved.set(app.reserved().try_into().unwrap_or(i64::MAX));
    // Nothing waits between writing and reserving, so each thread writes one text at a time.
    let mut response = ResponseBody::of(app, account, app.metrics.text().into_bytes())?.into_response(app)?;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(METRICS));
    Ok(response)
}

/// Serves the OpenAPI description. It takes no memory, because it is a part of the program.
pub async fn openapi() -> Response {
    OperationName::attach("openapi", ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response())
}

/// Rejects a wrong method on an existing path. Without a known token the response is 401, as for any path.
pub async fn wrong_method(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let is_open = matches!(uri.path(), "/openapi.json" | "/metrics");
    if !is_open && let Err(error) = app.identify(&headers) {
        return error.response(&ids, &app.clock);
    }
    let allowed = match uri.path() {
        path if path.starts_with("/dev/") || path.ends_with("/signOut") => "POST",
        path if path.starts_with("/admin/users/") => "DELETE",
        "/admin/backup" => "GET, HEAD, POST",
        _ => "GET, HEAD",
    };
    RequestError::MethodNotAllowed(allowed).response(&ids, &app.clock)
}
