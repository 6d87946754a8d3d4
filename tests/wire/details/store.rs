//! Details beside the users of a store: rules M5, V1, V2, S9.

use super::*;
use presence_core::details::{LocationLayer, WorkLocationType, WorkPlace};
use presence_core::directory::InlineDirectory;
use presence_core::graph::SingleUserStore;
use presence_core::{Cause, Command, CommandError, Duration, Presence, User, UserId, snapshot};

const SECOND: fn(u64) -> Instant = Instant::from_secs;

fn message(text: &str, expires_at: Instant) -> DetailsCommand<'_> {
    DetailsCommand::SetStatusMessage { text, expires_at }
}

fn available(application: &str) -> Command<SessionId> {
    Command::SetPresence { session: session(application), presence: Presence::Available, lease: None }
}

/// Returns the version on the wire.
fn version(store: &impl Store, now: Instant, user: UserId) -> u64 {
    let mut sum = store.read(now, user).1;
    store.read_details(now, user, &mut |details| sum += details.version);
    sum
}

fn text_of(store: &impl Store, now: Instant, user: UserId) -> Option<String> {
    let mut text = None;
    store.read_details(now, user, &mut |details| text = details.status_message.map(|message| message.text.to_owned()));
    text
}

/// A directory of one user.
fn one_slot() -> WithDetails<InlineDirectory<UserId, SessionId, 2, 1>, Map> {
    WithDetails::new(InlineDirectory::with_policy(Policy::GRAPH), Map::default())
}

#[test]
fn s9_a_user_with_details_keeps_its_slot_until_they_end() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let mut store = one_slot();
    let mut update = |now, user, command| store.execute_details(now, user, command, &mut |_, _| {});
    assert_eq!(update(SECOND(0), adele, message("x", SECOND(60))), Ok(()));
    assert_eq!(update(SECOND(59), bob, message("y", SECOND(120))), Err(DetailsError::UsersFull));
    let before = store.details.0.clone();
    assert_eq!(store.execute(SECOND(59), bob, available(TEAMS), &mut |_, _| {}), Err(CommandError::UsersFull));
    assert_eq!(store.details.0, before);
    // The message ends now, and frees the slot for the command that needs it.
    assert_eq!(store.execute(SECOND(60), bob, available(TEAMS), &mut |_, _| {}), Ok(()));
    assert!(store.details.0.is_empty());
    assert!(store.store.get(adele).is_none() && store.store.get(bob).is_some());
}

#[test]
fn v1_the_version_never_falls_when_details_end() {
    let adele = user(ADELE);
    let mut store = one_slot();
    let mut expected = 0;
    for (now, command) in [
        (0, message("x", SECOND(60))),
        (1, DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: true, message: None })),
        (2, message("", Instant::NEVER)),
        (3, DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: false, message: None })),
        (4, message("y", SECOND(64))),
    ] {
        store.execute_details(SECOND(now), adele, command, &mut |_, _| {}).unwrap();
        expected += 1;
        assert_eq!(version(&store, SECOND(now), adele), expected, "{command:?}");
    }
    assert_eq!(version(&store, SECOND(64), adele), 6, "exact before anything is applied");
    store.advance_details(SECOND(64));
    assert_eq!(version(&store, SECOND(64), adele), 6);
    assert!(store.details.0.is_empty() && store.store.get(adele).is_some_and(|user| user.version() == 6));
}

#[test]
fn v2_a_visible_change_of_details_is_a_change_of_the_user() {
    let adele = user(ADELE);
    let mut store = one_slot();
    let mut cursor = store.store.cursor();
    let mut is_changed = |store: &WithDetails<InlineDirectory<UserId, SessionId, 2, 1>, Map>| {
        let before = std::mem::replace(&mut cursor, store.store.cursor());
        before != cursor
    };
    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
    for (layer, is_visible) in [(LocationLayer::Manual, true), (LocationLayer::Automatic, false)] {
        let command = DetailsCommand::SetLocation { layer, place, until: SECOND(60) };
        store.execute_details(SECOND(1), adele, command, &mut |_, _| {}).unwrap();
        assert_eq!(is_changed(&store), is_visible, "{layer:?}");
    }
    assert!(!store.advance_details_of(SECOND(59), adele) && !is_changed(&store));
    assert!(store.advance_details_of(SECOND(60), adele) && is_changed(&store));
}

