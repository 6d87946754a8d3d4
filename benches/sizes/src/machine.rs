//! One user of four sessions, without the wire.

use core::hint::black_box;
use presence_core::{
    Duration, Instant, Policy, Presence, SessionId, User, clear_preferred_presence, clear_presence, next_due,
    set_preferred_presence, set_presence,
};

/// A session id of either size.
pub trait Id: Copy + Ord {
    /// Returns the id with this number.
    fn numbered(number: u8) -> Self;

    /// Returns the id with this rank; only its last byte differs from its neighbours'.
    fn ranked(rank: u8) -> Self;
}

impl Id for u8 {
    fn numbered(number: u8) -> Self {
        number
    }

    fn ranked(rank: u8) -> Self {
        rank
    }
}

impl Id for SessionId {
    /// Returns a random id, as those of applications are.
    fn numbered(number: u8) -> Self {
        const IDS: [u128; 4] = [
            0x2255_3876_f5ab_4529_bffb_cfe5_0aa8_9f87,
            0x66a8_8757_258c_4c72_893c_3e8b_ed4d_6899,
            0x1fec_8e78_bce4_4aaf_ab1b_5451_cc38_7264,
            0xcc15_fd57_2c6c_4117_a88c_83b1_d56b_4bbe,
        ];
        Self::from_bytes(IDS.get(usize::from(number)).copied().unwrap_or_default().to_be_bytes())
    }

    fn ranked(rank: u8) -> Self {
        Self::from_bytes((0x2255_3876_f5ab_4529_bffb_cfe5_0aa8_9f00 | u128::from(rank)).to_be_bytes())
    }
}

/// A user of four sessions.
pub(crate) type DeviceUser<S> = User<S, 4>;

const POLICY: Policy = Policy::DESK;

#[inline(never)]
pub(crate) fn probe_set<S: Id>(
    user: &mut DeviceUser<S>,
    now: Instant,
    id: S,
    presence: Presence,
    lease: Option<Duration>,
) -> bool {
    let Ok(at) = user.at(now) else { return false };
    let Ok(ref transition) = set_presence(at, id, presence, lease, &POLICY) else { return false };
    user.apply(transition).is_ok()
}

#[inline(never)]
pub(crate) fn probe_clear<S: Id>(user: &mut DeviceUser<S>, now: Instant, id: S) -> bool {
    let Ok(at) = user.at(now) else { return false };
    let Ok(ref transition) = clear_presence(at, id) else { return false };
    user.apply(transition).is_ok()
}

#[inline(never)]
pub(crate) fn probe_set_preferred<S: Id>(
    user: &mut DeviceUser<S>,
    now: Instant,
    presence: Presence,
    duration: Option<Duration>,
) -> bool {
    let Ok(at) = user.at(now) else { return false };
    let Ok(ref transition) = set_preferred_presence(at, presence, duration, &POLICY) else { return false };
    user.apply(transition).is_ok()
}

#[inline(never)]
pub(crate) fn probe_clear_preferred<S: Id>(user: &mut DeviceUser<S>, now: Instant) -> bool {
    let Ok(at) = user.at(now) else { return false };
    let Some(ref transition) = clear_preferred_presence(at) else { return false };
    user.apply(transition).is_ok()
}

#[inline(never)]
pub(crate) fn probe_advance<S: Id>(user: &mut DeviceUser<S>, now: Instant) -> bool {
    match next_due(user, now, &POLICY) {
        None => false,
        Some(ref transition) => user.apply(transition).is_ok(),
    }
}

#[inline(never)]
pub(crate) fn probe_next_deadline<S: Id>(user: &DeviceUser<S>) -> u64 {
    user.next_deadline().map_or(0, Instant::as_millis)
}

#[inline(never)]
pub(crate) fn probe_presence<S: Id>(user: &DeviceUser<S>) -> Presence {
    user.presence()
}

#[inline(never)]
pub(crate) fn probe_explain<S: Id>(user: &DeviceUser<S>) -> Presence {
    let explanation = user.explain(&POLICY);
    black_box(&explanation);
    explanation.presence
}

