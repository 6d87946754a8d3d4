//! The main loop on a host, whose serial line never stops. Rule L3.

use firmware::storage::SnapshotStore;
use firmware::{
    Board, Frame, Identity, Inbox, Light, LightError, MainLoop, PresenceLight, Pressed, Rate, ReceivedByte,
};
use heapless::spsc::{Consumer, Queue};
use presence_core::Presence;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;

/// What the host sends without end.
const LINE: &str = "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/me/presence\"}\n";
const SET: &str = r#"{"id":"1","method":"POST","url":"/me/presence/setPresence","body":{"sessionId":"7f3a5b1c-0000-4000-8000-000000000001","availability":"Busy","activity":"InACall","expirationDuration":"PT5M"}}
"#;

/// A host at the other end of the line: it sends the next line before the response to the last one is read.
struct World {
    inbox: Inbox,
    millis: Cell<u32>,
    /// The responses since the clock was read.
    unseen: Cell<u32>,
    pressed: Cell<Pressed>,
    said: RefCell<Vec<u8>>,
    lights: RefCell<Vec<Presence>>,
    is_silent: Cell<bool>,
    sleeps: Cell<u32>,
}

impl World {
    fn send(&self, text: &str) {
        text.bytes().for_each(|byte| self.inbox.push(byte, false));
    }

    /// Returns what was said since.
    fn said(&self) -> String {
        String::from_utf8(self.said.take()).unwrap()
    }
}

struct Host(Rc<World>);

impl Board for Host {
    type Serial = Self;
    type Light = Self;

    fn identity(&self) -> Identity {
        Identity { board: "host", serial_number: None }
    }

    fn rate(&self) -> Rate {
        Rate::new(1, 1).unwrap()
    }

    fn counter(&mut self) -> u32 {
        self.0.unseen.set(0);
        self.0.millis.get()
    }

    fn sleep(&mut self, from: u32, counts: u32, _: Pressed, inbox: &Consumer<'static, ReceivedByte>) {
        assert!(!inbox.ready());
        self.0.sleeps.set(self.0.sleeps.get() + 1);
        self.0.millis.set(from + counts);
    }

    fn pressed(&mut self) -> Pressed {
        self.0.pressed.get()
    }

    fn serial(&mut self) -> &mut Self {
        self
    }
}

impl embedded_io::ErrorType for Host {
    type Error = Infallible;
}

impl embedded_io::Write for Host {
    /// Takes the time of 115,200 baud, roughly.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.said.borrow_mut().extend(bytes);
        self.0.millis.set(self.0.millis.get() + 1 + bytes.len() as u32 / 12);
        if bytes == b"\n" && self.0.said.borrow().ends_with(b"}}\n") && !self.0.is_silent.get() {
            self.0.unseen.set(self.0.unseen.get() + 1);
            assert!(self.0.unseen.get() < 2, "lines are served without a look at the clock");
            self.0.send(LINE);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Light for Host {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0.lights.borrow_mut().push(frame.presence);
        Ok(())
    }
}

/// A call lasts five minutes, and a button is pressed, while the host does not stop for as long as a second.
#[test]
fn l3_time_buttons_and_the_light_go_on_between_any_two_lines() {
    let world = Rc::new(World {
        inbox: Inbox::new(),
        millis: Cell::new(0),
        unseen: Cell::new(0),
        pressed: Cell::new(Pressed::default()),
        said: RefCell::new(Vec::new()),
        lights: RefCell::new(Vec::new()),
        is_silent: Cell::new(false),
        sleeps: Cell::new(0),
    });
    let inbox = world.inbox.connect(Box::leak(Box::new(Queue::new())));
    let light = Box::leak(Box::new(PresenceLight::new(Host(world.clone()))));
    let mut main_loop = MainLoop::start(Host(world.clone()), inbox, light, Box::leak(Box::new(SnapshotStore::new(()))));
    world.send(SET);
    world.send(LINE);
    main_loop.turn();
    assert!(world.said().contains(r#""cause":"set""#), "the first line, and no more");
    assert_eq!(*world.lights.borrow().last().unwrap(), Presence::InACall);
    let (mut turns, mut pressed_at) = (0, 0);
    while world.millis.get() < 299_000 {
        main_loop.turn();
        turns += 1;
        assert!(turns < 20_000, "the host does not send any more");
        if world.millis.get() > 100_000 && pressed_at == 0 {
            pressed_at = world.millis.get();
            world.pressed.set(Pressed { a: true, b: false });
            main_loop.turn();
            assert!(world.said().contains(r#""cause":"preferredSet""#));
            assert_eq!(*world.lights.borrow().last().unwrap(), Presence::DoNotDisturb);
            world.pressed.set(Pressed { a: false, b: true });
        }
    }
    assert_eq!(*world.lights.borrow().last().unwrap(), Presence::InACall, "the other button clears it");
    assert!(turns > 1000 && pressed_at > 0, "{turns}");
    world.said.take();
    while world.millis.get() < 301_000 {
        main_loop.turn();
        turns += 1;
        assert!(turns < 20_000, "the host does not send any more");
    }
    assert!(world.said().contains(r#""cause":"expired""#));
    assert_eq!(*world.lights.borrow().last().unwrap(), Presence::Unknown);
    assert_eq!(world.sleeps.get(), 0, "it had no time to sleep");
    world.is_silent.set(true);
    main_loop.turn();
    assert_eq!(world.sleeps.get(), 1, "and sleeps when there is nothing more");
}
