//! The access log: one line for each request, written when its response has ended, whatever has ended it.
//!
//! A line names the path, cut where it is long, and never what follows the question mark, because clients put tokens there.

use super::App;
use super::client::{Client, ClientFields};
use super::response::OperationName;
use crate::logs::json::{ClientText, append_line};
use crate::logs::now;
use axum::response::Response;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, Method, Request};
use http_body::Body;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// The most bytes of a path.
const MAX_PATH: usize = 512;
/// The most bytes of a method, and of the value of a header.
const MAX_VALUE: usize = 256;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The line of a request. It is written when this is dropped.
#[derive(Debug)]
pub struct AccessEntry {
    app: Arc<App>,
    started: Instant,
    is_head: bool,
    sent: u64,
    expected: Option<u64>,
    line: AccessLine,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessLine {
    time: String,
    log: &'static str,
    event: &'static str,
    #[serde(flatten)]
    client: ClientFields,
    /// The client for whom a proxy says it asks, which nothing proves.
    forwarded_for: Option<ClientText>,
    method: ClientText,
    path: ClientText,
    operation: Option<&'static str>,
    /// `null` if the client hung up before there was one.
    status: Option<u16>,
    /// The time from the head of the request to the end of the response.
    seconds: f64,
    /// The bytes of the response's body.
    bytes: u64,
    /// False if the response was cut off.
    complete: bool,
    request_id: Option<ClientText>,
    client_request_id: Option<ClientText>,
    user_agent: Option<ClientText>,
}

impl AccessEntry {
    /// Begins the line of a request, if there is an access log.
    pub fn begin<B>(app: &Arc<App>, request: &Request<B>, client: Client) -> Option<Box<Self>> {
        app.logs.access.as_ref()?;
        let line = AccessLine {
            time: String::new(),
            log: "access",
            event: "request",
            client: client.into(),
            forwarded_for: value(request.headers(), &FORWARDED_FOR),
            method: ClientText::new(request.method().as_str().as_bytes(), MAX_VALUE),
            path: ClientText::new(request.uri().path().as_bytes(), MAX_PATH),
            operation: None,
            status: None,
            seconds: 0.0,
            bytes: 0,
            complete: false,
            request_id: None,
            client_request_id: None,
            user_agent: value(request.headers(), &USER_AGENT),
        };
        let is_head = request.method() == Method::HEAD;
        Some(Box::new(Self { app: app.clone(), started: Instant::now(), is_head, sent: 0, expected: None, line }))
    }

    /// Records the head of the response.
    pub fn responded(&mut self, response: &Response) {
        let OperationName(operation) = response.extensions().get().copied().unwrap_or(OperationName("unknown"));
        self.line.operation = Some(operation);
        self.line.status = Some(response.status().as_u16());
        self.line.request_id = value(response.headers(), &super::observe::REQUEST_ID);
        self.line.client_request_id = value(response.headers(), &super::observe::CLIENT_REQUEST_ID);
        self.expected = if self.is_head { Some(0) } else { response.body().size_hint().exact() };
        self.line.complete = self.expected == Some(0);
    }

    /// Records a piece of the response's body.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        self.line.complete |= self.expected == Some(self.sent);
    }

    /// Records that the response's body has ended.
    pub const fn ended(&mut self) {
        self.line.complete = true;
    }
}

impl Drop for AccessEntry {
    fn drop(&mut self) {
        let Some(log) = &self.app.logs.access else { return };
        self.line.time = now();
        self.line.seconds = self.started.elapsed().as_secs_f64();
        self.line.bytes = self.sent;
        let mut line = Vec::new();
        append_line(&mut line, &self.line);
        log.push(&line);
    }
}

/// Returns the value of a header, cut where it is long; of several lines the last.
fn value(headers: &HeaderMap, name: &HeaderName) -> Option<ClientText> {
    headers.get_all(name).iter().next_back().map(|value| ClientText::new(value.as_bytes(), MAX_VALUE))
}

/// The line of a connection that was ended without a request that could be served.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedLine {
    time: String,
    log: &'static str,
    event: &'static str,
    #[serde(flatten)]
    client: ClientFields,
    status: u16,
    reason: &'static str,
}

/// Writes the line of a connection that was turned away, or whose head could not be read.
pub fn log_rejected(app: &App, client: Client, status: u16, reason: &'static str) {
    let Some(log) = &app.logs.access else { return };
    let mut line = Vec::new();
    let (time, client) = (now(), client.into());
    append_line(&mut line, &RejectedLine { time, log: "access", event: "rejected", client, status, reason });
    log.push(&line);
}
