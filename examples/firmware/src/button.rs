//! Two buttons: one sets “do not disturb”, the other clears it.

use presence_core::lines::BUTTON_SESSION;
use presence_core::{Command, Duration, Instant, Presence, SessionId};

/// A button of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Button {
    /// Prefers “do not disturb”, and sets a session of the buttons to it.
    A,
    /// Clears both.
    B,
}

impl Button {
    /// The time after which what A sets expires.
    pub const DURATION: Duration = Duration::from_hours(2);

    /// Returns the commands that a press executes, in an order in which at most one of them is a visible change.
    ///
    /// The preferred presence decides over what applications say, and is there again after a reset, when the first of them is.
    /// Alone it shows nothing (rule A1): without a host the session does.
    #[must_use]
    pub const fn commands(self) -> [Command<SessionId>; 2] {
        let (presence, duration) = (Presence::DoNotDisturb, Some(Self::DURATION));
        match self {
            Self::A => [
                Command::SetPreferredPresence { presence, duration },
                Command::SetPresence { session: BUTTON_SESSION, presence, lease: duration },
            ],
            Self::B => [Command::ClearPresence { session: BUTTON_SESSION }, Command::ClearPreferredPresence],
        }
    }
}

/// The state of both buttons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressed {
    /// Button A is down.
    pub a: bool,
    /// Button B is down.
    pub b: bool,
}

/// A debouncer: contacts chatter for some milliseconds when they close and when they open.
#[derive(Debug)]
pub struct Buttons {
    down: Pressed,
    /// When `down` last changed.
    since: Instant,
}

/// The time after a change in which further changes are ignored.
const DEBOUNCE: Duration = Duration::from_millis(30);

impl Buttons {
    /// Creates a debouncer of buttons that are up.
    #[must_use]
    pub const fn new() -> Self {
        Self { down: Pressed { a: false, b: false }, since: Instant::ZERO }
    }

    /// Samples the buttons, and returns the one that was pressed. Both at once are ambiguous, and ignored.
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

    /// Returns when to sample again, after a change that may still bounce.
    #[must_use]
    pub fn stable_at(&self, now: Instant) -> Option<Instant> {
        let stable = self.since.saturating_add(DEBOUNCE);
        (now < stable).then_some(stable)
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
    fn a_release_during_the_bounce_is_seen_when_the_contact_is_stable() {
        let mut buttons = Buttons::new();
        let at = |ms: u64| Instant::from_millis(1_000 + ms);
        assert_eq!(buttons.sample(A, at(0)), Some(Button::A));
        assert_eq!(buttons.sample(NONE, at(20)), None);
        assert_eq!(buttons.sample(NONE, at(30)), None);
        assert_eq!(buttons.sample(A, at(80)), Some(Button::A));
    }

    #[test]
    fn both_at_once_are_ignored() {
        let mut buttons = Buttons::new();
        assert_eq!(buttons.sample(Pressed { a: true, b: true }, Instant::from_secs(1)), None);
        assert_eq!(buttons.sample(NONE, Instant::from_secs(2)), None);
        assert_eq!(buttons.sample(Pressed { a: false, b: true }, Instant::from_secs(3)), Some(Button::B));
    }
}
