//! Policies: the presences that may be set or preferred, for how long, and how sessions fade. Plain constant data.

use crate::presence::{Presence, PresenceSet};
use crate::time::{Duration, DurationRange, Instant};

/// One fade of a session that was set to Available ([S3](crate::rules#s3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fade {
    /// The time since the session was last set.
    pub after: Duration,
    /// The presence that it fades to.
    pub becomes: Presence,
}

/// The fades of a policy: each later and weaker than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fades(&'static [Fade]);

impl Fades {
    /// No fades: sessions stay as they were set.
    pub const NONE: Self = Self(&[]);

    /// Creates fades, in `const`, if each is later and weaker than the one before; `None` otherwise.
    ///
    /// The first is weaker than Available, so there are six at most.
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

    /// Returns the fades in order.
    #[must_use]
    pub const fn as_slice(self) -> &'static [Fade] {
        self.0
    }

    /// Returns the fade after `done` others, if there is one.
    pub(crate) fn get(self, done: u8) -> Option<Fade> {
        self.0.get(usize::from(done)).copied()
    }

    /// Returns the time of fade number `next`. The fade before it, or the setting of the session, was at `last`.
    pub(crate) fn deadline(self, next: u8, last: Instant) -> Instant {
        let elapsed = next.checked_sub(1).and_then(|before| self.get(before)).map_or(Duration::ZERO, |fade| fade.after);
        self.get(next).map_or(Instant::NEVER, |fade| last.saturating_add(fade.after.saturating_sub(elapsed)))
    }
}

/// The durations of a preferred presence whose command gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PreferredDefault {
    /// The presences that end sooner, because they keep others away.
    pub brief: PresenceSet,
    /// The duration of these.
    pub brief_duration: Duration,
    /// The duration of all others.
    pub duration: Duration,
}

/// The presences that may be set, and for how long. It is plain constant data, and an argument of decisions.
///
/// ```
/// use presence_core::{Duration, Fade, Fades, Policy, Presence};
///
/// // A chat server: leases of half a minute by default, and straight to Away after five minutes.
/// const CHAT: Policy = Policy {
///     default_lease: Duration::from_secs(30),
///     fades: Fades::new(&[Fade { after: Duration::from_secs(300), becomes: Presence::Away }]).unwrap(),
///     ..Policy::DESK
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    /// The presences that a session may be set to.
    pub sessions: PresenceSet,
    /// The presences that may be preferred.
    pub preferred: PresenceSet,
    /// The range of leases.
    pub leases: DurationRange,
    /// The lease of a command that gives none. It is not checked against `leases`: choose one inside.
    pub default_lease: Duration,
    /// The range of durations of a preferred presence.
    pub preferred_durations: DurationRange,
    /// The duration of a preferred presence whose command gives none.
    pub preferred_default: PreferredDefault,
    /// The fades of a session that was set to Available and is not renewed.
    pub fades: Fades,
}

impl Policy {
    /// The policy of Microsoft Graph ([section 3](crate::rules#section-3) and [section 5](crate::rules#section-5)).
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

    /// A policy for devices on a desk: sessions take every presence from Away up.
    ///
    /// So a calendar can set InAMeeting, and a focus timer Focusing. Leases last one second to 24 hours.
    pub const DESK: Self = Self {
        sessions: PresenceSet::from_up(Presence::Away),
        leases: DurationRange { shortest: Duration::from_secs(1), longest: Duration::from_hours(24) },
        ..Self::GRAPH
    };

    /// A policy for mirroring what another system publishes ([P4](crate::rules#p4)): sessions take every presence but Unknown
    /// and Offline, and nothing fades.
    ///
    /// The other system has done that already. Leases last one second to 24 hours, so that a network that dies shows soon.
    /// What may be preferred, and for how long, is as in Graph: a device may have a button of its own. [`Command::mirror`]
    /// makes the commands.
    ///
    /// [`Command::mirror`]: crate::Command::mirror
    pub const MIRROR: Self =
        Self { sessions: PresenceSet::from_up(Presence::OffWork), fades: Fades::NONE, ..Self::DESK };

    /// Returns the duration of a preferred presence whose command gives none.
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
