//! Policies whose leases, fades and preferred durations all play out within a few ticks of a millisecond: for the library,
//! and as the numbers of the rules.

use crate::rules::Numbers;
use presence_core::Presence::*;
use presence_core::{Duration, DurationRange, Fade, Fades, Policy, PreferredDefault, PresenceSet};

const fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks)
}

/// What a session may take and what may be preferred as Graph has it (rule P1); a lease ends before the first fade or with
/// it, between the two or with the second, and after both.
pub const GRAPH: Policy = Policy {
    leases: DurationRange { shortest: ticks(1), longest: ticks(4) },
    default_lease: ticks(2),
    preferred_durations: DurationRange { shortest: ticks(1), longest: ticks(2) },
    preferred_default: PreferredDefault {
        brief: PresenceSet::of(&[Busy, DoNotDisturb]),
        brief_duration: ticks(1),
        duration: ticks(2),
    },
    fades: Fades::new(&[Fade { after: ticks(1), becomes: AvailableInactive }, Fade { after: ticks(3), becomes: Away }])
        .unwrap(),
    ..Policy::GRAPH
};

pub const GRAPH_NUMBERS: Numbers = Numbers {
    sessions: &[Available, InACall, InAConferenceCall, Away, Presenting],
    preferred: &[Available, Busy, DoNotDisturb, BeRightBack, Away, OffWork],
    leases: 1..=4,
    default_lease: 2,
    preferred_durations: 1..=2,
    brief: &[Busy, DoNotDisturb],
    brief_duration: 1,
    preferred_duration: 2,
    fades: Some([1, 3]),
};

/// The same for devices on a desk: every presence from Away up. Rule P2.
pub const DESK: Policy = Policy { sessions: PresenceSet::from_up(Away), ..GRAPH };

pub const DESK_NUMBERS: Numbers = Numbers {
    sessions: &[
        Away,
        BeRightBack,
        AvailableInactive,
        Available,
        Busy,
        InAMeeting,
        InACall,
        InAConferenceCall,
        DoNotDisturb,
        Focusing,
        UrgentInterruptionsOnly,
        Presenting,
    ],
    ..GRAPH_NUMBERS
};

/// The same with fades one tick after the other: as short as everything can be.
pub const BRIEF: Policy = Policy {
    fades: Fades::new(&[Fade { after: ticks(1), becomes: AvailableInactive }, Fade { after: ticks(2), becomes: Away }])
        .unwrap(),
    ..GRAPH
};

pub const BRIEF_NUMBERS: Numbers = Numbers { fades: Some([1, 2]), ..GRAPH_NUMBERS };

/// What one application may have beside others under Graph's: nothing that it sets fades. Of a mirror's presences, two. Rule P4.
pub const MIRROR: Policy = Policy { sessions: PresenceSet::of(&[OffWork, Available]), fades: Fades::NONE, ..GRAPH };

pub const MIRROR_NUMBERS: Numbers = Numbers { sessions: &[OffWork, Available], fades: None, ..GRAPH_NUMBERS };
