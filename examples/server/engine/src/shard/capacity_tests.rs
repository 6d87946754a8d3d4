//! Tests of a start with fewer or more shards, or fewer users, than what is stored needs: it always fits.

use super::job::Job;
use super::journal_index::JournalIndex;
use super::restore;
use super::running::{CREATOR, FULL, MAX_SHARDS, Running, USERS, at, fill, quota, set, user};
use super::tests::time;
use super::user_limit::UserLimit;
use super::writer::MAX_STEPS;
use crate::journal::sqlite::SqliteJournal;
use crate::testing::edges;
use presence_core::details::{DetailsCommand, DetailsError};
use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence, SessionId};
use std::sync::Arc;

/// A state with the default number of sessions of a user.
type State = super::state::State<8>;

fn new_state(users: usize) -> State {
    State::new(users, Arc::new(UserLimit::new(users)), quota())
}

#[test]
fn a_full_server_starts_with_every_number_of_shards_and_any_limit() {
    let own = tempfile::TempDir::new().unwrap();
    for before in 1..=MAX_SHARDS {
        let directory = own.path().join(before.to_string());
        let running = Running::start(&directory, before, USERS, at(100));
        let users = fill(&running);
        assert_eq!(users.len(), USERS, "it is full");
        let shown = running.shown(&users);
        running.stop();
        for (after, limit) in (1..=MAX_SHARDS).rev().zip([1, USERS, 7, 1, USERS]) {
            let running = Running::start(&directory, after, limit, at(100));
            assert_eq!(running.shown(&users), shown, "{before} shards, then {after} with {limit} users");
            running.stop();
        }
    }
}

/// New users are limited as asked, however many there are: commands that store nothing are not rejected.
#[test]
fn s9_new_users_are_limited_until_fewer_are_stored() {
    let own = tempfile::TempDir::new().unwrap();
    let running = Running::start(own.path(), 1, 4, at(100));
    let [ada, bob, cleo, dan, eve] = [1, 2, 3, 4, 5].map(user);
    running.execute(ada, set(3600)).unwrap();
    running.execute(bob, set(3600)).unwrap();
    running.set_message(cleo, "away", Instant::NEVER).unwrap();
    running.execute(dan, set(300)).unwrap();
    running.stop();

    let running = Running::start(own.path(), 1, 2, at(200));
    assert_eq!(
        running.shown(&[ada, bob, cleo, dan]).iter().filter(|shown| shown.1 > 0 || shown.2.is_some()).count(),
        4
    );
    let assert_full = || {
        assert_eq!(running.execute(eve, set(300)), FULL);
        assert_eq!(running.set_message(eve, "x", Instant::NEVER), Err(DetailsError::UsersFull.into()));
        assert_eq!(running.set_message(eve, "", Instant::NEVER), Ok(()), "it stores nothing");
        assert_eq!(running.set_message(eve, "x", at(1)), Ok(()), "it has expired");
        assert_eq!(running.execute(eve, Command::ClearPreferredPresence), Ok(()));
        let clear = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };
        assert_eq!(running.execute(eve, clear), Err(CommandError::NotFound.into()));
        let short = Command::SetPresence {
            session: SessionId::from_bytes([1; 16]),
            presence: Presence::Away,
            lease: Some(Duration::from_secs(1)),
        };
        assert_eq!(running.execute(eve, short), Err(CommandError::Lease.into()), "the first error counts");
        assert_eq!(running.read(eve).version, 0);
    };
    assert_full();
    // Those who are stored go on as before.
    running.execute(ada, set(3600)).unwrap();
    running.set_message(ada, "hello", Instant::NEVER).unwrap();
    running.execute(cleo, set(3600)).unwrap();
    // One leaves by himself, and may not come back either.
    running.ask(dan, |to| Job::Advance(at(500), to));
    assert_eq!(running.read(dan).presence, Presence::Offline);
    assert_full();
    assert_eq!(running.execute(dan, set(300)), FULL);
    let session = SessionId::from_bytes([9; 16]);
    running.execute(bob, Command::ClearPresence { session }).unwrap();
    assert_full();
    // Two are left of two, then one.
    running.execute(cleo, Command::ClearPresence { session }).unwrap();
    running.set_message(cleo, "", Instant::NEVER).unwrap();
    running.execute(eve, set(300)).unwrap();
    assert_eq!(running.execute(dan, set(300)), FULL);
    assert_eq!(running.read(eve).presence, Presence::InACall);
    // A restart has room for them, and nothing to grow for.
    running.stop();
    let running = Running::start(own.path(), 1, 2, at(500));
    assert_eq!(running.shown(&[ada, eve]).iter().filter(|shown| shown.0 == Presence::InACall).count(), 2);
    assert_eq!(running.execute(dan, set(300)), FULL);
    running.stop();
}

