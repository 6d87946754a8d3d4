//! Home automation by MQTT: the presence as entities of Home Assistant, and a choice of theirs as a session.

mod broker;
mod choice;
mod connection;
mod options;
mod payload;
#[cfg(test)]
mod tests;
mod tls;
mod topics;

pub use broker::Broker;
pub use options::MqttOptions;

use super::{Inbox, NAP};
use crate::hub::State;
use crate::source::Reporter;
use connection::{Connection, Event, Publishes};
use presence_core::{Instant, Presence};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use topics::Topics;

/// What is published of the program itself, as Home Assistant reads it by default.
const ONLINE: &str = "online";
const OFFLINE: &str = "offline";

/// The options of the broker.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) broker: Broker,
    /// The password, which goes with a user.
    pub(crate) password: Option<String>,
    /// A file with certificates that are trusted in place of the system's.
    pub(crate) authority: Option<PathBuf>,
    /// The name of this program on the broker.
    pub(crate) name: String,
    /// Where Home Assistant looks for devices.
    pub(crate) prefix: String,
}

/// Publishes what is shown until there is nothing more, and takes choices.
pub(crate) fn run(inbox: &Inbox, reporter: &Reporter, settings: Settings) {
    let topics = Topics::new(&settings.name, &settings.prefix);
    let (events, received) = channel();
    let connection = match Connection::new(&settings, &topics) {
        Ok(connection) => connection,
        Err(error) => return inbox.console.say(&format!("{}: {error}.", settings.broker)),
    };
    let publisher = connection.start(reporter.stop.clone(), events.clone());
    inbox.forward(events, |state| state.map_or(Event::End, Event::State));
    let mut home = Home::new(inbox, reporter, topics, publisher);
    home.run(&received, &settings.broker);
    home.end();
}

/// The device that a home automation sees.
struct Home<'a, P> {
    inbox: &'a Inbox,
    reporter: &'a Reporter,
    topics: Topics,
    publisher: P,
    state: Option<State>,
    chosen: Option<Presence>,
    /// The time from which the choice no longer holds, and the one at which it is renewed.
    until: (Instant, Instant),
    is_connected: bool,
    /// What was last said of the connection, so that it is said once.
    said: Option<String>,
}

impl<'a, P: Publishes> Home<'a, P> {
    fn new(inbox: &'a Inbox, reporter: &'a Reporter, topics: Topics, publisher: P) -> Self {
        let until = (Instant::NEVER, Instant::NEVER);
        Self { inbox, reporter, topics, publisher, state: None, chosen: None, until, is_connected: false, said: None }
    }

    /// Handles events until the program ends.
    fn run(&mut self, events: &Receiver<Event>, broker: &Broker) {
        loop {
            self.renew(self.inbox.clock.now());
            let (holds_until, renewal) = self.until;
            match events.recv_timeout(self.inbox.clock.until(holds_until.min(renewal)).min(NAP)) {
                Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(event) => self.handle(event, broker),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn handle(&mut self, event: Event, broker: &Broker) {
        match event {
            Event::State(state) => {
                let is_new = self.state.as_ref().map(payload::state) != Some(payload::state(&state));
                self.state = Some(state);
                if is_new {
                    self.publish_state();
                }
            }
            Event::Connected => {
                self.is_connected = true;
                self.say(format!("connected with {broker}."));
                let topics = [self.topics.choice(), self.topics.home_assistant()];
                self.check(self.publisher.subscribe(topics));
                self.publish_all();
            }
            Event::Lost(reason) => {
                self.is_connected = false;
                self.say(format!("no connection with {broker}: {reason}."));
            }
            Event::Message { topic, payload, is_old } => self.received(&topic, &payload, is_old),
            Event::End => {}
        }
    }

    fn received(&mut self, topic: &str, payload: &[u8], is_old: bool) {
        if topic == self.topics.home_assistant() {
            // It has started, and may not have kept what it was told.
            if payload == ONLINE.as_bytes() && !is_old {
                self.publish_all();
            }
        // A choice that somebody let the broker keep would be made again with each connection.
        } else if topic == self.topics.choice() && !is_old {
            self.choose(payload);
        }
    }

    fn choose(&mut self, payload: &[u8]) {
        match choice::parse(payload) {
            Some(chosen) => {
                self.chosen = chosen;
                self.hold();
            }
            None => {
                let text = String::from_utf8_lossy(payload).chars().take(40).collect::<String>();
                self.inbox.console.say(&format!("MQTT: {text:?} cannot be chosen."));
            }
        }
        self.publish_choice();
    }

    /// Tells the hub what is chosen.
    fn hold(&mut self) {
        self.reporter.send(choice::news(self.chosen));
        let now = self.inbox.clock.now();
        self.until = match self.chosen {
            Some(_) => (now.saturating_add(choice::LEASE), now.saturating_add(choice::RENEWAL)),
            None => (Instant::NEVER, Instant::NEVER),
        };
    }

    /// Lets a choice hold on while there is a connection, over which it can be taken back. Without one its lease runs out.
    fn renew(&mut self, now: Instant) {
        let (holds_until, renewal) = self.until;
        if holds_until.is_due(now) {
            self.chosen = None;
            self.hold();
            self.publish_choice();
        } else if renewal.is_due(now) && self.is_connected {
            self.hold();
        }
    }

    fn publish_all(&self) {
        self.publish(self.topics.discovery(), payload::device(&self.topics).to_string());
        self.publish(self.topics.status(), ONLINE.to_owned());
        self.publish_choice();
        self.publish_state();
    }

    fn publish_choice(&self) {
        self.publish(self.topics.session(), choice::name(self.chosen).to_owned());
    }

    fn publish_state(&self) {
        if let Some(state) = &self.state {
            self.publish(self.topics.state(), payload::state(state).to_string());
        }
    }

    /// Publishes something, if there is a connection: when there is one again, all is published.
    fn publish(&self, topic: String, payload: String) {
        if self.is_connected {
            self.inbox.console.detail(|| format!("{topic} < {payload}"));
            self.check(self.publisher.publish(topic, payload));
        }
    }

    fn check(&self, result: Result<(), String>) {
        if let Err(error) = result {
            self.inbox.console.say(&format!("MQTT: {error}."));
        }
    }

    fn say(&mut self, message: String) {
        if self.said.as_ref() != Some(&message) {
            self.inbox.console.say(&message);
            self.said = Some(message);
        }
    }

    /// Says good-bye: the last will is not published when a connection ends in order.
    fn end(self) {
        self.publish(self.topics.status(), OFFLINE.to_owned());
        if self.is_connected {
            self.publisher.end();
        }
    }
}
