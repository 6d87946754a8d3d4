//! Many users in little memory: rules M2, M5, S8, S9, V1, V2 between users, and the memory they live in.

use presence_core::Presence::{self, *};
use presence_core::directory::{
    BoxedDirectory, BoxedMemory, DecideError, Directory, InlineDirectory, InlineMemory, Progress,
};
use presence_core::{
    Absence, ApplyError, Cause, Command, CommandError, Duration, DurationRange, Instant, Layer, NotFound, OverdueError,
    Policy, SessionId, User, UserId,
};

type Of<const USERS: usize> = InlineDirectory<u8, char, 2, USERS>;

fn of<const USERS: usize>() -> Of<USERS> {
    InlineDirectory::with_policy(Policy::GRAPH)
}

const fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// Sets session 'a' of a user to a presence for so many minutes.
fn set<const USERS: usize>(
    directory: &mut Of<USERS>,
    now: Instant,
    user: u8,
    presence: Presence,
    minutes: u64,
) -> Result<(), CommandError> {
    directory.set_presence(now, user, 'a', presence, Some(Duration::from_mins(minutes)), |_, _| {})
}

/// Advances until idle: user, instant and cause of everything that happened, and the deadline to come back at.
fn advance<const USERS: usize>(
    directory: &mut Of<USERS>,
    now: Instant,
) -> (Vec<(u8, Instant, Cause)>, Option<Instant>) {
    let mut happened = Vec::new();
    let until = support::advance_until_idle(directory, now, |user, transition| {
        happened.push((user, transition.at(), transition.cause()));
    });
    (happened, until)
}

#[test]
fn memory_is_empty_by_default() {
    let directory: Of<2> = Directory::new(InlineMemory::default(), Policy::GRAPH);
    assert_eq!((directory.len(), directory.capacity()), (0, 2));
}

#[test]
fn m2_the_same_session_id_under_two_users_names_two_sessions() {
    let mut directory = of::<2>();
    set(&mut directory, at(0), 1, InACall, 60).unwrap();
    set(&mut directory, at(0), 2, Away, 60).unwrap();
    assert_eq!((directory.presence(at(0), 1), directory.presence(at(0), 2)), (InACall, Away));
    assert_eq!(directory.clear_presence(at(1), 1, 'a', |_, _| {}), Ok(()));
    assert_eq!((directory.presence(at(1), 1), directory.presence(at(1), 2)), (Offline, Away));
    assert_eq!(directory.clear_presence(at(1), 1, 'a', |_, _| {}), Err(NotFound));
}

#[test]
fn m5_an_unknown_user_reads_like_a_new_one() {
    let directory = of::<1>();
    assert!(directory.get(9).is_none());
    assert_eq!(directory.read(at(5), 9, Clone::clone), User::new());
    assert_eq!((directory.presence(at(5), 9), directory.version(at(5), 9)), (Offline, 0));
    assert_eq!(directory.explain(at(5), 9).layer, Layer::Nothing(Absence::NeverSeen));
}

/// A directory is empty until a user has had a slot; a user who signed out keeps it.
#[test]
fn m5_a_directory_is_empty_until_a_user_has_a_slot() {
    let mut directory = of::<2>();
    assert_eq!((directory.is_empty(), directory.len()), (true, 0));
    directory.clear_preferred_presence(at(0), 1, |_, _| {});
    assert!(directory.is_empty(), "a user with nothing stored gets no slot");
    set(&mut directory, at(0), 1, Away, 60).unwrap();
    assert_eq!((directory.is_empty(), directory.len()), (false, 1));
    directory.clear_presence(at(1), 1, 'a', |_, _| {}).unwrap();
    assert_eq!((directory.is_empty(), directory.len()), (false, 1));
}

/// A user with nothing stored keeps its slot, and its presence history, until another needs the slot.
#[test]
fn m5_an_empty_record_stays_until_its_slot_is_reused() {
    let mut directory = of::<2>();
    set(&mut directory, at(0), 1, Away, 60).unwrap();
    directory.clear_presence(at(1), 1, 'a', |_, _| {}).unwrap();
    set(&mut directory, at(2), 2, Away, 60).unwrap();
    assert_eq!(directory.explain(at(2), 1).layer, Layer::Nothing(Absence::Cleared));
    assert_eq!((directory.len(), directory.evictable(), directory.capacity()), (2, 1, 2));
    set(&mut directory, at(3), 3, Away, 60).unwrap();
    assert_eq!(directory.explain(at(3), 1).layer, Layer::Nothing(Absence::NeverSeen));
    assert_eq!((directory.presence(at(3), 1), directory.version(at(3), 1), directory.len()), (Offline, 0, 2));
    assert_eq!((directory.presence(at(3), 2), directory.presence(at(3), 3)), (Away, Away));
}

