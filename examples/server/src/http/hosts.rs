//! Hosts: the names under which the server may be asked.
//!
//! A page in a browser on this machine may let its own name mean 127.0.0.1 (DNS rebinding), and would then read what loopback
//! serves without a token. Its requests still carry its name, so on loopback only names that mean this machine are served.

use super::App;
use super::body::drain;
use super::health::is_probe;
use super::response::{Ids, RequestError, panic_response};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri, Version};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

/// A name or an address of the server, without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl FromStr for HostName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match host(text) {
            Some(name) if name == text => Ok(Self(normalise(name))),
            _ => Err("expected a name or an address as it stands in Host, without a port"),
        }
    }
}

/// The names under which the server may be asked.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    names: Vec<HostName>,
    is_any: bool,
}

impl Hosts {
    /// Creates the set of these names and those of this machine; of all names, if none is given and `is_open`.
    pub fn new(names: Vec<HostName>, is_open: bool) -> Self {
        Self { is_any: is_open && names.is_empty(), names }
    }

    /// Checks the name in a request. The authority of a target in absolute form counts, not `Host` (RFC 9112, section 3.2.2).
    ///
    /// # Errors
    ///
    /// [`RequestError::InvalidHost`] unless there is exactly one valid `Host`; HTTP/1.0 may leave it out.
    /// [`RequestError::Misdirected`] if the name is of another server.
    fn check(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), RequestError> {
        let mut values = headers.get_all(HOST).iter();
        let named = match (values.next(), values.next()) {
            (None, _) if version <= Version::HTTP_10 => None,
            (Some(value), None) => Some(value.to_str().ok().and_then(host).ok_or(RequestError::InvalidHost)?),
            _ => return Err(RequestError::InvalidHost),
        };
        // Without a scheme it is the form of CONNECT, which says where a tunnel is to end.
        let named = match uri.authority().filter(|_| uri.scheme().is_some()) {
            Some(authority) => Some(host(authority.as_str()).ok_or(RequestError::InvalidHost)?),
            None => named,
        };
        match named {
            // A probe asks under the address it connects to. A page in a browser cannot: it asks under its own name.
            Some(name) if is_probe(uri.path()) && is_address(name) => Ok(()),
            Some(name) if !self.contains(name) => Err(RequestError::Misdirected),
            _ => Ok(()),
        }
    }

    fn contains(&self, name: &str) -> bool {
        if self.is_any {
            return true;
        }
        let name = normalise(name);
        is_this_machine(&name) || self.names.iter().any(|known| known.0 == name)
    }
}

/// Returns the host of `HOST[:PORT]`, if that is well formed.
fn host(text: &str) -> Option<&str> {
    let authority: Authority = text.parse().ok()?;
    let name = text.get(..authority.host().len()).filter(|name| !name.is_empty() && *name == authority.host())?;
    let port = text.get(name.len()..)?;
    let is_port =
        |port: &str| port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    (port.is_empty() || is_port(port)).then_some(name)
}

/// Returns a name in the form in which names are compared: small letters, without the dot of the root.
fn normalise(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Reports whether a host is an IP address.
fn is_address(name: &str) -> bool {
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    name.parse::<Ipv4Addr>().is_ok() || bracketed.is_some_and(|name| name.parse::<Ipv6Addr>().is_ok())
}

/// Reports whether a normalised name means the machine on which it is used, whatever a name server says.
fn is_this_machine(name: &str) -> bool {
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    name == "localhost"
        || name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        || bracketed.is_some_and(|name| name.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback()))
}

/// Rejects requests under names of others, before anything else of them is looked at.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Err(error) = app.current().hosts.check(request.version(), request.uri(), request.headers()) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let Some(ids) = parts.extensions.get::<Ids>() else { return panic_response(Box::new(())) };
    let mut response = error.response(ids, &app.clock);
    if !http_body::Body::is_end_stream(&body) {
        drain(body, &parts.headers, &mut response);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_a_port() {
        for (text, expected) in [
            ("localhost", Some("localhost")),
            ("localhost:8080", Some("localhost")),
            ("localhost:", Some("localhost")),
            ("a-b.example.:1", Some("a-b.example.")),
            ("127.0.0.1:0", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[::1]:8080", Some("[::1]")),
            ("", None),
            (":80", None),
            ("user@localhost", None),
            ("localhost@evil.example", None),
            ("localhost:evil", None),
            ("localhost:80:80", None),
            ("localhost:80@evil.example", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]evil", None),
            ("[::1]:", Some("[::1]")),
            ("localhost evil.example", None),
            ("localhost,evil.example:80", Some("localhost,evil.example")),
            ("localhost/evil", None),
            ("http://localhost", None),
        ] {
            assert_eq!(host(text), expected, "{text}");
        }
    }

    #[test]
    fn on_loopback_only_names_of_this_machine_are_served() {
        let hosts = Hosts::new(vec!["Presence.Example".parse().unwrap(), "[::ffff:7f00:1]".parse().unwrap()], false);
        let this = ["localhost", "LocalHost", "localhost.", "127.0.0.1", "127.255.1.2", "[::1]", "[0:0:0:0:0:0:0:1]"];
        for name in this.into_iter().chain(["presence.example", "PRESENCE.EXAMPLE.", "[::ffff:7f00:1]"]) {
            assert!(hosts.contains(name), "{name}");
        }
        let others = [
            "evil.example",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example",
            "presence.example.evil.example",
            "x",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0.0.0.0",
            "128.0.0.1",
            "[::]",
            "[::2]",
            "[::1",
            "localhost,evil.example",
            "localhost..",
        ];
        for name in others {
            assert!(!hosts.contains(name), "{name}");
            assert!(Hosts::new(vec![], true).contains(name), "{name}");
            assert!(!Hosts::new(vec!["presence.example".parse().unwrap()], true).contains(name), "{name}");
        }
    }

    #[test]
    fn a_name_of_the_server_has_no_port() {
        for text in ["", "presence.example:80", "http://presence.example", "presence.example/", "a@presence.example"] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }
}
