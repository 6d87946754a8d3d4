//! Tests of users with chosen ids, of the key that spreads them, and of moves to other shards.

use super::job::Job;
use super::running::{FULL, MAX_SHARDS, NO_ROOM, Running, USERS, at, fill, set, user};
use super::slots;
use crate::data;
use crate::data::moves;
use crate::data::spread::Spread;
use presence_core::{Command, Presence, SessionId, UserId};
use std::path::Path;

/// Returns the ids that an earlier version of the server puts into one shard of this many.
fn chosen(shards: usize) -> impl Iterator<Item = UserId> {
    (0..).map(user).filter(move |user| Spread::unkeyed(shards).of(*user) == shards - 1)
}

/// Anyone may choose ids that all belong to one shard of a hash without a key: they fill no shard before the server is full.
#[test]
fn s9_chosen_ids_are_accepted_up_to_the_limit() {
    let own = tempfile::TempDir::new().unwrap();
    for shards in 1..=MAX_SHARDS {
        let directory = own.path().join(shards.to_string());
        let running = Running::start(&directory, shards, 200, at(100));
        let users: Vec<_> = chosen(shards).take(201).collect();
        let (last, users) = users.split_last().unwrap();
        users.iter().for_each(|user| running.execute(*user, set(3600)).unwrap());
        assert_eq!(running.execute(*last, set(3600)), FULL);
        running.stop();
        let running = Running::start(&directory, shards, 200, at(100));
        assert!(running.shown(users).iter().all(|shown| shown.0 == Presence::InACall));
        assert_eq!(running.execute(*last, set(3600)), FULL, "also after a restart");
        assert!(!running.shards.spread.is_guessable());
        running.stop();
    }
}

/// As an attacker would fill a server of 10,000 users: with ids that a hash without a key puts into one shard.
#[test]
fn s9_all_of_ten_thousand_slots_are_filled_with_chosen_ids() {
    const USERS: usize = 10_000;
    let own = tempfile::TempDir::new().unwrap();
    for shards in [2, 5] {
        let running = Running::start(&own.path().join(shards.to_string()), shards, USERS, at(100));
        let users: Vec<_> = chosen(shards).take(USERS + 500).collect();
        let outcomes = running.execute_all(&users, set(3600));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), USERS);
        assert!(outcomes.iter().all(|outcome| outcome.is_ok() || *outcome == FULL));
        running.stop();
    }
}

/// Where users cannot be moved, or somebody has found out which ids belong together, a shard gets more slots while it runs.
#[test]
fn s9_a_shard_without_a_key_grows_to_the_limit() {
    let own = tempfile::TempDir::new().unwrap();
    make_unkeyed(own.path(), 3, &chosen(3).take(1).collect::<Vec<_>>());
    let running = Running::start_on(&NO_ROOM, own.path(), 3, 200, at(100));
    assert!(slots(200, 3) < 150, "it must grow");
    let users: Vec<_> = chosen(3).take(201).collect();
    let (last, users) = users.split_last().unwrap();
    // Somebody who has left, and loses its slot meanwhile.
    let clear = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };
    let idle = chosen(3).nth(500).unwrap();
    for command in [set(600), clear, set(600), clear] {
        running.execute(idle, command).unwrap();
    }
    for (number, user) in users.iter().enumerate() {
        if number % 3 > 0 {
            running.execute(*user, set(600)).unwrap();
        }
        if number % 3 < 2 {
            running.set_message(*user, "away", at(5000)).unwrap();
        }
    }
    assert_eq!(running.execute(*last, set(3600)), FULL);
    // Until all earlier rows were reviewed, and those that count written again.
    (0..500).for_each(|_| running.execute(users[1], set(600)).unwrap());
    let shown = running.shown(users);
    assert!(shown.iter().enumerate().all(|(number, shown)| shown.2.is_some() == (number % 3 < 2)), "{shown:?}");
    running.stop();
    let running = Running::start_on(&NO_ROOM, own.path(), 3, 200, at(100));
    assert_eq!(running.shown(users), shown, "rows and slots belong together");
    assert_eq!(running.execute(*last, set(3600)), FULL);
    // Deadlines have moved too: those who have no message leave.
    running.ask(users[0], |to| Job::Advance(at(4000), to));
    let left = running.shown(users);
    assert!(left.iter().enumerate().all(|(number, shown)| shown.2.is_some() == (number % 3 < 2)));
    running.execute(*last, set(3600)).unwrap();
    running.execute(idle, set(3600)).unwrap();
    let version = running.read(idle).version;
    assert!(version > 4, "{version} is used again");
    running.stop();
}

