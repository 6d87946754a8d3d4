//! What a shard promises, without threads and sockets: who keeps a place, and what a kill may change: nothing.

use super::flusher::Done;
use super::group::{Group, Record, Rest};
use super::job::Changes;
use super::journal::{Journal, Marks};
use super::journal_index::Book;
use super::pending::{Disk, Pending};
use super::restore;
use super::state::State;
use super::{capacity, layout, shard_of, stored_clock};
use presence_core::details::{DetailsCommand, LocationLayer, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::directory::Cursor;
use presence_core::{Command, Duration, Instant, Presence, SessionId, UserId};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

fn id(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

fn set(lease: u64) -> Command<SessionId> {
    Command::SetPresence {
        session: SessionId::from_bytes([9; 16]),
        presence: Presence::InACall,
        lease: Some(Duration::from_secs(lease)),
    }
}

fn message(text: &str, until: Instant) -> DetailsCommand<'_> {
    DetailsCommand::SetStatusMessage { text, expires_at: until }
}

fn fake() -> (Pending, Receiver<Group>, SyncSender<Done>) {
    let (groups, taken) = sync_channel(1);
    let (done, taken_back) = sync_channel(1);
    (Pending::new(Some(Disk { groups, done: taken_back }), Book::new(2)), taken, done)
}

/// What is asked of a shard with two places: who keeps its place when a third comes, as often or as late time is advanced.
#[test]
fn m4_who_is_forgotten() {
    let run = |advance_at: &[u64]| {
        let mut state = State::new(2);
        state.execute(at(0), id(1), set(300)).unwrap();
        state.tell(at(0), id(1), message("x", at(400))).unwrap();
        state.execute(at(50), id(2), set(300)).unwrap();
        for moment in advance_at {
            while state.advance(at(*moment)) {}
        }
        state.execute(at(1000), id(3), set(300)).unwrap();
        [1, 2].map(|user| state.read(at(1000), id(user)).version)
    };
    assert_eq!(run(&[320, 360, 420]), run(&[]));
}

/// Rules V1, M5: nothing visible changes, so nobody gets a number or a place.
#[test]
fn v1_out_of_office_as_it_was() {
    let mut state = State::new(1);
    state.execute(at(0), id(1), set(300)).unwrap();
    while state.advance(at(300)) {}
    let before = [1, 2].map(|user| state.read(at(300), id(user)).version);
    let out = OutOfOffice { is_out_of_office: false, message: None };
    state.tell(at(300), id(2), DetailsCommand::SetOutOfOffice(out)).unwrap();
    assert_eq!([1, 2].map(|user| state.read(at(300), id(user)).version), before);
}

/// Rule S7: and with every place taken, it is refused.
#[test]
fn s9_out_of_office_as_it_was_needs_no_room() {
    let mut state = State::new(1);
    state.execute(at(0), id(1), set(300)).unwrap();
    let out = OutOfOffice { is_out_of_office: false, message: None };
    state.tell(at(1), id(2), DetailsCommand::SetOutOfOffice(out)).unwrap();
}

/// Rule V1: one number, one object.
#[test]
fn v1_changes_tell_what_reads_tell() {
    let mut state = State::new(2);
    state.execute(at(0), id(1), set(300)).unwrap();
    state.tell(at(0), id(1), message("x", at(400))).unwrap();
    let shown = |shown: &super::job::Shown| {
        let told = shown.told.as_ref();
        (shown.version + told.map_or(0, |told| told.version()), shown.presence, told.is_some())
    };
    let on_time = state.read(at(350), id(1));
    let Changes::Users(users) = state.changes_since(at(450), Cursor::START) else { panic!() };
    let late = shown(&users[0].0);
    assert!(late.0 != shown(&on_time).0 || late == shown(&on_time), "{late:?} {:?}", shown(&on_time));
}

/// A read tells of what is not durable.
#[test]
fn who_lost_its_place_is_not_durable_either() {
    let mut state = State::new(1);
    let (mut pending, groups, done) = fake();
    state.execute(at(0), id(1), set(300)).unwrap();
    pending.touch(&state.users, id(1));
    pending.hand_over(&mut state, at(0), 0);
    done.send(Done { group: groups.recv().unwrap(), oldest: vec![] }).unwrap();
    pending.discard_last(&state);
    assert!(!pending.has_any());
    assert_eq!(state.read(at(300), id(1)).version, 2);
    // The other takes its place; nothing is durable yet.
    state.execute(at(300), id(2), set(300)).unwrap();
    pending.touch(&state.users, id(2));
    assert_eq!(state.read(at(300), id(1)).version, 0);
    assert!(pending.has(id(1)), "a read of it is answered at once, and a kill undoes it");
    pending.hand_over(&mut state, at(300), 0);
    assert!(pending.has(id(1)), "while it is written, too");
}

/// Rows that are written must not lose what still is.
#[test]
fn what_is_told_is_written_though_something_of_it_is_overdue() {
    let mut state = State::new(2);
    let (mut pending, groups, _done) = fake();
    state.tell(at(0), id(1), message("x", at(10))).unwrap();
    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
    let location = DetailsCommand::SetLocation { layer: LocationLayer::Manual, place, until: at(20) };
    state.tell(at(0), id(1), location).unwrap();
    state
        .tell(at(0), id(1), DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: true, message: None }))
        .unwrap();
    state.kept.take_changed();
    state.execute(at(0), id(2), set(300)).unwrap();
    // No room: what is due is carried out to make some, the message of the first among it.
    assert!(state.execute(at(10), id(3), set(300)).is_err());
    // In the same turn of the writer a virtual clock goes on, and the group is full.
    pending.hand_over(&mut state, at(30), 30_000);
    let group = groups.recv().unwrap();
    let told: Vec<usize> = group.rows().filter(|row| row.record == Record::Told).map(|row| row.bytes.len()).collect();
    assert!(state.kept.get(id(1)).is_some_and(|told| told.out_of_office().is_out_of_office));
    assert!(told.iter().all(|len| *len > 0), "{told:?}");
}

