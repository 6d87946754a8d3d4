//! `/health/live` and `/health/ready`, for supervisors and for balancers. Both need no token.
//!
//! Live means that requests are served at all. Ready means that the server carries out changes, and will for a while. A start
//! needs no state of its own: connections wait until all users are loaded, so a probe gets no response in time.

use super::App;
use super::response::{OperationName, json};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// The time for which a change may wait for the disk before the server is not ready.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Reports whether the paths of probes include this one. They are served under any address as host.
pub fn is_probe(path: &str) -> bool {
    matches!(path, "/health/live" | "/health/ready")
}

/// Says that requests are served.
pub async fn live() -> Response {
    OperationName::attach("live", json(br#"{"status":"live"}"#.to_vec()))
}

/// Says whether the server is to be sent requests, and if not, why.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let reasons = app.unready();
    let response = if reasons.is_empty() {
        json(br#"{"status":"ready"}"#.to_vec())
    } else {
        let reasons: Vec<_> = reasons.iter().map(|reason| format!("\"{reason}\"")).collect();
        let mut response = json(format!(r#"{{"status":"notReady","reasons":[{}]}}"#, reasons.join(",")).into_bytes());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    };
    OperationName::attach("ready", response)
}

impl App {
    /// Returns the reasons for which the server is to be sent no requests.
    fn unready(&self) -> Vec<&'static str> {
        let reasons = [
            (*self.ending.borrow(), "ending"),
            (self.metrics.engine.disk_full.get() > 0, "diskFull"),
            (self.shards.oldest_unflushed().is_some_and(|waits| waits > LONGEST_WAIT), "unflushed"),
        ];
        reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
    }
}
