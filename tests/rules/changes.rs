//! Rule V2: which users changed visibly since a cursor, oldest first; each once; never a silent gap. And handles.

use support::advance_until_idle;
use support::model::{self, cases};

use model::log::Log;
use presence_core::directory::{Cursor, InlineDirectory};
use presence_core::{Command, Instant, Policy, Presence};
use proptest::prelude::*;

type Small = InlineDirectory<u8, u8, 2, 3>;

fn command() -> impl Strategy<Value = Command<u8>> {
    let presence = prop::sample::select(vec![Presence::Available, Presence::Away, Presence::InACall]);
    let preferred = prop::sample::select(vec![Presence::Busy, Presence::Away]);
    prop_oneof![
        4 => (0..2u8, presence).prop_map(|(session, presence)| Command::SetPresence { session, presence, lease: None }),
        4 => (0..2u8).prop_map(|session| Command::ClearPresence { session }),
        1 => preferred.prop_map(|presence| Command::SetPreferredPresence { presence, duration: None }),
        1 => Just(Command::ClearPreferredPresence),
    ]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn v2_changes_since_any_cursor(steps in prop::collection::vec((0..400u64, 0..6u8, command()), 0..if cfg!(miri) { 12 } else { 80 })) {
        let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
        let mut log = Log::default();
        let mut now = Instant::ZERO;
        for (wait, user, command) in steps {
            now = Instant::from_secs(now.as_millis() / 1000 + wait);
            advance_until_idle(&mut directory, now, |user, transition| {
                if transition.is_visible() {
                    log.note(user);
                }
            });
            let _ = directory.execute(now, user, command, |user, transition| {
                if transition.is_visible() {
                    log.note(user);
                }
            });
            log.evict(&directory);
            // One more than there are: a cursor of another directory.
            for cursor in 0..=log.count + 1 {
                log.assert_same_since(&directory, cursor);
            }
        }
    }

    /// A handle names its user as long as that user has the slot, and never another.
    #[test]
    fn m5_handles_outlive_no_reuse(steps in prop::collection::vec((0..6u8, command()), 0..80)) {
        let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
        let mut handles = Vec::new();
        for (index, (user, command)) in steps.into_iter().enumerate() {
            let _ = directory.execute(Instant::from_secs(index as u64), user, command, |_, _| {});
            if let Some(handle) = directory.handle(user) {
                prop_assert!(handle.index() < directory.capacity());
                handles.push((user, handle));
            }
            for (user, handle) in &handles {
                match directory.by_handle(*handle) {
                    Some((id, found)) => {
                        prop_assert_eq!(id, *user);
                        prop_assert_eq!(Some(found), directory.get(id));
                    }
                    None => prop_assert!(directory.handle(*user) != Some(*handle)),
                }
            }
        }
    }
}

#[test]
fn v2_a_reader_may_stop_in_between_and_go_on() {
    let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
    for user in 0..3 {
        directory.set_presence(Instant::ZERO, user, 0, Presence::Away, None, |_, _| {}).unwrap();
    }
    let first = directory.changes_since(Cursor::START).unwrap().next().unwrap();
    let rest: Vec<_> = directory.changes_since(first.cursor).unwrap().map(|changed| changed.id).collect();
    assert_eq!((first.id, rest), (0, vec![1, 2]));
}

/// A reader that is any number of changes behind misses none, however many it takes at a time.
#[test]
fn v2_a_reader_hundreds_of_changes_behind() {
    const USERS: usize = 300;
    let mut directory: InlineDirectory<usize, u8, 1, USERS> = InlineDirectory::with_policy(Policy::GRAPH);
    // In no order of ids, and half of them twice.
    let order: Vec<_> = (0..USERS).chain(0..USERS / 2).map(|number| number * 7 % USERS).collect();
    let mut cursors = vec![directory.cursor()];
    for (number, user) in order.iter().enumerate() {
        let presence = if number < USERS { Presence::Away } else { Presence::InACall };
        directory.set_presence(Instant::ZERO, *user, 0, presence, None, |_, _| {}).unwrap();
        cursors.push(directory.cursor());
    }
    let mut latest: Vec<_> = (0..order.len()).filter(|at| !order[at + 1..].contains(&order[*at])).collect();
    latest.sort_unstable();
    for (behind, cursor) in cursors.iter().enumerate() {
        let expected: Vec<_> = latest.iter().filter(|at| **at >= behind).map(|at| order[*at]).collect();
        let seen: Vec<_> = directory.changes_since(*cursor).unwrap().map(|changed| changed.id).collect();
        assert_eq!(seen, expected, "from {behind} on");
    }
    let expected: Vec<_> = latest.iter().map(|at| order[*at]).collect();
    for piece in (1..70).chain([127, 128, 129, 255, 256, 257]) {
        let (mut seen, mut cursor) = (Vec::new(), Cursor::START);
        while cursor != directory.cursor() {
            let read: Vec<_> = directory.changes_since(cursor).unwrap().take(piece).collect();
            cursor = read.last().unwrap().cursor;
            seen.extend(read.iter().map(|changed| changed.id));
        }
        assert_eq!(seen, expected, "{piece} at a time");
    }
}

