//! The main loop asleep: it wakes for what is due, at the count at which it is, and for nothing else.

use super::fixture::{CALLS, RecordingLight, set};
use firmware::storage::{SnapshotStore, Storage, WriteBudget};
use firmware::{
    Board, Identity, Inbox, LONGEST_NAP, MainLoop, PresenceLight, Pressed, QUEUE_LEN, Rate, ReceivedByte, WATCHDOG,
    counts_left,
};
use heapless::spsc::{Consumer, Queue};
use presence_core::Duration;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;

/// What happens to the device.
enum Event {
    Line(String),
    Press(Pressed),
    /// It wakes without a reason.
    Wake,
}

/// A board in simulated time, and what it did.
struct World {
    inbox: Inbox,
    rate: (u16, u16),
    /// Counts since the start, the first of which is just before the wrap of 32 bits.
    counter: Cell<u64>,
    pressed: Cell<Pressed>,
    events: RefCell<VecDeque<(u64, Event)>>,
    /// Lines, and the count at which each was complete.
    said: RefCell<Vec<(u64, String)>>,
    partial: RefCell<Vec<u8>>,
    /// The counts at which the device woke.
    wakes: RefCell<Vec<u64>>,
    /// The counts at which the watchdog was fed.
    feeds: RefCell<Vec<u64>>,
    saves: RefCell<Vec<u64>>,
    stored: RefCell<Option<Vec<u8>>>,
}

const NONE: Pressed = Pressed { a: false, b: false };
const A: Pressed = Pressed { a: true, b: false };

impl World {
    fn new(rate: (u16, u16)) -> Rc<Self> {
        Rc::new(Self {
            inbox: Inbox::new(),
            rate,
            counter: Cell::new(0),
            pressed: Cell::new(NONE),
            events: RefCell::default(),
            said: RefCell::default(),
            partial: RefCell::default(),
            wakes: RefCell::default(),
            feeds: RefCell::default(),
            saves: RefCell::default(),
            stored: RefCell::default(),
        })
    }

    /// Returns the first count at which so many milliseconds have passed.
    fn counts(&self, millis: u64) -> u64 {
        (millis * u64::from(self.rate.0)).div_ceil(u64::from(self.rate.1))
    }

    fn at(&self, millis: u64, event: Event) {
        self.events.borrow_mut().push_back((self.counts(millis), event));
    }

    /// Lets happen what has happened by now.
    fn catch_up(&self) {
        while self.events.borrow().front().is_some_and(|(at, _)| *at <= self.counter.get()) {
            match self.events.borrow_mut().pop_front().unwrap().1 {
                Event::Line(line) => line.bytes().for_each(|byte| self.inbox.push(byte, false)),
                Event::Press(pressed) => self.pressed.set(pressed),
                Event::Wake => {}
            }
        }
    }

    fn counter(&self) -> u32 {
        0xFFFF_FF00_u32.wrapping_add(self.counter.get() as u32)
    }

    /// Runs the device until it has run for so long, with the events until then.
    fn run(self: &Rc<Self>, millis: u64) {
        self.at(millis, Event::Wake);
        let inbox = self.inbox.connect(Box::leak(Box::new(Queue::<_, QUEUE_LEN>::new())));
        let mut light = PresenceLight::new(RecordingLight::default());
        let mut snapshots = SnapshotStore::new(Medium(self.clone(), Vec::new()));
        let mut main_loop = MainLoop::start(Simulated(self.clone()), inbox, &mut light, &mut snapshots);
        for turn in 0.. {
            assert!(turn < 10_000, "it does not sleep");
            if self.counter.get() >= self.counts(millis) {
                break;
            }
            main_loop.turn();
        }
    }

    /// Returns the milliseconds at which lines of this kind were said, each at the first count of it.
    fn said(&self, what: &str) -> Vec<u64> {
        let said = self.said.borrow();
        let times = said.iter().filter(|(_, line)| line.contains(what)).map(|(at, _)| {
            let millis = at * u64::from(self.rate.1) / u64::from(self.rate.0);
            assert_eq!(self.counts(millis), *at, "not at the first count of its millisecond");
            millis
        });
        times.collect()
    }
}

struct Simulated(Rc<World>);

impl Board for Simulated {
    type Serial = Self;
    type Light = RecordingLight;

    fn identity(&self) -> Identity {
        Identity { board: "host", serial_number: None }
    }

    fn rate(&self) -> Rate {
        Rate::new(self.0.rate.0, self.0.rate.1).unwrap()
    }

    fn counter(&mut self) -> u32 {
        self.0.catch_up();
        self.0.counter()
    }