/// A new user gets the slot of one who leaves at that moment, however many leave, and how.
#[test]
fn s9_what_is_due_frees_its_slot_first() {
    // The slots of a shard are all taken, or the limit of all shards is reached; an application's users count for it as well.
    let shapes = [(0, None), (1, None), (0, CREATOR), (1, CREATOR)];
    for (users, (spare, creator)) in edges(MAX_STEPS).into_iter().flat_map(|users| shapes.map(|shape| (users, shape))) {
        let mut state = State::new(users + spare, Arc::new(UserLimit::new(users)), quota());
        for number in 0..users as u32 {
            let (user, expires_at) = (user(number), at(400));
            if number % 2 == 0 {
                state.execute_for(at(100), creator, user, set(300), &Policy::GRAPH).unwrap();
            } else {
                let command = DetailsCommand::SetStatusMessage { text: "away", expires_at };
                state.execute_details_for(at(100), creator, user, command).unwrap();
            }
        }
        let [late, one, two] = [0, 1, 2].map(|number| user(users as u32 + number));
        assert_eq!(
            state.execute_for(at(399), creator, late, set(300), &Policy::GRAPH),
            Err(CommandError::UsersFull.into())
        );
        assert_eq!(state.execute_for(at(400), creator, one, set(300), &Policy::GRAPH), Ok(true), "of {users}");
        let command = DetailsCommand::SetStatusMessage { text: "away", expires_at: at(500) };
        assert_eq!(state.execute_details_for(at(400), creator, two, command), Ok(()), "of {users}");
    }
}

/// Users who have expired need no slot, whatever is left of them in the journal.
#[test]
fn s9_a_directory_grows_only_to_what_is_left() {
    let own = tempfile::TempDir::new().unwrap();
    let running = Running::start(own.path(), 1, USERS, at(100));
    for number in 0..USERS as u32 {
        let (user, until) = (user(number), 300 * (1 + u64::from(number) % 7));
        match number % 2 {
            0 => running.execute(user, set(until)).unwrap(),
            _ => running.set_message(user, "x", at(100 + until)).unwrap(),
        }
    }
    running.stop();
    let path = own.path().join("journal-1-0.sqlite");
    for (now, limit) in [(100, 1), (500, 1), (500, 60), (900, 10), (1300, 60), (2199, 1), (2200, 1)] {
        let journal = SqliteJournal::open(&path).unwrap();
        let left = (0..USERS as u64).filter(|number| 100 + 300 * (1 + number % 7) > now).count();
        let (state, _) = restore::load_all(&journal, new_state(limit), time(at(now))).unwrap();
        assert_eq!((state.stored_users(), state.users.capacity()), (left, left.max(limit)), "{limit} at {now}");
    }
    let journal = SqliteJournal::open(&path).unwrap();
    let mut index = JournalIndex::new(3);
    let outcome = restore::load(&journal, &mut new_state(3), &mut index, time(at(100)));
    assert!(matches!(outcome, Err(restore::LoadError::Full)), "without growing it would not fit");
}
