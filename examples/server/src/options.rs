//! What can be said on the command line.

use crate::shard::Service;
use crate::tokens::Grant;
use clap::{Parser, ValueEnum};
use presence_core::UserId;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serves Microsoft Graph's presence API: setPresence, clearPresence, preferred presence, reads, `$batch`, and a stream of
/// changes.
#[derive(Debug, Parser)]
#[command(name = "presence-server", version)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. The address is printed once the server is ready
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Where what must outlive the server is kept
    #[arg(long, value_name = "DIR", default_value = "presence-data")]
    pub data: PathBuf,

    /// A bearer token of an application by itself. With :PERMISSION[,PERMISSION] behind it (Presence.Read.All,
    /// Presence.ReadWrite.All) only with these. May be given again
    #[arg(long, value_name = "TOKEN=APPLICATION_ID", value_parser = Grant::application)]
    pub app_token: Vec<Grant>,

    /// A bearer token of an application on behalf of a signed-in user. Permissions as above. May be given again
    #[arg(long, value_name = "TOKEN=APPLICATION_ID/USER_ID", value_parser = Grant::delegated)]
    pub user_token: Vec<Grant>,

    /// A bearer token that may do everything and name every session; on loopback addresses only. May be given again
    #[arg(long, value_name = "TOKEN", value_parser = Grant::development)]
    pub dev_token: Vec<Grant>,

    /// A name with an @ that stands for a user's id in paths. May be given again
    #[arg(long, value_name = "NAME=USER_ID", value_parser = user_name)]
    pub user_name: Vec<(String, UserId)>,

    /// Let time stand still but for POST /dev/advance?seconds=N; needs --dev-token
    #[arg(long)]
    pub virtual_clock: bool,

    /// How many users there is room for
    #[arg(long, value_name = "N", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    pub users: u32,

    /// How many requests are served at a time; more are told to come back in a second (429)
    #[arg(long, value_name = "N", default_value = "4096", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub requests: u32,

    /// For measuring: serve without a part
    #[arg(long, value_name = "WITHOUT", hide = true)]
    pub benchmark: Option<Benchmark>,
}

/// Without which part the server is measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Benchmark {
    /// Nothing is durable.
    NoJournal,
    /// Every answer is a constant.
    NoDirectory,
}

/// Options that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A development token, on an address that others can reach.
    DevelopmentOffLoopback,
    /// A virtual clock that nobody may advance.
    VirtualWithoutDevelopment,
    /// Nobody could ask for anything.
    NoToken,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::DevelopmentOffLoopback => "--dev-token is refused unless --listen is a loopback address",
            Self::VirtualWithoutDevelopment => "--virtual-clock is refused without --dev-token",
            Self::NoToken => "give --app-token or --user-token: nobody could ask for anything",
        })
    }
}

impl std::error::Error for Refused {}

impl Options {
    /// Refuses what does not go together.
    pub fn check(&self) -> Result<(), Refused> {
        let is_loopback = self.listen.ip().is_loopback();
        if !self.dev_token.is_empty() && !is_loopback {
            return Err(Refused::DevelopmentOffLoopback);
        }
        if self.virtual_clock && self.dev_token.is_empty() {
            return Err(Refused::VirtualWithoutDevelopment);
        }
        if !self.has_tokens() && !is_loopback {
            return Err(Refused::NoToken);
        }
        Ok(())
    }

    /// Whether there is any token.
    pub const fn has_tokens(&self) -> bool {
        !(self.app_token.is_empty() && self.user_token.is_empty() && self.dev_token.is_empty())
    }

    /// What the shards do.
    pub const fn service(&self) -> Service {
        match self.benchmark {
            None => Service::Real,
            Some(Benchmark::NoJournal) => Service::WithoutJournal,
            Some(Benchmark::NoDirectory) => Service::WithoutDirectory,
        }
    }
}

fn user_name(text: &str) -> Result<(String, UserId), String> {
    let (name, user) = text.rsplit_once('=').ok_or("expected NAME=USER_ID")?;
    if !name.contains('@') {
        return Err("a name in a path is known by its @, so one without would never be found".to_owned());
    }
    let user = user.parse().map_err(|_| "the user id is no GUID")?;
    Ok((name.to_lowercase(), user))
}
