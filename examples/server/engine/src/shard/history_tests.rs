//! Random histories of a shard and its journal: kills at any moment, and rows that no longer count.

use super::commit::Commit;
use super::flusher::Flushed;
use super::journal_index::JournalIndex;
use super::pending::Pending;
use super::restore;
use super::tests::{append, at, count_rows, empty_state, flush, id, message, pending, set, time};
use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Group, Journal, Record, Row};
use presence_core::details::{DetailsCommand, LocationLayer, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId};
use std::ops::ControlFlow;

/// A state with the default number of sessions of a user.
type State = super::state::State<8>;

/// Random commands and kills. The durable state is that of the last flushed group, and a read that need not wait shows the
/// same after a kill.
#[test]
fn a_kill_at_any_moment_changes_no_read_that_did_not_wait() {
    let own = tempfile::TempDir::new().unwrap();
    for seed in 0..20u32 {
        let journal = SqliteJournal::create(&own.path().join(format!("{seed}.sqlite"))).unwrap();
        const CAPACITY: usize = 3;
        let mut state = empty_state(CAPACITY);
        let (mut pending, mut submitted, mut flushed) = self::pending(JournalIndex::new(CAPACITY));
        let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 12) % below
        };
        let mut now = at(0);
        let read_all = |state: &State, now| {
            (1..8)
                .map(|user| {
                    let view = state.read(now, id(user));
                    let details = view.details.as_ref();
                    (
                        view.presence,
                        view.version + details.map_or(0, |details| details.version()),
                        details.map(|details| (**details).clone()),
                        format!("{:?}", state.explain(now, id(user))),
                        state.creators.get(id(user)).filter(|_| !state.is_empty(now, id(user))),
                    )
                })
                .collect::<Vec<_>>()
        };
        let restored = |journal: &SqliteJournal, now| {
            let mut state = empty_state(CAPACITY);
            restore::load(journal, &mut state, &mut JournalIndex::new(CAPACITY), time(now)).unwrap();
            state
        };
        let mut in_flight: Option<Commit> = None;
        for step in 0..400 {
            let user = id(1 + next(7) as u8);
            if next(40) == 0 {
                // Killed, and started again.
                let mut index = JournalIndex::new(CAPACITY);
                state = empty_state(CAPACITY);
                restore::load(&journal, &mut state, &mut index, time(now)).unwrap();
                (pending, submitted, flushed) = self::pending(index);
                in_flight = None;
            }
            match next(15) {
                14 => {
                    state.erase(now, user);
                    pending.mark_erased(&mut state, user);
                }
                13 => {
                    if let Ok(true) = state.sign_out(now, user) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                12 => {
                    let out = OutOfOffice { is_out_of_office: next(2) == 0, message: None };
                    let _ = state.execute_details(now, user, DetailsCommand::SetOutOfOffice(out));
                    pending.mark_changed_details(&mut state);
                }
                0 | 1 => {
                    let (set, creator) =
                        (set(300 + 60 * u64::from(next(5))), SessionId::from_bytes([next(3) as u8; 16]));
                    if let Ok(true) = state.execute_for(now, Some(creator), user, set, &Policy::GRAPH) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                2 => {
                    let set_preferred = Command::SetPreferredPresence {
                        presence: Presence::Busy,
                        duration: Some(Duration::from_secs(u64::from(next(500)) + 1)),
                    };
                    if let Ok(true) = state.execute(now, user, set_preferred) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                3 => {
                    let clear = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };
                    if let Ok(true) = state.execute(now, user, clear) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                4 | 5 => {
                    let until = now.saturating_add(Duration::from_secs(u64::from(next(400))));
                    let _ = state.execute_details(now, user, message("x", until));
                    pending.mark_changed_details(&mut state);
                }
                6 => {
                    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
                    let until = now.saturating_add(Duration::from_secs(u64::from(next(400))));
                    let layer = if next(2) == 0 { LocationLayer::Manual } else { LocationLayer::Automatic };
                    let _ = state.execute_details(now, user, DetailsCommand::SetLocation { layer, place, until });
                    pending.mark_changed_details(&mut state);
                }
                7 => {
                    let _ = state.execute_details(now, user, message("", Instant::NEVER));
                    pending.mark_changed_details(&mut state);
                }
                8 => {
                    now = now.saturating_add(Duration::from_secs(u64::from(next(200))));
                    // Sometimes the directory is advanced late.
                    if next(3) > 0 {
                        while state.advance(now) {}
                        pending.mark_changed_details(&mut state);
                    }
                }
                9 | 10 => {
                    if in_flight.is_none() {
                        let before = read_all(&state, now);
                        pending.submit(&mut state, now, 0);
                        assert_eq!(read_all(&state, now), before);
                        in_flight = submitted.try_recv().ok();
                    }
                }
                _ => {
                    if let Some(group) = in_flight.take() {
                        flushed.send(Flushed::Group(flush(&journal, group))).unwrap();
                        assert!(pending.poll_flushed(&state).is_none());
                    }
                }
            }
            // A kill, now.
            let after = restored(&journal, now);
            let (live, after_kill) = (read_all(&state, now), read_all(&after, now));
            for user in 1..8u8 {
                let index = usize::from(user) - 1;
                if pending.contains(id(user)) || live[index] == after_kill[index] {
                    continue;
                }
                panic!("seed {seed} step {step} user {user}: {:?} then {:?}", live[index], after_kill[index]);
            }
            if pending.is_empty() && in_flight.is_none() {
                assert_eq!(live, after_kill, "seed {seed} step {step}");
                let floors = [&state, &after].map(|state| state.users.version_floor());
                assert!(
                    floors[0] <= floors[1],
                    "seed {seed} step {step}: numbers of the forgotten are used again: {floors:?}"
                );
            }
        }
        let rows = count_rows(&journal);
        assert!(rows < 60, "{rows}");
    }
}

/// A group without rows deletes none, so it must not ask for a review.
#[test]
fn stale_rows_are_dropped_despite_groups_without_rows() {
    let own = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::create(&own.path().join("x.sqlite")).unwrap();
    // Far more rows than the directory needs, as after a start with far fewer users.
    let mut group = Group::default();
    (1..=3000).for_each(|_| group.push(Record::User, id(255), at(0), &[]));
    append(&journal, &group);
    let (mut state, mut index) = (empty_state(100), JournalIndex::new(100));
    restore::load(&journal, &mut state, &mut index, time(at(0))).unwrap();
    let (mut pending, submitted, flushed) = pending(index);
    for round in 0..200 {
        let now = at(round);
        if round % 2 == 0 {
            for user in (1..=100).map(id) {
                state.execute(now, user, set(300 + round % 7)).unwrap();
                pending.mark_dirty(&state.users, user);
            }
        } else {
            pending.respond(super::job::Response::Advanced(tokio::sync::oneshot::channel().0), true);
        }
        pending.submit(&mut state, now, 0);
        flushed.send(Flushed::Group(flush(&journal, submitted.recv().unwrap()))).unwrap();
        assert!(pending.poll_flushed(&state).is_none());
    }
    let rows = count_rows(&journal);
    assert!(rows <= 400, "{rows}");
}

/// Texts that an earlier version of the server has left, and those of a search that was interrupted, are found at the start.
#[test]
fn texts_that_were_left_are_found_at_the_start() {
    let own = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::create(&own.path().join("x.sqlite")).unwrap();
    let mut state = empty_state(4);
    let (mut pending, groups, flushed) = pending(JournalIndex::new(4));
    let mut store = |state: &mut State, change: &mut dyn FnMut(&mut State, &mut Pending), now| {
        change(state, &mut pending);
        pending.mark_changed_details(state);
        pending.submit(state, now, 0);
        let mut group = groups.recv().unwrap();
        group.group.removed.clear();
        flushed.send(Flushed::Group(flush(&journal, group))).unwrap();
        assert!(pending.poll_flushed(state).is_none());
    };
    let set_message = |user: u8, text: &'static str, until| {
        move |state: &mut State, _: &mut Pending| {
            state.execute_details(at(0), id(user), message(text, at(until))).unwrap();
        }
    };
    // Each writes the rows of details and of the user, in some order.
    store(&mut state, &mut set_message(1, "first", 900), at(0));
    store(&mut state, &mut set_message(1, "second", 900), at(0));
    store(&mut state, &mut set_message(2, "expires", 10), at(0));
    store(
        &mut state,
        &mut |state, pending| {
            state.erase(at(0), id(1));
            pending.mark_erased(state, id(1));
        },
        at(0),
    );
    let mut texts = Vec::new();
    let each = &mut |row: Row<'_>| {
        texts.extend((!row.bytes.is_empty()).then_some((row.number, row.record, row.user)));
        ControlFlow::Continue(())
    };
    journal.read(0, each).unwrap();
    let mut index = JournalIndex::new(4);
    restore::load(&journal, &mut empty_state(4), &mut index, time(at(20))).unwrap();
    let mut found = index.stale_texts.clone();
    found.sort_unstable();
    let mut expected: Vec<_> = texts
        .iter()
        .filter(|(row, record, user)| *user == id(1) && *row < 7 || *user == id(2) && *record == Record::Details)
        .map(|(row, ..)| *row)
        .collect();
    expected.sort_unstable();
    assert_eq!((found.len(), &found), (5, &expected), "{texts:?}");
    let mut group = Group::default();
    group.removed = found;
    append(&journal, &group);
    let mut index = JournalIndex::new(4);
    restore::load(&journal, &mut empty_state(4), &mut index, time(at(20))).unwrap();
    assert!(index.stale_texts.is_empty());
}

