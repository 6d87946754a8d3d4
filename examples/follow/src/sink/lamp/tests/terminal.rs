//! The thread that talks to a lamp, over a pseudo-terminal at whose other end the firmware is.

use super::super::port::{self, Line, Opener};
use super::super::talk;
use super::board::Board;
use crate::hub::Hub;
use crate::sink::Inbox;
use crate::source::{News, Source, Update};
use crate::{Clock, Console, Slot, State};
use presence_core::{Duration as Lease, Instant, Presence};
use serialport::{SerialPort, TTYPort};
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The port at which the lamp is, if it is plugged in.
#[derive(Clone, Default)]
struct Plug(Arc<Mutex<Option<String>>>);

impl Opener for Plug {
    fn open(&self, _: Option<&str>) -> Result<Line, String> {
        let name = self.0.lock().unwrap().clone().ok_or("no lamp.")?;
        port::open(&name).map_err(|error| format!("{name}: {error}"))
    }
}

/// A lamp that is plugged in, until it is dropped.
struct Lamp {
    is_unplugged: Arc<AtomicBool>,
    shows: Arc<Mutex<Presence>>,
    thread: Option<JoinHandle<()>>,
    plug: Plug,
    name: String,
}

impl Lamp {
    /// Plugs a lamp in, at a port that this makes.
    fn plug_in(plug: &Plug, (line, end): (TTYPort, TTYPort)) -> Self {
        let name = end.name().unwrap();
        *plug.0.lock().unwrap() = Some(name.clone());
        let (is_unplugged, shows) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Presence::Unknown)));
        let (over, shown) = (Arc::clone(&is_unplugged), Arc::clone(&shows));
        let thread = thread::spawn(move || play(line, &over, &shown));
        Self { is_unplugged, shows, thread: Some(thread), plug: plug.clone(), name }
    }

    /// Waits until the lamp shows a presence.
    fn wait_for(&self, presence: Presence) {
        let end = std::time::Instant::now() + Duration::from_secs(60);
        while *self.shows.lock().unwrap() != presence {
            assert!(std::time::Instant::now() < end, "it does not show {presence}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Plays a lamp.
fn play(mut line: TTYPort, is_over: &AtomicBool, shows: &Mutex<Presence>) {
    let (mut board, clock) = (Board::new(), Clock::start());
    line.set_timeout(Duration::from_millis(20)).unwrap();
    let mut bytes = [0; 64];
    while !is_over.load(Ordering::Relaxed) {
        match line.read(&mut bytes) {
            Ok(count) => {
                let answer = board.receive(clock.now(), &bytes[..count]);
                line.write_all(&answer).unwrap();
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            // Nobody has opened the other end yet.
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
        *shows.lock().unwrap() = board.shows(clock.now()).0;
    }
}

impl Drop for Lamp {
    fn drop(&mut self) {
        *self.plug.0.lock().unwrap() = None;
        self.is_unplugged.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn state(presence: Presence) -> State {
    let mut hub = Hub::new([]);
    let news = News::Presence { presence, lease: Lease::from_mins(5), is_out_of_office: false };
    hub.take(Instant::ZERO, Update { source: Source::Graph, news }).unwrap();
    hub.state()
}

#[test]
fn a_lamp_that_is_unplugged_and_comes_back_under_another_name_shows_what_is_shown() {
    let plug = Plug::default();
    let inbox = Inbox { states: Slot::new(), clock: Clock::start(), console: Console::new(false) };
    let (other, opener) = (inbox.clone(), plug.clone());
    let talking = thread::spawn(move || talk(&other, &opener));
    let lamp = Lamp::plug_in(&plug, TTYPort::pair().unwrap());
    inbox.states.put(state(Presence::InACall));
    lamp.wait_for(Presence::InACall);
    inbox.states.put(state(Presence::Available));
    lamp.wait_for(Presence::Available);
    // Made before the other one ends, so that it has another name.
    let port = TTYPort::pair().unwrap();
    let first = lamp.name.clone();
    drop(lamp);
    inbox.states.put(state(Presence::Busy));
    let lamp = Lamp::plug_in(&plug, port);
    assert_ne!(lamp.name, first);
    lamp.wait_for(Presence::Busy);
    // The end of the program ends the thread, and the port is free.
    inbox.states.close();
    talking.join().unwrap();
    assert!(port::open(&lamp.name).is_ok());
}
