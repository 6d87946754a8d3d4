//! The parts that the command line asks for, and the loop between them.

use crate::http::{Address, Http};
use crate::hub::{Hub, State};
use crate::sign_in::Account;
use crate::sink::{Inbox, lamp, mqtt, server as teller, terminal};
use crate::source::graph::{self, Graph};
use crate::source::{Event, LocalOptions, Reporter, Source};
use crate::source::{calendar, devices, server, stdin};
use crate::{Clock, Console, Options, Slot, Stop};
use presence_core::Instant;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as StdInstant};

/// The longest sleep: timers do not run while a computer is suspended.
const NAP: Duration = Duration::from_secs(5);
/// The time that `--once` waits for sources.
const PATIENCE: Instant = Instant::from_secs(30);
/// The exit code if somebody has to sign in.
const SIGN_IN_NEEDED: u8 = 3;
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
    fn reporter(&self, source: Source) -> Reporter {
        let (stop, clock, console) = (self.stop.clone(), self.clock.clone(), self.console.clone());
        Reporter { source, events: self.events.clone(), stop, clock, console }
    }

    /// Starts the thread of a source.
    fn source(&mut self, source: Source, run: impl FnOnce(&Reporter) + Send + 'static) {
        let reporter = self.reporter(source);
        self.sources.push(source);
        self.threads.push(thread::spawn(move || run(&reporter)));
    }

    /// Starts the thread of a sink.
    fn sink(&mut self, run: impl FnOnce(&Inbox) + Send + 'static) {
        let states = Slot::new();
        let inbox = Inbox { states: states.clone(), clock: self.clock.clone(), console: self.console.clone() };
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
pub fn run(options: &Options) -> ExitCode {
    let console = Console::new(options.verbose);
    match attempt(options, &console) {
        Ok(code) => code,
        Err(error) => {
            console.say(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs the program. An error is a sentence that says what to do.
fn attempt(options: &Options, console: &Console) -> Result<ExitCode, String> {
    if options.sign_out {
        let file = options.account.token_file()?;
        file.forget()?;
        console.say(&format!(
            "{} is deleted. Others that hold its token can use it until the issuer ends it.",
            file.path().display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let (events, received) = channel();
    let mut parts = Parts {
        stop: Stop::new(),
        clock: Clock::start(),
        console: console.clone(),
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
        console.say(&format!("Ctrl-C will end this at once: {error}."));
    }
    let http = Http::new(console.clone());
    if options.sign_in {
        return sign_in(options, http, &parts);
    }
    start_sources(&mut parts, options, &http)?;
    if !options.once {
        start_sinks(&mut parts, options, &http)?;
    }
    let code = follow(&parts, &received, options.once);
    parts.end();
    Ok(code)
}

/// Signs a person in, and ends.
fn sign_in(options: &Options, http: Http, parts: &Parts) -> Result<ExitCode, String> {
    let mut account = Account::new(&options.account, http, parts.clock.clone(), parts.console.clone())?;
    account.begin(options.account.way(), &parts.stop)?;
    loop {
        let wake = match account.step() {
            Ok(wake) => wake,
            Err(end) => {
                parts.console.say(&account.explain(end));
                return Ok(ExitCode::from(SIGN_IN_NEEDED));
            }
        };
        if account.authorization().is_some() {
            parts.console.say("You are signed in.");
            return Ok(ExitCode::SUCCESS);
        }
        if parts.stop.wait(parts.clock.until(wake).min(NAP)) {
            return Ok(ExitCode::from(SIGN_IN_NEEDED));
        }
    }
}

/// Starts the sources.
fn start_sources(parts: &mut Parts, options: &Options, http: &Http) -> Result<(), String> {
    let interval = presence_core::Duration::from_secs(options.graph.interval);
    if options.account.client_id.is_some() {
        let server = Address::parse(&options.graph.graph_url).map_err(|error| format!("--graph-url: {error}."))?;
        let account = Account::new(&options.account, http.clone(), parts.clock.clone(), parts.console.clone())?;
        let way = (parts.console.is_terminal() && !options.once).then(|| options.account.way());
        let graph = Graph { account, http: http.clone(), server, interval, way };
        parts.source(Source::Graph, move |reporter| graph::run(reporter, graph));
    }
    if let Some(server) = options.server.server(http, interval)? {
        parts.source(Source::Server, move |reporter| server::run(reporter, &server));
    }
    start_local(parts, &options.local, options.once)?;
    // What is chosen by MQTT is a session as well.
    if parts.sources.is_empty() && options.sinks.mqtt.mqtt.is_none() {
        return Err(
            "There is nothing to follow: give --client-id for a Teams account, or see --help for other sources.".into(),
        );
    }
    Ok(())
}

/// Starts the sources of this computer.
fn start_local(parts: &mut Parts, options: &LocalOptions, once: bool) -> Result<(), String> {
    devices::check(&options.devices)?;
    if options.devices.devices {
        let devices = options.devices.clone();
        parts.source(Source::Devices, move |reporter| devices::run(reporter, &devices));
    }
    if let Some(origin) = options.calendar.origin()? {
        let calendar = options.calendar.clone();
        parts.source(Source::Calendar, move |reporter| calendar::run(reporter, &origin, &calendar));
    }
    if options.stdin.stdin {
        let reporter = parts.reporter(Source::Stdin);
        parts.sources.push(Source::Stdin);
        // Nobody waits for it: a read does not end before its input.
        thread::spawn(move || stdin::run(&reporter, std::io::stdin(), once));
    }
    Ok(())
}

/// Starts the sinks.
fn start_sinks(parts: &mut Parts, options: &Options, http: &Http) -> Result<(), String> {
    if !options.quiet {
        parts.sink(terminal::run);
    }
    if options.sinks.lamp || options.sinks.port.is_some() {
        let port = options.sinks.port.clone();
        parts.sink(|inbox| lamp::run(inbox, port));
    }
    if let Some(server) = options.sinks.tell.server(http)? {
        parts.sink(move |inbox| teller::run(inbox, &server));
    }
    if let Some(settings) = options.sinks.mqtt.settings()? {
        let reporter = parts.reporter(Source::Mqtt);
        parts.sink(move |inbox| mqtt::run(inbox, &reporter, settings));
    }
    Ok(())
}

/// Hands what the sources say to the hub, and what it makes of it to the sinks, until it is to stop; or once.
fn follow(parts: &Parts, received: &Receiver<Event>, once: bool) -> ExitCode {
    let mut hub = Hub::new(parts.sources.iter().copied());
    let mut shown = None;
    while !parts.stop.is_requested() {
        let now = parts.clock.now();
        hub.advance(now);
        let state = hub.state();
        if once && (state.is_complete() || now >= PATIENCE) {
            println!("{}", state.to_json());
            return ExitCode::from(state.exit_code());
        }
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
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::Wake;
    use crate::source::{News, Update};
    use presence_core::Presence;
    use presence_core::client::Link;

    /// Longer than anything takes on a machine that is busy.
    const FOREVER: Duration = Duration::from_secs(120);

    /// Every sink is told of whatever changes: of a link alone, of a longer lease, of out of office.
    #[test]
    fn sinks_are_told_of_every_change() {
        let (events, received) = channel();
        let (sources, clock) = (vec![Source::Graph, Source::Devices], Clock::stopped());
        let parts = Parts {
            stop: Stop::new(),
            clock: clock.clone(),
            console: Console::new(false),
            events: events.clone(),
            sources: sources.clone(),
            slots: vec![Slot::new(), Slot::new()],
            threads: Vec::new(),
        };
        let (slots, mut hub) = (parts.slots.clone(), Hub::new(sources));
        let thread = thread::spawn(move || follow(&parts, &received, false));
        let presence = |seconds, is_out_of_office| News::Presence {
            presence: Presence::Busy,
            lease: presence_core::Duration::from_secs(seconds),
            is_out_of_office,
        };
        for (source, news) in [
            (Source::Graph, News::Link(Link::Down)),
            (Source::Graph, presence(90, false)),
            (Source::Graph, News::Link(Link::Ok)),
            (Source::Graph, presence(120, false)),
            (Source::Graph, presence(120, true)),
            (Source::Devices, News::Link(Link::Ok)),
            (Source::Devices, presence(30, false)),
            (Source::Graph, News::Ended),
        ] {
            let update = Update { source, news };
            hub.take(clock.now(), update).unwrap();
            events.send(Event::Update(update)).unwrap();
            for slot in &slots {
                // What was before may come first.
                while match slot.take(FOREVER) {
                    Wake::New(state) => state != hub.state(),
                    other => panic!("{other:?} instead of {update:?}"),
                } {}
            }
        }
        events.send(Event::Stop).unwrap();
        thread.join().unwrap();
    }
}