/// A handle is a slot, for an array of the application's own, and the number of users who have had it before.
#[test]
fn m5_a_handle_is_valid_while_its_user_has_the_slot() {
    let mut directory = of::<2>();
    assert_eq!(directory.handle(1), None);
    for user in [1, 2] {
        set(&mut directory, at(0), user, Away, 60).unwrap();
    }
    let handles = [1, 2].map(|user| directory.handle(user).unwrap());
    let mut indices = handles.map(|handle| handle.index());
    indices.sort_unstable();
    assert_eq!((indices, handles.map(|handle| handle.generation())), ([0, 1], [0, 0]));
    for (handle, user) in handles.into_iter().zip([1, 2]) {
        assert_eq!(directory.by_handle(handle), directory.get(user).map(|found| (user, found)));
    }
    // Another user takes the slot of the first, and the old handle is invalid.
    directory.clear_presence(at(1), 1, 'a', |_, _| {}).unwrap();
    set(&mut directory, at(2), 3, Away, 60).unwrap();
    let third = directory.handle(3).unwrap();
    assert_eq!((third.index(), third.generation()), (handles[0].index(), 1));
    assert_eq!((directory.handle(1), directory.by_handle(handles[0])), (None, None));
    assert!(directory.by_handle(third).is_some_and(|(user, _)| user == 3));
}

/// A user with something stored is not evicted: a preferred presence is enough to keep a slot.
#[test]
fn m5_only_users_with_nothing_stored_are_evicted() {
    let mut directory = of::<1>();
    let day = Some(Duration::from_days(1));
    directory.set_preferred_presence(at(0), 1, Busy, day, |_, _| {}).unwrap();
    assert_eq!(set(&mut directory, at(1), 2, Away, 60), Err(CommandError::UsersFull));
    assert!(directory.get(1).is_some() && directory.get(2).is_none());
    directory.clear_preferred_presence(at(2), 1, |_, _| {});
    assert_eq!(set(&mut directory, at(2), 2, Away, 60), Ok(()));
    assert!(directory.get(1).is_none());
}

#[test]
fn m5_the_user_unchanged_for_longest_is_evicted_first() {
    let mut directory = of::<4>();
    for (user, cleared_at) in [(3, 10), (1, 30), (0, 20), (2, 10)] {
        set(&mut directory, at(0), user, Away, 60).unwrap();
        directory.clear_presence(at(cleared_at), user, 'a', |_, _| {}).unwrap();
    }
    // Two have been empty since the same moment: the smaller id goes first.
    for (new_user, evicted) in [(10, 2), (11, 3), (12, 0), (13, 1)] {
        assert!(directory.get(evicted).is_some());
        set(&mut directory, at(40), new_user, Away, 60).unwrap();
        assert!(directory.get(evicted).is_none(), "{new_user} took the slot of {evicted}");
        assert_eq!(directory.len(), 4);
    }
}

/// Nor does it matter that nothing was ever to fall due. Rules M5, C3.
#[test]
fn m5_c3_a_user_who_had_an_endless_lease_is_evicted_in_turn() {
    let leases = DurationRange { shortest: Duration::ZERO, longest: Duration::MAX };
    for order in [[1, 2], [2, 1]] {
        let mut directory: Of<2> = InlineDirectory::with_policy(Policy { leases, ..Policy::GRAPH });
        for user in [1, 2] {
            directory.set_presence(at(0), user, 'a', Away, Some(Duration::MAX), |_, _| {}).unwrap();
        }
        assert_eq!(directory.next_deadline(), None);
        for (user, cleared_at) in order.into_iter().zip([10, 20]) {
            directory.clear_presence(at(cleared_at), user, 'a', |_, _| {}).unwrap();
        }
        for (new_user, evicted) in [(3, order[0]), (4, order[1])] {
            assert!(directory.get(evicted).is_some());
            set(&mut directory, at(30), new_user, Away, 5).unwrap();
            assert!(directory.get(evicted).is_none(), "{new_user} took the slot of {evicted}");
        }
    }
}

