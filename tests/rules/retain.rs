//! Pinned users, of whom the application keeps something elsewhere. Rules M5, S9, V1, V2.

use presence_core::directory::{Cursor, InlineDirectory};
use presence_core::{ApplyError, Command, CommandError, Duration, Instant, Policy, Presence, User, snapshot};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::advance_until_idle;
use support::model::cases;

type Small = InlineDirectory<u8, u8, 2, 3>;

/// A pinned user is not evicted, whatever else happens, and pinning is invisible. Rules M5, S9.
#[test]
fn m5_a_pinned_user_keeps_its_slot() {
    let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
    let now = Instant::from_secs(1);
    directory.pin(now, 1, |_, _| {}).unwrap();
    assert_eq!((directory.len(), directory.cursor(), directory.version(now, 1)), (1, Cursor::START, 0));
    // With nothing stored here, then something, and nothing again.
    for user in 2..30 {
        directory.set_presence(now, 1, 0, Presence::Away, None, |_, _| {}).unwrap();
        directory.clear_presence(now, 1, 0, |_, _| {}).unwrap();
        directory.set_presence(now, user, 0, Presence::Away, None, |_, _| {}).unwrap();
        directory.clear_presence(now, user, 0, |_, _| {}).unwrap();
        assert!(directory.get(1).is_some() && directory.get(user).is_some());
        assert_eq!(directory.evictable(), directory.len() - 1, "all but the pinned one");
    }
    // Also an inserted one, and after the clock was shifted.
    directory.insert(1, User::with_version(500)).unwrap();
    directory.rebase(now, Instant::ZERO).unwrap();
    directory.pin(now, 40, |_, _| {}).unwrap();
    directory.pin(now, 41, |_, _| {}).unwrap();
    let full = directory.clone();
    assert_eq!(directory.pin(now, 42, |_, _| {}), Err(ApplyError::Full));
    assert_eq!(directory.set_presence(now, 42, 0, Presence::Away, None, |_, _| {}), Err(CommandError::UsersFull));
    assert_eq!(directory.insert(42, User::new()), Err(ApplyError::Full));
    assert_eq!((directory.cursor(), directory.len(), directory.get(42)), (full.cursor(), 3, None));
    assert_eq!(directory.version(now, 1), 500);
}

/// Due transitions are applied first, and observed. Rule S9.
#[test]
fn s9_pinning_a_new_user_applies_what_is_due_while_no_slot_is_free() {
    let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
    for user in 1..4 {
        directory.set_presence(Instant::ZERO, user, 0, Presence::Away, None, |_, _| {}).unwrap();
    }
    let now = Instant::from_secs(299);
    assert_eq!(directory.pin(now, 4, |_, _| {}), Err(ApplyError::Full));
    // A user with a slot needs no other.
    directory.pin(now, 1, |_, _| {}).unwrap();
    let mut observed = Vec::new();
    directory.pin(Instant::from_secs(300), 4, |user, transition| observed.push((user, transition.after()))).unwrap();
    assert_eq!(observed, [(1, Presence::Offline), (2, Presence::Offline), (3, Presence::Offline)]);
    assert!(directory.get(1).is_some() && directory.get(2).is_none());
}

