//! The settings of a server, as options of the command line.
//!
//! The definitions here are the only ones: variables of the environment and files name the same settings, see
//! [`settings`](crate::settings), and the [page](../settings.md) of all settings is generated from them. Of a comment, the
//! first paragraph is the help; the others give the reason.

mod values;

pub use values::LogFilter;

use crate::backup::BackupOptions;
use crate::http::{HostName, OpenPage, Rate};
use crate::listen::Listen;
use crate::logs::LogPlace;
use crate::policies::PolicyName;
use crate::restore::RestoreOptions;
use crate::tokens::Grant;
use clap::{ArgAction, Args, Parser, Subcommand};
use ipnet::IpNet;
use presence_core::{SessionId, UserId};
use std::path::PathBuf;

/// Serves Microsoft Graph's presence API: sessions, preferred presence, status messages, work locations, reads, `$batch`,
/// and a stream of changes.
///
/// Each option is a setting that a variable or a file may give too: --users-per-application is
/// PRESENCE_USERS_PER_APPLICATION in the environment, and users-per-application in the file of --config.
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
    /// Check the settings of a server, as a start would, without listening and without touching data. Prints what is
    /// effective, and who says so. Ends with 0 if a server would start with them, with 2 otherwise
    CheckConfig(Box<Options>),
    /// Print the page of all settings, in Markdown
    Settings,
    /// Ask a running server for a backup. Prints the path of its directory when it is complete
    Backup(BackupOptions),
    /// Make a data directory of a backup. Ends with 2, and leaves nothing, unless everything in it is as it was
    Restore(RestoreOptions),
}

