//! Where presences come from: one file for each kind. Each runs in a thread of its own.

pub(crate) mod calendar;
pub(crate) mod devices;
pub(crate) mod graph;
mod mirror;
pub(crate) mod server;
pub(crate) mod stdin;
#[cfg(test)]
mod tests;

use crate::{Clock, Console, Stop};
use clap::Args;
use presence_core::client::Link;
use presence_core::{Command, Duration, Policy, Presence};
use std::sync::mpsc::Sender;

/// A source, and the id of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Microsoft Graph: the presence of a Teams account.
    Graph,
    /// The feed of this project's server.
    Server,
    /// Microphone and camera.
    Devices,
    /// A calendar.
    Calendar,
    /// Lines of standard input.
    Stdin,
    /// A choice in a home automation, by MQTT.
    Mqtt,
}

impl Source {
    /// Returns the name, as people and programs read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Server => "server",
            Self::Devices => "devices",
            Self::Calendar => "calendar",
            Self::Stdin => "stdin",
            Self::Mqtt => "mqtt",
        }
    }

    /// Returns the policy under which its session is set: the one that mirrors, for what another system or a script says.
    #[must_use]
    pub const fn policy(self) -> &'static Policy {
        if self.is_mirrored() || matches!(self, Self::Stdin) { &Policy::MIRROR } else { &Policy::DESK }
    }

    /// Reports whether it says what another system publishes.
    #[must_use]
    pub const fn is_mirrored(self) -> bool {
        matches!(self, Self::Graph | Self::Server)
    }
}

/// What a source says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// The source.
    pub source: Source,
    /// What it says.
    pub news: News,
}

/// What is new of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A presence, that holds for so long unless it is said again.
    Presence {
        /// The presence.
        presence: Presence,
        /// The time for which it holds.
        lease: Duration,
        /// True if the person is out of office, beside the presence.
        is_out_of_office: bool,
    },
    /// There is nothing to show any more: the session ends at once.
    Ended,
    /// The state of the link to what is followed, apart from any presence. The first one says that the source has looked.
    Link(Link),
}

impl News {
    /// Returns what a follower's command says.
    #[must_use]
    pub fn of(command: Command<Source>, is_out_of_office: bool) -> Option<Self> {
        match command {
            Command::SetPresence { presence, lease, .. } => {
                Some(Self::Presence { presence, lease: lease?, is_out_of_office })
            }
            Command::ClearPresence { .. } => Some(Self::Ended),
            Command::SetPreferredPresence { .. } | Command::ClearPreferredPresence => None,
        }
    }
}

/// What reaches the loop between sources and sinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A source says something.
    Update(Update),
    /// The program is to end.
    Stop,
}

/// What the thread of a source is given.
#[derive(Clone, Debug)]
pub struct Reporter {
    /// The source.
    pub source: Source,
    /// The updates go here.
    pub events: Sender<Event>,
    /// Tells when to stop.
    pub stop: Stop,
    /// The clock.
    pub clock: Clock,
    /// For messages to the person.
    pub console: Console,
}

impl Reporter {
    /// Tells the hub what is new.
    pub fn send(&self, news: News) {
        // Without a hub the program is about to end.
        let _ = self.events.send(Event::Update(Update { source: self.source, news }));
    }
}

/// The sources of this computer: what it knows without a sign-in.
#[derive(Args, Clone, Debug)]
pub struct LocalOptions {
    #[command(flatten)]
    pub devices: devices::DevicesOptions,
    #[command(flatten)]
    pub calendar: calendar::CalendarOptions,
    #[command(flatten)]
    pub stdin: stdin::StdinOptions,
}