/// The commit that stores a text anew, or removes it, overwrites the row of the one before: nothing of it is left to be found later.
#[test]
fn a_text_that_was_replaced_is_overwritten_in_the_same_commit() {
    let own = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::create(&own.path().join("x.sqlite")).unwrap();
    let mut state = empty_state(4);
    let (mut pending, groups, flushed) = pending(JournalIndex::new(4));
    for text in ["first", "second", "", "third", "fourth"] {
        state.execute_details(at(0), id(1), message(text, at(900))).unwrap();
        pending.mark_changed_details(&mut state);
        pending.submit(&mut state, at(0), 0);
        flushed.send(Flushed::Group(flush(&journal, groups.recv().unwrap()))).unwrap();
        assert!(pending.poll_flushed(&state).is_none());
        let mut texts = 0;
        let each = &mut |row: Row<'_>| {
            texts += usize::from(row.record == Record::Details && !row.bytes.is_empty());
            ControlFlow::Continue(())
        };
        journal.read(0, each).unwrap();
        assert_eq!(texts, usize::from(!text.is_empty()), "{text:?}");
    }
}

/// Every user who is erased between two commits is recorded as erased, so that their earlier rows are looked for.
#[test]
fn all_users_who_are_erased_in_a_commit_are_recorded() {
    let mut state = empty_state(4);
    let (mut pending, groups, _flushed) = pending(JournalIndex::new(4));
    for user in [1, 2, 3].map(id) {
        state.erase(at(0), user);
        pending.mark_erased(&mut state, user);
    }
    pending.submit(&mut state, at(0), 0);
    let mut erased = groups.recv().unwrap().group.erased;
    erased.sort_unstable();
    assert_eq!(erased, [1, 2, 3].map(id));
}