/// The limit is exact whoever comes first: many threads fill all shards at once, users leave, and others take their slots.
#[test]
fn s9_the_limit_is_exact_while_all_shards_are_filled_at_once() {
    const THREADS: u32 = 4;
    let own = tempfile::TempDir::new().unwrap();
    let session = SessionId::from_bytes([9; 16]);
    for shards in 1..=MAX_SHARDS {
        let directory = own.path().join(shards.to_string());
        let mut limit = USERS;
        let mut stored: Vec<UserId> = Vec::new();
        for round in 0..4 {
            let running = Running::start(&directory, shards, limit, at(100));
            let fill = |thread: u32| -> Vec<UserId> {
                let users = (0..USERS as u32).map(|number| user(round * 10_000 + thread * 1000 + number));
                users.filter(|user| running.execute(*user, set(3600)).is_ok()).collect()
            };
            let accepted: Vec<UserId> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || fill(thread))).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(accepted.len(), limit.saturating_sub(stored.len()), "{shards} shards, round {round}");
            stored.extend(accepted);
            // All but ten leave; more are left than the next limit allows in the last round.
            let leaving = stored.len().min(if round == 2 { 5 } else { USERS - 10 });
            for user in stored.drain(..leaving) {
                running.execute(user, Command::ClearPresence { session }).unwrap();
            }
            limit = if round == 2 { 7 } else { USERS + round as usize };
            running.stop();
        }
        let running = Running::start(&directory, shards, 100, at(100));
        assert!(running.shown(&stored).iter().all(|shown| shown.0 == Presence::InACall));
        running.stop();
    }
}

/// Data of an earlier version of the server has no key. Its users are moved once, and their chosen ids do no harm then.
#[test]
fn data_without_a_key_is_moved_once() {
    let own = tempfile::TempDir::new().unwrap();
    let users: Vec<_> = chosen(4).take(USERS).collect();
    make_unkeyed(own.path(), 4, &users);
    let stored = || std::fs::read_to_string(own.path().join("shards")).unwrap();
    assert_eq!(stored(), "4\n");
    let running = Running::start(own.path(), 4, USERS, at(100));
    assert!(running.shown(&users).iter().all(|shown| shown.0 == Presence::InACall));
    assert_eq!(running.execute(user(100_000), set(300)), FULL);
    running.stop();
    let moved = stored();
    assert!(Spread::parse(&moved).is_some_and(|spread| !spread.is_guessable()), "it has a key");
    let names = std::fs::read_dir(own.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.filter(|name| name.starts_with("journal-")).all(|name| name.starts_with("journal-keyed-4-")));
    Running::start(own.path(), 4, USERS, at(100)).stop();
    assert_eq!(stored(), moved, "the key stays");
}

/// Fills a directory as an earlier version of the server did: by the hash without a key.
fn make_unkeyed(directory: &Path, shards: usize, users: &[UserId]) {
    let running = Running::start(directory, 1, users.len(), at(100));
    users.iter().for_each(|user| running.execute(*user, set(3600)).unwrap());
    running.stop();
    moves::move_to(directory, Spread::unkeyed(shards)).unwrap();
}