#[test]
fn m5_a_command_that_leaves_nothing_keeps_nothing() {
    let adele = user(ADELE);
    let mut store = one_slot();
    let long = "x".repeat(1121);
    for (command, expected) in [
        (message("", Instant::NEVER), Ok(())),
        (message("late", SECOND(5)), Ok(())),
        (DetailsCommand::SetOutOfOffice(OutOfOffice::default()), Ok(())),
        (message(&long, Instant::NEVER), Err(DetailsError::MessageTooLong)),
    ] {
        assert_eq!(store.execute_details(SECOND(5), adele, command, &mut |_, _| {}), expected);
        assert!(store.store.is_empty() && store.details.0.is_empty(), "{command:?}");
    }
    assert_eq!(text_of(&store, SECOND(5), adele), None);
}

/// A new user's slot may be that of a user whose session expires now: that transition is reported.
#[test]
fn s8_what_details_cause_is_reported() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let mut store = one_slot();
    store.execute(SECOND(0), adele, available(TEAMS), &mut |_, _| {}).unwrap();
    let mut changes = Vec::new();
    let mut on_change = |user, transition: &presence_core::Transition<SessionId>| changes.push((user, transition.at()));
    assert_eq!(store.execute_details(SECOND(300), bob, message("x", Instant::NEVER), &mut on_change), Ok(()));
    assert_eq!(changes, [(adele, SECOND(300))]);
}

#[test]
fn the_details_of_one_user_lie_in_place() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let details: Details<20> = Details::new();
    let mut store = WithDetails::new(SingleUserStore::<2>::new(adele, Policy::DESK), (adele, details));
    let mut update = |now, user, command| store.execute_details(now, user, command, &mut |_, _| {});
    assert_eq!(update(SECOND(0), bob, message("x", Instant::NEVER)), Err(DetailsError::UsersFull));
    assert_eq!(update(SECOND(0), adele, message("x", SECOND(60))), Ok(()));
    assert_eq!(
        update(SECOND(1), adele, message("longer than 20 bytes.", Instant::NEVER)),
        Err(DetailsError::MessageTooLong)
    );
    assert_eq!((text_of(&store, SECOND(59), adele), text_of(&store, SECOND(60), adele)), (Some("x".to_owned()), None));
    assert_eq!((text_of(&store, SECOND(0), bob), version(&store, SECOND(60), adele)), (None, 2));
    assert_eq!(store.details.next_deadline(), Some((SECOND(60), adele)));
    store.execute(SECOND(60), adele, available(TEAMS), &mut |_, _| {}).unwrap();
    assert_eq!((store.details.1.version(), version(&store, SECOND(60), adele)), (0, 3));
    assert_eq!(store.store.user.user().version(), 3);
}

/// Restored details keep their user's slot as those that a command set: rules M5, V1, V2.
#[test]
fn m5_a_user_with_restored_details_is_not_evicted() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let mut first = one_slot();
    first.execute_details(SECOND(0), adele, message("x", SECOND(60)), &mut |_, _| {}).unwrap();
    let mut bytes = [0; snapshot::max_details_len::<1120>()];
    let stored = snapshot::save_details(first.details.0[&adele].at(SECOND(1)).unwrap(), &mut bytes).unwrap();
    let details: Details = snapshot::restore_details(stored, SECOND(1), Some(Duration::ZERO)).unwrap();
    let mut store = one_slot();
    let before = store.store.cursor();
    assert_eq!(store.insert(adele, details.clone()), Ok(()));
    assert_ne!(store.store.cursor(), before);
    assert_eq!((text_of(&store, SECOND(1), adele), version(&store, SECOND(1), adele)), (Some("x".to_owned()), 1));
    assert_eq!(store.execute(SECOND(1), bob, available(TEAMS), &mut |_, _| {}), Err(CommandError::UsersFull));
    assert_eq!(store.insert(bob, details), Err(DetailsError::UsersFull));
    assert_eq!(version(&store, SECOND(60), adele), 2);
    // The message ends now, and frees the slot for the command that needs it.
    assert_eq!(store.execute(SECOND(60), bob, available(TEAMS), &mut |_, _| {}), Ok(()));
    assert!(store.store.get(adele).is_none() && version(&store, SECOND(60), bob) > 2);
}

