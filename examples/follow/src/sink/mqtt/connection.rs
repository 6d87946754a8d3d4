//! The connection with the broker, kept up in a thread of its own.

use super::tls;
use super::topics::Topics;
use super::{Broker, Settings};
use crate::hub::State;
use crate::sink::pause;
use crate::stop::Stop;
use presence_core::Duration as Pause;
use rumqttc::{
    Client, Connection as RumqttcConnection, Event as RumqttcEvent, LastWill, MqttOptions, Packet, Publish,
    PublishOptions, QoS, Transport,
};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest silence on the connection, in seconds: half as much again, and the broker publishes the last will.
const KEEP_ALIVE: u16 = 30;
/// The messages that may wait to be sent: more than are sent at once when a connection begins.
const QUEUE: usize = 32;
/// The first and the longest pause before a lost connection is made anew.
const PAUSES: (Pause, Pause) = (Pause::from_secs(1), Pause::from_mins(1));
/// The time in which the broker has to confirm what is sent at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Something that happened.
#[derive(Debug)]
pub(super) enum Event {
    /// There is something else to show.
    State(State),
    /// A connection has begun, of which the broker knows nothing yet.
    Connected,
    /// There is no connection, for this reason.
    Lost(String),
    /// A message.
    Message {
        topic: String,
        payload: Vec<u8>,
        /// True for one that was sent before the topic was subscribed to.
        is_old: bool,
    },
    /// The program ends.
    End,
}

/// A connection that is not made yet.
pub(super) struct Connection {
    client: Client,
    connection: RumqttcConnection,
}

impl Connection {
    /// Prepares a connection, with a last will that says that this program is gone.
    pub(super) fn new(settings: &Settings, topics: &Topics) -> Result<Self, String> {
        let Broker { is_secure, user, host, port } = &settings.broker;
        let mut options = MqttOptions::new(topics.client(), (host.clone(), *port));
        options.set_keep_alive(KEEP_ALIVE).set_last_will(LastWill::new(
            topics.status(),
            super::OFFLINE,
            QoS::AtLeastOnce,
            true,
        ));
        match (user, &settings.password) {
            (Some(user), Some(password)) => _ = options.set_credentials(user, password.clone().into_bytes()),
            (Some(user), None) => _ = options.set_username(user),
            (None, _) => {}
        }
        if *is_secure {
            let config = tls::config(settings.authority.as_deref())?;
            options.set_transport(Transport::tls_with_config(config.into()));
        }
        let builder = Client::builder(options).capacity(QUEUE);
        let (client, connection) = builder.try_build().map_err(|error| error.to_string())?;
        Ok(Self { client, connection })
    }

    /// Connects in a thread, again and again.
    pub(super) fn start(self, stop: Stop, events: Sender<Event>) -> Publisher {
        let Self { client, mut connection } = self;
        let thread = thread::spawn(move || {
            let mut failures = 0;
            loop {
                let event = match connection.recv() {
                    Ok(Ok(RumqttcEvent::Incoming(Packet::ConnAck(_)))) => {
                        failures = 0;
                        Event::Connected
                    }
                    Ok(Ok(RumqttcEvent::Incoming(Packet::Publish(publish)))) => message(&publish),
                    Ok(Ok(_)) => continue,
                    Ok(Err(error)) => {
                        failures += 1;
                        Event::Lost(error.to_string())
                    }
                    // Disconnected, as it was told.
                    Err(_) => break,
                };
                let is_lost = matches!(event, Event::Lost(_));
                if events.send(event).is_err() {
                    break;
                }
                let pause = pause::after(failures, PAUSES.0, PAUSES.1);
                if is_lost && stop.wait(Duration::from_millis(pause.as_millis())) {
                    break;
                }
            }
        });
        Publisher { client, thread }
    }
}

fn message(publish: &Publish) -> Event {
    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
    Event::Message { topic, payload: publish.payload.to_vec(), is_old: publish.retain }
}

/// Something that publishes.
pub(super) trait Publishes {
    /// Publishes something that the broker keeps, and that is confirmed. It does not wait.
    fn publish(&self, topic: String, payload: String) -> Result<(), String>;

    /// Asks for the messages of topics. It does not wait.
    fn subscribe(&self, topics: [String; 2]) -> Result<(), String>;

    /// Ends the connection, when what was published has been confirmed.
    fn end(self);
}

/// Publishes while there is a connection.
pub(super) struct Publisher {
    client: Client,
    thread: JoinHandle<()>,
}

impl Publishes for Publisher {
    fn publish(&self, topic: String, payload: String) -> Result<(), String> {
        let options = PublishOptions::at_least_once().retained();
        self.client.try_publish(topic, payload.into_bytes(), options).map_err(|error| error.to_string())
    }

    fn subscribe(&self, topics: [String; 2]) -> Result<(), String> {
        topics
            .into_iter()
            .try_for_each(|topic| self.client.try_subscribe(topic, QoS::AtLeastOnce).map_err(|error| error.to_string()))
    }

    fn end(self) {
        let Self { client, thread } = self;
        if client.try_disconnect_with_timeout(FAREWELL).is_ok() {
            let end = Instant::now() + FAREWELL;
            while Instant::now() < end && !thread.is_finished() {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}
