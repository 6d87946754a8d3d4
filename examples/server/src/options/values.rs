//! Values of settings.

use ipnet::IpNet;
use presence_core::UserId;
use presence_engine::shard::users::SESSIONS;
use std::net::IpAddr;
use std::str::FromStr;
use tracing_subscriber::EnvFilter;

/// A filter of log messages.
#[derive(Clone, Debug)]
pub struct LogFilter(String);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        EnvFilter::try_new(text).map_err(|error| error.to_string())?;
        Ok(Self(text.to_owned()))
    }
}

impl LogFilter {
    /// Returns the filter for the log.
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

/// Parses `NAME=USER_ID`.
pub fn user_name(text: &str) -> Result<(String, UserId), String> {
    let (name, user) = text.rsplit_once('=').ok_or("expected NAME=USER_ID")?;
    if !name.contains('@') {
        return Err("a name needs an @, which tells it from an id in a path".to_owned());
    }
    let user = user.parse().map_err(|_| "the user id is no GUID")?;
    Ok((name.to_owned(), user))
}

/// Parses an address or a network.
pub fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
    let network = address.or_else(|_| text.parse()).map_err(|_| "expected ADDRESS or ADDRESS/PREFIX")?;
    match network.addr() {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => Err("write it as an IPv4 network".to_owned()),
        _ => Ok(network),
    }
}

/// Parses a number of sessions.
pub fn sessions(text: &str) -> Result<usize, String> {
    let sizes = SESSIONS.map(|size| size.to_string()).join(", ");
    text.parse().ok().filter(|size| SESSIONS.contains(size)).ok_or(format!("expected one of {sizes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for (text, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.9/24", "192.0.2.255", "192.0.3.0"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ] {
            let network = network(text).unwrap();
            let contains = |address: &str| network.contains(&address.parse::<IpAddr>().unwrap());
            assert!(contains(inside) && !contains(outside), "{text}");
        }
        for text in ["", "proxy.example", "192.0.2.1/33", "192.0.2", "2001:db8::/129", "::ffff:192.0.2.0/120", "/8"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