/// Inserting restored details applies nothing, not even what is due at the first instant: its observer hears of it later.
#[test]
fn m5_restored_details_leave_what_is_due_to_be_reported() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let mut first = one_slot();
    first.execute(SECOND(1), bob, available(TEAMS), &mut |_, _| {}).unwrap();
    let mut bytes = [0; snapshot::max_len::<SessionId, 2>()];
    let stored = snapshot::save(first.store.get(bob).unwrap().at(SECOND(1)).unwrap(), &mut bytes).unwrap();
    // The session ended just when the new clock began.
    let ended: User<SessionId, 2> = snapshot::restore(stored, Instant::ZERO, Some(Duration::from_mins(5))).unwrap();
    assert_eq!(ended.next_deadline(), Some(Instant::ZERO));
    let mut store = one_slot();
    store.store.insert(bob, ended).unwrap();
    assert_eq!(store.insert(adele, Details::with_version(7)), Err(DetailsError::UsersFull));
    let mut causes = Vec::new();
    store.execute(Instant::ZERO, bob, available(TEAMS), &mut |_, change| causes.push(change.cause())).unwrap();
    assert_eq!(causes, [Cause::Expired, Cause::Set]);
}

/// Restored details of which only the version is left give it to their user: rule V1.
#[test]
fn v1_the_version_of_empty_restored_details_is_kept() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let mut store = one_slot();
    assert_eq!(store.insert(adele, Details::with_version(70_000)), Ok(()));
    assert!(store.details.0.is_empty());
    assert_eq!(version(&store, SECOND(0), adele), 70_000);
    // It is not pinned for that.
    assert_eq!(store.execute(SECOND(0), bob, available(TEAMS), &mut |_, _| {}), Ok(()));
    assert!(version(&store, SECOND(0), bob) > 70_000);

    let details: Details<20> = Details::new();
    let mut store = WithDetails::new(SingleUserStore::<2>::new(adele, Policy::DESK), (adele, details));
    assert_eq!(store.insert(adele, Details::with_version(70_000)), Ok(()));
    assert_eq!((version(&store, SECOND(0), adele), store.details.1.version()), (70_000, 0));
    assert_eq!(store.insert(bob, Details::new()), Err(DetailsError::UsersFull));
}

/// Details for which there is no memory do not pin their user.
#[test]
fn m5_details_that_are_not_inserted_keep_no_slot() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let details: Details<20> = Details::new();
    let users: InlineDirectory<UserId, SessionId, 2, 1> = InlineDirectory::with_policy(Policy::GRAPH);
    let mut store = WithDetails::new(users, (adele, details));
    assert_eq!(store.insert(bob, Details::with_version(3)), Err(DetailsError::UsersFull));
    assert_eq!(version(&store, SECOND(0), bob), 0);
    assert_eq!(store.execute(SECOND(0), adele, available(TEAMS), &mut |_, _| {}), Ok(()));
}

/// A full map fails a command before it is decided; with memory for one user more, the store of users decides.
#[test]
fn m5_a_full_map_fails_every_command_of_a_new_user() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let long = "x".repeat(1121);
    let commands = [message("", Instant::NEVER), message(&long, Instant::NEVER), message("y", Instant::NEVER)];
    let full = Err(DetailsError::UsersFull);
    for (capacity, expected) in [(1, [full; 3]), (2, [Ok(()), Err(DetailsError::MessageTooLong), full])] {
        let users: InlineDirectory<UserId, SessionId, 2, 1> = InlineDirectory::with_policy(Policy::GRAPH);
        let mut store = WithDetails::new(users, Limited { map: Map::default(), capacity });
        store.execute_details(SECOND(0), adele, message("x", Instant::NEVER), &mut |_, _| {}).unwrap();
        let before = store.details.map.clone();
        for (command, expected) in commands.into_iter().zip(expected) {
            assert_eq!(store.execute_details(SECOND(1), bob, command, &mut |_, _| {}), expected, "{command:?}");
            assert_eq!(store.details.map, before);
        }
        // Who has details may change them.
        assert_eq!(store.execute_details(SECOND(1), adele, commands[2], &mut |_, _| {}), Ok(()));
    }
}

