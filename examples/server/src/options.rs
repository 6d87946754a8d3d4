//! The options on the command line.

use crate::http::{HostName, OpenPage, Rate};
use crate::listen::Listen;
use crate::logs::LogPlace;
use crate::policies::PolicyName;
use crate::tokens::Grant;
use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use presence_core::{SessionId, UserId};
use presence_engine::shard::users::SESSIONS;
use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;

/// Serves Microsoft Graph's presence API: sessions, preferred presence, status messages, work locations, reads, `$batch`,
/// and a stream of changes.
#[derive(Debug, Parser)]
#[command(name = "presence-server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How to serve.
    #[command(flatten)]
    pub options: Options,
}

/// What the program does instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the options of a server, as a start would, without listening and without touching data. Ends with 0 if they
    /// are right, with 2 otherwise
    CheckConfig(Options),
}

/// The options of a server.
#[derive(Debug, Args)]
pub struct Options {
    /// The address to listen on, localhost:PORT for 127.0.0.1 and ::1, unix:PATH, or systemd for the sockets that systemd
    /// passes; port 0 takes a free one. The address is printed once the server is ready
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: Listen,

    /// A name under which the server may be asked, beside those of this machine. May be repeated [default: on a loopback
    /// address none, otherwise any]
    #[arg(long, value_name = "NAME")]
    pub host: Vec<HostName>,

    /// The directory of the journals
    #[arg(long, value_name = "DIR", default_value = "presence-data")]
    pub data: PathBuf,

    /// The directory for backups, each in a directory of its own. POST /admin/backup or the command `backup` makes one
    /// [default: backups in the directory of the journals]
    #[arg(long, value_name = "DIR")]
    pub backup_dir: Option<PathBuf>,

    /// A bearer token of an application without a user. It may read and write every user, or what a list
    /// :PERMISSION[,PERMISSION] behind it says: Presence.Read.All, Presence.ReadWrite.All; Presence.Explain.All for
    /// presence/explain, Presence.Admin.All for /admin. May be repeated
    #[arg(long, value_name = "TOKEN=APPLICATION_ID", value_parser = Grant::application)]
    pub app_token: Vec<Grant>,

    /// A bearer token of an application on behalf of a signed-in user. It may read every user and write that one, or what
    /// a list behind it says: Presence.Read, Presence.Read.All, Presence.ReadWrite, and those above. May be repeated
    #[arg(long, value_name = "TOKEN=APPLICATION_ID/USER_ID", value_parser = Grant::delegated)]
    pub user_token: Vec<Grant>,

    /// A bearer token that may do everything and name every session; on loopback addresses only. May be repeated
    #[arg(long, value_name = "TOKEN", value_parser = Grant::development)]
    pub dev_token: Vec<Grant>,

    /// A name with an @ that stands for a user's id in paths. May be repeated
    #[arg(long, value_name = "NAME=USER_ID", value_parser = user_name)]
    pub user_name: Vec<(String, UserId)>,

    /// The policy: which presences and durations are allowed, and whether sessions fade
    #[arg(long, value_name = "POLICY", value_enum, default_value = "graph")]
    pub policy: PolicyName,

    /// A policy for one application, such as a calendar or a mirror, whoever it acts for. May be repeated
    #[arg(long, value_name = "APPLICATION_ID=POLICY", value_parser = PolicyName::of_application)]
    pub app_policy: Vec<(SessionId, PolicyName)>,

    /// Let only POST /dev/advance?seconds=N move the clock; needs --dev-token
    #[arg(long)]
    pub virtual_clock: bool,

    /// If the data is ahead of the wall clock, shift its instants back by that much before serving
    #[arg(long, conflicts_with = "virtual_clock")]
    pub reset_clock: bool,

    /// The most users that are held at a time
    #[arg(long, value_name = "N", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    pub users: u32,

    /// The most users that count for one application: those of whom it stored something first, until nothing is left.
    /// Development tokens and signed-in users have no such limit [default: half of --users]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    pub users_per_application: Option<u32>,

    /// The most sessions of one user at a time. Users who have more stored at the start keep them
    #[arg(long, value_name = "N", default_value = "8", value_parser = sessions)]
    pub sessions: usize,

    /// The most requests that are served at a time; more get 429 and a `Retry-After` that spreads them
    #[arg(long, value_name = "N", default_value = "4096", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub requests: u32,

    /// The requests that an application may send in a time, with all its users: N at once, and N more in SECONDS, evenly.
    /// Those beyond get 429. Graph has 1500/30 for presence [default: no limit]
    #[arg(long, value_name = "N/SECONDS")]
    pub application_rate: Option<Rate>,

    /// The requests that a signed-in user of an application may send, likewise [default: no limit]
    #[arg(long, value_name = "N/SECONDS")]
    pub user_rate: Option<Rate>,