#[test]
fn s8_between_users_by_deadline_then_id() {
    let mut directory = of::<5>();
    for (user, minutes) in [(4, 10), (2, 5), (3, 5), (0, 10), (1, 10)] {
        set(&mut directory, at(0), user, InACall, minutes).unwrap();
    }
    let (happened, until) = advance(&mut directory, at(10_000));
    let order: Vec<_> = happened.iter().map(|(user, at, _)| (*user, *at)).collect();
    assert_eq!(order, [(2, at(300)), (3, at(300)), (0, at(600)), (1, at(600)), (4, at(600))]);
    assert_eq!(until, None);
}

/// One call, one transition at most: the caller bounds its own time.
#[test]
fn s8_one_piece_of_work_a_call() {
    let mut directory = of::<3>();
    for user in 0..3 {
        set(&mut directory, at(0), user, InACall, 5).unwrap();
    }
    for user in 0..3 {
        let online = (0..3).filter(|user| !directory.get(*user).unwrap().is_empty()).count();
        assert_eq!(online, 3 - usize::from(user));
        let next = std::iter::repeat_with(|| directory.advance(at(300))).find(|done| *done != Progress::Working);
        assert!(matches!(next, Some(Progress::Changed { user: next, .. }) if next == user));
    }
    // One more call finds that nothing is left.
    assert_eq!(advance(&mut directory, at(300)), (Vec::new(), None));
}

#[test]
fn s8_a_command_brings_its_own_user_up_to_date() {
    let mut directory = of::<2>();
    set(&mut directory, at(0), 1, Available, 60).unwrap();
    set(&mut directory, at(0), 2, Available, 60).unwrap();
    let mut observed = Vec::new();
    let result = directory.clear_presence(at(700), 1, 'z', |user, one| observed.push((user, one.at(), one.cause())));
    // The command is rejected; overdue transitions stay applied, and are observed.
    assert_eq!(result, Err(NotFound));
    assert_eq!(observed, [(1, at(300), Cause::Faded), (1, at(600), Cause::Faded)]);
    let stored = [1, 2].map(|user| directory.get(user).unwrap().presence());
    assert_eq!(stored, [Away, Available], "the other waits for its own turn");
    assert_eq!([1, 2].map(|user| directory.presence(at(700), user)), [Away, Away], "and yet reads as it is");
}

#[test]
fn s9_a_full_directory_rejects_a_new_user() {
    let mut directory = of::<2>();
    set(&mut directory, at(0), 1, Away, 60).unwrap();
    set(&mut directory, at(0), 2, Away, 60).unwrap();
    for command in [
        Command::SetPresence { session: 'a', presence: Away, lease: None },
        Command::SetPreferredPresence { presence: Away, duration: None },
    ] {
        assert_eq!(directory.execute(at(1), 3, command, |_, _| {}), Err(CommandError::UsersFull));
        assert!(directory.get(3).is_none());
    }
    // Commands that need no slot have their usual result; so have those that would be rejected anyway.
    assert_eq!(directory.clear_presence(at(1), 3, 'a', |_, _| {}), Err(NotFound));
    assert_eq!(directory.execute(at(1), 3, Command::ClearPreferredPresence, |_, _| {}), Ok(()));
    assert_eq!(set(&mut directory, at(1), 3, Busy, 60), Err(CommandError::Presence));
    assert_eq!(set(&mut directory, at(1), 3, Away, 1), Err(CommandError::Lease));
    assert_eq!(set(&mut directory, at(1), 1, InACall, 60), Ok(()), "replacing needs no slot");
    assert_eq!(directory.len(), 2);
}

#[test]
fn s9_due_transitions_are_applied_before_an_eviction() {
    let mut directory = of::<2>();
    set(&mut directory, at(0), 1, Away, 5).unwrap();
    set(&mut directory, at(0), 2, Away, 60).unwrap();
    assert_eq!(set(&mut directory, Instant::from_millis(299_999), 3, Away, 60), Err(CommandError::UsersFull));
    let new_user = Command::SetPresence { session: 'a', presence: Away, lease: None };
    assert_eq!(
        directory.decide(at(300), 3, new_user),
        Err(DecideError::Overdue(OverdueError::new(at(300)))),
        "deciding alone frees nothing"
    );
    let mut observed = Vec::new();
    directory.execute(at(300), 3, new_user, |user, one| observed.push((user, one.at(), one.cause()))).unwrap();
    assert_eq!(observed, [(1, at(300), Cause::Expired), (3, at(300), Cause::Set)]);
    assert!(directory.get(1).is_none() && directory.get(3).is_some());
}