    fn sleep(&mut self, from: u32, counts: u32, pressed: Pressed, inbox: &Consumer<'static, ReceivedByte>) {
        loop {
            self.0.catch_up();
            let left = u64::from(counts_left(from, counts, self.0.counter()));
            if left == 0 || inbox.ready() || self.0.pressed.get() != pressed {
                break;
            }
            let (alarm, now) = (self.0.counter.get() + left, self.0.counter.get());
            match self.0.events.borrow().front() {
                Some((at, event)) if *at <= alarm => {
                    self.0.counter.set(*at);
                    if matches!(event, Event::Wake) {
                        break;
                    }
                }
                _ => self.0.counter.set(alarm),
            }
            assert!(self.0.counter.get() > now);
        }
        self.0.wakes.borrow_mut().push(self.0.counter.get());
    }

    fn pressed(&mut self) -> Pressed {
        self.0.catch_up();
        self.0.pressed.get()
    }

    fn serial(&mut self) -> &mut Self {
        self
    }

    fn feed_watchdog(&mut self) {
        self.0.feeds.borrow_mut().push(self.0.counter.get());
    }
}

impl embedded_io::ErrorType for Simulated {
    type Error = Infallible;
}

impl embedded_io::Write for Simulated {
    /// Responses take time; changes do not, so that their own time shows.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let mut partial = self.0.partial.borrow_mut();
        for byte in bytes {
            if *byte == b'\n' {
                let line = String::from_utf8(core::mem::take(&mut *partial)).unwrap();
                let is_response = line.starts_with("{\"id\"");
                self.0.said.borrow_mut().push((self.0.counter.get(), line));
                if is_response {
                    self.0.counter.set(self.0.counter.get() + self.0.counts(20));
                }
            } else {
                partial.push(*byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A medium with the interval and budget of flash, which notes when it is written.
struct Medium(Rc<World>, Vec<u8>);

impl Storage for Medium {
    type Error = Infallible;

    const MAX_STALENESS: Duration = Duration::from_mins(30);
    const MIN_INTERVAL: Duration = Duration::from_secs(10);
    const BUDGET: WriteBudget = WriteBudget { burst: 32, erasure: 24, interval: Duration::from_mins(15) };

    fn load(&mut self) -> Result<Option<&[u8]>, Infallible> {
        self.1 = self.0.stored.borrow().clone().unwrap_or_default();
        Ok((!self.1.is_empty()).then_some(self.1.as_slice()))
    }

    fn load_settings(&mut self) -> Result<Option<&[u8]>, Infallible> {
        Ok(None)
    }

    fn store(&mut self, snapshot: &[u8], _: &[u8]) -> Result<(), Infallible> {
        self.0.saves.borrow_mut().push(self.0.counter.get());
        *self.0.stored.borrow_mut() = Some(snapshot.to_vec());
        Ok(())
    }

    fn erase(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.stored.take().is_some())
    }
}

/// The rates of the boards.
const RATES: [(u16, u16); 5] = [(125, 4), (12_500, 1), (3_125, 32), (10_000, 1), (1, 1)];

/// Leases end to the millisecond, although the responses before them took time.
#[test]
fn what_is_due_is_reported_at_its_first_count_at_any_rate() {
    for rate in RATES {
        let world = World::new(rate);
        world.at(1_000, Event::Line(set(CALLS, "Busy", "InACall", "PT5S")));
        world.at(10_003, Event::Line(set(CALLS, "Busy", "InACall", "PT7S")));
        world.at(10_003, Event::Line("{\"id\":\"2\",\"method\":\"GET\",\"url\":\"/me/presence\"}\n".to_owned()));
        world.run(60_000);
        assert_eq!(world.said("\"cause\":\"set\""), [1_000, 10_003], "{rate:?}");
        assert_eq!(world.said("\"cause\":\"expired\""), [6_000, 17_003], "{rate:?}");
        assert_eq!(world.said("\"id\":\"1\""), [1_000, 10_003], "{rate:?}");
    }
}

/// With a session that neither blinks nor ends soon, it wakes for the write that waits, and else only to feed the watchdog.
#[test]
fn it_sleeps_until_there_is_something_to_do() {
    for rate in RATES {
        let world = World::new(rate);
        world.at(1_000, Event::Line(set(CALLS, "Busy", "Busy", "PT24H")));
        world.run(3_000_000);
        let counts = |millis| world.counts(millis);
        assert_eq!(*world.saves.borrow(), [0, counts(10_000)], "{rate:?}: once at the start, and when it may again");
        let wakes = world.wakes.borrow();
        let after: Vec<_> = wakes.iter().filter(|at| **at > counts(1_000)).collect();
        assert!(after.contains(&&counts(10_000)), "{rate:?}");
        let nap = LONGEST_NAP.as_millis();
        assert!(after.len() as u64 <= 3 + 3_000_000 / nap, "{rate:?}: {after:?}");
        assert!(after.windows(2).all(|pair| pair[1] - pair[0] <= counts(nap)), "{rate:?}: {after:?}");
    }
}

/// Whether nothing happens, a line or a press comes, or the light breathes: after each turn, and so no later than a turn after
/// the longest nap.
#[test]
fn the_watchdog_is_fed_after_each_turn_and_long_before_it_resets_the_board() {
    for rate in RATES {
        let world = World::new(rate);
        world.at(60_000, Event::Line(set(CALLS, "Busy", "InACall", "PT5M")));
        world.at(90_000, Event::Press(A));
        world.run(1_000_000);
        let feeds = world.feeds.borrow();
        let counts = |millis| world.counts(millis);
        // The response took 20 ms of a turn.
        let longest = LONGEST_NAP.as_millis() + 20;
        assert!(feeds.windows(2).all(|pair| pair[1] - pair[0] <= counts(longest)), "{rate:?}");
        assert!(feeds[0] <= counts(longest) && *feeds.last().unwrap() >= counts(1_000_000 - longest), "{rate:?}");
        assert!(2 * longest < WATCHDOG.as_millis(), "two in time, if one is late");
    }
}

/// A press wakes it, the release during the bounce is noticed as soon as it is stable, and so the next press counts.
#[test]
fn it_wakes_for_a_press_and_again_when_the_contact_is_stable() {
    for rate in RATES {
        let world = World::new(rate);
        world.at(500, Event::Line(set(CALLS, "Available", "Available", "PT24H")));
        world.at(1_000, Event::Press(A));
        world.at(1_010, Event::Press(NONE));
        world.at(2_000, Event::Press(Pressed { a: false, b: true }));
        world.at(2_200, Event::Press(NONE));
        world.at(2_240, Event::Press(A));
        world.run(4_000);
        assert_eq!(world.said("\"cause\":\"preferredSet\""), [1_000, 2_240], "{rate:?}");
        assert_eq!(world.said("\"cause\":\"preferredCleared\""), [2_000], "{rate:?}");
        assert!(world.wakes.borrow().contains(&world.counts(1_030)), "{rate:?}: {:?}", world.wakes.borrow());
    }
}

/// What a press or a deadline changed is saved in the same turn, if it may be; what a line changed, when the line is silent.
#[test]
fn a_change_is_saved_in_the_turn_that_made_it_or_when_the_line_is_silent() {
    let world = World::new((1, 1));
    world.at(20_000, Event::Line(set(CALLS, "Available", "Available", "PT60S")));
    world.at(40_000, Event::Press(A));
    world.at(40_500, Event::Press(NONE));
    world.run(100_000);
    // A line, a quarter of a second after it; a press; and the expiry.
    assert_eq!(*world.saves.borrow(), [0, 20_250, 40_000, 80_000]);
}

/// The light of “no news” blinks: a tenth of a second in five, and it sleeps in between, with one nap for the watchdog.
#[test]
fn it_wakes_for_the_frames_of_the_light_and_for_nothing_else() {
    let world = World::new((1, 1));
    world.run(20_001);
    let wakes = world.wakes.borrow();
    assert!(wakes.len() <= 15 && wakes.len() >= 8, "{wakes:?}");
}

/// After a restart the preferred presence is there, the saved user is saved again before anything else happens, and the light
/// shows it.
#[test]
fn it_starts_with_the_stored_user_and_saves_it_at_once() {
    let world = World::new((1, 1));
    world.at(500, Event::Line(set(CALLS, "Available", "Available", "PT24H")));
    world.at(1_000, Event::Press(A));
    world.run(60_000);
    let before = world.stored.borrow().clone();
    let again = World::new((1, 1));
    *again.stored.borrow_mut() = before.clone();
    again.run(1);
    assert_eq!(*again.saves.borrow(), [0]);
    assert_ne!(*again.stored.borrow(), before, "the versions have a gap");
    let third = World::new((1, 1));
    third.stored.borrow_mut().clone_from(&again.stored.borrow());
    third.at(500, Event::Line(set(CALLS, "Available", "Available", "PT24H")));
    third.run(1_000);
    assert!(third.said.borrow()[0].1.contains("\"to\":{\"availability\":\"DoNotDisturb\""), "{:?}", third.said);
}
