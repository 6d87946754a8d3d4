//! The address of an MQTT broker.

use std::str::FromStr;

/// An MQTT broker, from `mqtt://user@host:port` or `mqtts://…`. The password is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// True for TLS.
    pub(crate) is_secure: bool,
    /// The user, if one is given.
    pub(crate) user: Option<String>,
    /// The name or the address of the broker, without brackets.
    pub(crate) host: String,
    /// The port: 1883, with TLS 8883, unless one is given.
    pub(crate) port: u16,
}

impl FromStr for Broker {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or("expected mqtt://HOST or mqtts://HOST")?;
        let is_secure = match scheme {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err("expected mqtt:// or mqtts://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            // Other users of a computer can read command lines.
            Some((user, _)) if user.contains(':') => return Err("a password does not belong on a command line"),
            Some(("", _)) => return Err("the user's name is empty"),
            Some((user, place)) => (Some(decoded(user)?), place),
            None => (None, rest),
        };
        let (host, port) = split_port(place)?;
        if host.is_empty() || host.contains(|letter: char| letter.is_whitespace() || "/?#[]".contains(letter)) {
            return Err("the host's name is missing or malformed");
        }
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or("the port is no number from 1 to 65535")?,
            None if is_secure => 8883,
            None => 1883,
        };
        Ok(Self { is_secure, user, host: host.to_owned(), port })
    }
}

/// Splits a host and its port; an IPv6 address is in brackets.
fn split_port(place: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("a bracket is not closed")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("expected a port behind the address"),
        };
    }
    Ok(place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))))
}

/// Returns a text without percent signs that stand for other bytes.
fn decoded(text: &str) -> Result<String, &'static str> {
    const MALFORMED: &str = "the user's name is malformed";
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, tail) = tail.split_at_checked(2).ok_or(MALFORMED)?;
        let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        bytes.push(u8::from_str_radix(digits.ok_or(MALFORMED)?, 16).map_err(|_| MALFORMED)?);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| MALFORMED)
}

/// Writes the address, without the user.
impl std::fmt::Display for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { is_secure, host, port, .. } = self;
        let scheme = if *is_secure { "mqtts" } else { "mqtt" };
        if host.contains(':') { write!(f, "{scheme}://[{host}]:{port}") } else { write!(f, "{scheme}://{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(is_secure: bool, user: Option<&str>, host: &str, port: u16) -> Result<Broker, &'static str> {
        Ok(Broker { is_secure, user: user.map(str::to_owned), host: host.to_owned(), port })
    }

    #[test]
    fn addresses_are_read() {
        for (text, expected) in [
            ("mqtt://broker", broker(false, None, "broker", 1883)),
            ("mqtts://broker/", broker(true, None, "broker", 8883)),
            ("mqtt://me@broker.example:1884", broker(false, Some("me"), "broker.example", 1884)),
            ("mqtt://me%40home%3A@10.0.0.7", broker(false, Some("me@home:"), "10.0.0.7", 1883)),
            ("mqtt://me@home@broker", broker(false, Some("me@home"), "broker", 1883)),
            ("mqtts://[::1]:1883", broker(true, None, "::1", 1883)),
            ("mqtts://[::1]", broker(true, None, "::1", 8883)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
        let shown = ["mqtts://me@[::1]", "mqtt://broker:1"].map(|text| text.parse::<Broker>().unwrap().to_string());
        assert_eq!(shown, ["mqtts://[::1]:8883", "mqtt://broker:1"]);
    }

    #[test]
    fn a_password_is_no_part_of_an_address() {
        assert_eq!("mqtt://me:secret@broker".parse::<Broker>(), Err("a password does not belong on a command line"));
    }

    #[test]
    fn malformed_addresses_are_rejected() {
        for text in [
            "broker",
            "http://broker",
            "mqtt://",
            "mqtt://@broker",
            "mqtt://me@",
            "mqtt://broker:0",
            "mqtt://broker:65536",
            "mqtt://broker:",
            "mqtt://[::1",
            "mqtt://[::1]x",
            "mqtt://a b",
            "mqtt://broker/topic",
            "mqtt://m%4@b",
            "mqtt://m%+1@b",
            "mqtt://m%ff@b",
        ] {
            assert!(text.parse::<Broker>().is_err(), "{text}");
        }
    }
}
