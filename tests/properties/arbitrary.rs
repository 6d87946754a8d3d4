//! What a fuzzer's bytes become with feature `arbitrary`: everything there is, and what something hangs on more often.

use arbitrary::{Arbitrary, Unstructured};
use presence_core::{Command, Duration, DurationRange, Instant, Policy, Presence, PresenceSet, SessionId, UserId};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::RangeInclusive;

/// So many values out of bytes that look random, each of as many bytes as its hint says.
fn values<T: for<'a> Arbitrary<'a> + Debug>(count: usize) -> Vec<T> {
    let (least, most) = T::size_hint(0);
    let most = most.expect("bounded");
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let value = |_| {
        let bytes: Vec<u8> = (0..most + 1).map(|_| random()).collect();
        let mut unstructured = Unstructured::new(&bytes);
        let value = T::arbitrary(&mut unstructured).unwrap();
        let used = bytes.len() - unstructured.len();
        assert!((least..=most).contains(&used), "{value:?} of {used} bytes");
        value
    };
    (0..count).map(value).collect()
}

#[test]
fn every_command_is_made() {
    let commands: Vec<Command<u8>> = values(2000);
    let count = |is: fn(&Command<u8>) -> bool| commands.iter().filter(|command| is(command)).count();
    let counts = [
        count(|command| matches!(command, Command::SetPresence { lease: Some(_), .. })),
        count(|command| matches!(command, Command::SetPresence { lease: None, .. })),
        count(|command| matches!(command, Command::ClearPresence { .. })),
        count(|command| matches!(command, Command::SetPreferredPresence { .. })),
        count(|command| matches!(command, Command::ClearPreferredPresence)),
    ];
    assert!(counts.into_iter().all(|count| count > 100), "{counts:?}");
    values::<Command<SessionId>>(100);
}

/// Rules S2, U2: the last duration that is allowed, and the first that is not.
#[test]
fn durations_lie_at_the_boundaries_of_the_policies() {
    let durations: BTreeSet<Duration> = values(2000).into_iter().collect();
    for policy in [Policy::GRAPH, Policy::DESK, Policy::MIRROR] {
        let ranges = [policy.leases, policy.preferred_durations];
        let ends = ranges.into_iter().flat_map(|range| [range.shortest, range.longest]);
        for end in ends.chain(policy.fades.as_slice().iter().map(|fade| fade.after)) {
            for near in [end.as_millis() - 1, end.as_millis(), end.as_millis() + 1] {
                assert!(durations.contains(&Duration::from_millis(near)), "{near} ms");
            }
        }
    }
    assert!(durations.len() > 100, "and anywhere else");
    assert!(values::<DurationRange>(100).iter().all(|range| range.contains(range.shortest)));
}

/// Rule C3: the end of time is where instants saturate.
#[test]
fn instants_lie_at_both_ends_of_time() {
    let instants: Vec<Instant> = values(2000);
    let near = Duration::from_days(366);
    let count = |is: &dyn Fn(Instant) -> bool| instants.iter().filter(|instant| is(**instant)).count();
    assert!(count(&|instant| instant == Instant::ZERO) > 10);
    assert!(count(&|instant| instant == Instant::NEVER) > 10);
    assert!(count(&|instant| instant.saturating_duration_since(Instant::ZERO) <= near) > 1000);
    assert!(count(&|instant| Instant::NEVER.saturating_duration_since(instant) <= near) > 100);
}

#[test]
fn every_presence_is_made_and_ids_meet() {
    let presences: BTreeSet<Presence> = values(500).into_iter().collect();
    assert!(presences.into_iter().eq(Presence::ALL));
    let sets: Vec<PresenceSet> = values(500);
    assert!(
        Presence::ALL
            .into_iter()
            .all(|presence| (150..350).contains(&sets.iter().filter(|set| set.contains(presence)).count()))
    );
    let sessions: BTreeSet<SessionId> = values(500).into_iter().collect();
    let users: BTreeSet<UserId> = values(500).into_iter().collect();
    assert!((5..100).contains(&sessions.len()) && (5..100).contains(&users.len()));
}

#[test]
fn policies_are_graphs_a_desks_and_any() {
    let policies: Vec<Policy> = values(200);
    let named = [Policy::GRAPH, Policy::DESK, Policy::MIRROR];
    let others = policies.iter().filter(|policy| !named.contains(policy)).count();
    assert!(named.iter().all(|policy| policies.contains(policy)) && others > 50);
}

#[cfg(feature = "graph")]
#[test]
fn every_caller_is_made() {
    use presence_core::graph::{Caller, Permissions};
    let callers: Vec<Caller> = values(300);
    let kinds: [fn(&Caller) -> bool; 6] = [
        |caller| matches!(caller, Caller::Trusted { me: None }),
        |caller| matches!(caller, Caller::Trusted { me: Some(_) }),
        |caller| matches!(caller, Caller::Application { .. }),
        |caller| matches!(caller, Caller::Delegated { .. }),
        |caller| matches!(caller, Caller::Application { permissions: Permissions::ALL, .. }),
        |caller| matches!(caller, Caller::Delegated { permissions, .. } if *permissions == Permissions::default()),
    ];
    assert!(kinds.into_iter().all(|is_of_kind| callers.iter().any(is_of_kind)));
}

/// Asserts how many bytes a type takes, and that bytes that look random become the values whose `Debug` has this digest.
#[track_caller]
fn assert_same_for_ever<T: for<'a> Arbitrary<'a> + Debug>(bytes: RangeInclusive<usize>, expected: u32) {
    let (least, most) = T::size_hint(0);
    let text = format!("{:?}", values::<T>(500));
    // FNV-1a.
    let digest =
        text.bytes().fold(0x811C_9DC5, |digest: u32, byte| (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let found = (least..=most.expect("bounded"), digest);
    assert!(found == (bytes, expected), "{}: {:?}, {digest:#010X}", std::any::type_name::<T>(), found.0);
}

/// A corpus is worth what its bytes mean: changing what they become loses every corpus. So a digest changes only with a new field
/// or variant of its type, as a rule may give `Policy`, after which `fuzz/seeds` runs again; or with a name that `Debug` shows.
#[test]
fn the_same_bytes_are_the_same_values_for_ever() {
    assert_same_for_ever::<Duration>(2..=9, 0x09FE_3AD3);
    assert_same_for_ever::<Instant>(3..=10, 0xD2FA_269F);
    assert_same_for_ever::<DurationRange>(4..=18, 0xD468_5C7D);
    assert_same_for_ever::<Presence>(1..=1, 0x36CA_12E7);
    assert_same_for_ever::<PresenceSet>(2..=2, 0x553C_56EE);
    assert_same_for_ever::<Policy>(1..=71, 0x0576_6B37);
    assert_same_for_ever::<SessionId>(1..=17, 0x0FBE_358D);
    assert_same_for_ever::<UserId>(1..=17, 0x0FBE_358D);
    assert_same_for_ever::<Command<u8>>(1..=13, 0x5D4B_5F84);
    assert_same_for_ever::<Command<SessionId>>(1..=29, 0x5E9F_5803);
}

#[cfg(feature = "graph")]
#[test]
fn the_same_bytes_are_the_same_callers_for_ever() {
    use presence_core::graph::{Caller, Permissions};
    assert_same_for_ever::<Permissions>(1..=1, 0xE474_38EF);
    assert_same_for_ever::<Caller>(2..=36, 0xA080_2013);
}