/// The options of a server.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// A file of settings, in TOML. Variables of the environment, and options, come before it
    ///
    /// A file can be reviewed, kept in version control and given to `check-config` before a restart. SIGHUP reads it anew.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The address to listen on, localhost:PORT for 127.0.0.1 and ::1, unix:PATH, or systemd for the sockets that systemd
    /// passes; port 0 takes a free one. The address is printed once the server is ready
    ///
    /// By default only this machine can connect, so that a first try needs no tokens and exposes nothing.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: Listen,

    /// A name or an address, without a port, under which the server may be asked, beside those of this machine. May be
    /// repeated [default: on a loopback address none, otherwise any]
    ///
    /// A page in a browser may let its own name mean 127.0.0.1 and would read what loopback serves without a token.
    #[arg(long, value_name = "NAME")]
    pub host: Vec<HostName>,

    /// The directory of the journals
    ///
    /// It is the server's alone, because it tells who was where. One server uses it at a time.
    #[arg(long, value_name = "DIR", default_value = "presence-data")]
    pub data: PathBuf,

    /// The directory for backups, each in a directory of its own. POST /admin/backup or the command `backup` makes one
    /// [default: backups in the directory of the journals]
    ///
    /// On another disk a backup survives the one of the journals, and takes no room of theirs. The directory is the server's
    /// alone, because backups hold what the journals hold.
    #[arg(long, value_name = "DIR")]
    pub backup_dir: Option<PathBuf>,

    /// A bearer token of an application without a user. It may read and write every user, or what a list
    /// :PERMISSION[,PERMISSION] behind it says: Presence.Read.All, Presence.ReadWrite.All; Presence.Explain.All for
    /// presence/explain, Presence.Admin.All for /admin. May be repeated
    ///
    /// Other users of the machine can see a command line: a file of tokens hides them. Where other machines can connect, a
    /// token has 20 characters at least, because it could be guessed.
    #[arg(long, value_name = "TOKEN=APPLICATION_ID", value_parser = Grant::application)]
    pub app_token: Vec<Grant>,

    /// A file of such tokens, one in a line. Empty lines, and those that begin with #, do not count. May be repeated
    ///
    /// The credential `app-token` of systemd, a file in $CREDENTIALS_DIRECTORY, is read without being named here. SIGHUP
    /// reads the files anew, so tokens can be replaced without a restart.
    #[arg(long, value_name = "FILE")]
    pub app_token_file: Vec<PathBuf>,

    /// A bearer token of an application on behalf of a signed-in user. It may read every user and write that one, or what
    /// a list behind it says: Presence.Read, Presence.Read.All, Presence.ReadWrite, and those above. May be repeated
    ///
    /// The user is /me, and counts for no application. Tokens are hidden and long as above.
    #[arg(long, value_name = "TOKEN=APPLICATION_ID/USER_ID", value_parser = Grant::delegated)]
    pub user_token: Vec<Grant>,

    /// A file of such tokens, one in a line. May be repeated
    ///
    /// The credential `user-token` is read as well.
    #[arg(long, value_name = "FILE")]
    pub user_token_file: Vec<PathBuf>,

    /// A bearer token that may do everything and name every session; on loopback addresses only. May be repeated
    ///
    /// Without any token the server creates one, for a first try, and keeps it in the file `dev-token` of the data directory.
    #[arg(long, value_name = "TOKEN", value_parser = Grant::development)]
    pub dev_token: Vec<Grant>,

    /// A file of such tokens, one in a line. May be repeated
    ///
    /// The credential `dev-token` is read as well.
    #[arg(long, value_name = "FILE")]
    pub dev_token_file: Vec<PathBuf>,

    /// A user principal name, with an @, that stands for a user's id in paths, in any case. May be repeated
    ///
    /// The server has no list of users. GET /users/ID tells the name.
    #[arg(long, value_name = "NAME=USER_ID", value_parser = values::user_name)]
    pub user_name: Vec<(String, UserId)>,

    /// The policy: which presences and durations are allowed, and whether sessions fade
    ///
    /// By default they are Graph's, so that clients of Graph see what they know. What was set stays as it is when the
    /// policy changes.
    #[arg(long, value_name = "POLICY", value_enum, default_value = "graph")]
    pub policy: PolicyName,

    /// A policy for one application, such as a calendar or a mirror, whoever it acts for. May be repeated
    ///
    /// Applications differ: a calendar needs hours, and what mirrors another system must not fade.
    #[arg(long, value_name = "APPLICATION_ID=POLICY", value_parser = PolicyName::of_application)]
    pub app_policy: Vec<(SessionId, PolicyName)>,

    /// Let only POST /dev/advance?seconds=N move the clock; needs a development token
    ///
    /// Tests of clients play hours in milliseconds.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, default_value = "false", hide_default_value = true,
          num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub virtual_clock: bool,

    /// If the data is ahead of the wall clock, shift its instants back by that much before serving
    ///
    /// It belongs in a start by hand: a machine may learn the time only after the start.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, default_value = "false", hide_default_value = true,
          num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub reset_clock: bool,

    /// The most users that are held at a time, in all shards. If more are stored at the start, all are kept
    ///
    /// Memory is reserved for all of them at the start, so that none is missing later.
    #[arg(long, value_name = "N", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    pub users: u32,

    /// The most users that count for one application: those of whom it stored something first, until nothing is left.
    /// Development tokens and signed-in users have no such limit [default: half of --users]
    ///
    /// Every GUID is a user, so an application could fill the server with ids that it makes up.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    pub users_per_application: Option<u32>,

    /// The most sessions of one user at a time: 8, 16, 32 or 64. Users who have more stored at the start keep them
    ///
    /// Each takes some 40 bytes of memory for each of --users. Graph documents no number; people have few devices.
    #[arg(long, value_name = "N", default_value = "8", value_parser = values::sessions)]
    pub sessions: usize,

    /// The most requests that are served at a time; more get 429 and a `Retry-After` that spreads them
    ///
    /// Beyond some thousands, more at a time make each slower and none more. Each caller has a share.
    #[arg(long, value_name = "N", default_value = "4096", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub requests: u32,

    /// The requests that an application may send in a time, with all its users: N at once, and N more in SECONDS, evenly.
    /// Those beyond get 429 [default: no limit]
    ///
    /// Graph has 1500/30 for presence. Shares already keep an application from taking all of the server.
    #[arg(long, value_name = "N/SECONDS")]
    pub application_rate: Option<Rate>,

    /// The requests that a signed-in user of an application may send, likewise [default: no limit]
    ///
    /// Graph documents no such number.
    #[arg(long, value_name = "N/SECONDS")]
    pub user_rate: Option<Rate>,

    /// The longest silence on a stream of changes, after which a comment is sent
    ///
    /// It is less than what proxies wait for: many close a connection after some 30 or 60 quiet seconds.
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = clap::value_parser!(u8).range(1..=15))]
    pub heartbeat: u8,

    /// The most connections at a time. For one more, the one that has been idle longest is closed. At most as many as files
    /// may be open [default: 8192, or as many]
    ///
    /// The server raises its soft limit of open files to the hard one. A number that does not fit ends the start.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: Option<u32>,

    /// The most connections of one IPv4 address, or of one /64 of IPv6, at a time. This machine and trusted proxies have no
    /// such limit [default: a 32nd of --connections, at least 16]
    ///
    /// One peer must not take all connections; browsers behind one address share it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_per_address: Option<u32>,

    /// A proxy on another machine, whose many connections are of many clients. May be repeated
    ///
    /// Nothing that it says of its clients is believed; it only has no limit for one address.
    #[arg(long, value_name = "ADDRESS[/PREFIX]", value_parser = values::network)]
    pub trusted_proxy: Vec<IpNet>,

    /// The seconds in which the head of the next request must have come; then a connection is closed. The first byte of one
    /// from another machine must come in three
    ///
    /// Behind a proxy that keeps connections open it is more than the proxy's, or a request may meet a closing connection.
    #[arg(long, value_name = "N", default_value = "15", value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub idle_seconds: u16,

    /// Serve this page without a token also where other machines can reach it. May be repeated
    ///
    /// What is served and how it is used is for whoever watches the server; a Prometheus without tokens may need it.
    #[arg(long, value_name = "PAGE", value_enum)]
    pub open: Vec<OpenPage>,

    /// Write a line of JSON for each request to the end of this file, or to stdout or stderr. SIGHUP opens the file anew
    ///
    /// Without it nothing tells afterwards who asked for what.
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<LogPlace>,

    /// Likewise for each change, each privileged read and each refused attempt: who, what, for whom
    ///
    /// It is apart from the access log, because it is kept longer and read by others.
    #[arg(long, value_name = "FILE")]
    pub audit_log: Option<LogPlace>,

    /// The seconds for which the server goes on serving after SIGTERM or SIGINT, while /health/ready says no, so that a balancer
    /// sends its clients elsewhere first
    ///
    /// By default the server ends at once, because one without a balancer only loses time.
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u16).range(0..=300))]
    pub drain_seconds: u16,

    /// Send traces by OTLP to the collector at this URL, as http://127.0.0.1:4318/v1/traces; needs a build with the feature `otlp`
    ///
    /// The libraries for it are large, and who has no collector need not have them.
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// A directory with the machine's time zone database, which counts if it is newer than the one that is compiled in
    ///
    /// Governments change their zones at short notice. The directory says its version in tzdata.zi or +VERSION; zones that it
    /// lacks are those compiled in. The variable TZDIR, which other programs share, counts as well, after PRESENCE_ZONEINFO.
    #[arg(long, value_name = "DIR", default_value = "/usr/share/zoneinfo")]
    pub zoneinfo: PathBuf,

    /// What is logged to standard error, as [TARGET=]LEVEL[,…] with the levels error, warn, info, debug and trace
    ///
    /// The variable RUST_LOG, which programs in Rust share, counts as well, after PRESENCE_LOG. At `info` every line is one that an
    /// operator should see.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: LogFilter,

    /// Serve without a part of the server, to measure what the part costs
    #[cfg(feature = "benchmark")]
    #[arg(long, value_name = "WITHOUT", hide = true)]
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

impl Options {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_part_of_all_connections() {
        let options = |options: &[&str]| Cli::parse_from(["presence-server"].iter().chain(options)).options;
        for (connections, expected) in [(8192, 256), (60_000, 1875), (512, 16), (100, 16), (1, 16)] {
            assert_eq!(options(&[]).connections_per_address(connections), expected);
        }
        assert_eq!(options(&["--connections-per-address", "3"]).connections_per_address(8192), 3);
    }
}
