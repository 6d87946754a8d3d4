//! Time as an input: rules C1 to C3, saturating instants and durations, and the extension of a wrapping tick.

use support::model;

use presence_core::{
    Command, Duration, DurationRange, Instant, Policy, Presence, TickExtender, User, decide, keep_alive_interval,
    next_due, set_presence,
};
use proptest::prelude::*;

const fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn set(user: &mut User<u8, 2>, now: Instant, session: u8, lease: Duration) {
    let decided = set_presence(user.at(now).unwrap(), session, Presence::Available, Some(lease), &model::ANYTHING);
    user.apply(&decided.unwrap()).unwrap();
}

/// A command is executed at its own `now`, even if that is earlier than one before: nothing is clamped.
#[test]
fn c1_an_earlier_now_is_used_as_it_is() {
    let mut user: User<u8, 2> = User::new();
    set(&mut user, at(1_000_000), 1, Duration::from_hours(1));
    // The clock is put right; the bad reading stays in the session that was set under it, and nowhere else.
    set(&mut user, at(1000), 2, Duration::from_hours(1));
    assert_eq!(user.session(1).unwrap().expires_at(), at(1_003_600));
    assert_eq!(user.session(2).unwrap().expires_at(), at(4600));
    assert_eq!(user.next_deadline(), Some(at(1300)));
    set(&mut user, at(1001), 1, Duration::from_hours(1));
    assert_eq!(user.session(1).unwrap().expires_at(), at(4601));
}

#[test]
fn c1_an_earlier_now_makes_nothing_due() {
    let mut user: User<u8, 2> = User::new();
    set(&mut user, at(1000), 1, Duration::from_mins(5));
    for now in [0, 999, 1000, 1299] {
        assert_eq!(next_due(&user, at(now), &Policy::GRAPH), None, "at {now} s");
        assert!(user.at(at(now)).is_ok());
    }
    assert_eq!(next_due(&user, at(1300), &Policy::GRAPH).map(|one| one.at()), Some(at(1300)));
}

#[test]
fn c3_a_deadline_at_the_greatest_instant_never_comes() {
    assert!(!Instant::NEVER.is_due(Instant::NEVER));
    let last = Instant::from_millis(u64::MAX - 1);
    let mut user: User<u8, 2> = User::new();
    set(&mut user, last, 1, Duration::from_hours(1));
    let session = user.sessions()[0];
    assert_eq!((session.expires_at(), session.fades_at()), (Instant::NEVER, None));
    assert_eq!(user.next_deadline(), None);
    assert_eq!(next_due(&user, Instant::NEVER, &Policy::GRAPH), None);
    assert_eq!(user.explain(&Policy::GRAPH).next, None);
    // One millisecond earlier there is one left.
    let mut user: User<u8, 2> = User::new();
    set(&mut user, Instant::from_millis(u64::MAX - 2), 1, Duration::from_millis(1));
    assert_eq!(user.next_deadline(), Some(last));
    assert_eq!(next_due(&user, last, &Policy::GRAPH).map(|one| one.at()), Some(last));
}

/// The first fade comes, the second would come too late to come at all.
#[test]
fn c3_a_fade_beyond_the_end_of_time_never_comes() {
    let mut user: User<u8, 2> = User::new();
    let now = Instant::from_millis(u64::MAX - 400_000);
    set(&mut user, now, 1, Duration::MAX);
    let faded = next_due(&user, Instant::NEVER, &Policy::GRAPH).unwrap();
    assert_eq!((faded.at(), faded.after()), (Instant::from_millis(u64::MAX - 100_000), Presence::AvailableInactive));
    user.apply(&faded).unwrap();
    assert_eq!(user.sessions()[0].fades_at(), None);
    assert_eq!(next_due(&user, Instant::NEVER, &Policy::GRAPH), None);
}

/// Under a policy that lets sessions be set for no time at all: they are there until the next look.
#[test]
fn s8_a_lease_of_no_time_is_due_at_once() {
    let mut user: User<u8, 2> = User::new();
    set(&mut user, at(5), 1, Duration::ZERO);
    assert_eq!(user.presence(), Presence::Available);
    assert_eq!(user.at(at(5)).unwrap_err().deadline, at(5));
    let expired = next_due(&user, at(5), &model::ANYTHING).unwrap();
    assert_eq!((expired.at(), expired.after()), (at(5), Presence::Offline));
}