/// A recorded external change makes the user the newest, and leaves its own record as it was. Rule V2.
#[test]
fn v2_an_external_change_counts_as_one_of_the_user() {
    let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
    directory.set_presence(Instant::ZERO, 1, 0, Presence::Away, None, |_, _| {}).unwrap();
    directory.set_presence(Instant::ZERO, 2, 0, Presence::Away, None, |_, _| {}).unwrap();
    let cursor = directory.cursor();
    let before = directory.get(1).unwrap().clone();
    assert!(directory.record_external_change(1));
    let changed: Vec<u8> = directory.changes_since(cursor).unwrap().map(|changed| changed.id).collect();
    assert_eq!((changed, directory.get(1)), (vec![1], Some(&before)));
    // Nothing is recorded of a user without a slot.
    assert!(!directory.record_external_change(3));
    assert_eq!((directory.cursor().to_number(), directory.len()), (cursor.to_number() + 1, 2));
}

/// Users evicted before a restart had versions too. Rules V1, V2.
#[test]
fn v1_the_version_floor_covers_users_evicted_before_a_restart() {
    let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
    assert_eq!(directory.version_floor(), 0);
    directory.raise_version_floor(70);
    directory.raise_version_floor(7);
    directory.set_presence(Instant::ZERO, 1, 0, Presence::Away, None, |_, _| {}).unwrap();
    assert_eq!(directory.version(Instant::ZERO, 1), 71);
    for user in 2..6 {
        directory.clear_presence(Instant::ZERO, user - 1, 0, |_, _| {}).unwrap();
        directory.set_presence(Instant::ZERO, user, 0, Presence::Away, None, |_, _| {}).unwrap();
    }
    let number = directory.version_floor();
    assert!(number > 72, "{number}");
    let mut later: Small = InlineDirectory::with_policy(Policy::GRAPH);
    later.raise_version_floor(number);
    later.set_presence(Instant::ZERO, 1, 0, Presence::Away, None, |_, _| {}).unwrap();
    assert!(later.version(Instant::ZERO, 1) > 72, "above what user 1 had when it was evicted");
}

/// All users, a bounded piece at a time.
#[test]
fn users_are_listed_in_pieces() {
    let mut directory: InlineDirectory<u8, u8, 1, 40> = InlineDirectory::with_policy(Policy::GRAPH);
    for user in 0..33 {
        directory.set_presence(Instant::ZERO, user, 0, Presence::Away, None, |_, _| {}).unwrap();
    }
    for count in 1..50 {
        let (mut listed, mut next) = (Vec::new(), Some(0));
        while let Some(from) = next {
            let (users, behind) = directory.users_from(from, count);
            let piece: Vec<u8> = users.map(|(id, _)| id).collect();
            assert!(piece.len() <= count);
            listed.extend(piece);
            next = behind;
        }
        listed.sort_unstable();
        assert_eq!(listed, (0..33).collect::<Vec<u8>>());
    }
    // Behind the last slot there is nothing to go on with.
    assert_eq!(
        [(35, 4), (35, 5), (35, 6), (0, 40)].map(|(from, count)| directory.users_from(from, count).1),
        [Some(39), None, None, None,]
    );
    assert_eq!(directory.users_from(40, 5).1, None);
    assert_eq!(directory.users_from(usize::MAX, usize::MAX).0.count(), 0);
    assert_eq!(directory.users_from(0, 0).1, None);
}

/// An inserted user has changed, whether it had a slot or not, and however equal its record is.
#[test]
fn v2_an_inserted_user_has_changed() {
    let mut directory: Small = InlineDirectory::with_policy(Policy::GRAPH);
    directory.set_presence(Instant::ZERO, 1, 1, Presence::Away, None, |_, _| {}).unwrap();
    let user = directory.get(1).unwrap().clone();
    for id in [2, 1] {
        let before = directory.cursor();
        directory.insert(id, user.clone()).unwrap();
        let changed: Vec<_> = directory.changes_since(before).unwrap().map(|changed| changed.id).collect();
        assert_eq!(changed, [id]);
    }
}