/// Rule S9: what is due frees its room, also at a start with fewer places.
#[test]
fn s9_messages_that_are_over_take_no_room_after_a_restart() {
    let own = tempfile::TempDir::new().unwrap();
    let mut journal = Journal::create(&own.path().join("x.sqlite")).unwrap();
    let mut state = State::new(2);
    let (mut pending, groups, _done) = fake();
    for user in [1, 2] {
        state.tell(at(0), id(user), message("x", at(10))).unwrap();
    }
    pending.touch_changed(&mut state);
    pending.hand_over(&mut state, at(0), 0);
    journal.commit(&groups.recv().unwrap()).unwrap();
    for (users, now) in [(2, 5), (2, 20), (1, 20)] {
        let outcome = restore::load(&journal, &mut State::new(users), &mut Book::new(users), at(now));
        assert!(outcome.is_ok(), "{users} {now}: {outcome:?}");
    }
}

/// Pages of different moments, after damage while the log is moved into the file, can lack what is whole otherwise.
#[test]
fn what_is_missing_is_told() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    // Five rows in one group, the two oldest of which go with the next.
    let mut journal = Journal::create(&path).unwrap();
    for (number, oldest, rows) in [(1, 1, 1..=5), (2, 3, 6..=8)] {
        let mut group = Group::default();
        group.rest = Rest { oldest, marks: number };
        group.marks = Some(Marks { number, ..Marks::default() });
        rows.for_each(|row| group.push(row, Record::User, id(1), at(0), &[7]));
        journal.commit(&group).unwrap();
    }
    journal.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for (damage, expected) in [
        ("DELETE FROM log WHERE row = 0", Ok((3, 8))),
        // The end was cut.
        ("DELETE FROM log WHERE row = 8", Ok((3, 7))),
        ("DELETE FROM log WHERE row > 5", Err("Gap(3)")),
        ("DELETE FROM log WHERE row = 3", Err("Gap(4)")),
        ("DELETE FROM log WHERE row = 6", Err("Gap(7)")),
        ("DELETE FROM marks", Err("Marks")),
        ("UPDATE marks SET number = 3", Err("Damaged(0)")),
    ] {
        std::fs::write(&path, &whole).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute(damage, []).unwrap();
        let rows = Journal::open(&path).unwrap().read(|_, _, _| ()).map_err(|error| format!("{error:?}"));
        assert_eq!(rows, expected.map_err(str::to_owned), "{damage}");
    }
}

