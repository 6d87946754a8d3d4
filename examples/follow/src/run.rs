//! The parts that the command line asks for, and the loop between them.

use crate::hub::{Hub, State};
use crate::sink::{Inbox, SinkOptions, lamp, terminal};
use crate::source::{Event, Reporter, Source};
use crate::{Clock, Console, Options, Slot, Stop};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as StdInstant};

/// The longest sleep: timers do not run while a computer is suspended.
const NAP: Duration = Duration::from_secs(5);
/// The time that threads have for their good-byes.
const FAREWELL: Duration = Duration::from_secs(3);

/// What the threads share, and the threads.
struct Parts {
    stop: Stop,
    clock: Clock,
    console: Console,
    events: Sender<Event>,
    sources: Vec<Source>,
    slots: Vec<Slot<State>>,
    threads: Vec<JoinHandle<()>>,
}

impl Parts {
    /// Returns what the thread of a source is given.
    fn reporter(&mut self, source: Source) -> Reporter {
        self.sources.push(source);
        let (stop, clock, console) = (self.stop.clone(), self.clock, self.console.clone());
        Reporter { source, events: self.events.clone(), stop, clock, console }
    }

    /// Starts the thread of a source.
    fn source(&mut self, source: Source, run: impl FnOnce(&Reporter) + Send + 'static) {
        let reporter = self.reporter(source);
        self.threads.push(thread::spawn(move || run(&reporter)));
    }

    /// Starts the thread of a sink.
    fn sink(&mut self, run: impl FnOnce(&Inbox) + Send + 'static) {
        let states = Slot::new();
        let inbox = Inbox { states: states.clone(), clock: self.clock, console: self.console.clone() };
        self.slots.push(states);
        self.threads.push(thread::spawn(move || run(&inbox)));
    }

    /// Ends all threads; those that hang are left behind.
    fn end(self) {
        self.stop.request();
        for slot in &self.slots {
            slot.close();
        }
        let end = StdInstant::now() + FAREWELL;
        while StdInstant::now() < end && self.threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Runs the program, and returns its exit code.
#[must_use]
pub fn run(options: Options) -> ExitCode {
    let (events, received) = channel();
    let mut parts = Parts {
        stop: Stop::new(),
        clock: Clock::start(),
        console: Console::new(options.verbose),
        events,
        sources: Vec::new(),
        slots: Vec::new(),
        threads: Vec::new(),
    };
    let (stop, events) = (parts.stop.clone(), parts.events.clone());
    let end = move || {
        stop.request();
        let _ = events.send(Event::Stop);
    };
    if let Err(error) = ctrlc::set_handler(end) {
        parts.console.say(&format!("Ctrl-C will end this at once: {error}."));
    }
    start(&mut parts, &options);
    follow(&parts, &received);
    parts.end();
    ExitCode::SUCCESS
}

/// Starts the sources and the sinks.
fn start(parts: &mut Parts, options: &Options) {
    parts.sink(terminal::run);
    start_sinks(parts, &options.sinks);
}

/// Starts the sinks beside the terminal.
fn start_sinks(parts: &mut Parts, options: &SinkOptions) {
    if options.lamp || options.port.is_some() {
        let port = options.port.clone();
        parts.sink(|inbox| lamp::run(inbox, port));
    }
}

/// Hands what the sources say to the hub, and what it makes of it to the sinks, until it is to stop.
fn follow(parts: &Parts, received: &Receiver<Event>) {
    let mut hub = Hub::new(parts.sources.iter().copied());
    let mut shown = None;
    while !parts.stop.is_requested() {
        hub.advance(parts.clock.now());
        let state = hub.state();
        if shown.as_ref() != Some(&state) {
            for slot in &parts.slots {
                slot.put(state.clone());
            }
            shown = Some(state);
        }
        let nap = hub.next_deadline().map_or(NAP, |deadline| parts.clock.until(deadline).min(NAP));
        match received.recv_timeout(nap) {
            Ok(Event::Update(update)) => {
                if let Err(error) = hub.take(parts.clock.now(), update) {
                    parts.console.say(&format!("{} said what is not allowed: {error}.", update.source.name()));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
}
