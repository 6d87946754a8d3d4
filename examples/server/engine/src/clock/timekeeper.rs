//! The server's time, as a pure function of readings of the machine's clocks.
//!
//! The boot-time clock carries the server forward, also while the machine sleeps. The wall clock corrects it:
//!
//! - **Forward**, it is followed at once: a paused virtual machine, whose clocks all stood still, or a machine without a clock
//!   of its own that has reached a time server.
//! - **Back by a minute or less**, it is ignored: the server stays ahead until the wall clock has caught up.
//! - **Back by more**, the server goes on by boot time. Once the wall clock has gone on steadily for a minute, the step is
//!   followed: all stored instants are shifted, so that what remains of each lease stays the same.
//! - **Behind at the start**, the data are ahead of the wall clock. The server starts ahead by the same amount and stays so:
//!   after a loss of power a machine may not know the time yet, and no data must be shifted to a time that is corrected soon.

use super::readings::Reading;
use super::shift::Shift;
use presence_core::{Duration, Instant};

/// The step back that is ignored, and the time for which a greater one must last.
pub const MINUTE: Duration = Duration::from_secs(60);
/// The step that is worth a message, and the change in a step back that begins its minute anew.
const SECOND: Duration = Duration::from_secs(1);

/// An instant on the server's clock, with the shift under which it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// The instant.
    pub now: Instant,
    /// The shift.
    pub shift: Shift,
}

impl Time {
    /// Returns the unshifted instant, which never goes back.
    pub const fn unshifted(self) -> Instant {
        self.shift.to_unshifted(self.now)
    }
}

/// A step of the wall clock against the boot-time clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The wall clock went forward by this much, and so did the server.
    Forward(Duration),
    /// The wall clock went back by this much. It is followed if it stays so for a minute.
    Behind(Duration),
    /// The wall clock has been back by this much for a minute, and so the server's clock was shifted.
    Back(Duration),
}

/// A step back that has not been followed yet.
#[derive(Clone, Copy, Debug)]
struct Behind {
    /// The unshifted time when it was first seen.
    since: Instant,
    /// The lead of the server's clock then.
    lead: Duration,
}

/// The server's time since the clocks were last compared.
#[derive(Debug)]
pub struct Timekeeper {
    /// The boot-time clock at that moment.
    boot: Duration,
    /// The server's time at that moment.
    last: Time,
    /// The part of the lead over the wall clock that is no step back: what the data were ahead at the start, as far as the
    /// wall clock has not caught up since.
    accepted: Duration,
    behind: Option<Behind>,
}

impl Timekeeper {
    /// Starts at the wall clock, or at the newest stored instant if that is later.
    pub fn start(reading: Reading, newest: Instant, shift: Shift) -> Self {
        let now = newest.max(reading.wall);
        let accepted = now.saturating_duration_since(reading.wall);
        Self { boot: reading.boot, last: Time { now, shift }, accepted, behind: None }
    }

    /// Returns the time at this reading of the boot-time clock. If that clock should go back, time stands still.
    pub fn time(&self, boot: Duration) -> Time {
        let elapsed = boot.saturating_sub(self.boot);
        Time { now: self.last.now.saturating_add(elapsed), ..self.last }
    }

    /// Compares the clocks, and returns the step that this reading shows, if it is a second or more.
    pub fn observe(&mut self, reading: Reading) -> Option<Step> {
        let time = self.time(reading.boot);
        let Time { now, shift } = time;
        (self.boot, self.last) = (reading.boot, time);
        if let Some(step) = reading.wall.checked_duration_since(now) {
            self.last.now = reading.wall;
            (self.accepted, self.behind) = (Duration::ZERO, None);
            return (step >= SECOND).then_some(Step::Forward(step));
        }
        let lead = now.saturating_duration_since(reading.wall);
        self.accepted = self.accepted.min(lead);
        let step = lead.saturating_sub(self.accepted);
        if step <= MINUTE {
            self.behind = None;
            return None;
        }
        match self.behind {
            Some(behind) if behind.is_steady(lead) => {
                if time.unshifted().saturating_duration_since(behind.since) < MINUTE {
                    return None;
                }
                self.last = Time { now: now.saturating_sub(step), shift: shift.plus(step) };
                self.behind = None;
                Some(Step::Back(step))
            }
            earlier => {
                self.behind = Some(Behind { since: time.unshifted(), lead });
                earlier.is_none().then_some(Step::Behind(step))
            }
        }
    }
}

impl Behind {
    /// Reports whether the wall clock has gone on as the boot-time clock did.
    fn is_steady(self, lead: Duration) -> bool {
        lead.max(self.lead).saturating_sub(lead.min(self.lead)) <= SECOND
    }
}

#[cfg(test)]
mod tests;