/// Room is looked at before anything is written.
#[test]
fn users_stay_where_they_are_without_room_to_move_them() {
    let own = tempfile::TempDir::new().unwrap();
    let users: Vec<_> = chosen(3).take(USERS).collect();
    make_unkeyed(own.path(), 3, &users);
    let names = || {
        let entries = std::fs::read_dir(own.path()).unwrap().map(|entry| entry.unwrap().file_name());
        entries.collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    for shards in [2, 3] {
        let data = data::open_on(&NO_ROOM, own.path(), shards).unwrap();
        assert_eq!((data.spread, data.journals.len()), (Spread::unkeyed(3), 3));
        drop(data);
        assert_eq!(names(), before);
    }
    let running = Running::start(own.path(), 2, USERS, at(100));
    assert!(running.shown(&users).iter().all(|shown| shown.0 == Presence::InACall));
    running.stop();
}

/// A copy with journals of one time and the key of another, or a damaged key: each user would be looked for in the wrong journal.
#[test]
fn journals_of_another_key_are_rejected() {
    let own = tempfile::TempDir::new().unwrap();
    let original = own.path().join("original");
    let running = Running::start(&original, 3, USERS, at(100));
    let users: Vec<_> = (0..20).map(user).collect();
    users.iter().for_each(|user| running.execute(*user, set(3600)).unwrap());
    let shown = running.shown(&users);
    running.stop();
    let text = std::fs::read_to_string(original.join("shards")).unwrap();
    let digit = if text.ends_with("0\n") { "1\n" } else { "0\n" };
    // Also where the users would be moved.
    for count in [3, 2, 1] {
        let directory = own.path().join(count.to_string());
        copy(&original, &directory);
        std::fs::write(directory.join("shards"), [&text[..text.len() - 2], digit].concat()).unwrap();
        let outcome = Running::try_start(&directory, count, USERS, at(100));
        let message = outcome.err().expect("the data is accepted").to_string();
        assert!(message.contains("belongs to another shard"), "{message}");
        if count != 3 {
            std::fs::write(directory.join("shards"), &text).unwrap();
            let running = Running::start(&directory, 3, USERS, at(100));
            assert_eq!(running.shown(&users), shown, "nothing was changed");
            running.stop();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A start moves the users to other journals first. A kill leaves some of the new ones, or all, or the old ones too.
#[test]
fn a_kill_in_the_middle_of_a_move_loses_nothing() {
    let own = tempfile::TempDir::new().unwrap();
    let original = own.path().join("original");
    let running = Running::start(&original, 3, USERS, at(100));
    let users = fill(&running);
    let shown = running.shown(&users);
    running.stop();
    assert_killed_move_loses_nothing(&original, 2, &users, &shown);
}

#[test]
fn a_kill_in_the_middle_of_a_move_to_a_key_loses_nothing() {
    let own = tempfile::TempDir::new().unwrap();
    let original = own.path().join("original");
    let users: Vec<_> = chosen(3).take(20).collect();
    make_unkeyed(&original, 3, &users);
    let running = Running::start(&original, 1, USERS, at(100));
    let shown = running.shown(&users);
    running.stop();
    moves::move_to(&original, Spread::unkeyed(3)).unwrap();
    assert_killed_move_loses_nothing(&original, 3, &users, &shown);
}

/// Asserts that a start of this many shards on data may be killed at any moment.
fn assert_killed_move_loses_nothing(
    original: &Path,
    shards: usize,
    users: &[UserId],
    shown: &[(Presence, u64, Option<String>)],
) {
    let own = tempfile::TempDir::new().unwrap();
    let moved = own.path().join("moved");
    copy(original, &moved);
    Running::start(&moved, shards, 1, at(100)).stop();
    let spread = |directory: &Path| {
        let text = std::fs::read_to_string(directory.join("shards")).unwrap();
        (Spread::parse(&text).unwrap(), text)
    };
    let (before, after) = (spread(original), spread(&moved));
    let names = |directory: &Path| {
        let names =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("journal-")).collect::<Vec<_>>()
    };
    assert_eq!((names(original).len(), names(&moved).len()), (before.0.len(), shards));
    let cut = |path: &Path, part: u64| {
        let len = std::fs::metadata(path).unwrap().len();
        std::fs::File::options().write(true).open(path).unwrap().set_len(len * part / 4).unwrap();
    };
    // The stored spread decides which journals count; the others are whole, cut off, or only a part of them is there.
    let left = [(&before, 0), (&before, 1), (&before, 3), (&before, 4), (&after, 4), (&after, 1)];
    for (round, ((spread, text), part)) in left.into_iter().enumerate() {
        for others in 1..=2 {
            let directory = own.path().join(format!("killed-{round}-{others}"));
            copy(original, &directory);
            copy(&moved, &directory);
            std::fs::write(directory.join("shards"), text).unwrap();
            for (index, name) in names(&directory).iter().filter(|name| !spread.has_file(name)).enumerate() {
                if index < others {
                    cut(&directory.join(name), part);
                } else {
                    std::fs::remove_file(directory.join(name)).unwrap();
                }
            }
            for next in [2, 1, 3] {
                let running = Running::start(&directory, next, 1, at(100));
                assert_eq!(running.shown(users), shown, "{spread:?} {part} {others}: {next}");
                running.stop();
            }
        }
    }
}
