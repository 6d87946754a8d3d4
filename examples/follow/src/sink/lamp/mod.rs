//! A lamp on a serial line: finds it, keeps the line open, and tells it what is shown.

mod answer;
mod conversation;
mod find;
mod line;
mod port;
mod reading;
mod says;
#[cfg(test)]
mod tests;

use super::{Inbox, NAP, known};
use crate::hub::State;
use conversation::{Conversation, Notice, Step};
use port::{Line, Opener, Ports};
use presence_core::client::Link;
use reading::Reading;
use says::Says;
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The pause before a line is opened anew.
const PAUSE: Duration = Duration::from_secs(2);

/// Something that happened, for the one thread that talks to the lamp.
enum Event {
    /// There is something else to show.
    State(State),
    /// The lamp has sent bytes, in the opening of this number.
    Bytes(u32, Vec<u8>),
    /// The line is broken: unplugged, most of the time.
    Lost(u32, String),
    /// The program ends.
    End,
}

/// Tells a lamp what is shown until there is nothing more; the lamp at this port, or the first one that is found.
pub(crate) fn run(inbox: &Inbox, port: Option<String>) {
    talk(inbox, &Ports::new(port));
}

/// Talks to whatever lamp is there, through whatever line it has.
fn talk(inbox: &Inbox, opener: &impl Opener) {
    let (events, received) = channel();
    inbox.forward(events.clone(), |state| state.map_or(Event::End, Event::State));
    let mut lamp = Lamp { inbox, events, received, state: None, silent: None, said: String::new() };
    let mut number = 0;
    while lamp.open_and_tell(opener, number) && lamp.wait() {
        number = number.wrapping_add(1);
    }
}

/// A lamp, there or not.
struct Lamp<'a> {
    inbox: &'a Inbox,
    events: Sender<Event>,
    received: Receiver<Event>,
    state: Option<State>,
    /// The port at which nobody has answered.
    silent: Option<String>,
    /// What was last said of the line, so that it is said once.
    said: String,
}

impl Lamp<'_> {
    /// Opens the line, and talks to the lamp until the line is lost, or nobody answers. Returns false at the end of the program.
    fn open_and_tell(&mut self, opener: &impl Opener, number: u32) -> bool {
        let line = match opener.open(self.silent.as_deref()) {
            Ok(line) => line,
            Err(reason) => {
                self.say(reason);
                return true;
            }
        };
        let Line { name, reader, writer } = line;
        // Ends before the line is opened anew, which it would keep from others, and from this program, too.
        let _reading = Reading::start(reader, number, self.events.clone());
        self.tell(&name, writer, number)
    }

    /// Talks to the lamp on an open line. Returns false at the end of the program.
    fn tell(&mut self, name: &str, mut writer: Box<dyn Write>, number: u32) -> bool {
        let mut conversation = Conversation::new(number);
        loop {
            if let Some(state) = &self.state {
                // Of what is not known nothing is said, and the lamp shows that by itself.
                let says = known(state).map(|presence| Says::new(presence, state.is_out_of_office));
                conversation.show(says, Some(state.link()).filter(|link| *link != Link::NoAnswer));
            }
            let now = self.inbox.clock.now();
            let step = conversation.next(now);
            for notice in conversation.notices() {
                self.tell_notice(name, notice);
            }
            let nap = match step {
                Step::Send(line) => {
                    self.inbox.console.detail(|| format!("{name} < {}", line.trim()));
                    if let Err(error) = writer.write_all(line.as_bytes()) {
                        self.say(format!("the lamp at {name} is gone: {error}."));
                        return true;
                    }
                    continue;
                }
                Step::Reopen => {
                    self.silent = Some(name.to_owned());
                    self.say(format!("nothing at {name} answers as a lamp does; trying again."));
                    return true;
                }
                Step::Wait(until) => self.inbox.clock.until(until).min(NAP),
            };
            match self.received.recv_timeout(nap) {
                Ok(Event::State(state)) => self.state = Some(state),
                Ok(Event::Bytes(of, bytes)) if of == number => {
                    let console = &self.inbox.console;
                    let hear = |line: &[u8]| console.detail(|| format!("{name} > {}", String::from_utf8_lossy(line)));
                    conversation.received(self.inbox.clock.now(), &bytes, hear);
                }
                Ok(Event::Lost(of, error)) if of == number => {
                    self.say(format!("the lamp at {name} is gone: {error}."));
                    return true;
                }
                Ok(Event::Bytes(..) | Event::Lost(..)) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Waits before the line is opened anew. Returns false at the end of the program.
    fn wait(&mut self) -> bool {
        let end = std::time::Instant::now() + PAUSE;
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            match self.received.recv_timeout(left) {
                Ok(Event::State(state)) => self.state = Some(state),
                Ok(Event::Bytes(..) | Event::Lost(..)) => {}
                Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }

    fn tell_notice(&mut self, name: &str, notice: Notice) {
        match notice {
            Notice::Answers(Some(device)) => self.say(format!("the lamp at {name} answers: {device}.")),
            Notice::Answers(None) => self.say(format!("the lamp at {name} answers.")),
            Notice::Rejects(reason) => self.say(format!("the lamp at {name} rejects what it is told: {reason}.")),
            Notice::Accepts => self.say(format!("the lamp at {name} does again what it is told.")),
        }
    }

    /// Says something of the line, unless it was the last thing said.
    fn say(&mut self, message: String) {
        if self.said != message {
            self.inbox.console.say(&message);
            self.said = message;
        }
    }
}