/// Statics as large as users: the image tells their sizes.
#[cfg(feature = "scenario")]
mod sizes {
    use presence_core::{SessionId, User};

    #[used]
    static USER_OF_4: [u8; size_of::<User<u8, 4>>()] = [0; size_of::<User<u8, 4>>()];
    #[used]
    static USER_OF_5: [u8; size_of::<User<u8, 5>>()] = [0; size_of::<User<u8, 5>>()];
    #[used]
    static USER_OF_GUIDS_4: [u8; size_of::<User<SessionId, 4>>()] = [0; size_of::<User<SessionId, 4>>()];
    #[used]
    static USER_OF_GUIDS_5: [u8; size_of::<User<SessionId, 5>>()] = [0; size_of::<User<SessionId, 5>>()];
}

/// The calls of an application.
#[cfg(not(feature = "scenario"))]
type Probes<S> = (
    fn(&mut DeviceUser<S>, Instant, S, Presence, Option<Duration>) -> bool,
    fn(&mut DeviceUser<S>, Instant, S) -> bool,
    fn(&mut DeviceUser<S>, Instant, Presence, Option<Duration>) -> bool,
    fn(&mut DeviceUser<S>, Instant) -> bool,
    fn(&mut DeviceUser<S>, Instant) -> bool,
    fn(&DeviceUser<S>) -> u64,
    fn(&DeviceUser<S>) -> Presence,
    fn(&DeviceUser<S>) -> Presence,
);

/// Links every probe: the compiler cannot tell whether any is called, nor with which arguments.
#[cfg(not(feature = "scenario"))]
#[inline(always)]
pub fn drive<S: Id>() -> bool {
    let probes: &Probes<S> = &(
        probe_set,
        probe_clear,
        probe_set_preferred,
        probe_clear_preferred,
        probe_advance,
        probe_next_deadline,
        probe_presence,
        probe_explain,
    );
    black_box(probes);
    true
}

/// Takes the longest way through every call, and reports whether each did what it should.
///
/// Sets sessions in an order that moves them about, keeps them alive, prefers, clears, and lets everything fade and expire.
#[cfg(feature = "scenario")]
#[inline(always)]
pub fn drive<S: Id>() -> bool {
    use crate::label::{label_due, label_idle};

    let ids = [3, 1, 2, 0].map(S::numbered);
    let moment = |secs| black_box(Instant::from_secs(secs));
    let lease = |minutes| black_box(Some(Duration::from_mins(minutes)));
    let mut owner = DeviceUser::<S>::new();
    let user = black_box(&mut owner);
    let mut good = true;
    label_idle();
    for presence in [Presence::Available, Presence::InACall, Presence::Available] {
        for id in ids {
            good &= probe_set(user, moment(1), id, presence, lease(10));
        }
    }
    good &= probe_set_preferred(user, moment(2), Presence::Busy, lease(60));
    good &= probe_set_preferred(user, moment(2), Presence::Busy, None);
    good &= !probe_advance(user, moment(3));
    good &= probe_next_deadline(user) == 301_000;
    good &= probe_presence(user) == Presence::Busy;
    good &= probe_explain(user) == Presence::Busy;
    good &= probe_clear_preferred(user, moment(4));
    good &= !probe_clear_preferred(user, moment(4));
    good &= probe_presence(user) == Presence::Available;
    good &= probe_explain(user) == Presence::Available;
    for id in ids {
        good &= probe_clear(user, moment(5), id);
        good &= !probe_clear(user, moment(5), id);
    }
    good &= probe_presence(user) == Presence::Offline;
    for id in ids {
        good &= probe_set(user, moment(6), id, Presence::Available, lease(10));
    }
    good &= probe_set_preferred(user, moment(6), Presence::Busy, lease(5));
    label_due();
    // Four fades, the end of the preferred presence, four sessions that expire.
    for _ in 0..9 {
        good &= probe_advance(user, moment(606));
    }
    good && !probe_advance(user, moment(606)) && user.is_empty() && user.version() == 10
}
