//! A second opinion: the rules of behaviour written down once more, naively, with the collections of `std` and without
//! looking at how the library does it. The tests run both and compare.
//!
//! The model stores what was *said* (this session was set to that, then, for so long) and works everything else out from
//! the text of the rules; the library stores deadlines. The two share only their vocabulary: presences, causes, errors.

pub mod both;
pub mod check;
pub mod date_time;
#[cfg(feature = "details")]
pub mod details;
pub mod directory;
pub mod duration;
pub mod life;
pub mod lines;
pub mod log;
pub mod random;
pub mod user;

use presence_core::Presence::{self, *};
use presence_core::{Cause, Duration, Fade, Fades, Instant, Policy, PresenceSet};
use proptest::test_runner::{Config, RngSeed};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Milliseconds, wide enough never to overflow by itself.
pub type Millis = i128;

/// The greatest instant, which never comes. Rule C3.
pub const NEVER: Millis = u64::MAX as Millis;

/// Rule C3: instants saturate.
pub fn saturated(at: Millis) -> Millis {
    at.clamp(0, NEVER)
}

pub fn instant(at: Millis) -> Instant {
    Instant::from_millis(u64::try_from(at).expect("a saturated instant"))
}

pub fn millis(at: Instant) -> Millis {
    at.as_millis().into()
}

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// The numbers of a policy, as the model needs them.
#[derive(Clone, Debug)]
pub struct Rules {
    pub sessions: Vec<Presence>,
    pub preferred: Vec<Presence>,
    pub leases: [Millis; 2],
    pub default_lease: Millis,
    pub preferred_durations: [Millis; 2],
    pub brief: Vec<Presence>,
    pub brief_duration: Millis,
    pub preferred_duration: Millis,
    /// Time since set, and what an Available session is from then on.
    pub fades: Vec<(Millis, Presence)>,
}

/// The rules of Graph, from the text of rules P1, S2, S3 and U2.
pub fn graph() -> Rules {
    Rules {
        sessions: vec![Available, InACall, InAConferenceCall, Away, Presenting],
        preferred: vec![Available, Busy, DoNotDisturb, BeRightBack, Away, OffWork],
        leases: [5 * MINUTE, 4 * HOUR],
        default_lease: 5 * MINUTE,
        preferred_durations: [1, 366 * DAY],
        brief: vec![Busy, DoNotDisturb],
        brief_duration: DAY,
        preferred_duration: 7 * DAY,
        fades: vec![(5 * MINUTE, AvailableInactive), (10 * MINUTE, Away)],
    }
}

/// The rules of devices on a desk, from the text of rule P2.
pub fn desk() -> Rules {
    Rules {
        sessions: vec![
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
        leases: [SECOND, 24 * HOUR],
        ..graph()
    }
}

/// The rules of what mirrors another system, from the text of rules P2 and P4.
pub fn mirror() -> Rules {
    Rules {
        sessions: [&[OffWork], desk().sessions.as_slice()].concat(),
        leases: [SECOND, 24 * HOUR],
        fades: Vec::new(),
        ..graph()
    }
}

/// Everything may be set and preferred, for any time, none at all included; everything else as Graph.
pub const ANYTHING: Policy = Policy {
    sessions: PresenceSet::from_up(Unknown),
    preferred: PresenceSet::from_up(Unknown),
    leases: presence_core::DurationRange { shortest: Duration::ZERO, longest: Duration::MAX },
    preferred_durations: presence_core::DurationRange { shortest: Duration::ZERO, longest: Duration::MAX },
    ..Policy::GRAPH
};

pub fn anything() -> Rules {
    Rules {
        sessions: Presence::ALL.to_vec(),
        preferred: Presence::ALL.to_vec(),
        leases: [0, NEVER],
        preferred_durations: [0, NEVER],
        ..graph()
    }
}

const fn fade(seconds: u64, becomes: Presence) -> Fade {
    Fade { after: Duration::from_secs(seconds), becomes }
}

/// As many fades as there can be, most of them 100 seconds apart: they fall together with leases and with other sessions'
/// fades.
pub const WEARY: Policy = Policy {
    fades: Fades::new(&[
        fade(100, AvailableInactive),
        fade(200, BeRightBack),
        fade(300, Away),
        fade(301, OffWork),
        fade(400, Offline),
        fade(500, Unknown),
    ])
    .unwrap(),
    ..ANYTHING
};

pub fn weary() -> Rules {
    Rules {
        fades: vec![
            (100 * SECOND, AvailableInactive),
            (200 * SECOND, BeRightBack),
            (300 * SECOND, Away),
            (301 * SECOND, OffWork),
            (400 * SECOND, Offline),
            (500 * SECOND, Unknown),
        ],
        ..anything()
    }
}

/// No fades at all.
pub const STEADY: Policy = Policy { fades: Fades::NONE, ..ANYTHING };

pub fn steady() -> Rules {
    Rules { fades: Vec::new(), ..anything() }
}

/// Every policy the tests run under, with the model's own numbers for it.
pub fn policies() -> [(Policy, Rules); 6] {
    [
        (Policy::GRAPH, graph()),
        (Policy::DESK, desk()),
        (ANYTHING, anything()),
        (WEARY, weary()),
        (STEADY, steady()),
        (Policy::MIRROR, mirror()),
    ]
}

/// The policies that applications may have of their own beside one, by a number: each with the fades of that one, or none.
pub fn beside(policy: &Policy, rules: &Rules, number: u8) -> (Policy, Rules) {
    let policies = policies();
    let (own, own_rules) = &policies[usize::from(number) % policies.len()];
    if own.fades == Fades::NONE {
        return (*own, own_rules.clone());
    }
    (Policy { fades: policy.fades, ..*own }, Rules { fades: rules.fades.clone(), ..own_rules.clone() })
}

/// A change of a user: the model's word for a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    pub at: Instant,
    pub before: Presence,
    pub after: Presence,
    pub cause: Cause,
}

impl Happening {
    pub fn is_visible(&self) -> bool {
        self.before != self.after
    }
}

/// Returns a configuration of so many cases, unless `PROPTEST_CASES` asks for another number.
///
/// A failing test prints the seed that repeats it, and writes nothing to disk.
pub fn cases(number: u32) -> Config {
    let mut config = Config { failure_persistence: None, max_global_rejects: u32::MAX, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = number;
    }
    if config.rng_seed == RngSeed::Random {
        // The standard library's only source of random numbers.
        config.rng_seed = RngSeed::Fixed(RandomState::new().build_hasher().finish());
    }
    // Printed only by a test that fails.
    println!("PROPTEST_RNG_SEED={} PROPTEST_CASES={} repeats these cases", config.rng_seed, config.cases);
    config
}