    /// The longest silence on a stream of changes, after which a comment is sent: less than what proxies wait for
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = clap::value_parser!(u8).range(1..=15))]
    pub heartbeat: u8,

    /// The most connections at a time. For one more, the one that has been idle longest is closed. At most as many as files
    /// may be open [default: 8192, or as many]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: Option<u32>,

    /// The most connections of one IPv4 address, or of one /64 of IPv6, at a time. This machine and trusted proxies have no
    /// such limit [default: a 32nd of --connections, at least 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_per_address: Option<u32>,

    /// A proxy on another machine, whose many connections are of many clients. May be repeated
    #[arg(long, value_name = "ADDRESS[/PREFIX]", value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// The seconds in which the head of the next request must have come; then a connection is closed. The first byte of one
    /// from another machine must come in three
    #[arg(long, value_name = "N", default_value = "15", value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub idle_seconds: u16,

    /// Serve this page without a token also where other machines can reach it. May be repeated
    #[arg(long, value_name = "PAGE", value_enum)]
    pub open: Vec<OpenPage>,

    /// Write a line of JSON for each request to the end of this file, or to stdout or stderr. SIGHUP opens the file anew
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<LogPlace>,

    /// Likewise for each change, each privileged read and each refused attempt: who, what, for whom
    #[arg(long, value_name = "FILE")]
    pub audit_log: Option<LogPlace>,

    /// The seconds for which the server goes on serving after SIGTERM or SIGINT, while /health/ready says no, so that a balancer
    /// sends its clients elsewhere first
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u16).range(0..=300))]
    pub drain_seconds: u16,

    /// Send traces by OTLP to the collector at this URL, as http://127.0.0.1:4318/v1/traces
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Serve without a part of the server, to measure what the part costs
    #[cfg(feature = "benchmark")]
    #[arg(long, value_name = "WITHOUT")]
    pub benchmark: Option<Benchmark>,
}

/// A part that the server can be measured without.
#[cfg(feature = "benchmark")]
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Benchmark {
    /// Store nothing.
    NoJournal,
    /// Send constant responses.
    NoDirectory,
}

/// The most connections at a time, if it is not said.
pub const CONNECTIONS: u32 = 8192;

/// The part of all connections that one address may have, if it is not said.
const ADDRESSES: u32 = 32;
/// The least number of connections that one address may have, if it is not said.
const LEAST_PER_ADDRESS: u32 = 16;

/// Options that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionsError {
    /// A development token, on an address that other machines can reach.
    DevelopmentOffLoopback,
    /// A virtual clock that no token may advance.
    VirtualWithoutDevelopment,
    /// An address that other machines can reach, and no token.
    NoToken,
    /// A token of this option that could be guessed, on an address that other machines can reach.
    ShortToken(&'static str),
    /// A user principal name that is given twice, in any case.
    RepeatedName(String),
}

impl std::fmt::Display for OptionsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DevelopmentOffLoopback => f.write_str("--dev-token needs a loopback address for --listen"),
            Self::VirtualWithoutDevelopment => f.write_str("--virtual-clock needs --dev-token"),
            Self::NoToken => f.write_str("without --app-token or --user-token no request could be authorised"),
            Self::ShortToken(option) => write!(
                f,
                "{option}: a token has {} characters at least, unless --listen is a loopback address",
                Grant::MIN_TOKEN
            ),
            Self::RepeatedName(name) => write!(f, "--user-name {name} is given twice"),
        }
    }
}

impl std::error::Error for OptionsError {}

impl Options {
    /// Checks that the options go together.
    pub fn check(&self) -> Result<(), OptionsError> {
        let is_loopback = self.listen.is_loopback();
        if !self.dev_token.is_empty() && !is_loopback {
            return Err(OptionsError::DevelopmentOffLoopback);
        }
        if self.virtual_clock && self.dev_token.is_empty() {
            return Err(OptionsError::VirtualWithoutDevelopment);
        }
        if !self.has_tokens() && !is_loopback {
            return Err(OptionsError::NoToken);
        }
        let of_applications = self.app_token.iter().map(|grant| ("--app-token", grant));
        let of_users = self.user_token.iter().map(|grant| ("--user-token", grant));
        if let Some((option, _)) = of_applications.chain(of_users).find(|(_, grant)| !is_loopback && grant.is_short()) {
            return Err(OptionsError::ShortToken(option));
        }
        let mut names = HashSet::new();
        match self.user_name.iter().find(|(name, _)| !names.insert(name.to_lowercase())) {
            Some((name, _)) => Err(OptionsError::RepeatedName(name.to_lowercase())),
            None => Ok(()),
        }
    }

    /// Returns the directory for backups.
    pub fn backup_directory(&self) -> PathBuf {
        self.backup_dir.clone().unwrap_or_else(|| self.data.join("backups"))
    }

    /// Returns the most users that count for one application.
    pub fn users_per_application(&self) -> usize {
        self.users_per_application.unwrap_or(self.users.div_ceil(2)) as usize
    }

    /// Returns the most connections of one address, of all that there may be.
    pub fn connections_per_address(&self, connections: u32) -> u32 {
        self.connections_per_address.unwrap_or((connections / ADDRESSES).max(LEAST_PER_ADDRESS))
    }

    /// Reports whether there is any token.
    pub const fn has_tokens(&self) -> bool {
        !(self.app_token.is_empty() && self.user_token.is_empty() && self.dev_token.is_empty())
    }
}

fn user_name(text: &str) -> Result<(String, UserId), String> {
    let (name, user) = text.rsplit_once('=').ok_or("expected NAME=USER_ID")?;
    if !name.contains('@') {
        return Err("a name needs an @, which tells it from an id in a path".to_owned());
    }
    let user = user.parse().map_err(|_| "the user id is no GUID")?;
    Ok((name.to_owned(), user))
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
    let network = address.or_else(|_| text.parse()).map_err(|_| "expected ADDRESS or ADDRESS/PREFIX")?;
    match network.addr() {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => Err("write it as an IPv4 network".to_owned()),
        _ => Ok(network),
    }
}

fn sessions(text: &str) -> Result<usize, String> {
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

    #[test]
    fn an_address_has_a_part_of_all_connections() {
        let options = |options: &[&str]| Cli::parse_from(["presence-server"].iter().chain(options)).options;
        for (connections, expected) in [(8192, 256), (60_000, 1875), (512, 16), (100, 16), (1, 16)] {
            assert_eq!(options(&[]).connections_per_address(connections), expected);
        }
        assert_eq!(options(&["--connections-per-address", "3"]).connections_per_address(8192), 3);
    }
}
