//! The rules once more, as small as they can be written down, from the text of docs/behaviour.md alone. What an application
//! said is stored, with the moment; everything else is worked out from that. Only the vocabulary is the library's: presences,
//! causes, errors.

mod person;

pub use person::Person;

use presence_core::Presence::{self, *};
use presence_core::{Cause, Duration};
use std::ops::RangeInclusive;

/// The table of section 2, weakest first: a presence, its availability and its activity on the wire.
pub const TABLE: [(Presence, &str, &str); 15] = [
    (Unknown, "PresenceUnknown", "PresenceUnknown"),
    (Offline, "Offline", "Offline"),
    (OffWork, "Offline", "OffWork"),
    (Away, "Away", "Away"),
    (BeRightBack, "BeRightBack", "BeRightBack"),
    (AvailableInactive, "Available", "AvailableInactive"),
    (Available, "Available", "Available"),
    (Busy, "Busy", "Busy"),
    (InAMeeting, "Busy", "InAMeeting"),
    (InACall, "Busy", "InACall"),
    (InAConferenceCall, "Busy", "InAConferenceCall"),
    (DoNotDisturb, "DoNotDisturb", "DoNotDisturb"),
    (Focusing, "DoNotDisturb", "Focusing"),
    (UrgentInterruptionsOnly, "DoNotDisturb", "UrgentInterruptionsOnly"),
    (Presenting, "DoNotDisturb", "Presenting"),
];

pub fn strength(presence: Presence) -> usize {
    TABLE.iter().position(|(listed, ..)| *listed == presence).expect("every presence is in the table")
}

/// The numbers of a policy. Rule P2.
#[derive(Clone, Debug)]
pub struct Numbers {
    pub sessions: &'static [Presence],
    pub preferred: &'static [Presence],
    pub leases: RangeInclusive<u64>,
    pub default_lease: u64,
    pub preferred_durations: RangeInclusive<u64>,
    pub brief: &'static [Presence],
    pub brief_duration: u64,
    pub preferred_duration: u64,
    /// Time since set, for the first and the second fade. Rule S3. `None`: what is set under these does not fade.
    pub fades: Option<[u64; 2]>,
}

impl Numbers {
    /// Returns the lease that a session gets. Rule S2.
    pub fn lease(&self, asked: Option<Duration>) -> u64 {
        asked.map_or(self.default_lease, Duration::as_millis)
    }
}

/// A call of an application, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Said {
    pub presence: Presence,
    pub at: u64,
    pub lease: u64,
    /// It came under a policy without fades. Rule P4.
    pub is_steady: bool,
}

impl Said {
    pub fn ends(self) -> u64 {
        self.at + self.lease
    }

    /// Returns its presence at a moment: the table of rule S4; `None` once it has expired. Rules S2 to S4.
    pub fn presence_at(self, numbers: &Numbers, now: u64) -> Option<Presence> {
        let [first, second] = numbers.fades.filter(|_| !self.is_steady).unwrap_or([u64::MAX; 2]);
        match now - self.at {
            age if age >= self.lease => None,
            age if self.presence == Available && age >= second => Some(Away),
            age if self.presence == Available && age >= first => Some(AvailableInactive),
            _ => Some(self.presence),
        }
    }
}

/// A session: the call that set it, and how far it has faded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    pub said: Said,
    /// Its presence, as far as fades have been applied.
    pub presence: Presence,
    /// The end of that presence.
    pub until: u64,
}

impl Session {
    fn new(numbers: &Numbers, said: Said) -> Self {
        Self::after(numbers, said, said.at).expect("a lease is longer than nothing")
    }

    /// Returns the session once everything up to a moment has been applied.
    fn after(numbers: &Numbers, said: Said, now: u64) -> Option<Self> {
        let presence = said.presence_at(numbers, now)?;
        let until = (now + 1..).find(|later| said.presence_at(numbers, *later) != Some(presence))?;
        Some(Self { said, presence, until })
    }

    /// Returns when it weakens, if it does before it ends.
    pub fn fades_at(&self) -> Option<u64> {
        (self.until < self.said.ends()).then_some(self.until)
    }
}

/// An event: when, the published presence before and after, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    pub at: u64,
    pub before: Presence,
    pub after: Presence,
    pub cause: Cause,
}

impl Event {
    pub fn is_visible(&self) -> bool {
        self.before != self.after
    }
}