#[test]
fn v1_a_user_who_comes_back_starts_above_every_version_it_had() {
    let mut directory = of::<2>();
    set(&mut directory, at(0), 1, Away, 5).unwrap();
    set(&mut directory, at(0), 2, Away, 5).unwrap();
    directory.clear_presence(at(1), 1, 'a', |_, _| {}).unwrap();
    let had = directory.version(at(1), 1);
    assert_eq!(had, 2);
    set(&mut directory, at(2), 3, Away, 60).unwrap();
    assert!(directory.get(1).is_none());
    // User 2 has changed no more often than user 1 had. Its slot goes to user 1, whose presence is not new, but whose version
    // is: a version never stands for two histories.
    directory.set_preferred_presence(at(300), 1, Busy, None, |_, _| {}).unwrap();
    assert!(directory.get(2).is_none());
    assert!(directory.version(at(300), 1) > had);
}

/// A decision about a user who was evicted in between is stale.
#[test]
fn v2_a_transition_does_not_outlive_its_record() {
    let mut directory = of::<1>();
    set(&mut directory, at(0), 1, Away, 60).unwrap();
    directory.clear_presence(at(1), 1, 'a', |_, _| {}).unwrap();
    let again = Command::SetPresence { session: 'a', presence: Away, lease: None };
    let outdated = directory.decide(at(2), 1, again).unwrap().unwrap();
    set(&mut directory, at(3), 2, Away, 60).unwrap();
    directory.clear_presence(at(4), 2, 'a', |_, _| {}).unwrap();
    assert_eq!(directory.apply(1, &outdated), Err(ApplyError::Stale));
    assert_eq!(directory.apply(2, &outdated), Err(ApplyError::Stale));
    assert!(directory.get(1).is_none() && directory.get(2).is_some());
}

/// Nor does one about a new user, whichever slot that user was to have, however often it or another user changed, and whether
/// the clock was shifted since.
#[test]
fn v2_a_transition_about_a_new_user_does_not_outlive_its_start() {
    const MOST: u64 = 9;
    let change = |directory: &mut InlineDirectory<u8, char, 2, 2>, seconds, user, times: u64| {
        for _ in 0..times {
            set(directory, at(seconds), user, Away, 60).unwrap();
            directory.clear_presence(at(seconds), user, 'a', |_, _| {}).unwrap();
        }
    };
    for (one, other, is_shifted) in (0..MOST * MOST * 2).map(|n| (1 + n / 2 % MOST, 1 + n / 2 / MOST, n % 2 == 1)) {
        let mut directory = of::<2>();
        change(&mut directory, 10, 1, one);
        change(&mut directory, 20, 2, other);
        // User 3 was to have the slot of user 1, who comes back.
        let first = Command::SetPresence { session: 'a', presence: Away, lease: None };
        let outdated = directory.decide(at(30), 3, first).unwrap().unwrap();
        set(&mut directory, at(40), 1, Away, 60).unwrap();
        let mut now = at(40);
        if is_shifted {
            directory.rebase(now, at(7)).unwrap();
            now = at(7);
            assert_eq!(directory.apply(3, &outdated), Err(ApplyError::Stale), "{one} and {other} changes");
        }
        for _ in 0..MOST {
            set(&mut directory, now, 3, InACall, 60).unwrap();
            assert_eq!(directory.apply(3, &outdated), Err(ApplyError::Stale), "{one} and {other} changes");
            directory.clear_presence(now, 3, 'a', |_, _| {}).unwrap();
            assert_eq!(directory.apply(3, &outdated), Err(ApplyError::Stale), "{one} and {other} changes");
        }
    }
}

#[test]
fn v1_versions_of_different_users_are_their_own() {
    let mut directory = of::<2>();
    set(&mut directory, at(0), 1, Away, 60).unwrap();
    set(&mut directory, at(0), 1, InACall, 60).unwrap();
    set(&mut directory, at(0), 2, Away, 60).unwrap();
    assert_eq!([1, 2].map(|user| directory.version(at(0), user)), [2, 1]);
    assert_eq!([1, 2].map(|user| directory.version(at(3600), user)), [3, 2], "a version is read as of a moment, too");
}