/// A map of few users.
struct Limited {
    map: Map,
    capacity: usize,
}

impl DetailsMap for Limited {
    fn get(&self, user: UserId) -> Option<&Details> {
        self.map.get(user)
    }

    fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details> {
        let is_full = self.map.0.len() == self.capacity && self.get(user).is_none();
        if is_full { None } else { self.map.get_or_insert(user) }
    }

    fn remove(&mut self, user: UserId) {
        self.map.remove(user);
    }

    fn next_deadline(&self) -> Option<(Instant, UserId)> {
        self.map.next_deadline()
    }
}

/// A map in the order of its deadlines, which it knows from what it is told alone.
#[derive(Default)]
struct Sorted {
    map: Map,
    deadlines: std::collections::BTreeSet<(Instant, UserId)>,
}

impl DetailsMap for Sorted {
    fn get(&self, user: UserId) -> Option<&Details> {
        self.map.get(user)
    }

    fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details> {
        self.map.get_or_insert(user)
    }

    fn remove(&mut self, user: UserId) {
        self.map.remove(user);
        self.deadlines.retain(|(_, other)| *other != user);
    }

    fn next_deadline(&self) -> Option<(Instant, UserId)> {
        self.deadlines.first().copied()
    }

    fn record_change(&mut self, user: UserId) {
        self.deadlines.retain(|(_, other)| *other != user);
        let next = self.map.get(user).and_then(Details::next_deadline);
        self.deadlines.extend(next.map(|deadline| (deadline, user)));
    }
}

/// Each change is told, visible or not, so that nothing is applied too late: another layer, another end, the same message once more.
#[test]
fn m4_a_map_is_told_of_every_change_of_a_deadline() {
    let users: InlineDirectory<UserId, SessionId, 2, 4> = InlineDirectory::with_policy(Policy::GRAPH);
    let mut store = WithDetails::new(users, Sorted::default());
    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
    let location = |layer, until| DetailsCommand::SetLocation { layer, place, until: SECOND(until) };
    let [adele, bob] = [ADELE, BOB].map(user);
    for (now, user, command) in [
        (0, adele, location(LocationLayer::Manual, 100)),
        (1, adele, location(LocationLayer::Automatic, 50)),
        (2, adele, location(LocationLayer::Automatic, 40)),
        (3, bob, message("x", SECOND(60))),
        (4, bob, message("x", SECOND(30))),
        (5, bob, message("x", SECOND(90))),
        (6, adele, DetailsCommand::ClearLocations(presence_core::details::LocationLayers::AUTOMATIC)),
        (7, adele, location(LocationLayer::Scheduled, 45)),
        (8, bob, DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: true, message: None })),
        (9, adele, location(LocationLayer::Manual, 80)),
        (50, bob, message("", Instant::NEVER)),
        (51, bob, location(LocationLayer::Manual, 70)),
        (200, bob, DetailsCommand::SetOutOfOffice(OutOfOffice::default())),
    ] {
        store.execute_details(SECOND(now), user, command, &mut |_, _| {}).unwrap();
        let map = &store.details;
        assert_eq!(map.next_deadline(), map.map.next_deadline(), "{command:?} at {now}");
    }
    assert!(store.details.map.0.is_empty() && store.details.deadlines.is_empty());
}