proptest! {
    #![proptest_config(model::cases(1024))]

    /// Against arithmetic wide enough never to saturate.
    #[test]
    fn c3_instants_saturate(one in edge(), other in edge(), third in edge()) {
        let (now, then, lease) = (Instant::from_millis(one), Instant::from_millis(other), Duration::from_millis(other));
        let wide = |value: u64| i128::from(value);
        let narrow = |value: i128| value.clamp(0, i128::from(u64::MAX)) as u64;
        prop_assert_eq!(now.saturating_add(lease).as_millis(), narrow(wide(one) + wide(other)));
        prop_assert_eq!(now.saturating_sub(lease).as_millis(), narrow(wide(one) - wide(other)));
        prop_assert_eq!(now.saturating_duration_since(then).as_millis(), narrow(wide(one) - wide(other)));
        prop_assert_eq!(Duration::from_millis(one).saturating_sub(lease).as_millis(), narrow(wide(one) - wide(other)));
        prop_assert_eq!(now.is_due(then), one <= other && one != u64::MAX, "S4, C3");
        let rebased = now.rebased(then, Instant::from_millis(third));
        let expected = if one == u64::MAX { one } else { narrow(wide(one) - wide(other) + wide(third)) };
        prop_assert_eq!(rebased.as_millis(), expected, "C2");
        for (made, unit) in [
            (Duration::from_secs(one), 1000),
            (Duration::from_mins(one), 60_000),
            (Duration::from_hours(one), 3_600_000),
            (Duration::from_days(one), 86_400_000),
        ] {
            prop_assert_eq!(made.as_millis(), narrow(wide(one).saturating_mul(unit)));
        }
        prop_assert_eq!(Instant::from_secs(one).as_millis(), narrow(wide(one) * 1000));
    }

    /// Two thirds of the lease, rounded up: one lost request does not lose the session.
    #[test]
    fn renewing_takes_place_at_two_thirds(lease in edge()) {
        let renewal = keep_alive_interval(Duration::from_millis(lease)).as_millis();
        prop_assert_eq!(i128::from(renewal), i128::from(lease) - i128::from(lease) / 3);
    }

    #[test]
    fn core_durations_are_cut_to_milliseconds(seconds in edge(), nanos in 0u32..1_000_000_000) {
        let duration = Duration::from(core::time::Duration::new(seconds, nanos));
        let expected = (u128::from(seconds) * 1000 + u128::from(nanos / 1_000_000)).min(u64::MAX.into());
        prop_assert_eq!(u128::from(duration.as_millis()), expected);
        let back = core::time::Duration::from(duration);
        prop_assert_eq!(back.as_millis(), expected);
    }

    /// A tick that is read at least every 24.8 days, forwards or a little out of order, gives the right moment.
    #[test]
    fn a_wrapping_tick_is_extended(start in any::<u32>(), steps in proptest::collection::vec((0u64..1 << 31, 0u64..1 << 30), 1..20)) {
        let mut clock = TickExtender::new();
        let mut newest = u64::from(start);
        prop_assert_eq!(clock.extend(start), Instant::from_millis(newest));
        for (ahead, behind) in steps {
            newest += ahead;
            prop_assert_eq!(clock.extend(newest as u32), Instant::from_millis(newest));
            // Another task read the tick a little earlier, and comes late.
            let earlier = newest.saturating_sub(behind).max(u64::from(start));
            prop_assert_eq!(clock.extend(earlier as u32), Instant::from_millis(earlier));
            prop_assert_eq!(clock.extend(newest as u32), Instant::from_millis(newest));
        }
    }

    #[test]
    fn s2_a_range_includes_both_ends(shortest in edge(), longest in edge(), asked in edge()) {
        let millis = Duration::from_millis;
        let range = DurationRange { shortest: millis(shortest), longest: millis(longest) };
        prop_assert_eq!(range.contains(millis(asked)), (shortest..=longest).contains(&asked));
    }

    /// The same command is the same decision at every moment, shifted by as much.
    #[test]
    fn m4_moments_differ_by_nothing_but_their_time(now in 0..u64::MAX / 2, by in 0..u64::MAX / 4) {
        let user: User<u8, 1> = User::new();
        let command = Command::SetPresence { session: 1, presence: Presence::Available, lease: None };
        let decide_at = |now| decide(user.at(Instant::from_millis(now)).unwrap(), command, &Policy::GRAPH).unwrap().unwrap();
        let (mut one, mut other) = (user.clone(), user.clone());
        one.apply(&decide_at(now)).unwrap();
        other.apply(&decide_at(now + by)).unwrap();
        one.rebase(Instant::from_millis(now), Instant::from_millis(now + by)).unwrap();
        // The other clock is shifted by nothing, so that the revisions are the same.
        other.rebase(Instant::from_millis(now + by), Instant::from_millis(now + by)).unwrap();
        prop_assert_eq!(one, other);
    }
}

