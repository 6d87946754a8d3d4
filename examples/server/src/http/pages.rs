//! `/metrics`, `/openapi.json`, and the response to a wrong method on a path outside Graph's API.

use super::App;
use super::account::Account;
use super::callers::is_forwarded;
use super::health::is_probe;
use super::response::{Ids, OperationName, RequestError};
use super::response_body::ResponseBody;
use crate::disk::DiskBytes;
use crate::metrics::Readings;
use crate::tokens::Identity;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Uri};
use presence_core::graph::Error;
use std::sync::Arc;

/// The media type of OpenMetrics, which Prometheus asks for first.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The media type of Prometheus's earlier text format, for programs that ask for text and not for OpenMetrics.
const PLAIN_METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub static OPENAPI: &str = include_str!("../../openapi.json");

/// A page for which a token is needed on addresses that other machines can reach, unless it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OpenPage {
    /// `/metrics`.
    Metrics,
    /// `/openapi.json`.
    Openapi,
}

impl App {
    /// Sets the gauges that nothing else keeps.
    async fn read_gauges(&self) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.reserved.set(number(self.reserved()));
        let Readings {
            users_stored,
            users_limit,
            oldest_unflushed,
            change_reader_lag,
            clock_ahead,
            data,
            disk_free,
            ..
        } = &self.metrics.readings;
        let (stored, limit) = self.shards.stored_users();
        users_stored.set(number(stored));
        users_limit.set(number(limit));
        oldest_unflushed.set(self.shards.oldest_unflushed().unwrap_or_default().as_secs_f64());
        change_reader_lag.set(self.shards.slowest_lag().cast_signed());
        clock_ahead.set(std::time::Duration::from(self.clock.ahead()).as_secs_f64());
        if let Some(DiskBytes { data: of_data, free }) = self.disk.measure().await {
            data.set(of_data.cast_signed());
            disk_free.set(free.cast_signed());
        }
    }

    /// Returns the caller that reads a page; `None` on this machine, where no token is needed.
    ///
    /// On addresses that other machines can reach, and through proxies that ask for others, the caller needs a token, unless the
    /// page is open.
    ///
    /// # Errors
    ///
    /// Those of [`identify`](Self::identify).
    fn reader_of(&self, page: OpenPage, headers: &HeaderMap) -> Result<Option<Identity>, RequestError> {
        if self.open.contains(&page) || self.is_loopback && !is_forwarded(headers) {
            return Ok(None);
        }
        self.identify(headers).map(Some)
    }
}

/// Serves the metrics, which name no user. A token that is needed must permit reading every user.
pub async fn metrics(State(app): State<Arc<App>>, Extension(ids): Extension<Ids>, headers: HeaderMap) -> Response {
    let may_read = match app.reader_of(OpenPage::Metrics, &headers) {
        Err(error) => Err(error),
        Ok(None) => Ok(Account::Anonymous),
        Ok(Some(identity)) if !identity.caller.may_read_all() => Err(Error::MissingPermission.into()),
        Ok(Some(identity)) => Ok(Account::from(&identity.caller)),
    };
    if may_read.is_ok() {
        app.read_gauges().await;
    }
    let response = may_read.and_then(|account| write_metrics(&app, account, wants_plain(&headers)));
    let response = response.unwrap_or_else(|error| error.response(&ids, &app.clock));
    OperationName::attach("metrics", response)
}

/// Reports whether a client asks for text in the earlier format. Prometheus names both, and gets OpenMetrics.
fn wants_plain(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().map(|value| value.to_str().unwrap_or_default());
    let accepted = accepted.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    accepted.contains("text/plain") && !accepted.contains("application/openmetrics-text")
}

fn write_metrics(app: &App, account: Account, is_plain: bool) -> Result<Response, RequestError> {
    // Nothing waits between writing and reserving, so each thread writes one text at a time.
    let (text, media_type) =
        if is_plain { (app.metrics.plain_text(), PLAIN_METRICS) } else { (app.metrics.text(), OPEN_METRICS) };
    let mut response = ResponseBody::of(app, account, text.into_bytes())?.into_response(app)?;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Serves the OpenAPI description. It takes no memory, because it is a part of the program. Any known token will do.
pub async fn openapi(State(app): State<Arc<App>>, Extension(ids): Extension<Ids>, headers: HeaderMap) -> Response {
    let response = match app.reader_of(OpenPage::Openapi, &headers) {
        Ok(_) => ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response(),
        Err(error) => error.response(&ids, &app.clock),
    };
    OperationName::attach("openapi", response)
}

/// Rejects a wrong method on an existing path. Without a known token the response is 401, as for any path.
pub async fn wrong_method(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let may_know = match uri.path() {
        "/openapi.json" => app.reader_of(OpenPage::Openapi, &headers).map(drop),
        "/metrics" => app.reader_of(OpenPage::Metrics, &headers).map(drop),
        path if is_probe(path) => Ok(()),
        _ => app.identify(&headers).map(drop),
    };
    if let Err(error) = may_know {
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