/// No command succeeds that was not executed: here `get` never returns the details that `get_or_insert` returns.
#[test]
fn a_command_on_a_map_that_contradicts_itself_fails() {
    struct Hidden(Map);
    impl DetailsMap for Hidden {
        fn get(&self, _: UserId) -> Option<&Details> {
            None
        }

        fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details> {
            self.0.get_or_insert(user)
        }

        fn remove(&mut self, user: UserId) {
            self.0.remove(user);
        }

        fn next_deadline(&self) -> Option<(Instant, UserId)> {
            None
        }
    }
    let adele = user(ADELE);
    let users: InlineDirectory<UserId, SessionId, 2, 1> = InlineDirectory::with_policy(Policy::GRAPH);
    let mut store = WithDetails::new(users, Hidden(Map::default()));
    let mut update = |now, text| store.execute_details(now, adele, message(text, SECOND(60)), &mut |_, _| {});
    assert_eq!(update(SECOND(0), "x"), Ok(()));
    assert_eq!(update(SECOND(59), "y"), Ok(()));
    assert_eq!(update(SECOND(60), ""), Err(DetailsError::UsersFull));
}

/// A command under another policy frees the slot of a user whose details end, too; and details go through such a store.
#[test]
fn p2_m5_a_store_under_another_policy_keeps_details() {
    let (adele, bob) = (user(ADELE), user(BOB));
    let meeting = Command::SetPresence {
        session: SessionId::from_bytes([7; 16]),
        presence: Presence::InAMeeting,
        lease: Some(presence_core::Duration::from_hours(9)),
    };
    let mut users =
        WithDetails::new(InlineDirectory::<UserId, SessionId, 2, 1>::with_policy(Policy::GRAPH), Map::default());
    let mut store = (&mut users, &Policy::MIRROR);
    store.execute_details(SECOND(0), adele, message("x", SECOND(60)), &mut |_, _| {}).unwrap();
    let mut read = None;
    store.read_details(SECOND(0), adele, &mut |details| read = Some(details.status_message.is_some()));
    assert_eq!(read, Some(true));
    assert_eq!(store.execute(SECOND(59), bob, meeting, &mut |_, _| {}), Err(CommandError::UsersFull));
    assert_eq!(store.execute(SECOND(60), bob, meeting, &mut |_, _| {}), Ok(()));
    let mut read = Vec::new();
    store.read_batch(SECOND(60), &[adele, bob], &mut |user, presence, _| read.push((user, presence)));
    assert_eq!(read, [(adele, Presence::Offline), (bob, Presence::InAMeeting)]);
    // Details beside a store that is under another policy already.
    let users: InlineDirectory<UserId, SessionId, 2, 1> = InlineDirectory::with_policy(Policy::GRAPH);
    let mut store = WithDetails::new((users, &Policy::MIRROR), Map::default());
    let before = store.store.0.cursor();
    store.execute_details(SECOND(0), adele, message("x", SECOND(60)), &mut |_, _| {}).unwrap();
    assert_ne!(store.store.0.cursor(), before, "a change for cursors");
    assert_eq!(store.execute(SECOND(59), bob, meeting, &mut |_, _| {}), Err(CommandError::UsersFull), "pinned");
    store.advance_details(SECOND(60));
    assert_eq!(version(&store, SECOND(60), adele), 2, "unpinned, with the changes");
    store.insert(adele, Details::with_version(5)).unwrap();
    assert_eq!(version(&store, SECOND(60), adele), 7, "restored details are taken over");
    let users: InlineDirectory<UserId, SessionId, 2, 1> = InlineDirectory::with_policy(Policy::GRAPH);
    let mut store = WithDetails::new((users, &Policy::MIRROR), Map::default());
    store.insert(adele, Details::with_version(5)).unwrap();
    assert_eq!(version(&store, SECOND(60), adele), 5, "pinned before");
}

