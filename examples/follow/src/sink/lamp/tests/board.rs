//! A lamp that is the firmware, without its board.

use firmware::{Clock, Frame, Light, LightError, PresenceLight, ReceivedByte};
use presence_core::{Absence, Duration, Instant, Presence};

/// A light that records what it shows.
#[derive(Default)]
struct Seen(Vec<String>);

impl Light for Seen {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0.push(format!("{:?}", frame.sign));
        Ok(())
    }
}

/// The firmware, with the test's time.
pub(super) struct Board(PresenceLight<Seen>);

impl Board {
    /// Switches a board on.
    pub(super) fn new() -> Self {
        Self(PresenceLight::new(Seen::default()))
    }

    /// Takes bytes, and returns what the board sends.
    pub(super) fn receive(&mut self, now: Instant, bytes: &[u8]) -> Vec<u8> {
        self.receive_without(now, bytes, None)
    }

    /// Takes bytes without the one at a position, which the receiver knows to be lost, and returns what the board sends.
    pub(super) fn receive_without(&mut self, now: Instant, bytes: &[u8], lost: Option<usize>) -> Vec<u8> {
        let now = at(now);
        let mut out = Vec::new();
        let received = |(index, byte): (usize, &u8)| {
            let after_loss = lost.is_some_and(|lost| index == lost + 1);
            (lost != Some(index)).then_some(ReceivedByte { byte: *byte, after_loss })
        };
        let bytes: Vec<_> = bytes.iter().enumerate().filter_map(received).collect();
        let mut bytes = bytes.into_iter();
        while bytes.len() > 0 {
            self.0.receive(&mut bytes, now, &mut out).unwrap();
        }
        self.0.advance(now, &mut out).unwrap();
        out
    }

    /// Returns what the board shows at a time.
    pub(super) fn shows(&mut self, now: Instant) -> (Presence, Option<Absence>) {
        self.receive(now, b"");
        let user = self.0.app().user();
        (user.presence(), user.absence())
    }
}

impl Board {
    /// Returns the kinds of things that the light has shown since the last call: a presence, out of office, a link.
    pub(super) fn signs(&mut self) -> Vec<String> {
        let mut signs = std::mem::take(&mut self.0.light().0);
        signs.sort();
        signs.dedup();
        signs
    }
}

/// Returns the time of a board that was switched on at zero.
fn at(now: Instant) -> Instant {
    Clock::START.saturating_add(Duration::from_millis(now.as_millis()))
}