/// Nothing but revision and version is left of an erased user, and an erased presence is one visible change. Rules V1, V2, M5.
#[test]
fn v1_an_erased_user_keeps_its_version_and_nothing_else() {
    let now = Instant::from_secs(1000);
    for (is_present, is_preferred, is_pinned) in (0..8).map(|bits| (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0)) {
        let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
        // Expires before.
        directory.set_presence(Instant::ZERO, 1, 0, Presence::Away, None, |_, _| {}).unwrap();
        if is_present {
            directory
                .set_presence(Instant::ZERO, 1, 1, Presence::InACall, Some(Duration::from_hours(1)), |_, _| {})
                .unwrap();
        }
        if is_preferred {
            directory.set_preferred_presence(Instant::ZERO, 1, Presence::Busy, None, |_, _| {}).unwrap();
        }
        if is_pinned {
            directory.pin(Instant::ZERO, 1, |_, _| {}).unwrap();
        }
        let mut advanced = directory.clone();
        advance_until_idle(&mut advanced, now, |_, _| {});
        let (before, cursor) = (advanced.get(1).unwrap().clone(), advanced.cursor());
        let mut observed = 0;
        assert!(directory.erase(now, 1, |user, _| observed += usize::from(user == 1)));
        assert_eq!(observed, 1, "the expiry");
        let after = directory.get(1).unwrap();
        assert_eq!(after.version(), before.version() + u64::from(is_present));
        assert_eq!(after.revision(), before.revision() + 1);
        assert_eq!(directory.cursor().to_number(), cursor.to_number() + u64::from(is_present));
        assert_eq!((after.is_empty(), after.since(), after.presence()), (true, None, Presence::Offline));
        assert_eq!(after.absence(), User::<u8, 2>::new().absence());
        let mut bytes = [0; 64];
        let bytes = snapshot::save(after.at(now).unwrap(), &mut bytes).unwrap();
        assert_eq!(snapshot::restore(bytes, now, Some(Duration::ZERO)).as_ref(), Ok(after), "stored, it is the same");
        assert_eq!((directory.next_deadline(), directory.presence(now, 1)), (None, Presence::Offline));
        // Its slot is reused first, unless it is pinned; its versions are not.
        directory.set_presence(now, 2, 0, Presence::Away, None, |_, _| {}).unwrap();
        directory.clear_presence(now, 2, 0, |_, _| {}).unwrap();
        for user in 3..5 {
            directory.set_presence(now, user, 0, Presence::Away, None, |_, _| {}).unwrap();
        }
        assert_eq!((directory.get(1).is_some(), directory.get(2).is_some()), (is_pinned, !is_pinned));
        directory.clear_presence(now, 3, 0, |_, _| {}).unwrap();
        directory.set_presence(now, 1, 0, Presence::Away, None, |_, _| {}).unwrap();
        assert!(directory.version(now, 1) > before.version());
        assert!(!directory.erase(now, 99, |_, _| {}), "a user without a slot");
    }
}

/// An unpinned user may be evicted, in the order of all users, and its version does not fall. Rules M5, V1, V2.
#[test]
fn m5_v1_an_unpinned_user_may_be_evicted_and_its_version_does_not_fall() {
    let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
    let now = Instant::from_secs(20);
    directory.set_presence(Instant::from_secs(9), 9, 0, Presence::Away, None, |_, _| {}).unwrap();
    directory.pin(now, 9, |_, _| {}).unwrap();
    for user in [7, 8] {
        directory.set_presence(Instant::from_secs(user.into()), user, 0, Presence::Away, None, |_, _| {}).unwrap();
    }
    let prefer = Command::SetPreferredPresence { presence: Presence::Away, duration: None };
    let decided = directory.decide(now, 9, prefer);
    directory.unpin(9, 30);
    assert_eq!(directory.version(now, 9), 31);
    // A decision made before carries a version that has passed.
    assert_eq!(directory.apply(9, &decided.unwrap().unwrap()), Err(ApplyError::Stale));
    for (seconds, user) in [(30, 7), (31, 9), (32, 8)] {
        directory.clear_presence(Instant::from_secs(seconds), user, 0, |_, _| {}).unwrap();
    }
    // The clock is shifted in between: the order stays.
    directory.rebase(Instant::from_secs(40), Instant::from_secs(130)).unwrap();
    let now = Instant::from_secs(130);
    let mut order = vec![];
    for user in 10..13 {
        directory.set_presence(now, user, 0, Presence::Away, None, |_, _| {}).unwrap();
        order.push([7, 9, 8].map(|user| directory.get(user).is_some()));
    }
    assert_eq!(order, [[false, true, true], [false, false, true], [false; 3]]);
    directory.clear_presence(now, 10, 0, |_, _| {}).unwrap();
    directory.set_presence(now, 9, 0, Presence::Away, None, |_, _| {}).unwrap();
    assert!(directory.version(now, 9) > 32);
    // No such user, and nothing to unpin: nothing happens.
    let before = (directory.cursor(), directory.len());
    directory.unpin(200, 5);
    assert_eq!((directory.cursor(), directory.len()), before);
}

