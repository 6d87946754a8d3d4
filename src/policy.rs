//! Policies: which presences a session may take, which may be preferred, how long things last and how they fade. Plain
//! constant data. Rule P2.

use crate::presence::{Presence, PresenceSet};
use crate::time::{Duration, DurationRange, Instant};

/// One fade of a session set to Available: this long after it was last set, it becomes this. Rule S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fade {
    /// Time since the session was last set.
    pub after: Duration,
    /// What it becomes.
    pub becomes: Presence,
}

/// The fades of a policy: later and weaker at every step. Rule S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fades(&'static [Fade]);

impl Fades {
    /// Sessions stay as they were set.
    pub const NONE: Self = Self(&[]);

    /// These fades, if each comes later and is weaker than the one before, and the first is weaker than Available: so there
    /// are six at most. Rule S3. O(fades), meant for `const`.
    ///
    /// ```
    /// use presence_core::{Duration, Fade, Fades, Presence};
    ///
    /// const FADES: Fades =
    ///     Fades::new(&[Fade { after: Duration::from_secs(300), becomes: Presence::Away }]).unwrap();
    /// const STRONGER: [Fade; 1] = [Fade { after: Duration::from_secs(300), becomes: Presence::Busy }];
    /// assert!(Fades::new(&STRONGER).is_none());
    /// ```
    #[must_use]
    pub const fn new(fades: &'static [Fade]) -> Option<Self> {
        let (mut earliest, mut strongest) = (0, Presence::Available.as_byte());
        let mut rest = fades;
        while let [fade, others @ ..] = rest {
            if fade.after.as_millis() <= earliest || fade.becomes.as_byte() >= strongest {
                return None;
            }
            (earliest, strongest) = (fade.after.as_millis(), fade.becomes.as_byte());
            rest = others;
        }
        Some(Self(fades))
    }

    /// The fades, in order. Rule S3. O(1).
    #[must_use]
    pub const fn as_slice(self) -> &'static [Fade] {
        self.0
    }

    /// The fade that comes after `done` others, if there is one.
    pub(crate) fn get(self, done: u8) -> Option<Fade> {
        self.0.get(usize::from(done)).copied()
    }

    /// When fade number `next` comes, if the one before it came, or the session was set, at `last`.
    pub(crate) fn deadline(self, next: u8, last: Instant) -> Instant {
        let elapsed = next.checked_sub(1).and_then(|before| self.get(before)).map_or(Duration::ZERO, |fade| fade.after);
        self.get(next).map_or(Instant::NEVER, |fade| last.saturating_add(fade.after.saturating_sub(elapsed)))
    }
}

/// How long a preferred presence lasts when the command does not say. Rule U2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PreferredDefault {
    /// The presences that disturb others' plans most, and so end sooner.
    pub brief: PresenceSet,
    /// How long those last.
    pub brief_duration: Duration,
    /// How long all others last.
    pub duration: Duration,
}

/// What may be set and for how long: plain constant data that the decisions are handed. Rule P2.
///
/// ```
/// use presence_core::{Duration, Fade, Fades, Policy, Presence};
///
/// // Another chat server's rule: half-minute leases, straight to Away after five minutes.
/// const CHAT: Policy = Policy {
///     default_lease: Duration::from_secs(30),
///     fades: Fades::new(&[Fade { after: Duration::from_secs(300), becomes: Presence::Away }]).unwrap(),
///     ..Policy::DESK
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    /// Which presences a session may be set to. Rule P1.
    pub sessions: PresenceSet,
    /// Which presences may be preferred. Rule P1.
    pub preferred: PresenceSet,
    /// How long a session may be set for. Rule S2.
    pub leases: DurationRange,
    /// How long a session is set for when the command does not say. Rule S2.
    pub default_lease: Duration,
    /// How long a presence may be preferred. Rule U2.
    pub preferred_durations: DurationRange,
    /// How long a presence is preferred when the command does not say. Rule U2.
    pub preferred_default: PreferredDefault,
    /// How a session set to Available weakens when nobody repeats it. Rule S3.
    pub fades: Fades,
}