/// Users and details may lie elsewhere, and be borrowed for a command.
#[test]
fn a_store_of_references_is_a_store() {
    let adele = user(ADELE);
    let WithDetails { store: mut users, details: mut map } = one_slot();
    let mut store = WithDetails::new(&mut users, &mut map);
    assert_eq!(store.policy(), &Policy::GRAPH);
    store.execute(SECOND(0), adele, available(TEAMS), &mut |_, _| {}).unwrap();
    store.execute_details(SECOND(0), adele, message("x", SECOND(60)), &mut |_, _| {}).unwrap();
    let mut read = Vec::new();
    store.read_batch(SECOND(0), &[adele], &mut |user, presence, version| read.push((user, presence, version)));
    assert_eq!(read, [(adele, Presence::Available, 1)]);
    assert_eq!((text_of(&store, SECOND(0), adele), version(&store, SECOND(0), adele)), (Some("x".to_owned()), 2));
    store.advance_details(SECOND(60));
    assert!(store.details.0.is_empty());
    assert_eq!(version(&store, SECOND(60), adele), 3);
    let mut store = &mut store;
    assert_eq!(
        Store::execute_details(&mut store, SECOND(61), adele, message("y", Instant::NEVER), &mut |_, _| {}),
        Ok(())
    );
    assert_eq!(text_of(&store, SECOND(61), adele), Some("y".to_owned()));
    assert_eq!(map.0.len(), 1);
}

/// A map learns of every change that leaves something, borrowed as well.
#[test]
fn a_map_receives_changes() {
    #[derive(Default)]
    struct Counting(Map, u32);
    impl DetailsMap for Counting {
        fn get(&self, user: UserId) -> Option<&Details> {
            self.0.get(user)
        }

        fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details> {
            self.0.get_or_insert(user)
        }

        fn remove(&mut self, user: UserId) {
            self.0.remove(user);
        }

        fn next_deadline(&self) -> Option<(Instant, UserId)> {
            self.0.next_deadline()
        }

        fn record_change(&mut self, _: UserId) {
            self.1 += 1;
        }
    }
    let mut map = Counting::default();
    let mut store = WithDetails::new(one_slot().store, &mut map);
    for (text, changes) in [("x", 1), ("y", 2), ("", 2)] {
        store.execute_details(SECOND(0), user(ADELE), message(text, Instant::NEVER), &mut |_, _| {}).unwrap();
        assert_eq!(store.details.1, changes);
    }
}

/// Details over a store that keeps details too pin the users below both.
#[test]
fn a_store_with_details_passes_pins_and_changes_on() {
    let adele = user(ADELE);
    let mut store = WithDetails::new(one_slot(), Map::default());
    let before = store.store.store.cursor();
    store.execute_details(SECOND(0), adele, message("x", SECOND(60)), &mut |_, _| {}).unwrap();
    assert!(store.store.details.0.is_empty() && store.store.store.get(adele).is_some());
    assert_ne!(store.store.store.cursor(), before);
    store.advance_details(SECOND(60));
    assert_eq!(store.store.store.get(adele).map(|user| user.version()), Some(2));
}

/// A store of an application's own keeps no details unless it says how.
#[test]
fn a_store_that_cannot_pin_users_keeps_no_details() {
    struct Other(SingleUserStore<2>);
    impl Store for Other {
        fn policy(&self) -> &Policy {
            self.0.policy()
        }

        fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
            self.0.read(now, user)
        }

        fn execute(
            &mut self,
            now: Instant,
            user: UserId,
            command: Command<SessionId>,
            on_change: &mut dyn FnMut(UserId, &presence_core::Transition<SessionId>),
        ) -> Result<(), CommandError> {
            self.0.execute(now, user, command, on_change)
        }
    }
    let (adele, bob) = (user(ADELE), user(BOB));
    let mut other = Other(SingleUserStore::new(adele, Policy::DESK));
    let command = message("x", Instant::NEVER);
    assert_eq!(other.execute_details(SECOND(0), adele, command, &mut |_, _| {}), Err(DetailsError::Unsupported));
    other.execute(SECOND(0), adele, available(TEAMS), &mut |_, _| {}).unwrap();
    other.record_external_change(adele);
    other.unpin(adele, 1);
    let mut read = Vec::new();
    other.read_batch(SECOND(0), &[bob, adele], &mut |user, presence, version| read.push((user, presence, version)));
    assert_eq!(read, [(bob, Presence::Offline, 0), (adele, Presence::Available, 1)]);
    let mut store = WithDetails::new(other, Map::default());
    assert_eq!(store.execute_details(SECOND(0), adele, command, &mut |_, _| {}), Err(DetailsError::Unsupported));
    assert!(store.details.0.is_empty());
}