/// Any number, the ones at the ends and around a third more often.
fn edge() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0u64..5,
        u64::MAX - 5..=u64::MAX,
        (0u64..5).prop_map(|more| u64::MAX / 3 + more),
        0u64..100_000_000
    ]
}

#[test]
fn a_tick_before_the_first_is_never_negative() {
    let mut clock = TickExtender::new();
    assert_eq!(clock.extend(5), Instant::from_millis(5));
    assert_eq!(clock.extend(3), Instant::from_millis(3));
    assert_eq!(clock.extend(u32::MAX), Instant::ZERO);
    // Half a turn ahead is ahead, one more is behind.
    let mut clock = TickExtender::new();
    clock.extend(0);
    assert_eq!(clock.extend(0x7FFF_FFFF), Instant::from_millis(0x7FFF_FFFF));
    assert_eq!(clock.extend(0xFFFF_FFFF), Instant::ZERO, "2^31 ahead is taken for behind");
    assert_eq!(clock.extend(0xFFFF_FFFE), Instant::from_millis(0xFFFF_FFFE));
}

#[test]
fn c3_operators_saturate() {
    let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
    assert_eq!((at(5) + second, at(5) - second, at(0) - second), (at(6), at(4), Instant::ZERO));
    assert_eq!(Instant::from_millis(u64::MAX - 1) + second, Instant::NEVER);
    assert_eq!((at(65) - at(5), at(5) - at(65)), (minute, Duration::ZERO));
    assert_eq!((minute + second, minute - second, second - minute), (secs(61), secs(59), Duration::ZERO));
    assert_eq!(Duration::MAX + second, Duration::MAX);
    let (mut moment, mut length) = (at(10), minute);
    moment += second;
    length += second;
    assert_eq!((moment, length), (at(11), secs(61)));
    moment -= minute;
    length -= second;
    assert_eq!((moment, length), (Instant::ZERO, minute));
}

proptest! {
    /// The same names do the same as in the standard library, as far as its durations reach.
    #[test]
    fn durations_do_as_those_of_the_standard_library(one: u64, other: u64) {
        use core::time::Duration as Std;
        let (ours, others) = (Duration::from_millis(one), Duration::from_millis(other));
        let (std, stds) = (Std::from_millis(one), Std::from_millis(other));
        prop_assert_eq!((ours.as_secs(), ours.subsec_millis()), (std.as_secs(), std.subsec_millis()));
        prop_assert_eq!(ours.is_zero(), std.is_zero());
        prop_assert_eq!(ours.checked_sub(others), std.checked_sub(stds).map(Duration::from));
        prop_assert_eq!(ours.saturating_sub(others), std.saturating_sub(stds).into());
        let sum = one.checked_add(other).map(Duration::from_millis);
        prop_assert_eq!(ours.checked_add(others), sum);
        prop_assert_eq!(ours.saturating_add(others), sum.unwrap_or(Duration::MAX));
        let (moment, earlier) = (Instant::from_millis(one), Instant::from_millis(other));
        prop_assert_eq!(moment.as_secs(), ours.as_secs());
        prop_assert_eq!(moment.checked_add(others).map(Instant::as_millis), sum.map(Duration::as_millis));
        prop_assert_eq!(moment.checked_sub(others).map(Instant::as_millis), one.checked_sub(other));
        prop_assert_eq!(moment.checked_duration_since(earlier), ours.checked_sub(others));
        prop_assert_eq!(moment.saturating_duration_since(earlier), ours.saturating_sub(others));
    }
}