/// Nor may pages that are read well be written to, if they are used twice.
#[test]
fn pages_that_do_not_fit_each_other_are_told() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    Journal::create(&path).unwrap().close().unwrap();
    let mut content = std::fs::read(&path).unwrap();
    // How many pages are free, says the head of the file.
    content[39] += 1;
    std::fs::write(&path, content).unwrap();
    let told = Journal::open(&path).map_err(|error| error.to_string()).unwrap_err();
    assert!(told.starts_with("damaged: ") && told.contains("reelist"), "{told}");
}

/// Whatever is done, and wherever it is cut off: what is durable is what was when the group was closed, and who is read
/// without waiting reads the same after a kill.
#[test]
fn a_kill_at_any_moment() {
    let own = tempfile::TempDir::new().unwrap();
    for seed in 0..20u32 {
        let mut journal = Journal::create(&own.path().join(format!("{seed}.sqlite"))).unwrap();
        const ROOM: usize = 3;
        let mut state = State::new(ROOM);
        let (groups, taken) = sync_channel(1);
        let (done, taken_back) = sync_channel(1);
        let mut pending = Pending::new(Some(Disk { groups, done: taken_back }), Book::new(ROOM));
        let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 12) % below
        };
        let mut now = at(0);
        let see = |state: &State, now| {
            (1..8)
                .map(|user| {
                    let shown = state.read(now, id(user));
                    let told = shown.told.as_ref();
                    (
                        shown.presence,
                        shown.version + told.map_or(0, |told| told.version()),
                        told.map(|told| (**told).clone()),
                    )
                })
                .collect::<Vec<_>>()
        };
        let restored = |journal: &Journal, now| {
            let mut state = State::new(ROOM);
            restore::load(journal, &mut state, &mut Book::new(ROOM), now).unwrap();
            state
        };
        let (mut taken, mut done) = (taken, done);
        let mut in_flight: Option<Group> = None;
        for step in 0..400 {
            let user = id(1 + next(7) as u8);
            if next(40) == 0 {
                // Killed, and started again.
                let (groups, fresh_taken) = sync_channel(1);
                let (fresh_done, taken_back) = sync_channel(1);
                let mut book = Book::new(ROOM);
                state = State::new(ROOM);
                restore::load(&journal, &mut state, &mut book, now).unwrap();
                pending = Pending::new(Some(Disk { groups, done: taken_back }), book);
                (taken, done, in_flight) = (fresh_taken, fresh_done, None);
            }
            match next(13) {
                12 => {
                    let out = OutOfOffice { is_out_of_office: next(2) == 0, message: None };
                    let _ = state.tell(now, user, DetailsCommand::SetOutOfOffice(out));
                    pending.touch_changed(&mut state);
                }
                0 | 1 => {
                    if let Ok(true) = state.execute(now, user, set(300 + 60 * u64::from(next(5)))) {
                        pending.touch(&state.users, user);
                    }
                }
                2 => {
                    let prefer = Command::SetPreferredPresence {
                        presence: Presence::Busy,
                        duration: Some(Duration::from_secs(u64::from(next(500)) + 1)),
                    };
                    if let Ok(true) = state.execute(now, user, prefer) {
                        pending.touch(&state.users, user);
                    }
                }
                3 => {
                    let clear = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };
                    if let Ok(true) = state.execute(now, user, clear) {
                        pending.touch(&state.users, user);
                    }
                }
                4 | 5 => {
                    let until = now.saturating_add(Duration::from_secs(u64::from(next(400))));
                    let _ = state.tell(now, user, message("x", until));
                    pending.touch_changed(&mut state);
                }
                6 => {
                    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
                    let until = now.saturating_add(Duration::from_secs(u64::from(next(400))));
                    let layer = if next(2) == 0 { LocationLayer::Manual } else { LocationLayer::Automatic };
                    let _ = state.tell(now, user, DetailsCommand::SetLocation { layer, place, until });
                    pending.touch_changed(&mut state);
                }
                7 => {
                    let _ = state.tell(now, user, message("", Instant::NEVER));
                    pending.touch_changed(&mut state);
                }
                8 => {
                    now = now.saturating_add(Duration::from_secs(u64::from(next(200))));
                    // Time is advanced late, sometimes.
                    if next(3) > 0 {
                        while state.advance(now) {}
                        pending.touch_changed(&mut state);
                    }
                }
                9 | 10 => {
                    if in_flight.is_none() {
                        let before = see(&state, now);
                        pending.hand_over(&mut state, now, 0);
                        assert_eq!(see(&state, now), before);
                        in_flight = taken.try_recv().ok();
                    }
                }
                _ => {
                    if let Some(group) = in_flight.take() {
                        journal.commit(&group).unwrap();
                        let oldest = if group.look_at == 0 { vec![] } else { journal.oldest(group.look_at).unwrap() };
                        done.send(Done {
                            group: {
                                let mut group = group;
                                group.clear();
                                group
                            },
                            oldest,
                        })
                        .unwrap();
                        pending.discard_last(&state);
                    }
                }
            }
            // A kill, now.
            let after = restored(&journal, now);
            let (live, after_kill) = (see(&state, now), see(&after, now));
            for user in 1..8u8 {
                let place = usize::from(user) - 1;
                if pending.has(id(user)) || live[place] == after_kill[place] {
                    continue;
                }
                panic!("seed {seed} step {step} user {user}: {:?} then {:?}", live[place], after_kill[place]);
            }
            if !pending.has_any() && in_flight.is_none() {
                assert_eq!(live, after_kill, "seed {seed} step {step}");
            }
        }
        let rows = journal.oldest(100_000).unwrap().len();
        assert!(rows < 60, "{rows}");
    }
}

