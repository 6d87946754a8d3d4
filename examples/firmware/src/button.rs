//! Two buttons: one prefers not to be disturbed, the other takes that back.

use presence_core::{Command, Duration, Instant, Presence, SessionId};

/// A button of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Button {
    /// “Do not disturb.”
    A,
    /// “As my applications say.”
    B,
}

impl Button {
    /// For how long a press of A holds.
    pub const DURATION: Duration = Duration::from_hours(2);

    /// What a press asks for.
    #[must_use]
    pub const fn command(self) -> Command<SessionId> {
        match self {
            Self::A => {
                Command::SetPreferredPresence { presence: Presence::DoNotDisturb, duration: Some(Self::DURATION) }
            }
            Self::B => Command::ClearPreferredPresence,
        }
    }
}

/// Which buttons are down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressed {
    /// Whether A is.
    pub a: bool,
    /// Whether B is.
    pub b: bool,
}

/// Tells presses from bounces: a contact chatters for some milliseconds when it closes and when it opens.
#[derive(Debug)]
pub struct Buttons {
    down: Pressed,
    /// Since when.
    since: Instant,
}

/// For how long after a change nothing counts.
const DEBOUNCE: Duration = Duration::from_millis(30);

impl Buttons {
    /// Nothing is pressed.
    #[must_use]
    pub const fn new() -> Self {
        Self { down: Pressed { a: false, b: false }, since: Instant::ZERO }
    }

    /// Takes what is down now, and gives the button that was pressed. With both pressed at once nobody knows what is meant:
    /// none. O(1).
    pub fn sample(&mut self, pressed: Pressed, now: Instant) -> Option<Button> {
        if pressed == self.down || now.saturating_duration_since(self.since) < DEBOUNCE {
            return None;
        }
        let (a, b) = (pressed.a && !self.down.a, pressed.b && !self.down.b);
        (self.down, self.since) = (pressed, now);
        match (a, b) {
            (true, false) => Some(Button::A),
            (false, true) => Some(Button::B),
            _ => None,
        }
    }

    /// When to look again: after a change, until it has settled.
    #[must_use]
    pub fn stable_at(&self, now: Instant) -> Option<Instant> {
        let settled = self.since.saturating_add(DEBOUNCE);
        (self.since > Instant::ZERO && now < settled).then_some(settled)
    }
}

impl Default for Buttons {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Pressed = Pressed { a: true, b: false };
    const NONE: Pressed = Pressed { a: false, b: false };

    #[test]
    fn a_press_counts_once_however_the_contact_chatters() {
        let mut buttons = Buttons::new();
        let at = |ms: u64| Instant::from_millis(1_000 + ms);
        assert_eq!(buttons.sample(NONE, at(0)), None);
        assert_eq!(buttons.sample(A, at(1)), Some(Button::A));
        assert_eq!(buttons.stable_at(at(1)), Some(at(31)));
        for ms in 2..30 {
            assert_eq!(buttons.sample(if ms % 2 == 0 { NONE } else { A }, at(ms)), None);
        }
        assert_eq!(buttons.sample(A, at(31)), None);
        assert_eq!(buttons.sample(NONE, at(500)), None);
        assert_eq!(buttons.sample(A, at(505)), None);
        assert_eq!(buttons.sample(NONE, at(540)), None);
        assert_eq!(buttons.sample(A, at(600)), Some(Button::A));
    }

    #[test]
    fn a_release_that_was_missed_while_bouncing_is_seen_when_it_has_settled() {
        let mut buttons = Buttons::new();
        let at = |ms: u64| Instant::from_millis(1_000 + ms);
        assert_eq!(buttons.sample(A, at(0)), Some(Button::A));
        assert_eq!(buttons.sample(NONE, at(20)), None);
        assert_eq!(buttons.sample(NONE, at(30)), None);
        assert_eq!(buttons.sample(A, at(80)), Some(Button::A));
    }

    #[test]
    fn both_at_once_mean_nothing() {
        let mut buttons = Buttons::new();
        assert_eq!(buttons.sample(Pressed { a: true, b: true }, Instant::from_secs(1)), None);
        assert_eq!(buttons.sample(NONE, Instant::from_secs(2)), None);
        assert_eq!(buttons.sample(Pressed { a: false, b: true }, Instant::from_secs(3)), Some(Button::B));
    }
}
