//! A serial line that fails: whatever was applied stays, the light shows it, and the error is returned.

use super::fixture::{CALENDAR, CALLS, Fixture, set};
use firmware::{Button, ReceivedByte};
use presence_core::Duration;

/// A serial line that fails at one of its calls, and works again afterwards.
#[derive(Default)]
struct Failing {
    fails_at: usize,
    calls: usize,
    written: Vec<u8>,
    flushed: usize,
}

impl Failing {
    fn at(fails_at: usize) -> Self {
        Self { fails_at, ..Self::default() }
    }

    fn call(&mut self) -> Result<(), embedded_io::ErrorKind> {
        self.calls += 1;
        if self.calls == self.fails_at { Err(embedded_io::ErrorKind::BrokenPipe) } else { Ok(()) }
    }
}

impl embedded_io::ErrorType for Failing {
    type Error = embedded_io::ErrorKind;
}

impl embedded_io::Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        self.call()?;
        self.written.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        self.call()?;
        self.flushed = self.written.len();
        Ok(())
    }
}

/// What a device is asked to do while its serial line fails.
type Act = fn(&mut Fixture, &mut Failing) -> Result<(), embedded_io::ErrorKind>;

/// Two sessions and a preferred presence that are all over after a while: three visible changes are due.
fn with_changes_due() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALLS, "Busy", "InACall", "PT3H"));
    fixture.send(&set(CALENDAR, "Busy", "InAMeeting", "PT4H"));
    fixture.press(Button::A);
    fixture.now = fixture.now.saturating_add(Duration::from_hours(5));
    fixture
}

fn line(fixture: &mut Fixture, line: &str, out: &mut Failing) -> Result<(), embedded_io::ErrorKind> {
    fixture.presence_light.receive(&mut line.bytes().map(ReceivedByte::new), fixture.now, out)
}

const ACTS: [(&str, Act); 6] = [
    ("advance", |fixture, out| fixture.presence_light.advance(fixture.now, out)),
    ("a press", |fixture, out| fixture.presence_light.press(Button::A, fixture.now, out)),
    ("a blank line", |fixture, out| line(fixture, " \r\n", out)),
    ("an echo", |fixture, out| line(fixture, "{\"id\":\"1\",\"status\":200}\n", out)),
    ("a rejected line", |fixture, out| line(fixture, "not json\n", out)),
    ("a request", |fixture, out| line(fixture, &set(CALLS, "DoNotDisturb", "Presenting", "PT5M"), out)),
];

#[test]
fn an_error_is_returned_and_what_was_applied_stays_and_shows() {
    for (name, act) in ACTS {
        let (mut working, mut all) = (with_changes_due(), Failing::default());
        act(&mut working, &mut all).unwrap();
        assert_eq!(all.flushed, all.written.len(), "{name}: everything is flushed");
        assert!(all.calls >= 9, "{name}: something is written");
        for fails_at in 1..=all.calls {
            let (mut fixture, mut out) = (with_changes_due(), Failing::at(fails_at));
            assert_eq!(act(&mut fixture, &mut out), Err(embedded_io::ErrorKind::BrokenPipe), "{name}, call {fails_at}");
            assert_eq!(out.calls, fails_at, "{name}: nothing is written after an error");
            assert!(all.written.starts_with(&out.written));
            assert_eq!(fixture.presence_light.app().user(), working.presence_light.app().user(), "{name}");
            assert_eq!(fixture.light(), working.light(), "{name}, call {fails_at}: the light shows it");
            // The line works again.
            assert!(fixture.send("not json\n").contains("\"status\":400"));
        }
    }
}

/// The order on the line: changes first, each flushed, then the response.
#[test]
fn every_line_is_written_whole_before_the_next_one_begins() {
    let (mut fixture, mut out) = (with_changes_due(), Failing::default());
    line(&mut fixture, &set(CALLS, "DoNotDisturb", "Presenting", "PT5M"), &mut out).unwrap();
    let said = String::from_utf8(out.written).unwrap();
    let causes: Vec<_> = said.lines().map(|line| line.rsplit('"').nth(1).unwrap()).collect();
    assert_eq!(causes, ["preferredExpired", "expired", "expired", "set", "status"], "{said}");
    assert!(said.ends_with("{\"id\":\"1\",\"status\":200}\n"), "{said}");
}