impl Policy {
    /// What Microsoft Graph does. Rules P1, S2, S3, U2.
    pub const GRAPH: Self = Self {
        sessions: PresenceSet::of(&[
            Presence::Available,
            Presence::InACall,
            Presence::InAConferenceCall,
            Presence::Away,
            Presence::Presenting,
        ]),
        preferred: PresenceSet::of(&[
            Presence::Available,
            Presence::Busy,
            Presence::DoNotDisturb,
            Presence::BeRightBack,
            Presence::Away,
            Presence::OffWork,
        ]),
        leases: DurationRange { shortest: Duration::from_mins(5), longest: Duration::from_hours(4) },
        default_lease: Duration::from_mins(5),
        preferred_durations: DurationRange { shortest: Duration::from_millis(1), longest: Duration::from_days(366) },
        preferred_default: PreferredDefault {
            brief: PresenceSet::of(&[Presence::Busy, Presence::DoNotDisturb]),
            brief_duration: Duration::from_days(1),
            duration: Duration::from_days(7),
        },
        fades: Fades(&[
            Fade { after: Duration::from_mins(5), becomes: Presence::AvailableInactive },
            Fade { after: Duration::from_mins(10), becomes: Presence::Away },
        ]),
    };

    /// For devices on a desk: a session takes every presence from Away up, so that a calendar can say InAMeeting and a
    /// focus timer Focusing, for one second to 24 hours. Rule P2.
    pub const DESK: Self = Self {
        sessions: PresenceSet::from_up(Presence::Away),
        leases: DurationRange { shortest: Duration::from_secs(1), longest: Duration::from_hours(24) },
        ..Self::GRAPH
    };

    /// How long a presence is preferred when the command does not say. Rule U2. O(1).
    #[must_use]
    pub const fn default_preferred_duration(&self, presence: Presence) -> Duration {
        if self.preferred_default.brief.contains(presence) {
            self.preferred_default.brief_duration
        } else {
            self.preferred_default.duration
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_the_graph_policy_is_valid() {
        assert_eq!(Fades::new(Policy::GRAPH.fades.as_slice()), Some(Policy::GRAPH.fades));
        assert!(Policy::GRAPH.leases.contains(Policy::GRAPH.default_lease));
    }

    #[test]
    fn s3_fades_come_later_and_weaker() {
        const fn fade(secs: u64, becomes: Presence) -> Fade {
            Fade { after: Duration::from_secs(secs), becomes }
        }
        assert!(Fades::new(&const { [fade(0, Presence::Away)] }).is_none());
        assert!(Fades::new(&const { [fade(5, Presence::Available)] }).is_none());
        assert!(Fades::new(&const { [fade(5, Presence::Away), fade(5, Presence::OffWork)] }).is_none());
        assert!(Fades::new(&const { [fade(5, Presence::Away), fade(6, Presence::Away)] }).is_none());
        assert!(Fades::new(&const { [fade(5, Presence::BeRightBack), fade(6, Presence::Away)] }).is_some());
        // One for each presence that is weaker than Available.
        const ALL: [Fade; 6] = [
            fade(1, Presence::AvailableInactive),
            fade(2, Presence::BeRightBack),
            fade(3, Presence::Away),
            fade(4, Presence::OffWork),
            fade(5, Presence::Offline),
            fade(6, Presence::Unknown),
        ];
        assert_eq!(Fades::new(&ALL).map(Fades::as_slice), Some(ALL.as_slice()));
    }

    #[test]
    fn s3_the_next_fade_counts_from_the_last() {
        let fades = Policy::GRAPH.fades;
        let set = Instant::from_secs(100);
        assert_eq!(fades.deadline(0, set), Instant::from_secs(400));
        assert_eq!(fades.deadline(1, Instant::from_secs(400)), Instant::from_secs(700));
        assert_eq!(fades.deadline(2, Instant::from_secs(700)), Instant::NEVER);
    }
}
