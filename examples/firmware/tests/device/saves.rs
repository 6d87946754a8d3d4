//! When the storage is written: in the silence of the line, or before a response, and never between a response and the next line.

use super::fixture::{CALLS, RecordingLight, set};
use firmware::storage::{SnapshotStore, Storage, WriteBudget};
use firmware::{Clock, Device, Identity, PresenceLight, Pressed, ReceivedByte};
use presence_core::{Duration, Instant};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

/// What happened, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Line,
    Response,
    Write,
}

/// A host, its serial line and the medium, with one record of what happened.
#[derive(Default)]
struct World {
    now: Instant,
    events: Vec<(u64, Event)>,
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<World>>);

impl Shared {
    fn record(&self, event: Event) {
        let mut world = self.0.borrow_mut();
        let at = Clock::uptime_at(world.now);
        world.events.push((at, event));
    }

    fn writes(&self) -> Vec<u64> {
        let world = self.0.borrow();
        world.events.iter().filter(|(_, event)| *event == Event::Write).map(|(at, _)| *at).collect()
    }

    /// Checks that a processor that stops during each write loses no byte of a host that waits for its responses.
    fn check(&self) {
        for pair in self.0.borrow().events.windows(2) {
            if let [(answered, Event::Response), (written, Event::Write)] = pair {
                assert!(written - answered >= 250, "{written}: {} ms after a response", written - answered);
            }
        }
    }
}

impl embedded_io::ErrorType for Shared {
    type Error = Infallible;
}

impl embedded_io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        if bytes.starts_with(b"{\"id\"") {
            self.record(Event::Response);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Storage for Shared {
    type Error = Infallible;

    const MAX_STALENESS: Duration = Duration::from_mins(30);
    const MIN_INTERVAL: Duration = Duration::from_secs(10);
    const BUDGET: WriteBudget = WriteBudget { burst: 32, erasure: 24, interval: Duration::from_mins(15) };

    fn load(&mut self) -> Result<Option<&[u8]>, Infallible> {
        Ok(None)
    }

    fn load_settings(&mut self) -> Result<Option<&[u8]>, Infallible> {
        Ok(None)
    }

    fn store(&mut self, _: &[u8], _: &[u8]) -> Result<(), Infallible> {
        self.record(Event::Write);
        Ok(())
    }

    fn erase(&mut self) -> Result<bool, Infallible> {
        Ok(true)
    }
}

/// A device and its host.
struct Desk {
    shared: Shared,
    device: Device<'static, RecordingLight, Shared>,
}

impl Desk {
    fn new() -> Self {
        let shared = Shared::default();
        shared.0.borrow_mut().now = Clock::START;
        let light = Box::leak(Box::new(PresenceLight::new(RecordingLight::default())));
        let snapshots = Box::leak(Box::new(SnapshotStore::new(shared.clone())));
        let device = Device::start(Identity { board: "host", serial_number: None }, light, snapshots);
        assert_eq!(shared.writes(), [0], "once at the start");
        Self { shared, device }
    }

    /// Takes a turn with these bytes.
    fn turn(&mut self, millis: u64, text: &str) {
        let now = Clock::at_uptime(millis);
        self.shared.0.borrow_mut().now = now;
        if text.ends_with('\n') {
            self.shared.record(Event::Line);
        }
        let mut bytes = text.bytes().map(ReceivedByte::new);
        self.device.turn(&mut bytes, Pressed::default(), now, &mut self.shared.clone());
        assert!(bytes.next().is_none());
    }

    /// Takes every turn that the device asks for until then.
    fn sleep(&mut self, from: u64, until: u64) {
        let mut now = from;
        loop {
            let wake_at = Clock::uptime_at(self.device.wake_at(Clock::at_uptime(now)));
            if wake_at > until {
                break;
            }
            assert!(wake_at > now, "it would never sleep");
            now = wake_at;
            self.turn(now, "");
        }
    }
}

fn flapping(number: u64) -> String {
    set(CALLS, "Busy", if number.is_multiple_of(2) { "Busy" } else { "InAMeeting" }, "PT24H")
}

/// Each line after so many milliseconds of the response before, for a minute.
#[test]
fn a_write_never_falls_between_a_response_and_the_next_line() {
    for pause in [1, 5, 20, 100, 200, 249] {
        let mut desk = Desk::new();
        let mut now = 20_000;
        for number in 0..60_000 / pause {
            desk.turn(now, &flapping(number));
            desk.sleep(now, now + pause - 1);
            now += pause;
        }
        desk.shared.check();
        let writes = desk.shared.writes();
        // None waits for more than ten seconds and a line: the first, and then one after each pause of ten seconds.
        assert!(writes.windows(2).all(|pair| pair[1] - pair[0] <= 20_000 + pause + 10_000), "{pause}: {writes:?}");
        assert!((3..=5).contains(&writes.len()), "{pause}: {writes:?}");
        assert!(writes[1] >= 30_000, "{pause}: it waits for silence as long as it may");
    }
}

#[test]
fn in_silence_a_write_comes_after_a_quarter_of_a_second() {
    let mut desk = Desk::new();
    desk.turn(20_000, &flapping(0));
    desk.sleep(20_000, 20_249);
    assert_eq!(desk.shared.writes(), [0]);
    desk.sleep(20_249, 21_000);
    assert_eq!(desk.shared.writes(), [0, 20_250]);
    // The silence begins anew with each byte, of a line that has not ended too.
    desk.turn(40_000, &flapping(1));
    for tenth in 1..50 {
        desk.sleep(40_000 + 100 * (tenth - 1), 40_000 + 100 * tenth - 1);
        desk.turn(40_000 + 100 * tenth, "{");
    }
    assert_eq!(desk.shared.writes().len(), 2);
    desk.sleep(44_900, 50_000);
    assert_eq!(desk.shared.writes()[2..], [45_150]);
    desk.shared.check();
}

/// Bytes that never end a line keep it from writing for twenty seconds at most.
#[test]
fn noise_keeps_nothing_from_being_written() {
    let mut desk = Desk::new();
    desk.turn(20_000, &flapping(0));
    for step in 1..1000 {
        desk.turn(20_000 + 50 * step, "x");
    }
    assert_eq!(desk.shared.writes(), [0, 40_000]);
}

/// A session that flaps every five seconds: fewer and fewer writes, none of them lost for good.
#[test]
fn pauses_between_writes_grow_while_a_session_flaps() {
    let mut desk = Desk::new();
    for number in 0..12 * 60 * 6 {
        let now = 20_000 + 5_000 * number;
        desk.turn(now, &flapping(number));
        desk.sleep(now, now + 4_999);
    }
    desk.shared.check();
    let writes = desk.shared.writes();
    let pauses: Vec<_> = writes.windows(2).skip(1).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[..3].iter().all(|pause| *pause <= 15_000), "{pauses:?}");
    let last = &pauses[pauses.len() - 4..];
    assert!(last.iter().all(|pause| (600_000..=905_000).contains(pause)), "{pauses:?}");
    assert!(pauses.windows(2).all(|pair| pair[1] + 5_000 >= pair[0]), "they grow: {pauses:?}");
    assert!(writes.len() <= 32 + 24, "a budget, and one for each quarter of an hour");
    let end = 20_000 + 5_000 * (12 * 60 * 6);
    desk.sleep(end, end + 15 * 60_000);
    assert_eq!(desk.shared.writes().len(), writes.len() + 1, "what it changed last is written");
}
