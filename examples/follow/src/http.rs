//! Requests over HTTP: by a library, with what the machine trusts, and with a limit to each wait and each answer.

use crate::Console;
use presence_core::Duration as CoreDuration;
use presence_core::client::ErrorAnswer;
use std::io::{Error as IoError, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy, http};

/// The time for an answer: less than `presence_core`'s follower and sign-in wait.
const PATIENCE: Duration = Duration::from_secs(9);
/// The time without a byte after which a stream is dead.
const SILENCE: Duration = Duration::from_secs(120);
/// The longest answer that is read.
const LONGEST: u64 = 1 << 20;

/// The address of a server, without a slash at its end.
///
/// It is one to which tokens may be sent: over https, or on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// A sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let uri: http::Uri = text.parse().map_err(|error| format!("{text} is no address ({error})"))?;
        let host = uri.host().ok_or_else(|| format!("{text} has no host: write https://HOST"))?;
        match uri.scheme_str() {
            _ if uri.query().is_some() => {
                Err(format!("{text} has a question mark, which the address of a server has not"))
            }
            Some("https") => Ok(Self(text.trim_end_matches('/').into())),
            Some("http") if is_loopback(host) => Ok(Self(text.trim_end_matches('/').into())),
            Some("http") => Err(format!("{text} would send tokens for everybody to read: write https://")),
            _ => Err(format!("{text} does not begin with https://")),
        }
    }

    /// Returns the address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reports whether a host is this computer.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// A request. Headers and body are not shown: they have tokens.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The whole address.
    pub url: &'a str,
    /// The headers, but for those that every request has.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body; an empty one is none.
    pub body: &'a [u8],
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The time that it asks to wait, in `Retry-After`.
    pub retry_after: Option<CoreDuration>,
    /// The body.
    pub body: Vec<u8>,
}

/// A stream of bytes that goes on, or an answer in its place.
pub enum Opened {
    /// The stream.
    Stream(Box<dyn Read + Send>),
    /// The answer of another status than 200.
    Answer(Answer),
}

/// A client. Its clones share its connections.
#[derive(Clone, Debug)]
pub struct Http {
    agent: Agent,
    console: Console,
}

impl Http {
    /// Creates a client that trusts what this machine trusts, and uses the proxy that the environment names.
    #[must_use]
    pub fn new(console: Console) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A server of this kind has no other address; whoever redirects has no business with tokens.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .tls_config(tls)
            .timeout_resolve(Some(PATIENCE))
            .timeout_connect(Some(PATIENCE))
            .user_agent(concat!("presence-follow/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent(), console }
    }

    /// Sends a request, and returns the answer.
    ///
    /// # Errors
    ///
    /// The reason for which there is none.
    pub fn send(&self, request: &Request<'_>) -> Result<Answer, String> {
        let began = Instant::now();
        let answer = self.run(request, Some(PATIENCE)).and_then(read);
        self.tell(request, began, answer.as_ref());
        answer
    }

    /// Opens a stream.
    ///
    /// # Errors
    ///
    /// The reason for which there is none.
    pub fn open(&self, request: &Request<'_>) -> Result<Opened, String> {
        let began = Instant::now();
        let opened = self.run(request, None).and_then(|response| {
            if response.status() == 200 {
                Ok(Opened::Stream(Box::new(response.into_body().into_reader())))
            } else {
                read(response).map(Opened::Answer)
            }
        });
        match &opened {
            Ok(Opened::Stream(_)) => {
                self.console.detail(|| format!("> {} {}\n< 200, a stream", request.method, request.url))
            }
            Ok(Opened::Answer(answer)) => self.tell(request, began, Ok(answer)),
            Err(error) => self.tell(request, began, Err(error)),
        }
        opened
    }

    fn run(&self, request: &Request<'_>, time: Option<Duration>) -> Result<http::Response<Body>, String> {
        let mut built = http::Request::builder().method(request.method).uri(request.url);
        for (name, value) in request.headers {
            built = built.header(*name, *value);
        }
        let is_near = built.uri_ref().and_then(http::Uri::host).is_some_and(is_loopback);
        let proxy = if is_near { None } else { Proxy::try_from_env() };
        macro_rules! send {
            ($body:expr) => {{
                let request = built.body($body).map_err(|error| error.to_string())?;
                let configured = self.agent.configure_request(request).proxy(proxy).timeout_global(time);
                let silence = if time.is_some() { None } else { Some(SILENCE) };
                self.agent.run(configured.timeout_recv_response(Some(PATIENCE)).timeout_per_read(silence).build())
            }};
        }
        let response = if request.body.is_empty() && request.method == "GET" { send!(()) } else { send!(request.body) };
        response.map_err(|error| error.to_string())
    }

    /// Shows what was sent and received, without headers and bodies.
    fn tell(&self, request: &Request<'_>, began: Instant, answer: Result<&Answer, &String>) {
        self.console.detail(|| {
            let sent = format!("> {} {}", request.method, request.url);
            let time = began.elapsed().as_millis();
            match answer {
                Ok(answer) => {
                    let after =
                        answer.retry_after.map_or(String::new(), |after| format!(", Retry-After: {}", after.as_secs()));
                    format!("{sent}\n< {} in {time} ms, {} bytes{after}", answer.status, answer.body.len())
                }
                Err(error) => format!("{sent}\n< no answer in {time} ms: {error}"),
            }
        });
    }
}

/// Reads a whole answer.
fn read(response: http::Response<Body>) -> Result<Answer, String> {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header("retry-after").and_then(|text| ErrorAnswer::parse_retry_after(text, header("date")));
    let mut body = Vec::new();
    let is_cut = |error: IoError| format!("the answer was cut: {error}");
    response.into_body().into_reader().take(LONGEST).read_to_end(&mut body).map_err(is_cut)?;
    Ok(Answer { status, retry_after, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_sent_over_https_or_on_this_computer() {
        for good in
            ["https://graph.microsoft.com/v1.0/", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:9/x"]
        {
            let address = Address::parse(good).expect(good);
            assert_eq!(address.as_str(), good.trim_end_matches('/'));
        }
        let bad = [
            "http://graph.microsoft.com",
            "http://127.0.0.1.evil.example",
            "ftp://a.b",
            "/v1.0",
            "a.b",
            "",
            "https://a.b/?x",
        ];
        for bad in bad {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