/// The choice of the evicted user depends neither on how late time is advanced, nor on the order of due transitions here and
/// of unpinning, nor on a restart in between. Rule M4.
#[test]
fn m4_which_user_is_evicted_depends_on_the_users_alone() {
    type Two = InlineDirectory<u8, u8, 2, 2>;
    let idle = |directory: &mut Two, now| {
        advance_until_idle(directory, Instant::from_secs(now), |_, _| {});
    };
    // User 1 has something elsewhere until 400, and a session or something preferred; user 2 has a session until 300.
    let start = |preferred: bool| {
        let mut directory: Two = InlineDirectory::with_policy(Policy::GRAPH);
        directory.pin(Instant::ZERO, 1, |_, _| {}).unwrap();
        if preferred {
            let until = Some(Duration::from_secs(1000));
            directory.set_preferred_presence(Instant::ZERO, 1, Presence::Busy, until, |_, _| {}).unwrap();
        } else {
            directory.set_presence(Instant::from_secs(50), 1, 0, Presence::InACall, None, |_, _| {}).unwrap();
        }
        directory.set_presence(Instant::ZERO, 2, 0, Presence::InACall, None, |_, _| {}).unwrap();
        directory
    };
    let stays = |mut directory: Two| {
        directory.set_presence(Instant::from_secs(1100), 3, 0, Presence::InACall, None, |_, _| {}).unwrap();
        [1, 2].map(|user| directory.get(user).is_some())
    };
    for preferred in [true, false] {
        let mut on_time = start(preferred);
        for now in 0..=1100 {
            idle(&mut on_time, now);
            if now == 400 {
                on_time.unpin(1, 2);
            }
        }
        let mut late = start(preferred);
        idle(&mut late, 1100);
        late.unpin(1, 2);
        let mut first = start(preferred);
        first.unpin(1, 2);
        idle(&mut first, 1100);
        let mut restarted: Two = InlineDirectory::with_policy(Policy::GRAPH);
        for (id, user) in late.users() {
            restarted.insert(id, user.clone()).unwrap();
        }
        let expected = stays(on_time);
        assert_eq!([stays(late), stays(first), stays(restarted)], [expected; 3], "{preferred}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pin(u8),
    Unpin(u8),
    Set(u8),
    Clear(u8),
    Pass(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6u8).prop_map(Step::Pin),
        (0..6u8).prop_map(Step::Unpin),
        (0..6u8).prop_map(Step::Set),
        (0..6u8).prop_map(Step::Clear),
        (0..400u16).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(cases(256))]

    /// In any history of more users than there are slots: a user with something stored or pinned has a slot, and an error
    /// comes only when all slots have such users; no user's version ever falls, also of one who was evicted and came back,
    /// and each change raises it.
    #[test]
    fn m5_v1_a_pinned_user_counts_as_stored(steps in prop::collection::vec(step(), 1..120)) {
        let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
        let mut now = Instant::ZERO;
        // The visible changes that are counted elsewhere, and until when each user's session lasts.
        let mut pinned: BTreeMap<u8, u64> = BTreeMap::new();
        let mut leased: BTreeMap<u8, u64> = BTreeMap::new();
        let mut highest: BTreeMap<u8, u64> = BTreeMap::new();
        for step in steps {
            leased.retain(|_, until| *until > now.as_millis());
            let mut stored: Vec<u8> = pinned.keys().chain(leased.keys()).copied().collect();
            stored.sort_unstable();
            stored.dedup();
            let has_slot = |user: u8| stored.len() < 3 || stored.contains(&user);
            let mut changed = None;
            match step {
                Step::Pin(user) => {
                    let outcome = directory.pin(now, user, |_, _| {});
                    prop_assert_eq!(outcome, if has_slot(user) { Ok(()) } else { Err(ApplyError::Full) });
                    if outcome.is_ok() {
                        *pinned.entry(user).or_default() += 1;
                        prop_assert!(directory.record_external_change(user));
                        changed = Some(user);
                    }
                }
                Step::Unpin(user) => {
                    if let Some(changes) = pinned.remove(&user) {
                        prop_assert!(directory.record_external_change(user));
                        directory.unpin(user, changes + 1);
                        changed = Some(user);
                    }
                }
                Step::Set(user) => {
                    let outcome = directory.set_presence(now, user, 0, Presence::InACall, None, |_, _| {});
                    prop_assert_eq!(outcome, if has_slot(user) { Ok(()) } else { Err(CommandError::UsersFull) });
                    if outcome.is_ok() {
                        changed = (!leased.contains_key(&user)).then_some(user);
                        leased.insert(user, now.as_millis() + 300_000);
                    }
                }
                Step::Clear(user) => {
                    let outcome = directory.clear_presence(now, user, 0, |_, _| {});
                    prop_assert_eq!(outcome.is_ok(), leased.remove(&user).is_some());
                    changed = outcome.is_ok().then_some(user);
                }
                Step::Pass(seconds) => now = Instant::from_millis(now.as_millis() + u64::from(seconds) * 1000),
            }
            for user in pinned.keys() {
                prop_assert!(directory.get(*user).is_some());
            }
            for user in 0..6 {
                let before = highest.get(&user).copied().unwrap_or(0);
                let found = directory.get(user).is_some();
                let version = directory.version(now, user) + pinned.get(&user).copied().unwrap_or(0);
                prop_assert!(!found || version >= before, "user {} fell from {} to {}", user, before, version);
                prop_assert!(changed != Some(user) || version > before, "user {} stayed at {}", user, version);
                highest.insert(user, before.max(version));
            }
        }
    }
}