/// A keep-alive leaves the promised deadline early; asked for at that time, the directory finds out and corrects it.
#[test]
fn the_next_deadline_is_never_late_and_exact_once_idle() {
    let mut directory = of::<2>();
    assert_eq!(directory.next_deadline(), None);
    set(&mut directory, at(0), 1, Away, 10).unwrap();
    assert_eq!(directory.next_deadline(), Some(at(600)));
    set(&mut directory, at(100), 1, Away, 20).unwrap();
    assert!(directory.next_deadline() <= Some(at(1300)));
    assert_eq!(advance(&mut directory, at(600)), (Vec::new(), Some(at(1300))));
    assert_eq!(directory.next_deadline(), Some(at(1300)));
    set(&mut directory, at(700), 2, Away, 5).unwrap();
    assert_eq!(directory.next_deadline(), Some(at(1000)), "sooner at once");
    directory.clear_presence(at(800), 2, 'a', |_, _| {}).unwrap();
    assert_eq!(advance(&mut directory, at(800)), (Vec::new(), Some(at(1300))));
    directory.clear_presence(at(800), 1, 'a', |_, _| {}).unwrap();
    assert_eq!(advance(&mut directory, at(800)), (Vec::new(), None));
}

/// A capacity that makes no whole buckets, and one of zero.
#[test]
fn memory_in_boxes_holds_as_many_users_as_were_asked_for() {
    for users in [0, 3, 8, 13] {
        let mut directory: BoxedDirectory<u32, u8, 1> = Directory::new(BoxedMemory::new(users), Policy::GRAPH);
        assert_eq!(directory.capacity(), users);
        for user in 0..users as u32 {
            assert_eq!(directory.set_presence(at(0), user * 1000, 1, Away, None, |_, _| {}), Ok(()));
        }
        let one_more = directory.set_presence(at(0), 7, 1, Away, None, |_, _| {});
        assert_eq!(one_more, Err(CommandError::UsersFull), "{users}");
        let mut found: Vec<_> = directory.users().map(|(user, record)| (user, record.presence())).collect();
        found.sort();
        assert_eq!(found, (0..users as u32).map(|user| (user * 1000, Away)).collect::<Vec<_>>());
    }
}

/// A caller may lend memory, and has it back afterwards.
#[test]
fn memory_may_be_borrowed() {
    let mut memory = InlineMemory::<u8, char, 2, 1>::new();
    let mut directory = Directory::new(&mut memory, Policy::GRAPH);
    directory.set_presence(at(0), 1, 'a', Away, None, |_, _| {}).unwrap();
    assert_eq!(directory.presence(at(0), 1), Away);
}

/// A decision that is applied later is visible at once, of a new user and of a known one.
#[test]
fn m4_applied_decisions_are_visible() {
    let mut directory = of::<1>();
    for presence in [Away, InACall, Available] {
        let command = Command::SetPresence { session: 'a', presence, lease: None };
        let transition = directory.decide(at(0), 1, command).unwrap().unwrap();
        directory.apply(1, &transition).unwrap();
        assert_eq!(directory.presence(at(1), 1), presence);
    }
    let mut elsewhere = of::<1>();
    set(&mut elsewhere, at(0), 1, InACall, 5).unwrap();
    directory.insert(1, elsewhere.get(1).unwrap().clone()).unwrap();
    assert_eq!(directory.presence(at(1), 1), InACall);
}

/// A keyed hasher, for users who choose their own ids.
#[test]
fn another_hasher_and_guids() {
    let memory = BoxedMemory::new(50);
    let hasher = std::collections::hash_map::RandomState::new();
    let mut directory: BoxedDirectory<UserId, SessionId, 1, _> = Directory::with_hasher(memory, Policy::GRAPH, hasher);
    let session = SessionId::from_bytes([7; 16]);
    let user = |number: u8| UserId::from_bytes([number; 16]);
    for number in 0..50 {
        let presence = if number % 2 == 0 { Away } else { InACall };
        directory.set_presence(at(0), user(number), session, presence, None, |_, _| {}).unwrap();
    }
    for number in 0..50 {
        let presence = if number % 2 == 0 { Away } else { InACall };
        assert_eq!(directory.presence(at(0), user(number)), presence);
    }
    assert!(directory.get(user(50)).is_none());
}