/// Rows go only when others are written, so those that are looked at when none are must not count twice.
#[test]
fn old_rows_go_though_groups_without_rows_come_between() {
    let own = tempfile::TempDir::new().unwrap();
    let mut journal = Journal::create(&own.path().join("x.sqlite")).unwrap();
    // Far more rows than are wanted, as a start with far fewer users finds them.
    let mut group = Group::default();
    (1..=3000).for_each(|row| group.push(row, Record::User, id(255), at(0), &[]));
    journal.commit(&group).unwrap();
    let (mut state, mut book) = (State::new(100), Book::new(100));
    restore::load(&journal, &mut state, &mut book, at(0)).unwrap();
    let (groups, taken) = sync_channel(1);
    let (done, taken_back) = sync_channel(1);
    let mut pending = Pending::new(Some(Disk { groups, done: taken_back }), book);
    for turn in 0..200 {
        let now = at(turn);
        if turn % 2 == 0 {
            for user in (1..=100).map(id) {
                state.execute(now, user, set(300 + turn % 7)).unwrap();
                pending.touch(&state.users, user);
            }
        } else {
            pending.answer(super::job::Answer::Advanced(tokio::sync::oneshot::channel().0), true);
        }
        pending.hand_over(&mut state, now, 0);
        let mut group = taken.recv().unwrap();
        journal.commit(&group).unwrap();
        let oldest = if group.look_at == 0 { vec![] } else { journal.oldest(group.look_at).unwrap() };
        group.clear();
        done.send(Done { group, oldest }).unwrap();
        pending.discard_last(&state);
    }
    let rows = journal.oldest(100_000).unwrap().len();
    assert!(rows <= 400, "{rows}");
}

/// No clock starts before anything that is stored, in whatever order it was written.
#[test]
fn the_newest_moment_is_kept_by_another_number_of_shards() {
    let own = tempfile::TempDir::new().unwrap();
    for shards in [1, 2, 1] {
        let mut journals = layout::open(own.path(), shards).unwrap().journals;
        if stored_clock(&journals).unwrap().0 == Instant::ZERO {
            let mut group = Group::default();
            group.push(1, Record::User, id(1), at(5), &[7]);
            group.push(2, Record::User, id(2), at(6), &[7]);
            journals[0].commit(&group).unwrap();
        }
        assert_eq!(stored_clock(&journals).unwrap().0, at(6), "{shards}");
    }
}

#[test]
fn users_are_spread_evenly_over_shards() {
    for shards in [1, 2, 3, 16] {
        let mut counts = vec![0usize; shards];
        for number in 0..16_000u32 {
            // Ids that differ in one place only, as made by hand.
            let user = format!("fa8bf3dc-eca7-46b7-bad1-db19{number:08x}").parse().unwrap();
            counts[shard_of(user, shards)] += 1;
        }
        let room = capacity(16_000, shards);
        assert!(counts.iter().all(|count| *count <= room), "{counts:?} > {room}");
    }
}

#[test]
fn one_shard_has_room_for_exactly_as_many_users_as_asked() {
    assert_eq!(capacity(5, 1), 5);
    assert!(capacity(1000, 4) * 4 >= 1000);
}
