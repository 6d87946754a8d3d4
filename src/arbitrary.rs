//! Inputs from a fuzzer's bytes, feature `arbitrary`: always valid, and mostly boundary values.
//!
//! A lease, for example, is often the longest that a policy allows, or a millisecond more.

use crate::id::{SessionId, UserId};
use crate::policy::{Fades, Policy, PreferredDefault};
use crate::presence::{Presence, PresenceSet};
use crate::time::{Duration, DurationRange, Instant};
use crate::user::Command;
use arbitrary::{Arbitrary, Result, Unstructured};

/// The durations of the policies.
const BOUNDARIES: [Duration; 13] = [
    Duration::ZERO,
    Duration::from_mins(1),
    Duration::from_mins(10),
    Policy::GRAPH.leases.shortest,
    Policy::GRAPH.leases.longest,
    Policy::DESK.leases.shortest,
    Policy::DESK.leases.longest,
    Policy::GRAPH.preferred_default.brief_duration,
    Policy::GRAPH.preferred_default.duration,
    Policy::GRAPH.preferred_durations.shortest,
    Policy::GRAPH.preferred_durations.longest,
    Duration::from_days(400),
    Duration::MAX,
];

/// A boundary of the policies, a millisecond beside it, whole minutes, or any duration.
impl<'a> Arbitrary<'a> for Duration {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=7)? {
            0..=3 => *u.choose(&BOUNDARIES)?,
            4 => u.choose(&BOUNDARIES)?.saturating_sub(Self::from_millis(1)),
            5 => Self::from_millis(u.choose(&BOUNDARIES)?.as_millis().saturating_add(1)),
            6 => Self::from_mins(u8::arbitrary(u)?.into()),
            _ => Self::from_millis(u.arbitrary()?),
        })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (2, Some(9))
    }
}

/// A duration after the epoch, or before the greatest instant.
impl<'a> Arbitrary<'a> for Instant {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let is_near_the_end = u.int_in_range(0..=7)? == 7;
        let distance = u.arbitrary()?;
        Ok(if is_near_the_end { Self::NEVER.saturating_sub(distance) } else { Self::ZERO.saturating_add(distance) })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (3, Some(10))
    }
}

/// A range that is not empty.
impl<'a> Arbitrary<'a> for DurationRange {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (one, other): (Duration, Duration) = (u.arbitrary()?, u.arbitrary()?);
        Ok(Self { shortest: one.min(other), longest: one.max(other) })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (4, Some(18))
    }
}

/// Any presence; Available, which alone fades, more often.
impl<'a> Arbitrary<'a> for Presence {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::from_byte(u.int_in_range(0..=19)?).unwrap_or(Self::Available))
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, Some(1))
    }
}

/// Any set.
impl<'a> Arbitrary<'a> for PresenceSet {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let members = u16::arbitrary(u)?;
        Ok(Presence::ALL.into_iter().filter(|presence| members >> presence.as_byte() & 1 == 1).collect())
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (2, Some(2))
    }
}

/// The policy of Graph, that of a desk, that of a mirror, or any with Graph's fades or none.
impl<'a> Arbitrary<'a> for Policy {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=4)? {
            0 => Self::GRAPH,
            1 => Self::DESK,
            4 => Self::MIRROR,
            _ => Self {
                sessions: u.arbitrary()?,
                preferred: u.arbitrary()?,
                leases: u.arbitrary()?,
                default_lease: u.arbitrary()?,
                preferred_durations: u.arbitrary()?,
                preferred_default: PreferredDefault {
                    brief: u.arbitrary()?,
                    brief_duration: u.arbitrary()?,
                    duration: u.arbitrary()?,
                },
                fades: if u.arbitrary()? { Self::GRAPH.fades } else { Fades::NONE },
            },
        })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, Some(71))
    }
}

/// Returns the bytes of an id: nearly always one of four, so that commands meet.
fn guid(u: &mut Unstructured<'_>) -> Result<[u8; 16]> {
    Ok(match u.int_in_range(0..=15)? {
        15 => u.arbitrary()?,
        few => [few & 3; 16],
    })
}

/// Nearly always one of four ids, so that commands meet.
impl<'a> Arbitrary<'a> for SessionId {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        guid(u).map(Self::from_bytes)
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, Some(17))
    }
}

/// Nearly always one of four ids, so that commands meet.
impl<'a> Arbitrary<'a> for UserId {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        guid(u).map(Self::from_bytes)
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, Some(17))
    }
}

/// Any command, whether a policy allows it or not; setting a session is more frequent.
impl<'a, S: Arbitrary<'a>> Arbitrary<'a> for Command<S> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=9)? {
            0..=4 => Self::SetPresence { session: u.arbitrary()?, presence: u.arbitrary()?, lease: u.arbitrary()? },
            5 | 6 => Self::ClearPresence { session: u.arbitrary()? },
            7 | 8 => Self::SetPreferredPresence { presence: u.arbitrary()?, duration: u.arbitrary()? },
            _ => Self::ClearPreferredPresence,
        })
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        let (_, session) = S::size_hint(depth);
        (1, session.and_then(|session| session.checked_add(12)))
    }
}

/// Graph's permissions, and callers.
#[cfg(feature = "graph")]
mod graph {
    use crate::graph::{Caller, Permissions};
    use arbitrary::{Arbitrary, Result, Unstructured};

    /// Any permissions.
    impl<'a> Arbitrary<'a> for Permissions {
        fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
            Ok(Self::from_bits(u.arbitrary()?))
        }

        fn size_hint(_: usize) -> (usize, Option<usize>) {
            (1, Some(1))
        }
    }

    /// A caller of any kind.
    impl<'a> Arbitrary<'a> for Caller {
        fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
            Ok(match u.int_in_range(0..=2)? {
                0 => Self::Trusted { me: u.arbitrary()? },
                1 => Self::Application { application: u.arbitrary()?, permissions: u.arbitrary()? },
                _ => {
                    let (application, user) = (u.arbitrary()?, u.arbitrary()?);
                    Self::Delegated { application, user, permissions: u.arbitrary()? }
                }
            })
        }

        fn size_hint(_: usize) -> (usize, Option<usize>) {
            (2, Some(36))
        }
    }
}
